"""What a company teaches: learnt, kept, tried out before it is used, and no harm to what everybody says."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from nlu import evaluate, own, trial
from nlu.engine import Engine
from nlu.own import Lesson, OwnLine, Taught
from nlu.rasa_yaml import read
from nlu.trial import Task

LINES = {"me regalas la listica de lo que hay": "catalog", "andan con descuentico": "discount", "qué arepas les quedan": "stock"}
FAQS: list[dict[str, list[str]]] = [
    {"location": ["dónde están", "dirección"], "hours": ["a qué hora abren", "abren los domingos"]}
]
INTENT_OF = {"catalog": "catalog", "discount": "discount", "stock": "stock", "faq:location": "location", "faq:pets": ""}


@pytest.fixture(scope="module")
def lesson(nlu: Engine) -> Lesson:
    return own.learn(nlu.model, LINES, nlu.by_heart)


def task(out: Path, *lines: tuple[str, str], cache: Path = Path(), measure: bool = True) -> Task:
    return Task(str(cache), list(lines), INTENT_OF, FAQS, str(out), measure)


def test_texts_like_the_lines_are_understood_and_the_others_as_before(nlu: Engine, lesson: Lesson) -> None:
    taught = nlu.taught({}, Taught(nlu.model, lesson))
    before = {text: nlu.understand(text).intent for text in LINES}
    assert before != LINES
    assert {text: taught.understand(text).intent for text in LINES} == LINES
    for said, meant in (("me regala la listica", "catalog"), ("quedan arepas", "stock"), ("tienen arepas de queso", "stock")):
        assert nlu.understand(said).intent != meant
        assert taught.understand(said).intent == meant
    held_out = read(evaluate.HELD_OUT)
    accuracies = [evaluate.score(engine.model, held_out).accuracy for engine in (nlu, taught)]
    assert accuracies[1] > accuracies[0] - 0.005
    assert {text: nlu.understand(text).intent for text in LINES} == before  # the model that all share is not touched


def test_the_same_lines_give_the_same_lesson_which_is_kept_in_a_file(nlu: Engine, lesson: Lesson, tmp_path: Path) -> None:
    again = own.learn(nlu.model, dict(reversed(LINES.items())), nlu.by_heart)
    assert own.fingerprint(nlu.model, LINES) == own.fingerprint(nlu.model, dict(reversed(LINES.items())))
    assert own.fingerprint(nlu.model, LINES) != own.fingerprint(nlu.model, {**LINES, "hola": "greet"})
    file = tmp_path / "lesson.npz"
    lesson.save(file)
    kept = Lesson.load(file, nlu.model)
    assert (kept.buckets == lesson.buckets).all()
    assert (kept.weights == lesson.weights).all()
    assert (again.weights == lesson.weights).all()
    assert file.stat().st_size < 200_000


def test_what_is_no_lesson_is_not_taken_for_one(nlu: Engine, lesson: Lesson, tmp_path: Path) -> None:
    file = tmp_path / "lesson.npz"
    file.write_bytes(b"PK\3\4 cut off")
    with pytest.raises(Exception, match=r".+"):
        Lesson.load(file, nlu.model)
    Lesson(lesson.buckets, lesson.weights[:, :-1]).save(file)
    with pytest.raises(ValueError, match="another model"):
        Lesson.load(file, nlu.model)
    for lines in ({}, {"hola": "no such intent"}):
        with pytest.raises(ValueError, match="nothing to learn"):
            own.learn(nlu.model, lines, {})


def test_bad_lines_are_named() -> None:
    lines = [
        OwnLine("Hacen envíos?", "shipping"),
        OwnLine("¡¡hacen ENVIOS!!", "shipping"),
        OwnLine("¿hacen envios?", "price"),
        OwnLine("?!", "price"),
        OwnLine("tienen parqueadero", "faq:gone"),
    ]
    found = own.check(lines, frozenset({"shipping", "price"}))
    assert [(each.kind, each.labels) for each in found] == [
        ("twice", ("shipping", "shipping")),
        ("conflict", ("shipping", "price")),
        ("empty", ("price",)),
        ("unknown", ("faq:gone",)),
    ]
    assert own.check(lines[:1], frozenset({"shipping"})) == []  # one line is a set


def test_a_line_is_known_by_heart_and_asks_its_frequent_question(nlu: Engine) -> None:
    lines = [OwnLine("¿Tienen para amarrar la bici?", "faq:location"), OwnLine("reciben perros", "faq:pets")]
    taught = nlu.taught(own.known_by_heart(lines, INTENT_OF))
    questions = {**FAQS[0], "pets": ["puedo ir con mi mascota"]}
    index = taught.faq_index(own.ways_of(lines, questions))
    assert nlu.understand("tienen para amarrar la bici", faq=nlu.faq_index(questions)).faq is None
    heard = taught.understand("tienen para amarrar la bici", faq=index)
    assert (heard.intent, heard.confidence, heard.faq) == ("location", 0.99, "location")
    heard = taught.understand("Reciben perros?", faq=index)
    assert (heard.intent, heard.faq) == ("out_of_scope", "pets")


def test_guesses_are_wishes(nlu: Engine) -> None:
    guesses = nlu.guesses("me llamo Ana y qué descuento me dan")
    assert guesses[0][0] == "discount"
    assert len(guesses) == 3
    assert not {"inform", "out_of_scope"} & dict(guesses).keys()
    assert [sure for _, sure in guesses] == sorted((sure for _, sure in guesses), reverse=True)
    assert nlu.guesses("...") == []


def test_a_trial_tells_what_gets_better_and_worse(nlu: Engine, tmp_path: Path) -> None:
    done: list[int] = []
    good = trial.run(nlu, task(tmp_path / "good.npz", *LINES.items(), ("hay parqueadero", "faq:location")), done.append)
    assert good is not None
    assert (good.taught, good.learnt, good.missed) == (4, 4, [])
    assert good.by_ear >= 0.5
    assert set(good.before) == set(good.after) == {"all", "es", "en", "pt", "messy"}
    assert (
        good.before["all"] == evaluate.score(nlu.model, [x for x in read(evaluate.HELD_OUT) if "messy" not in x.where]).accuracy
    )
    assert done == sorted(done)
    wrong = [("hacen envíos a Cali", "discount"), ("envían a todo el país", "discount"), ("cuánto cuesta el envío", "discount")]
    bad = trial.run(nlu, task(tmp_path / "bad.npz", *wrong), done.append)
    assert bad is not None
    assert bad.worse > bad.better
    assert bad.after["es"] < bad.before["es"]
    assert "shipping" in {line.label for line in bad.worsened}
    assert "discount" in {line.understood for line in bad.worsened}


def test_a_line_that_cannot_be_learnt_is_shown(nlu: Engine, tmp_path: Path) -> None:
    """A frequent question that no dialog has answers to nobody."""
    effect = trial.run(nlu, task(tmp_path / "x.npz", ("tienen parqueadero", "faq:pets")), lambda _: None)
    assert effect is not None
    assert effect.learnt == 0
    assert effect.missed == [trial.Missed("tienen parqueadero", "faq:pets", "")]
    assert not (tmp_path / "x.npz").exists()


def test_a_process_of_its_own_does_it(nlu: Engine, nlu_cache: Path, tmp_path: Path) -> None:
    given = asdict(task(tmp_path / "own.npz", *LINES.items(), cache=nlu_cache))
    ran = subprocess.run([sys.executable, "-m", "nlu.trial"], input=json.dumps(given), capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [each["done"] for each in told[:-1]] == [20, 40, 55, 75, 95]
    assert told[-1]["effect"]["learnt"] == len(LINES)
    assert Lesson.load(tmp_path / "own.npz", nlu.model).weights.any()
