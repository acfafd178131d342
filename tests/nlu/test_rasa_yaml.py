"""Rasa's NLU YAML, in every style that its documentation shows, and what is refused."""

from pathlib import Path

import pytest

from nlu.engine import CORPUS, STAFF
from nlu.normalise import normalise
from nlu.rasa_yaml import CorpusError, read

STYLES = """\
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hola
    - buenos días, [Ana](person_name)
    - soy de [Cali]{"entity": "city", "role": "origin"}
- intent: buy
  examples:
  - text: |
      - quiero un [portátil](product)
    metadata:
      sentiment: neutral
  - text: me lo llevo
  - lo compro: ya
  - quiero dos
- synonym: portátil
  examples: |
    - laptop
- regex: nit
  examples: |
    - \\d{9}
rules: []
"""


def test_every_style_is_read_and_annotations_are_stripped(tmp_path: Path) -> None:
    (tmp_path / "pt_shop.yml").write_text(STYLES, encoding="utf-8")
    (tmp_path / "stories.yml").write_text("version: '3.1'\nstories: []\n", encoding="utf-8")
    lines = read(tmp_path)
    assert [(line.text, line.intent) for line in lines] == [
        ("hola", "greet"),
        ("buenos días, Ana", "greet"),
        ("soy de Cali", "greet"),
        ("quiero un portátil", "buy"),
        ("me lo llevo", "buy"),
        ("quiero dos", "buy"),
    ]
    assert {line.language for line in lines} == {"pt"}
    assert lines[1].where == "pt_shop.yml:6"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nlu:\n- intent: greet\n  examples: |\n    - hola\n", "a.yml:4: only one intent (greet)"),
        (
            "nlu:\n- intent: greet\n  examples: |\n    - hola\n- intent: buy\n  examples: |\n    - lo quiero\n    - Hola\n",
            "a.yml:8: “Hola” is buy here and greet at a.yml:4",
        ),
        (
            "nlu:\n- intent: greet\n  examples: |\n    - hola\n- intent: buy\n  examples: |\n    -\n",
            "a.yml:5: intent buy has no examples",
        ),
        (
            "nlu:\n- intent: a\n  examples: |\n    - x\n    y\n- intent: b\n  examples: |\n    - z\n",
            "a.yml:5: an example must start with `- `",
        ),
        ("version: '3.1'\n", "a.yml:1: no labelled lines"),
        ("", "a.yml:1: no labelled lines"),
        ("nlu:\n- intent: [greet\n", "a.yml:3: not readable YAML"),
    ],
)
def test_what_is_refused_names_file_and_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "a.yml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError) as refused:
        read(file)
    assert message in str(refused.value)


def test_a_line_under_two_intents_is_kept_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("nlu:\n- intent: a\n  examples: |\n    - x\n- intent: b\n  examples: |\n    - x\n", encoding="utf-8")
    assert [line.intent for line in read(file, strict=False)] == ["a", "b"]


@pytest.mark.parametrize("corpus", [CORPUS, STAFF], ids=["sales", "staff"])
def test_the_shipped_corpus_contradicts_itself_nowhere_and_holds_nothing_of_the_held_out_part(corpus: Path) -> None:
    intent_of: dict[str, str] = {}
    for line in read(corpus):
        assert intent_of.setdefault(normalise(line.text).plain, line.intent) == line.intent, line
    held_out = read(corpus / "held_out")
    assert not [line for line in held_out if normalise(line.text).plain in intent_of]
    assert {line.intent for line in held_out} == set(intent_of.values())
