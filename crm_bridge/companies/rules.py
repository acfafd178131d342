"""Who may log in, and with what: pure rules about roles, passwords, second factors and sessions."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

ROLES = ("admin", "manager", "seller")
SESSION_LIFE = timedelta(days=14)
"""Counted from the last visit."""
SEEN_EVERY = timedelta(minutes=10)
"""How exact the last visit of a session is kept: a write for every page would be waste."""
MAX_FAILURES = 10
LOCK = timedelta(minutes=15)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
_STEP = 30
_HASHER = PasswordHasher()


class Refusal(Exception):
    """What somebody asked for is not to be had, and they are told why: the pages have a text for each class.

    Refusal
      ├── EmailTaken          another account has that address
      ├── NotAnEmail          it cannot be an address
      ├── NameMissing         a user without a name
      ├── WrongRole           there is no such role
      ├── OwnAccount          nobody demotes or switches off themselves: so an administrator always remains
      ├── WrongPassword       the password given to confirm a change is not theirs
      ├── PasswordTooShort    see SHORTEST_PASSWORD
      ├── PasswordTooLong     see LONGEST_PASSWORD
      ├── PasswordGuessable   it holds their own address, or one character over and over
      ├── PasswordsDiffer     the two new ones are not the same
      ├── WrongCode           the six digits do not fit, or were used before
      ├── StaleVersion        somebody else saved the dialog in the meantime
      ├── WrongHours          not spans such as 09:00-18:00
      └── NotATemplate        not a name that a template can have
    """


class EmailTaken(Refusal): ...


class NotAnEmail(Refusal): ...


class NameMissing(Refusal): ...


class WrongRole(Refusal): ...


class OwnAccount(Refusal): ...


class WrongPassword(Refusal): ...


class PasswordTooShort(Refusal): ...


class PasswordTooLong(Refusal): ...


class PasswordGuessable(Refusal): ...


class PasswordsDiffer(Refusal): ...


class WrongCode(Refusal): ...


class StaleVersion(Refusal): ...


class WrongHours(Refusal): ...


class NotATemplate(Refusal): ...


def check_password(password: str, email: str) -> None:
    """Refuse a new password that is too short, too long or easily guessed."""
    if len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort
    if len(password) > LONGEST_PASSWORD:
        raise PasswordTooLong
    if len(set(password)) < 4 or email.split("@")[0].lower() in password.lower():
        raise PasswordGuessable


@cache
def _nobody() -> str:
    return _HASHER.hash("no account has this password")


def hash_password(password: str) -> str:
    """argon2id. Takes tens of milliseconds and 64 MiB: never on the event loop."""
    return _HASHER.hash(password)


def password_fits(password: str, hashed: str | None) -> bool:
    """Whether the password is the one; `hashed` None (no such account) takes as long and is always false."""
    try:
        return _HASHER.verify(hashed or _nobody(), password[:LONGEST_PASSWORD]) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def code_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The 30-second step whose TOTP (RFC 6238) `code` is, one early or late allowed; None when it fits none after `last_step`."""
    totp = pyotp.TOTP(secret)
    current = int(now.timestamp()) // _STEP
    for step in (current, current - 1, current + 1):
        if step > last_step and pyotp.utils.strings_equal(totp.generate_otp(step), code.replace(" ", "")):
            return step
    return None


def read_hours(written: dict[str, str]) -> dict[str, list[str]]:
    """{"mon": "9:00-13:00, 14:00-18:00", …} as stored: spans in order, hours with two digits, closed days left out."""
    hours: dict[str, list[str]] = {}
    for day, line in written.items():
        spans = [span.strip().replace(" ", "").replace("–", "-") for span in line.split(",") if span.strip()]
        padded = ["-".join(part.zfill(5) for part in span.split("-")) for span in spans]
        if padded:
            hours[day] = sorted(padded)
    return hours
