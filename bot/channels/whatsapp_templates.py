"""The approved templates of an account, as far as a person can fill them in: words with numbered places, and nothing else.

Source: Meta's Business Management API reference, `GET /{waba}/message_templates`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from bot.channels.base import Template

FIELDS = "name,language,status,category,components,parameter_format"
_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class Approved(Struct, frozen=True):
    """A template that may go out. `body` has {{1}} … {{places}} to be filled in; "" when only the name is known."""

    name: str
    language: str
    body: str
    places: int
    replies: int = 0
    """Its quick-reply buttons."""

    def filled(self, values: Sequence[str]) -> str:
        """What the person will read; the name where the words are not known."""
        return _PLACE.sub(lambda found: values[int(found[1]) - 1], self.body) or self.name

    def message(self, values: Sequence[str]) -> Template:
        return Template(name=self.name, language=self.language, parameters=tuple(values))


def approved(listed: Iterable[Any]) -> list[Approved]:
    """Those of Graph's list that can be sent with words alone. What has another shape is left out."""
    return [found for each in listed if isinstance(each, dict) and (found := _one(each))]


def _one(template: Mapping[str, Any]) -> Approved | None:
    if template.get("status") != "APPROVED" or template.get("category") == "AUTHENTICATION":
        return None
    body, replies = "", 0
    for part in template.get("components") or ():
        if not isinstance(part, dict):
            return None
        text = str(part.get("text") or "")
        match str(part.get("type", "")).upper():
            case "BODY":
                body = text
            case "FOOTER":
                pass
            case "HEADER" if part.get("format", "TEXT") == "TEXT" and not _PLACE.search(text):
                pass
            case "BUTTONS" if all(map(_plain_button, part.get("buttons") or ())):
                replies = sum(str(each.get("type", "")).upper() == "QUICK_REPLY" for each in part["buttons"])
            case _:
                return None
    names = set(_PLACE.findall(body))
    if not body or names != {str(number) for number in range(1, len(names) + 1)}:
        return None
    return Approved(str(template.get("name")), str(template.get("language")), body, len(names), replies)


def _plain_button(button: Any) -> bool:
    """A button that needs nothing filled in."""
    if not isinstance(button, dict):
        return False
    kind = str(button.get("type", "")).upper()
    return kind in ("QUICK_REPLY", "PHONE_NUMBER") or (kind == "URL" and not _PLACE.search(str(button.get("url", ""))))
