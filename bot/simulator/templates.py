"""Message templates of each WhatsApp account: approved at once, checked and filled in as Meta does."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from bot.simulator.graph_errors import GraphError

Json = dict[str, Any]

_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_NAME = re.compile(r"[a-z0-9_]{1,512}")


@contextmanager
def _shape_expected() -> Iterator[None]:
    """What a caller's JSON lacks, or has in another type, is the caller's fault."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise GraphError(100, f"The template does not have the expected shape ({error!r}).") from error


class Templates:
    """By account, name and language."""

    def __init__(self) -> None:
        self._templates: dict[tuple[str, str, str], Json] = {}

    def create(self, waba: str, template: Json) -> Json:
        """Register and approve a template in the shape of `POST /{waba}/message_templates`, and return it with its id.
        GraphError when it is not one, or there already."""
        with _shape_expected():
            return self._create(waba, template)

    def _create(self, waba: str, template: Json) -> Json:
        name, language = template.get("name"), template.get("language")
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(language, str):
            raise GraphError(100, "A name of lower-case letters, digits and underscores, and a language, are required.")
        if not any(str(c.get("type", "")).upper() == "BODY" and c.get("text") for c in template.get("components", ())):
            raise GraphError(100, "A BODY component with a text is required.")
        if (waba, name, language) in self._templates:
            raise GraphError(100, "There is already content in this language for this template.", subcode=2388024)
        kept = {
            "name": name,
            "language": language,
            "category": template.get("category", "UTILITY"),
            "parameter_format": template.get("parameter_format", "POSITIONAL"),
            "components": template["components"],
            "status": "APPROVED",
            "id": str(secrets.randbelow(9 * 10**15) + 10**15),
        }
        self._templates[waba, name, language] = kept
        return kept

    def of(self, waba: str) -> list[Json]:
        return [template for (owner, _, _), template in self._templates.items() if owner == waba]

    def by_id(self, template_id: str) -> Json | None:
        return next((template for template in self._templates.values() if template["id"] == template_id), None)

    def delete(self, waba: str, name: str) -> bool:
        gone = [key for key in self._templates if key[:2] == (waba, name)]
        for key in gone:
            del self._templates[key]
        return bool(gone)

    def render(self, waba: str, content: Json) -> Json:
        """What the person sees of an outgoing `template` part: header, media, body, footer, buttons, category.
        GraphError when there is no such template or the parameters do not fit it."""
        with _shape_expected():
            return self._render(waba, content)

    def _render(self, waba: str, content: Json) -> Json:
        template = self._find(waba, content)
        given = {str(c.get("type", "")).lower(): c.get("parameters", []) for c in content.get("components", ())}
        shown: Json = {"header": "", "media": None, "body": "", "footer": "", "buttons": [], "links": []}
        shown["category"] = str(template["category"]).lower()
        for component in template["components"]:
            kind = str(component["type"]).upper()
            if kind == "BUTTONS":
                shown["buttons"], shown["links"] = _buttons(component["buttons"], content.get("components", ()))
            elif kind == "HEADER" and component.get("format", "TEXT") != "TEXT":
                shown["media"] = next(iter(given.get("header", ())), None)
            elif kind in ("HEADER", "BODY", "FOOTER"):
                shown[kind.lower()] = _fill(kind.lower(), component.get("text", ""), given.get(kind.lower(), []))
        if len(shown["body"]) > 1024 + 512:
            raise GraphError(132005, "The translated text is too long.")
        return shown

    def _find(self, waba: str, content: Json) -> Json:
        name, language = content["name"], content["language"]["code"]
        template = self._templates.get((waba, name, language))
        if template is None:
            raise GraphError(132001, f"template name ({name}) does not exist in {language}")
        return template


def _fill(part: str, text: str, parameters: list[Json]) -> str:
    names = list(dict.fromkeys(_PLACE.findall(text)))
    if len(parameters) != len(names):
        raise GraphError(
            132000,
            f"{part}: number of params ({len(parameters)}) does not match the expected number of params ({len(names)})",
        )
    values = {p.get("parameter_name", name): _value(p) for name, p in zip(names, parameters, strict=True)}
    if set(values) != set(names):
        raise GraphError(100, f"{part}: parameter names {sorted(values)} do not match {sorted(names)}")
    return _PLACE.sub(lambda found: values[found[1]], text)


def _value(parameter: Json) -> str:
    kind = parameter.get("type", "")
    value = parameter.get(kind)
    return str(value.get("fallback_value", "")) if isinstance(value, dict) else str(value or "")


def _buttons(buttons: list[Json], components: Iterable[Json]) -> tuple[list[Json], list[Json]]:
    """The quick replies with their payloads, and the other buttons as they are."""
    payloads = {
        int(c["index"]): str(c["parameters"][0].get("payload", ""))
        for c in components
        if str(c.get("type", "")).lower() == "button" and str(c.get("sub_type", "")).lower() == "quick_reply"
    }
    replies = [
        {"text": button["text"], "payload": payloads.get(index) or button["text"]}
        for index, button in enumerate(buttons)
        if str(button["type"]).upper() == "QUICK_REPLY"
    ]
    return replies, [button for button in buttons if str(button["type"]).upper() != "QUICK_REPLY"]
