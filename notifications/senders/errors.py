"""Why a message did not go out."""

from __future__ import annotations


class SendFailed(Exception):
    """What came of trying to send; the message is for the delivery log.

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
