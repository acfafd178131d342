"""What a phrase means, and what phrases begin with a word."""

from dialogs.lexicon import Lexicon


def test_a_lexicon_knows_what_a_phrase_means_and_begins_with() -> None:
    lexicon = Lexicon({"yes": frozenset({"si", "si señor"}), "courtesy": frozenset({"si señor", "a b c d e"})})
    assert set(lexicon.meanings["si señor"]) == {"yes", "courtesy"}
    assert lexicon.longest == {"si": 2, "a": 4}
    assert lexicon != Lexicon(lexicon)


def test_a_word_is_spelt_as_the_phrases_spell_it() -> None:
    lexicon = Lexicon({"greet": frozenset({"hola"}), "points": frozenset({"olha"}), "price": frozenset({"vale"})})
    assert [lexicon.spelt(word) for word in ("holaaa", "bale", "nada", "ola")] == ["hola", "vale", "nada", "hola"]
