"""The held-out lines as a floor, and training on somebody else's data."""

import json
from collections import Counter
from pathlib import Path

import pytest

from nlu import evaluate
from nlu.classifier import Example, Model, train
from nlu.engine import STAFF, Engine
from nlu.rasa_yaml import CorpusError, Line, read


@pytest.fixture(scope="module")
def held_out() -> tuple[Line, ...]:
    return read(evaluate.HELD_OUT)


def test_misspelt_as_people_do(nlu: Engine, held_out: tuple[Line, ...]) -> None:
    messy = [line for line in held_out if "messy" in line.where]
    assert len(messy) >= 250
    assert evaluate.score(nlu.model, messy).accuracy >= 0.9


@pytest.fixture(scope="module")
def staff() -> Model:
    """What our own people ask for: a model of its own."""
    return train([Example(line.text, line.intent, line.language) for line in read(STAFF)])


@pytest.mark.parametrize(
    ("name", "lines", "floor"), [("es.yml", 300, 0.9), ("en.yml", 200, 0.86), ("pt.yml", 200, 0.86), ("es_messy.yml", 140, 0.95)]
)
def test_held_out_floor_of_staff(staff: Model, name: str, lines: int, floor: float) -> None:
    held_out = read(STAFF / "held_out" / name)
    scored = evaluate.score(staff, held_out)
    assert scored.messages >= lines
    assert scored.accuracy >= floor, scored.confusions
    assert scored.right_of_acted_on >= 0.92
    assert {line.intent for line in held_out} == set(staff.intents)


def test_every_staff_intent_has_lines_enough() -> None:
    often = Counter((line.language, line.intent) for line in read(STAFF))
    short = {key: count for key, count in often.items() if count < (60 if key[0] == "es" else 25)}
    assert not short
    assert len({intent for _, intent in often}) * 3 == len(often), "an intent is missing in a language"


@pytest.mark.parametrize(("language", "floor"), [("es", 0.84), ("en", 0.86), ("pt", 0.85)])
def test_held_out_floor(nlu: Engine, held_out: tuple[Line, ...], language: str, floor: float) -> None:
    scored = evaluate.score(nlu.model, [line for line in held_out if line.language == language and "messy" not in line.where])
    assert scored.accuracy >= floor, scored.confusions
    assert scored.macro_f1 >= floor - 0.02
    assert scored.auroc is not None
    assert scored.auroc >= 0.92
    assert scored.right_of_acted_on >= 0.93


def test_a_foreign_rasa_project_is_trained_and_tested(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    intents = {
        "pedir_turno": ["quiero un turno", "dame un turno", "turno para mañana"],
        "despedida": ["chau", "adiós", "hasta luego"],
    }
    blocks = "".join(f"- intent: {k}\n  examples: |\n" + "".join(f"    - {x}\n" for x in v) for k, v in intents.items())
    (data / "nlu.yml").write_text(f'version: "3.1"\nnlu:\n{blocks}', encoding="utf-8")
    model = tmp_path / "out" / "m.npz"
    evaluate.train(data, model)
    report = evaluate.test(model, data)
    assert report["accuracy"] == 1.0
    assert report["auroc"] is None
    assert report["messages"] == 6
    assert json.loads(json.dumps(report))["ms_per_message"] > 0


def test_unusable_data_leaves_the_old_model(tmp_path: Path) -> None:
    model = tmp_path / "m.npz"
    model.write_bytes(b"the old model")
    data = tmp_path / "nlu.yml"
    data.write_text("nlu:\n- intent: a\n  examples: |\n    - x\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="only one intent"):
        evaluate.train(data, model)
    assert model.read_bytes() == b"the old model"
