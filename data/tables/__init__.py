"""All tables, one file per area; importing this package makes `Base.metadata` whole."""

from data.tables.base import Base, OfCompany
from data.tables.catalogue import Product
from data.tables.companies import Company, DialogVersion, Number, User, WebSession
from data.tables.conversations import (
    Conversation,
    DeliveryStatus,
    InboxMessage,
    MediaFile,
    OutboxMessage,
    WebhookBody,
)
from data.tables.leads import Event, Lead
from data.tables.people import Consent, Identity, Person
from data.tables.processes import Process

__all__ = [
    "Base", "Company", "Consent", "Conversation", "DeliveryStatus", "DialogVersion", "Event", "Identity",
    "InboxMessage", "Lead", "MediaFile", "Number", "OfCompany", "OutboxMessage", "Person", "Process", "Product",
    "User", "WebSession", "WebhookBody",
]  # fmt: skip
