"""The corpus as a project of Rasa 3.6: `rasa train nlu` learns from it as it is.

Source: https://rasa.com/docs/rasa/model-configuration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nlu import rasa_yaml
from nlu.engine import CORPUS
from nlu.normalise import normalise
from nlu.rasa_yaml import Line

VERSION = "3.1"
"""Of Rasa's training data format."""
PIPELINE: Sequence[dict[str, Any]] = (
    {"name": "WhitespaceTokenizer"},
    {"name": "RegexFeaturizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
    {"name": "DIETClassifier", "epochs": 100, "constrain_similarities": True, "ranking_length": 0},
    {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
)
"""What `rasa init` gives, less the parts for entities and responses, which the service reads and says itself. `ranking_length` 0
ranks every intent: what was asked decides among them (`nlu/rasa_http.py`)."""
FALLBACK = "nlu_fallback"
"""What Rasa calls a text that it does not understand."""


class NotEmpty(Exception):
    """The folder to write to holds files already; the message names it and says what to do."""


def to_rasa(intent: str) -> str:
    """An intent's name as Rasa takes it: there `/` parts a retrieval intent from its response."""
    return intent.replace("/", "__")


def from_rasa(name: str) -> str:
    """An intent's own name."""
    return name.replace("__", "/")


def export(out: Path, corpus: Path = CORPUS, own: Mapping[str, str] | None = None) -> int:
    """Write the lines of `corpus` as a project into the folder `out`, which is new or empty; returns how many lines there are.
    What a company's `own` {text: intent} say of a text counts, not what the corpus says. NotEmpty, CorpusError."""
    mine = {normalise(text).plain: Line(text, intent, None, "") for text, intent in (own or {}).items()}
    lines = [*mine.values(), *(line for line in rasa_yaml.read(corpus) if normalise(line.text).plain not in mine)]
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise NotEmpty(f"{out} is not empty: name a new folder, or empty it first")
    for name, content in _files(lines):
        file = out / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return len(lines)


def _files(lines: Sequence[Line]) -> Iterable[tuple[str, str]]:
    """(path, content) of each file of the project."""
    intents = sorted({to_rasa(line.intent) for line in lines})
    config = {
        "recipe": "default.v1",
        "assistant_id": "mostrador",
        "language": "es",
        "pipeline": [dict(part) for part in PIPELINE],
        "policies": [{"name": "RulePolicy"}],
    }
    session = {"session_expiration_time": 60, "carry_over_slots_to_new_session": True}
    rule = {"rule": "what nobody understands", "steps": [{"intent": FALLBACK}, {"action": "action_default_fallback"}]}
    yield "config.yml", _yaml(config)
    yield "domain.yml", _yaml({"version": VERSION, "intents": intents, "session_config": session})
    yield "data/rules.yml", _yaml({"version": VERSION, "rules": [rule]})
    yield "credentials.yml", _yaml({"rest": None})
    yield "endpoints.yml", "# Where a tracker store, an event broker or actions are: understanding alone needs none.\n"
    by_language: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_language[line.language or "any"].append(line)
    for language, some in by_language.items():
        yield f"data/nlu/{language}.yml", training_data(some)


def training_data(lines: Iterable[Line]) -> str:
    """The lines in Rasa's NLU YAML, intent by intent, each in the order given."""
    examples: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        examples[to_rasa(line.intent)].append(" ".join(line.text.split()))
    blocks = (
        f"- intent: {_scalar(intent)}\n  examples: |\n" + "".join(f"    - {text}\n" for text in texts)
        for intent, texts in sorted(examples.items())
    )
    return f'version: "{VERSION}"\n\nnlu:\n' + "".join(blocks)


def _scalar(name: str) -> str:
    """In quotes where YAML would read something else than a name ("no", "123")."""
    return _yaml([name]).removeprefix("- ").strip()


def _yaml(content: Any) -> str:
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
