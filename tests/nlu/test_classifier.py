"""The same lines give the same model; a saved model answers alike."""

from pathlib import Path

import numpy as np
import pytest

from nlu.classifier import Example, Model, train
from nlu.normalise import normalise

LINES = [
    Example(text, intent, language)
    for intent, language, texts in (
        ("shipping", "es", "hacen envíos|envían a cali|cuánto cuesta el envío|mandan a domicilio|hacen domicilios"),
        ("payment", "es", "cómo pago|aceptan tarjeta|puedo pagar con nequi|formas de pago|reciben efectivo"),
        ("shipping", "en", "do you ship|how much is shipping|do you deliver"),
        ("payment", "en", "how can i pay|do you take cards|payment methods"),
    )
    for text in texts.split("|")
]


def _best(model: Model, text: str) -> str:
    return model.intents[int(model.scores(model.vector(normalise(text)))[0].argmax())]


def test_training_is_deterministic() -> None:
    one, other = train(LINES), train(LINES)
    assert np.array_equal(one.weights, other.weights)
    assert one.temperature == other.temperature


def test_a_line_that_stands_twice_counts_once() -> None:
    assert np.array_equal(train([*LINES, *LINES[:3]]).weights, train(LINES).weights)


def test_it_learns_what_it_is_shown_and_reads_by_ear() -> None:
    model = train(LINES)
    assert all(_best(model, line.text) == line.intent for line in LINES)
    assert _best(model, "asen enbios a bogota") == "shipping"
    assert _best(model, "puedo pagar con targeta") == "payment"


def test_a_saved_model_is_the_same_model(tmp_path: Path) -> None:
    model = train(LINES)
    model.save(tmp_path / "sub" / "m.npz")
    loaded = Model.load(tmp_path / "sub" / "m.npz")
    vector = model.vector(normalise("cuanto vale mandarlo a cali"))
    assert loaded.intents == model.intents
    for one, other in zip(model.scores(vector), loaded.scores(vector), strict=True):
        assert np.array_equal(one, other)
    assert [file.name for file in (tmp_path / "sub").iterdir()] == ["m.npz"]


def test_arrays_that_do_not_fit_the_labels_are_refused() -> None:
    model = train(LINES)
    arrays = {"table": model.table, "idf": model.idf, "weights": model.weights[:, 1:], "bias": model.bias}
    with pytest.raises(ValueError, match="do not fit"):
        Model(model.intents, model.languages, 1.0, arrays)


def test_lines_without_a_language_train_an_intent_model() -> None:
    model = train([Example(line.text, line.intent) for line in LINES])
    assert model.languages == ()
    assert _best(model, "hacen envios") == "shipping"
