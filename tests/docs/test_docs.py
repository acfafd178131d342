"""What the documents say is there is there, and what is there is in the documents."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer
import yaml
from prometheus_client import REGISTRY

import bot.metrics  # noqa: F401 - registers what it counts
from bot.__main__ import app
from bot.settings import Settings
from crm_bridge import events
from crm_bridge.handlers import HANDLERS
from dialogs.loader import DialogError, load_file, load_text
from dialogs.model import Dialog
from dialogs.repair import REPAIRS
from dialogs.wording import plain
from nlu.engine import load
from nlu.understanding import Nlu

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs/reference.md").read_text("utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IMAGES = ("phone.png", "conversations.png", "lead.png", "dialog.png", "takeover.png", "alert.png", "alert-phone.png")
"""Screenshots of the README, which the browser test writes."""
SURE = 0.6
"""The confidence from which a dialog acts on an intent."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code_of(page: Path) -> str:
    """The code in it: between backticks, and lines indented by four or more."""
    text = page.read_text("utf-8")
    return "\n".join([*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^ {4,}.*$", text, re.MULTILINE)])


def first_column(title: str) -> set[str]:
    """What stands in backticks in the first cell of each row under the reference's heading `title`."""
    section = REFERENCE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


@cache
def commands() -> frozenset[str]:
    def walk(command: object, name: str) -> Iterator[str]:
        under = getattr(command, "commands", None)
        if under is None:
            yield name
        else:
            for word, one in under.items():
                yield from walk(one, f"{name} {word}")

    return frozenset(walk(typer.main.get_command(app), "mostrador"))


def settings() -> set[str]:
    return {name.upper() for name in Settings.model_fields}


# ---------------------------------------------------------------------------------------------- the reference
def test_every_setting_is_in_the_reference() -> None:
    assert first_column("Settings") == settings()


def test_every_setting_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    compose = (ROOT / "compose.yaml").read_text("utf-8")
    beside = set(re.findall(r"\$\{(\w+)", compose)) - settings()
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == settings() | beside


def test_the_example_shows_the_defaults() -> None:
    example = re.findall(r"^#([A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    shown = Settings.model_validate({"secret_key": "x" * 32} | {name.lower(): value for name, value in example})
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert {name.lower(): getattr(shown, name.lower()) for name, _ in example} == {
        name.lower(): defaults[name.lower()] for name, _ in example
    }


def test_every_command_is_in_the_reference() -> None:
    assert first_column("Commands") == commands()


def test_every_event_is_in_the_reference() -> None:
    assert first_column("Events") == {event.__name__ for event in events.Event.__subclasses__()}


def test_every_command_of_the_crm_is_in_the_reference() -> None:
    assert first_column("What a dialog can do") == {command.__name__ for command in HANDLERS}


def test_every_metric_is_in_the_reference() -> None:
    collected = (metric for metric in REGISTRY.collect() if metric.name.startswith("mostrador_"))
    ours = {f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in collected}
    assert first_column("Metrics") == ours


# ------------------------------------------------------------------------------------------- the words of a chat
@pytest.fixture(scope="module")
def nlu() -> Nlu:
    return load(ROOT / "var" / "nlu")


@pytest.fixture(scope="module")
def bakery() -> Dialog:
    return load_file(ROOT / "docs/how-to/bakery.yaml")


def chat_words() -> dict[str, list[str]]:
    """{intent: the words that the reference promises}"""
    section = REFERENCE.split("\n## Words that always work\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|[^|]*\|$", section, re.MULTILINE)
    return {intent: re.findall(r"`([^`]+)`", cells) for intent, cells in rows}


def test_every_wish_is_in_the_reference() -> None:
    assert set(chat_words()) == REPAIRS | {"correct", "stop", "start", "go_on"}


@pytest.mark.parametrize(("intent", "word"), [(intent, word) for intent, words in chat_words().items() for word in words])
def test_a_word_of_the_reference_is_understood(intent: str, word: str, nlu: Nlu, bakery: Dialog) -> None:
    if intent == "go_on":
        assert plain(word) in bakery.words["go_on"]
        return
    understood = nlu.understand(word)
    assert understood.intent == intent
    assert understood.confidence >= SURE


def test_a_word_that_the_bot_offers_is_in_the_reference() -> None:
    texts = yaml.safe_load((ROOT / "dialogs/texts.yaml").read_text("utf-8"))["texts"]
    offered = {word for text in texts.values() for said in text.values() for word in re.findall(r"\*([^*{}]+)\*", said)}
    assert offered <= {word for words in chat_words().values() for word in words}


# -------------------------------------------------------------------------------------------------- the dialog
def test_every_key_of_a_dialog_is_explained() -> None:
    with pytest.raises(DialogError) as error:
        load_text("xyzxyzxyz: 1\nquestions: {one: {xyzxyzxyz: 1}}", "keys")
    known = [set(keys.split(", ")) for keys in re.findall(r"unknown key; there are: (.*)", str(error.value))]
    page = (ROOT / "docs/how-to/add-a-dialog.md").read_text("utf-8").split("## Every key")[1]
    for title, keys in zip(("The dialog", "A question"), known, strict=True):
        section = page.split(f"### {title}\n")[1].split("\n### ")[0]
        cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        assert {key for cell in cells for key in re.findall(r"`(\w+)`", cell)} == keys


def test_the_example_is_the_file_and_the_talk() -> None:
    """What the page shows of the bakery stands so in the file that loads and in the transcript that is tested."""
    file = (ROOT / "docs/how-to/bakery.yaml").read_text("utf-8")
    talk = (ROOT / "tests/transcripts/docs/bakery.txt").read_text("utf-8")
    code = re.findall(r"(?:^ {4}.*\n)+", (ROOT / "docs/how-to/add-a-dialog.md").read_text("utf-8"), re.MULTILINE)
    blocks = [[line.strip() for line in block.splitlines()] for block in code]
    shown = [block for block in blocks if re.match(r"(dialog|delivery|score):", block[0])]
    assert len(shown) == 3
    lines = {line.strip() for line in file.splitlines()}
    assert [line for block in shown for line in block if line not in lines] == []
    (answered,) = [block for block in blocks if block[0].startswith(">") and any(line.startswith("< ") for line in block)]
    assert "\n".join(answered) in talk


# ------------------------------------------------------------------------------------------------- every page
@every_page
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target, _, anchor in (link.partition("#") for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}, (
                f"{page.name}: #{anchor}"
            )


def test_the_images_are_those_that_the_browser_test_writes() -> None:
    shown = re.findall(r"docs/images/(\S+?\.png)", (ROOT / "README.md").read_text("utf-8"))
    assert sorted(shown) == sorted(IMAGES)


@every_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", code_of(page))) <= targets


@every_page
def test_every_command_exists(page: Path) -> None:
    groups = {command.rsplit(" ", 1)[0] for command in commands()}
    named = {
        f"mostrador {words}" for words in re.findall(r"\bmostrador ([a-z]+(?: [a-z]+(?:-[a-z]+)*)?)\b(?!@|\.)", code_of(page))
    }
    assert {name for name in named if {name, name.rsplit(" ", 1)[0]}.isdisjoint(commands()) and name not in groups} == set()


@every_page
def test_every_path_exists(page: Path) -> None:
    """Files of ours named in passing; `…` and capitals stand for something else, and so do the how-tos' examples."""
    named = re.findall(r"(?<![\w/.:])((?:bot|crm_bridge|data|dialogs|nlu|notifications|tests|docs)/[\w./-]*\w)", code_of(page))
    missing = {path for path in named if not (ROOT / path).exists()}
    assert {path for path in missing if "quotes" not in path and "bakery" not in path} == set()


def test_compose_is_what_the_service_needs() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    assert set(compose["services"]["mostrador"]["environment"]) <= settings()
    packed = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    assert {package.partition(".")[0] for package in packages} <= packed
