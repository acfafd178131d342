"""The Graph API's refusals: every code with its title, HTTP status, and whether it comes as an answer or later as a status.

Source: developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes.
"""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple


class Code(NamedTuple):
    title: str
    http: int = 400
    late: bool = False
    """Accepted with 200 first; the refusal arrives as a `failed` status."""


CODES: dict[int, Code] = {
    0: Code("AuthException", 401),
    1: Code("An unknown error occurred"),
    2: Code("Service temporarily unavailable", 503),
    3: Code("Capability or permissions issue", 500),
    4: Code("Application request limit reached", 429),
    10: Code("Application does not have permission for this action", 403),
    33: Code("Parameter value is not valid"),
    100: Code("Invalid parameter"),
    190: Code("Invalid OAuth access token", 401),
    200: Code("Permissions error", 403),
    368: Code("Temporarily blocked for policies violations", 403),
    80007: Code("Rate limit issues", 429),
    130429: Code("Rate limit hit", 429),
    130472: Code("User's number is part of an experiment", late=True),
    131000: Code("Something went wrong", 500),
    131005: Code("Access denied", 403),
    131008: Code("Required parameter is missing"),
    131009: Code("Parameter value is not valid"),
    131016: Code("Service unavailable", 503),
    131021: Code("Recipient cannot be sender"),
    131026: Code("Message undeliverable", late=True),
    131030: Code("Recipient phone number not in allowed list"),
    131031: Code("Business Account locked", 403),
    131042: Code("Business eligibility payment issue", late=True),
    131045: Code("Incorrect certificate", 500),
    131047: Code("Re-engagement message", late=True),
    131048: Code("Spam rate limit hit", 429, late=True),
    131049: Code("This message was not delivered to maintain healthy ecosystem engagement.", late=True),
    131050: Code("User has stopped marketing messages", late=True),
    131051: Code("Unsupported message type"),
    131052: Code("Media download error"),
    131053: Code("Media upload error", late=True),
    131056: Code("(Business Account, Consumer Account) pair rate limit hit", 429),
    131057: Code("Account in maintenance mode", 500),
    131064: Code("Messaging limit reached", 429, late=True),
    132000: Code("Number of parameters does not match the expected number of params"),
    132001: Code("Template name does not exist in the translation", 404),
    132005: Code("Template hydrated text too long"),
    132007: Code("Template format character policy violated"),
    132012: Code("Template parameter format mismatch"),
    132015: Code("Template is paused"),
    132016: Code("Template is disabled"),
    132068: Code("Flow is blocked"),
    132069: Code("Flow is throttled"),
}

HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


class GraphError(Exception):
    """A request that Meta would refuse."""

    def __init__(self, code: int, details: str = "", *, subcode: int | None = None, message: str = "") -> None:
        self.known = CODES.get(code, Code("An unknown error occurred"))
        super().__init__(message or f"(#{code}) {self.known.title}")
        self.code = code
        self.details = details
        self.subcode = subcode

    @property
    def http(self) -> int:
        return self.known.http

    def body(self) -> dict[str, Any]:
        """The answer's body: `{"error": {message, type, code, error_data?, error_subcode?, fbtrace_id}}`."""
        kind = "GraphMethodException" if self.subcode == 33 else "OAuthException"
        error: dict[str, Any] = {"message": str(self), "type": kind, "code": self.code}
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return {"error": error | {"fbtrace_id": "A" + secrets.token_urlsafe(16)}}

    def in_status(self) -> dict[str, Any]:
        """One element of a failed status' `errors`."""
        title = self.known.title
        return {
            "code": self.code,
            "title": title,
            "message": title,
            "error_data": {"details": self.details or title},
            "href": HREF,
        }


def not_found(object_id: str, method: str = "get") -> GraphError:
    """What Meta says of an id that it does not know, or that the token may not see."""
    return GraphError(
        100,
        subcode=33,
        message=f"Unsupported {method} request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
    )
