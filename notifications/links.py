"""Links that answer an alert without a log-in: signed, for one alert and one answer, and good for a time."""

from __future__ import annotations

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from crm_bridge.companies.rules import Refusal

ACTIONS = ("accept", "pass")
"""In the order of an alert's buttons, and of the template's."""
_BODY = struct.Struct(">QBQ")
"""The alert, the action's place in ACTIONS, when it ends (Unix seconds)."""


class LinkForged(Refusal):
    """Not a link of ours, or one that somebody changed."""


class LinkExpired(Refusal):
    """A link of ours whose time is over."""


@dataclass(frozen=True, slots=True)
class Link:
    alert_id: int
    action: str
    """One of ACTIONS."""
    expires: datetime


def sign(secret: str, *, alert_id: int, action: str, expires: datetime) -> str:
    """The token of a link: 66 characters that stand in an address as they are. `expires` counts in whole seconds."""
    body = _BODY.pack(alert_id, ACTIONS.index(action), int(expires.timestamp()))
    return _write(body + _seal(secret, body))


def read(secret: str, token: str, now: datetime) -> Link:
    """What a token means. LinkForged, LinkExpired."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        body, seal = raw[: _BODY.size], raw[_BODY.size :]
        alert_id, action, ends = _BODY.unpack(body)
    except (ValueError, struct.error):
        raise LinkForged from None
    if _write(raw) != token or not hmac.compare_digest(seal, _seal(secret, body)):
        raise LinkForged
    expires = datetime.fromtimestamp(ends, UTC)
    if expires <= now:
        raise LinkExpired
    return Link(alert_id, ACTIONS[action], expires)


def _seal(secret: str, body: bytes) -> bytes:
    return hmac.digest(secret.encode(), b"alert link:" + body, "sha256")


def _write(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
