"""All tables, one file per area; importing this package makes `Base.metadata` whole."""

from data.tables.alerts import Alert, ContactPoint, Delivery, LinkCode
from data.tables.assignment import (
    Assignment,
    CannedReply,
    Holiday,
    Leave,
    Note,
    Offer,
    Rating,
    Reminder,
    Seller,
    Team,
    TeamMember,
)
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
from data.tables.writing import Document, Draft

__all__ = [
    "Alert", "Assignment", "Base", "CannedReply", "Company", "Consent", "ContactPoint", "Conversation", "Delivery",
    "DeliveryStatus", "DialogVersion", "Document", "Draft", "Event", "Holiday", "Identity", "InboxMessage", "Lead", "Leave",
    "LinkCode", "MediaFile", "Note", "Number", "OfCompany", "Offer", "OutboxMessage", "Person", "Process", "Product",
    "Rating", "Reminder", "Seller", "Team", "TeamMember", "User", "WebSession", "WebhookBody",
]  # fmt: skip
