"""Why a message did not go out."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """What we ourselves say of it in the delivery log; its words are in bot/web/texts.yaml, `delivery_error`. What another server
    said stands there as it said it."""

    NOT_SET_UP = "not_set_up"
    NOT_AN_ADDRESS = "not_an_address"
    PRIVATE_NETWORK = "private_network"
    WRONG_KEYS = "wrong_keys"
    """Of a browser."""
    NO_CONNECTION = "no_connection"
    NO_TLS = "no_tls"
    """Of a mail server: it offers none, or its certificate is not to be trusted."""
    NO_ANSWER = "no_answer"
    """It may have been taken."""
    NOT_TAKEN = "not_taken"
    """By a service that does not say why."""
    NO_CHAT = "no_chat"
    NO_TEMPLATE = "no_template"
    """Outside the 24-hour window."""
    INTERNAL = "internal"
    """Our own fault; more is in the log."""


class SendFailed(Exception):
    """What came of trying to send; the message is for the delivery log: a Trouble, or what the other side said.

    SendFailed
      ├── TryAgain   not taken this time; `after` seconds where the other side asked for them
      ├── Unsure     no answer came: it may have been taken, and the same message may be sent again
      ├── Refused    it will never be taken
      ├── Gone       nobody is there any more: this way to reach them is to be switched off
      └── NotSetUp   the installation does not have this channel
    """


class TryAgain(SendFailed):
    """Not taken this time."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Unsure(SendFailed):
    """No answer came; it may or may not have been taken."""


class Refused(SendFailed):
    """It will never be taken."""


class Gone(SendFailed):
    """This way to reach them is no more."""


class NotSetUp(SendFailed):
    """The installation does not have this channel."""
