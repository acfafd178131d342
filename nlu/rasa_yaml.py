"""Labelled lines from Rasa's NLU training format, version 3.1 (https://rasa.com/docs/rasa/training-data-format)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

LANGUAGES = ("es", "en", "pt")
_ENTITY = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\}|\[\{[^\]]*\])")


class CorpusError(ValueError):
    """Training lines that cannot be used: one `file:line: what is wrong and what to do` a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled line. `language` is what the file's name starts with (`es_sales.yml`), or None."""

    text: str
    intent: str
    language: str | None
    where: str
    """`file:line`."""


def read(path: Path, *, strict: bool = True) -> tuple[Line, ...]:
    """Every labelled line of a file, or of the .yml and .yaml files of a folder (not of its subfolders).

    Files and keys that hold no intents (stories, rules, synonyms, lookups) are passed over. CorpusError lists every problem at
    once; with `strict=False` a line that stands under two intents is kept under both, as Rasa does.
    """
    files = sorted(f for f in path.iterdir() if f.suffix in {".yml", ".yaml"}) if path.is_dir() else [path]
    problems: list[str] = []
    lines: list[Line] = []
    for file in files:
        try:
            lines += _file(file, problems)
        except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{file.name}:{mark.line + 1}" if mark else file.name
            problems.append(f"{where}: not readable YAML: {getattr(error, 'problem', None) or error}")
    problems += _conflicts(lines) if strict else []
    intents = {line.intent for line in lines}
    if not lines:
        problems.append(f"{path.name}:1: no labelled lines; write `nlu:` with `- intent:` and `examples: |`")
    elif len(intents) == 1:
        problems.append(f"{lines[0].where}: only one intent ({lines[0].intent}); at least two are needed to tell them apart")
    if problems:
        raise CorpusError("\n".join(problems))
    return tuple(lines)


def _file(file: Path, problems: list[str]) -> Iterator[Line]:
    root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    language = next((code for code in LANGUAGES if re.match(rf"{code}(?![a-z])", file.stem)), None)
    for entry in _items(_get(root, "nlu")):
        intent = _get(entry, "intent")
        if not isinstance(intent, yaml.ScalarNode):
            continue
        found = [(text, at) for text, at in _examples(_get(entry, "examples"), file, problems) if text]
        if not found:
            problems.append(
                f"{file.name}:{intent.start_mark.line + 1}: intent {intent.value} has no examples; add lines or delete it"
            )
        for text, at in found:
            yield Line(_ENTITY.sub(r"\1", text).strip(), intent.value.strip(), language, f"{file.name}:{at}")


def _examples(node: yaml.Node | None, file: Path, problems: list[str]) -> Iterator[tuple[str, int]]:
    """(text, line number) from a `|` block of `- ` lines, a list of strings, or a list of {text, metadata}."""
    if isinstance(node, yaml.ScalarNode):
        first = node.start_mark.line + (2 if node.style in ("|", ">") else 1)
        for offset, raw in enumerate(node.value.splitlines()):
            stripped = raw.strip()
            if stripped == "-" or stripped.startswith("- "):
                yield stripped[1:].strip(), first + offset
            elif stripped:
                problems.append(f"{file.name}:{first + offset}: an example must start with `- `: {stripped[:40]}")
    for item in _items(node):
        text = item if isinstance(item, yaml.ScalarNode) else _get(item, "text")
        if isinstance(text, yaml.ScalarNode):
            yield text.value.strip().removeprefix("- ").strip(), item.start_mark.line + 1


def _conflicts(lines: Sequence[Line]) -> list[str]:
    """A text under two intents teaches nothing."""
    seen: dict[str, Line] = {}
    problems = []
    for line in lines:
        first = seen.setdefault(" ".join(line.text.lower().split()), line)
        if first.intent != line.intent:
            problems.append(f"{line.where}: “{line.text}” is {line.intent} here and {first.intent} at {first.where}; keep one")
    return problems


def _get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return value  # type: ignore[no-any-return]
    return None


def _items(node: yaml.Node | None) -> Sequence[yaml.Node]:
    return node.value if isinstance(node, yaml.SequenceNode) else ()
