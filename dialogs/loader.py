"""YAML → Dialog, with every problem named by file, line and key."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from dialogs.document import DialogError, Entry, compose
from dialogs.expressions import Condition, ExpressionError, compile_condition
from dialogs.lexicon import Lexicon
from dialogs.model import Dialog, Done, Faq, Greet, Option, Question, ScoreRule, Silence
from dialogs.readers import READERS
from dialogs.texts import FORMAL, LANGUAGES, Text, TextError, compile_text
from dialogs.things import kind_of
from dialogs.wording import plain

__all__ = ["FLOWS", "Dialog", "DialogError", "load_file", "load_folder", "load_text", "with_overrides"]

FLOWS = Path(__file__).with_name("flows")
_COMMON = Path(__file__).with_name("texts.yaml")
_FACTS = ("name", "email", "phone", "company")
_VOICE = frozenset({"bot", "company", "opens"})
# What the engine fills in, in the texts that all dialogs share.
_ENGINE = _VOICE | {"name", "shown", "question", "example", "label", "options"}
_RESERVED = _ENGINE | {"today"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TOP = ("dialog", "version", "greet", "questions", "score", "confirm", "done", "faq", "silence")
_QUESTION = (
    "read", "ask", "again", "if", "optional", "fact", "label", "choices", "minimum", "maximum", "help", "called", "takes",
    "lasting", "things", "way",
)  # fmt: skip
# WhatsApp's own: a body with buttons or a list, a plain text, a row of a list, a button; rows in a list, buttons.
BODY, TEXT, ROW, BUTTON, ROWS, BUTTONS = 1024, 4096, 24, 20, 10, 3
MOST_CHOICES = 30
_WINDOW = timedelta(hours=24)
_ENOUGH = 40
"""Characters that a text must leave free for what is joined to it."""


def load_folder(path: Path = FLOWS) -> Mapping[str, Dialog]:
    """All dialogs of a folder by name; the problems of all its files come in one DialogError."""
    dialogs: dict[str, Dialog] = {}
    problems: list[str] = []
    for file in sorted(path.glob("*.yaml")):
        try:
            dialog = load_file(file)
        except DialogError as error:
            problems += error.problems
            continue
        if dialog.name in dialogs:
            problems.append(f"{file.name}:1: dialog: there already is a dialog {dialog.name}; choose another name")
        dialogs[dialog.name] = dialog
    if problems:
        raise DialogError(*problems)
    return dialogs


def load_file(path: Path) -> Dialog:
    try:
        source = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DialogError(f"{path.name}:1: cannot be read: {error}") from None
    return load_text(source, path.name)


def load_text(source: str, name: str) -> Dialog:
    """`name` stands for the file in messages."""
    document = compose(source, name)
    dialog = _dialog(document)
    document.problems.raise_if_any()
    assert dialog is not None
    return replace(dialog, source=source)


def with_overrides(dialog: Dialog, overrides: Mapping[str, Any], version: int) -> Dialog:
    """The dialog with `{path: value}` put in place of its own; a text's languages are replaced one by one."""
    tree: dict[str, Any] = yaml.safe_load(dialog.source)
    problems = [f"{path}: {problem}" for path, value in overrides.items() if (problem := _override(tree, path, value))]
    if problems:
        raise DialogError(*problems)
    tree["version"] = version
    try:
        return load_text(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=1000), f"{dialog.name} (edited)")
    except DialogError as error:
        # Lines of the merged document mean nothing to whoever edited one text: the key does.
        raise DialogError(*(problem.split(": ", 1)[-1] for problem in error.problems)) from None


def _override(tree: dict[str, Any], path: str, value: Any) -> str:
    *folders, last = path.split(".")
    place: Any = tree
    for folder in folders:
        place = place.get(folder) if isinstance(place, dict) else None
    if not isinstance(place, dict) or (last not in place and last not in _QUESTION) or path in ("dialog", "version"):
        return "there is no such text in this dialog any more; leave it out"
    old = place.get(last)
    place[last] = {**old, **value} if isinstance(old, dict) and isinstance(value, Mapping) else value
    return ""


# ------------------------------------------------------------------------------------------ the whole dialog
def _dialog(document: Entry) -> Dialog | None:
    top = document.mapping(_TOP, ("dialog", "version", "greet", "questions", "done"))
    entries = top["questions"].mapping() if "questions" in top else {}
    names = frozenset(entries)
    variables = names | _VOICE
    questions = {name: _question(name, entry, names, variables) for name, entry in entries.items()}
    if "questions" in top and not questions:
        top["questions"].fail("has none; write at least one")
    order = _order({name: question for name, question in questions.items() if question}, entries)
    greet = _greet(top["greet"], variables) if "greet" in top else None
    score = tuple(rule for entry in top["score"].items() if (rule := _score(entry, names))) if "score" in top else ()
    faq = {key: _faq(entry, variables) for key, entry in top["faq"].mapping().items()} if "faq" in top else {}
    done = _done(top["done"], variables) if "done" in top else None
    silence = _silence(top["silence"]) if "silence" in top else None
    name = top["dialog"].string() if "dialog" in top else ""
    version = top["version"].integer() if "version" in top else 0
    confirm = "confirm" in top and top["confirm"].boolean()
    whole = {key: question for key, question in questions.items() if question is not None}
    if document.problems.found or greet is None or done is None:
        return None
    common, words = _shared()
    dialog = Dialog(
        name=name, version=version, questions=whole, order=order, greet=greet, done=done, common=common, words=words,
        score=score, confirm=confirm, silence=silence,
        faq={key: one for key, one in faq.items() if one},
    )  # fmt: skip
    return replace(dialog, editable=_editable(dialog))


def _question(name: str, entry: Entry, names: Collection[str], variables: Collection[str]) -> Question | None:
    if not _NAME.fullmatch(name):
        entry.fail("a question's name is lower-case letters, digits and underscores")
    if name in _RESERVED:
        entry.fail(f"is a name that texts use for something else; choose another than {', '.join(sorted(_RESERVED))}")
    got = entry.mapping(_QUESTION, ("read", "ask", "label"))
    read = got["read"].string() if "read" in got else ""
    if "read" in got and read not in READERS:
        got["read"].fail(f"there is no reader {read}; there are: {', '.join(sorted(READERS))}")
    choices = _choices(got["choices"]) if "choices" in got else {}
    if read == "choice" and not choices:
        entry.fail("a choice needs choices")
    fact = got["fact"].string() if "fact" in got else ""
    if fact and fact not in _FACTS:
        got["fact"].fail(f"there is no fact {fact}; there are: {', '.join(_FACTS)}")
    limit = BODY if 0 < len(choices) <= ROWS else TEXT
    ask = _text(got["ask"], variables, limit) if "ask" in got else None
    label = _text(got["label"], (), ROW) if "label" in got else None
    again = _text(got["again"], variables, limit) if "again" in got else ask
    help_text = _text(got["help"], variables, limit) if "help" in got else None
    condition = _condition(got["if"], names) if "if" in got else None
    optional = "optional" in got and got["optional"].boolean()
    lasting = "lasting" in got and got["lasting"].boolean()
    way = got["way"].string() if "way" in got else ""
    if way not in ("", "from", "to"):
        got["way"].fail("must be from or to")
    minimum = got["minimum"].decimal() if "minimum" in got else None
    maximum = got["maximum"].decimal() if "maximum" in got else None
    called = got["called"].strings() if "called" in got else ()
    takes = got["takes"].strings() if "takes" in got else ()
    things = got["things"].strings() if "things" in got else ()
    if ask is None or label is None or again is None:
        return None
    return Question(
        name=name, read=read, ask=ask, label=label, again=again, help=help_text, condition=condition, optional=optional,
        fact=fact, lasting=lasting, choices=choices, spoken=_spoken(choices), exact=_exact(choices),
        hints=_hints(_exact(choices)),
        dated=tuple(sorted((option.within, key) for key, option in choices.items() if option.within is not None)),
        called=_called(called, label, fact or read), takes=frozenset(takes),
        things=frozenset(kind_of(plain(thing)) for thing in things),
        way=way, minimum=minimum, maximum=maximum,
    )  # fmt: skip


def _choices(entry: Entry) -> dict[str, Option]:
    entries = entry.mapping()
    if len(entries) > MOST_CHOICES:
        entry.fail(f"has {len(entries)} choices; nobody reads more than {MOST_CHOICES}: split the question")
    limit = BUTTON if len(entries) <= BUTTONS else ROW
    choices: dict[str, Option] = {}
    for key, one in entries.items():
        if not _NAME.fullmatch(key):
            one.fail("a choice's key is lower-case letters, digits and underscores; in quotes where YAML reads yes or no")
        got = one.mapping((*LANGUAGES, FORMAL, "also", "within"))
        label = _text(one, (), limit, beside=("also", "within"))
        if label is not None:
            also = got["also"].strings() if "also" in got else ()
            choices[key] = Option(label, also, got["within"].integer() if "within" in got else None)
    for language in LANGUAGES:
        labels = [option.label.sources[language] for option in choices.values()]
        if len(set(labels)) < len(labels):
            entry.fail(f"two choices read the same in {language}")
    return choices


def _spoken(choices: Mapping[str, Option]) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    def ways(key: str, option: Option, language: str) -> tuple[str, ...]:
        said = (option.label.sources[language], *option.label.sources.values(), *option.also, key.replace("_", " "))
        return tuple(dict.fromkeys(said))

    return {language: {key: ways(key, option, language) for key, option in choices.items()} for language in LANGUAGES}


def _exact(choices: Mapping[str, Option]) -> Mapping[str, str]:
    return {plain(way): key for key, ways in _spoken(choices)["es"].items() for way in ways}


def _hints(exact: Mapping[str, str]) -> frozenset[str]:
    often = Counter(word for way in exact for word in way.split())
    return frozenset(min(way.split(), key=lambda word: (often[word], -len(word))) for way in exact if way)


def _called(called: tuple[str, ...], label: Text, kind: str) -> frozenset[str]:
    words = _shared()[1].get(f"called.{kind}", frozenset())
    return words | {plain(word) for word in called} | {plain(source) for source in label.sources.values()}


def _greet(entry: Entry, variables: Collection[str]) -> Greet | None:
    got = entry.mapping(("first", "returning", "closed"), ("first", "returning"))
    first, returning, closed = (
        _text(got[key], variables, BODY) if key in got else None for key in ("first", "returning", "closed")
    )
    return Greet(first, returning, closed) if first and returning else None


def _done(entry: Entry, variables: Collection[str]) -> Done | None:
    got = entry.mapping(("do", "say", "closed"), ("do", "say", "closed"))
    if "do" in got and got["do"].string() != "register_lead":
        got["do"].fail("there is only register_lead")
    say, closed = (_text(got[key], variables, TEXT) if key in got else None for key in ("say", "closed"))
    return Done(say, closed) if say and closed else None


def _score(entry: Entry, names: Collection[str]) -> ScoreRule | None:
    got = entry.mapping(("if", "add", "because"), ("if", "add", "because"))
    condition = _condition(got["if"], names) if "if" in got else None
    add = got["add"].integer() if "add" in got else 0
    because = got["because"].string() if "because" in got else ""
    return ScoreRule(condition, add, because) if condition else None


def _faq(entry: Entry, variables: Collection[str]) -> Faq | None:
    got = entry.mapping(("intent", "asks", "say"), ("say",))
    intent = got["intent"].string() if "intent" in got else ""
    asks = got["asks"].strings() if "asks" in got else ()
    if not intent and not asks:
        entry.fail("can never be asked; give it asks or an intent")
    say = _text(got["say"], variables, BODY) if "say" in got else None
    return Faq(say, intent, asks, frozenset(word for way in asks for word in plain(way).split())) if say else None


def _silence(entry: Entry) -> Silence | None:
    got = entry.mapping(("remind", "expire"), ("remind", "expire"))
    if len(got) < 2:
        return None
    remind, expire = got["remind"].duration(), got["expire"].duration()
    if not timedelta() < remind < expire < _WINDOW:
        entry.fail("remind must come before expire, and both within WhatsApp's 24 hours")
    return Silence(remind, expire)


def _text(entry: Entry, variables: Collection[str], limit: int, beside: tuple[str, ...] = ()) -> Text | None:
    got = entry.mapping((*LANGUAGES, FORMAL, *beside))
    missing = [language for language in LANGUAGES if language not in got]
    if missing:
        entry.fail(f"has no {', '.join(missing)}; write it in es, en and pt")
        return None
    sources: dict[str, str] = {}
    for language in (*LANGUAGES, FORMAL):
        if language in got:
            one = got[language]
            sources[language] = source = one.string().strip()
            if len(source) > limit:
                one.fail(f"has {len(source)} characters; WhatsApp shows {limit}: shorten it")
    try:
        return compile_text(sources, variables)
    except TextError as error:
        entry.fail(str(error))
        return None


def _condition(entry: Entry, names: Collection[str]) -> Condition | None:
    source = entry.string()
    try:
        return compile_condition(source, names)
    except ExpressionError as error:
        entry.fail(str(error))
        return None


def _order(questions: Mapping[str, Question], entries: Mapping[str, Entry]) -> tuple[str, ...]:
    """The questions, each after those that its condition looks at."""
    needs = {name: question.condition.names if question.condition else frozenset[str]() for name, question in questions.items()}
    try:
        return tuple(name for name in TopologicalSorter(needs).static_order() if name in questions)
    except CycleError as error:
        cycle: list[str] = error.args[1]
        entries[cycle[0]].fail(f"is asked only after itself: {' → '.join(cycle)}; change one `if`")
        return ()


def _editable(dialog: Dialog) -> dict[str, Mapping[str, str]]:
    texts: dict[str, Text | None] = {
        "greet.first": dialog.greet.first,
        "greet.returning": dialog.greet.returning,
        "greet.closed": dialog.greet.closed,
    }
    for name, question in dialog.questions.items():
        path = f"questions.{name}"
        texts[f"{path}.ask"] = question.ask
        texts[f"{path}.again"] = None if question.again is question.ask else question.again
        texts |= {f"{path}.choices.{key}": option.label for key, option in question.choices.items()}
        texts[f"{path}.help"] = question.help
        texts[f"{path}.label"] = question.label
    texts |= {"done.say": dialog.done.say, "done.closed": dialog.done.closed}
    texts |= {f"faq.{key}.say": faq.say for key, faq in dialog.faq.items()}
    return {path: text.sources for path, text in texts.items() if text is not None}


# ----------------------------------------------------------------------------------- what all dialogs share
@cache
def _shared() -> tuple[Mapping[str, Text], Lexicon]:
    """The shared texts by key ("help.email.simpler" …) and the plain words the repairs go by."""
    document = compose(_COMMON.read_text("utf-8"), _COMMON.name)
    top = document.mapping(("texts", "help", "words", "called"), ("texts", "help", "words", "called"))
    texts = {key: _text(entry, _ENGINE, BODY - _ENOUGH) for key, entry in top["texts"].mapping().items()}
    for reader, entry in top["help"].mapping((*READERS, "any")).items():
        texts |= {f"help.{reader}.{why}": _text(one, _ENGINE, BODY - _ENOUGH) for why, one in entry.mapping().items()}
    words = {key: frozenset(plain(word) for word in entry.strings()) for key, entry in top["words"].mapping().items()}
    words |= {
        f"called.{key}": frozenset(plain(word) for word in entry.strings()) for key, entry in top["called"].mapping().items()
    }
    document.problems.raise_if_any()
    return {key: text for key, text in texts.items() if text is not None}, Lexicon(words)
