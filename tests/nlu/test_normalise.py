"""One spelling for what is one word."""

import pytest

from nlu.normalise import normalise, sound


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("HOLAAAA!!!", ["hola"]),
        ("¿Cuánto vale?", ["?", "cuanto", "vale", "?"]),
        ("xq no tmb, porfa", ["porque", "no", "tambien", "por", "favor"]),
        ("q precio tiene", ["que", "precio", "tiene"]),
        ("ﬁjo ｈｏｌａ", ["fijo", "hola"]),
        ("500mil", ["000", "mil"]),
        ("1.500.000", ["0000000"]),
        ("ana.ruiz@gmail.com", ["@"]),
        ("mira https://bit.ly/x", ["mira", "://"]),
        ("kkkkk", ["kk"]),
        ("i don't know", ["i", "dont", "know"]),
        ("gracias 🙏🏽", ["gracias", "🙏"]),
        ("\u202ehola\u202c\u200b", ["hola"]),
        ("mañana", ["manana"]),
        ("", []),
        ("...", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert list(normalise(text).words) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hacen", "asen"),
        ("envio", "enbio"),
        ("vale", "bale"),
        ("quiero", "kiero"),
        ("hola", "ola"),
        ("necesito", "nesesito"),
        ("llego", "yego"),
        ("gente", "jente"),
        ("carro", "karo"),
        ("cotizacion", "cotisacion"),
        ("cambio", "canbio"),
        ("bueno", "vueno"),
    ],
)
def test_what_sounds_alike_is_alike(one: str, other: str) -> None:
    assert sound(one) == sound(other)


@pytest.mark.parametrize(("one", "other"), [("casa", "caja"), ("guerra", "jerga"), ("chico", "kiko"), ("pero", "peso")])
def test_what_sounds_different_stays_different(one: str, other: str) -> None:
    assert sound(one) != sound(other)


def test_accents_are_kept_beside() -> None:
    assert normalise("vocês têm").marked == ("vocês", "têm")


def test_of_a_long_text_the_beginning_and_the_end_are_read() -> None:
    words = normalise("hola " + "bla " * 1_000 + "¿hacen envíos?").words
    assert words[0] == "hola"
    assert words[-3:] == ("hacen", "envios", "?")
    assert len(words) < 300
