"""What turns a reply into an answer, by the name that dialogs use in `read:`."""

from __future__ import annotations

from collections.abc import Mapping

from dialogs.readers.base import Ask, Heard, Miss, Reader, Reading
from dialogs.readers.choice import ChoiceReader
from dialogs.readers.date import DateReader
from dialogs.readers.email import EmailReader
from dialogs.readers.file import FileReader
from dialogs.readers.location import LocationReader
from dialogs.readers.money import MoneyReader
from dialogs.readers.number import NumberReader
from dialogs.readers.person_name import PersonNameReader
from dialogs.readers.phone import PhoneReader
from dialogs.readers.tax_id import TaxIdReader
from dialogs.readers.text import TextReader

READERS: Mapping[str, Reader] = {
    "text": TextReader(),
    "person_name": PersonNameReader(),
    "email": EmailReader(),
    "phone": PhoneReader(),
    "money": MoneyReader(),
    "date": DateReader(),
    "number": NumberReader(),
    "choice": ChoiceReader(),
    "location": LocationReader(),
    "file": FileReader(),
    "tax_id": TaxIdReader(),
}

MISSES: Mapping[str, frozenset[str]] = {name: reader.misses for name, reader in READERS.items()}
"""{reader: every `why` of a Miss}: a help text has to exist for each."""

__all__ = ["MISSES", "READERS", "Ask", "Heard", "Miss", "Reader", "Reading"]
