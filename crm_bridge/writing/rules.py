"""What a company may keep and ask for: pure."""

from __future__ import annotations

from datetime import timedelta

from crm_bridge.companies.rules import Refusal

LONGEST_TITLE = 120
LONGEST_TEXT = 200_000
"""Characters of a document: some eighty pages."""
MOST_DOCUMENTS = 30
MOST_TEXT = 600_000
"""Characters of all documents of a company, which are searched for every draft."""
AN_HOUR = 30
"""Drafts a company may ask for in an hour: what the operator's endpoint may cost at most."""
KEPT = timedelta(days=30)
"""How long it is known what was drafted, and what was marked in it."""


class DocumentEmpty(Refusal):
    """A document without words."""


class DocumentTooLong(Refusal):
    """More than LONGEST_TEXT characters."""


class TooManyDocuments(Refusal):
    """MOST_DOCUMENTS, or MOST_TEXT, are reached."""


class TooManyDrafts(Refusal):
    """AN_HOUR is reached."""
