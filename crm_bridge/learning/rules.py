"""Why something cannot be taught."""

from __future__ import annotations

from datetime import timedelta

from crm_bridge.companies.rules import Refusal

LONGEST = 200
"""Characters of a phrase."""
AT_ONCE = 50
"""Phrases that are added together."""
PATIENCE = timedelta(minutes=2)
"""After which a trial of which nothing was heard is over: its process ended."""


class CannotTeach(Refusal):
    """Refusal
    └── CannotTeach
          ├── NothingToTeach    no phrase was written
          ├── TooManyPhrases    see AT_ONCE
          ├── PhraseTooLong     see LONGEST
          ├── MeansSomethingElse  a phrase has another label already: `text` and `label` say which
          ├── UnknownLabel      there is no such intent or frequent question
          ├── AlreadyTrying     a trial of the company is under way
          ├── NotTried          only what was tried, as it was tried last, is published
          └── InUseAlready      that version is the one in use
    """


class NothingToTeach(CannotTeach):
    pass


class TooManyPhrases(CannotTeach):
    pass


class PhraseTooLong(CannotTeach):
    pass


class MeansSomethingElse(CannotTeach):
    def __init__(self, text: str, label: str) -> None:
        super().__init__(text, label)
        self.text, self.label = text, label


class UnknownLabel(CannotTeach):
    pass


class AlreadyTrying(CannotTeach):
    pass


class NotTried(CannotTeach):
    pass


class InUseAlready(CannotTeach):
    pass
