"""The texts of a dialog as a form: what was written, what of it differs from the shipped texts, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.web.pages import clean, texts, word
from dialogs.loader import Dialog, DialogError

Edits = Mapping[str, Mapping[str, str]]
"""{path: {language: text}}"""

_FORMAL = "es-usted"
_LANGUAGES = ("es", _FORMAL, "en", "pt")
_LONGEST = 5_000
_PROBLEMS: Mapping[str, re.Pattern[str]] = {
    "empty": re.compile(r"is empty"),
    "long": re.compile(r"has (\d+) characters; WhatsApp shows (\d+)"),
    "variable": re.compile(r"unknown variable \{(.*?)\}; there are: (.*)"),
    "filter": re.compile(r"unknown filter \|(.*?); there (?:is|are): (.*)"),
    "braces": re.compile(r"cannot be read|only variables and filters"),
    "same": re.compile(r"two choices read the same"),
}
"""What the loader finds wrong, by the key of its text for people."""


@dataclass(frozen=True, slots=True)
class Box:
    """One text in one language."""

    name: str
    language: str
    text: str
    shipped: str
    problem: str

    @property
    def edited(self) -> bool:
        return self.text != self.shipped


@dataclass(frozen=True, slots=True)
class Item:
    """One text in all its languages."""

    path: str
    label: str
    boxes: tuple[Box, ...]
    problem: str

    @property
    def problem_paths(self) -> set[str]:
        """What the loader calls this text, or what holds it, when something is wrong with it."""
        return {self.path, self.path.rsplit(".", 1)[0], *(f"{self.path}.{box.language}" for box in self.boxes)}

    @property
    def edited(self) -> bool:
        return any(box.edited for box in self.boxes)

    @property
    def wrong(self) -> bool:
        return bool(self.problem) or any(box.problem for box in self.boxes)


@dataclass(frozen=True, slots=True)
class Group:
    """A question, or the greeting, the farewell, the frequent questions."""

    part: str
    title: str
    read: str
    optional: bool
    depends: bool
    fields: tuple[Item, ...]


def grouped(shipped: Dialog, now: Edits, problems: Mapping[str, str], tone: str) -> list[Group]:
    """The talk in its order. `es-usted` boxes are there for a number that says usted, and where such a wording exists."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for path, sources in shipped.texts().items():
        part, name = path.split(".")[:2]
        languages = [language for language in _LANGUAGES if language in sources or language in now[path]]
        if (
            tone == "usted"
            and _FORMAL not in languages
            and part != "faq"
            and ".choices." not in path
            and not path.endswith(".label")
        ):
            languages.insert(1, _FORMAL)
        boxes = tuple(
            Box(
                name=f"{path}|{language}",
                language=language,
                text=now[path].get(language, ""),
                shipped=sources.get(language, ""),
                problem=problems.get(f"{path}.{language}", ""),
            )
            for language in languages
        )
        key = (part, name if part == "questions" else "")
        problem = problems.get(path, "") or (problems.get(path.rsplit(".", 1)[0], "") if ".choices." in path else "")
        edited = [box for box in boxes if box.edited]
        if problem and len(edited) == 1:  # it can only be about the one that was written
            boxes = tuple(replace(box, problem=problem) if box is edited[0] else box for box in boxes)
            problem = ""
        groups.setdefault(key, []).append(Item(path, label_of(shipped, path), boxes, problem))
    made: list[Group] = []
    for (part, name), items in groups.items():
        question = shipped.questions.get(name)
        title = question.label.sources["es"] if question else word("part", part)
        optional, depends = bool(question and question.optional), bool(question and question.condition)
        made.append(Group(part, title, question.read if question else "", optional, depends, tuple(items)))
    return made


def label_of(shipped: Dialog, path: str) -> str:
    """What a text is called on the page."""
    part, name, *rest = path.split(".")
    if part == "faq":
        return word("faq", name, name.replace("_", " ").capitalize())
    if part == "questions" and rest[:1] == ["choices"]:
        return f"{word('text', 'choices')}: {shipped.texts()[path]['es']}"
    return word("text", rest[0] if part == "questions" else path)


def read_edits(form: Mapping[str, object], shipped: Dialog) -> dict[str, dict[str, str]]:
    """What the form holds for the texts that this dialog has; line ends as the dialogs have them."""
    edits: dict[str, dict[str, str]] = {}
    for path in shipped.texts():
        for language in _LANGUAGES:
            written = form.get(f"{path}|{language}")
            if isinstance(written, str):
                edits.setdefault(path, {})[language] = clean(written.replace("\r\n", "\n"), _LONGEST)
    return edits


def overrides_of(shipped: Dialog, edits: Edits) -> dict[str, dict[str, str]]:
    """Only what differs from the shipped texts."""
    found: dict[str, dict[str, str]] = {}
    for path, sources in shipped.texts().items():
        for language, text in edits.get(path, {}).items():
            if text != sources.get(language, ""):
                found.setdefault(path, {})[language] = text
    return found


def problems_of(error: DialogError) -> dict[str, str]:
    """{path: what is wrong, for people}."""
    found: dict[str, str] = {}
    for problem in error.problems:
        path, _, message = problem.partition(": ")
        found[path] = _for_people(message)
    return found


def _for_people(message: str) -> str:
    for key, pattern in _PROBLEMS.items():
        if match := pattern.match(message):
            return texts()["problem"][key].format(*match.groups())
    return word("problem", "other").format(message)


@dataclass(frozen=True, slots=True)
class Changed:
    label: str
    language: str
    before: str
    after: str


def changes(shipped: Dialog, before: Edits, after: Edits) -> list[Changed]:
    """What one version says differently from the one before it."""
    found: list[Changed] = []
    for path, sources in shipped.texts().items():
        group = path.split(".")[1]
        question = shipped.questions.get(group)
        label = f"{question.label.sources['es']} · {label_of(shipped, path)}" if question else label_of(shipped, path)
        for language in _LANGUAGES:
            old, new = (each.get(path, {}).get(language, sources.get(language, "")) for each in (before, after))
            if old != new:
                found.append(Changed(label, language, old, new))
    return found
