"""A YAML document read key by key, so that every problem in it can be named with its file and line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

import yaml

_DURATION = re.compile(r"(\d+)\s*(m|h|d)")
# libyaml's where it is there: ten times as fast.
_Loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class DialogError(Exception):
    """A dialog does not load. The message lists every problem, one a line: `file:line: key: what is wrong and what to do`."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True)
class Problems:
    """Collects what is wrong, so that all of it is told at once."""

    file: str
    found: list[str] = field(default_factory=list)

    def add(self, line: int, path: str, message: str) -> None:
        self.found.append(f"{self.file}:{line}: {path}: {message}" if path else f"{self.file}:{line}: {message}")

    def raise_if_any(self) -> None:
        if self.found:
            raise DialogError(*self.found)


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the document, and where it stands. Reading it as the wrong type adds a problem and gives an empty value."""

    node: yaml.Node
    path: str
    problems: Problems

    def fail(self, message: str) -> None:
        self.problems.add(self.node.start_mark.line + 1, self.path, message)

    def string(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail("must be text")
            return ""
        value: str = self.node.value
        if not value.strip():
            self.fail("is empty; write it or leave the key out")
        return value

    def boolean(self) -> bool:
        if isinstance(self.node, yaml.ScalarNode) and self.node.value in ("true", "false"):
            return bool(self.node.value == "true")
        self.fail("must be true or false")
        return False

    def decimal(self) -> Decimal:
        try:
            value = Decimal(self.string())
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            self.fail("must be a number")
            return Decimal(0)
        return value

    def integer(self) -> int:
        value = self.decimal()
        if value != value.to_integral_value():
            self.fail("must be a whole number")
        return int(value)

    def duration(self) -> timedelta:
        match = _DURATION.fullmatch(self.string())
        if match is None:
            self.fail("must be a time like 30m, 2h or 1d")
            return timedelta(hours=1)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})

    def strings(self) -> tuple[str, ...]:
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("must be a list")
            return ()
        return tuple(Entry(node, f"{self.path}[{index}]", self.problems).string() for index, node in enumerate(self.node.value))

    def items(self) -> Iterator[Entry]:
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("must be a list")
            return
        for index, node in enumerate(self.node.value):
            yield Entry(node, f"{self.path}[{index}]", self.problems)

    def mapping(self, allowed: Collection[str] | None = None, required: Collection[str] = ()) -> dict[str, Entry]:
        """Its entries by key. `allowed` None takes any key."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("must be a mapping (key: value)")
            return {}
        entries: dict[str, Entry] = {}
        for key_node, value_node in self.node.value:
            key = str(key_node.value)
            path = f"{self.path}.{key}" if self.path else key
            line = key_node.start_mark.line + 1
            if key in entries:
                self.problems.add(line, path, "is there twice; keep one")
            elif allowed is not None and key not in allowed:
                close = get_close_matches(key, allowed, 1)
                hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(sorted(allowed))}"
                self.problems.add(line, path, f"unknown key; {hint}")
            else:
                entries[key] = Entry(value_node, path, self.problems)
        for key in required:
            if key not in entries:
                self.fail(f"{key} is missing")
        return entries


def compose(source: str, name: str) -> Entry:
    """The whole document (DialogError when it is not YAML, or is empty)."""
    try:
        node = yaml.compose(source, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        raise DialogError(f"{name}:{line}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    if node is None:
        raise DialogError(f"{name}:1: is empty; write a dialog")
    return Entry(node, "", Problems(name))
