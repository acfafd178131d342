"""What the embedded engine makes of real messages: alone, after a question, and beside a list of frequent questions."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlu.cues import is_question, looks_like_a_name, wanted_part
from nlu.engine import Engine, load
from nlu.normalise import normalise
from nlu.understanding import NOTHING

FAQ = {
    "shipping": ["hacen envíos", "envían a otras ciudades", "do you ship", "vocês entregam"],
    "payment": ["cómo puedo pagar", "qué medios de pago aceptan", "how can i pay", "formas de pagamento"],
    "warranty": ["qué garantía tiene", "does it have a warranty", "tem garantia"],
    "hours": ["a qué hora abren", "cuál es el horario", "opening hours", "que horas abre"],
    "location": ["dónde están ubicados", "cuál es la dirección", "where are you located", "onde fica a loja"],
    "helmet": ["el casco trae visera"],
    "trade_in": ["compran celulares usados", "reciben mi usado como parte de pago", "quiero vender mi celular"],
}


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hola", "greet"),
        ("baja", "stop"),
        ("STOP", "stop"),
        ("alta", "start"),
        ("cancelar", "cancel"),
        ("si", "affirm"),
        ("No.", "deny"),
        ("ok", "affirm"),
        ("👍", "affirm"),
        ("1", "inform"),
        ("quiero comprar un celular", "buy"),
        ("necesito un portátil", "inform"),
        ("kiero saver si asen envios a cali", "shipping"),
        ("cuanto bale el telebisor", "price"),
        ("no quiero cotización, solo el precio", "price"),
        ("solo dame el precio, sin cotizacion", "price"),
        ("el precio nomás, no la cotización", "price"),
        ("I don't want a quote, just the price", "price"),
        ("não quero orçamento, só o preço", "price"),
        ("no quiero hablar con un bot, solo con una persona", "human"),
        ("no quiero el precio, solo saber si hacen envíos", "shipping"),
        ("I want to talk to a human", "human"),
        ("quero falar com um atendente", "human"),
        ("english please", "language_en"),
        ("eres un robot?", "bot_challenge"),
        ("hola busco un portatil para diseño", "inform"),
        ("zxcvb qwrtp", "out_of_scope"),
        ("qué temperatura hace en la luna", "out_of_scope"),
    ],
)
def test_intent(nlu: Engine, text: str, intent: str) -> None:
    assert nlu.understand(text).intent == intent


@pytest.mark.parametrize(
    ("expected", "text", "intent"),
    [
        ("person_name", "Ana Torres", "inform"),
        ("person_name", "Wladimir Kowalczyk", "inform"),
        ("person_name", "Domingo Parada", "inform"),
        ("person_name", "cancelar", "cancel"),
        ("person_name", "baja", "stop"),
        ("person_name", "hacen envios", "shipping"),
        ("person_name", "soy Juan, ¿hacen envíos a Cali?", "shipping"),
        ("person_name", "no quiero dar mi nombre", "skip"),
        ("email", "ana@ruiz.co", "inform"),
        ("email", "ana arroba gmail punto com", "inform"),
        ("email", "no, mi correo es otro: ana@ruiz.co", "correct"),
        ("email", "no tengo correo", "skip"),
        ("money", "2 millones", "inform"),
        ("money", "unas 500 lukas", "inform"),
        ("money", "cuanto cuesta el envio", "shipping"),
        ("date", "mañana", "inform"),
        ("date", "después te escribo", "later"),
        ("choice", "efectivo", "inform"),
        ("choice", "envío a domicilio", "inform"),
        ("choice", "¿aceptan efectivo?", "payment"),
        ("choice", "asesor", "human"),
        ("choice", "sí", "affirm"),
        ("choice", "persona", "inform"),
        (None, "persona", "human"),
        ("date", "ya", "inform"),
        (None, "ya", "affirm"),
        (None, "efectivo", "payment"),
        ("choice", "es para mi negocio", "inform"),
        ("money", "lo de siempre", "inform"),
        ("person_name", "me das tu número?", "bot_challenge"),
        ("person_name", "eres muy bobo", "insult"),
        ("person_name", "pero dime el precio", "price"),
        ("person_name", "Camila, ¿qué portátiles tienen?", "catalog"),
        ("choice", "todo bien menos el correo", "correct"),
        ("text", "no quiero nada solo miraba", "later"),
        ("text", "Papelería El Lápiz", "inform"),
        ("text", "Tienda El Precio Justo", "inform"),
        (None, "Tienda El Precio Justo", "price"),
        ("text", "un portatil para mi hija que entra a la universidad", "inform"),
        ("text", "quiero hablar con una persona", "human"),
        ("text", "y aceptan nequi", "payment"),
        ("location", "Cali, barrio Granada", "inform"),
        ("location", "donde estan ubicados", "location"),
    ],
)
def test_the_same_word_means_another_thing_when_something_was_asked(
    nlu: Engine, expected: str | None, text: str, intent: str
) -> None:
    assert nlu.understand(text, expected).intent == intent


@pytest.mark.parametrize(
    ("text", "topics"),
    [("kuanto bale i asen envios a cali?", ("price", "shipping")), ("tienen el s24 i cuanto bale", ("stock", "price")),
     ("cuanto vale y hacen envios a cali?", ("price", "shipping")), ("do you ship and how much do i pay?", ("shipping", "price")),
     ("how much is it and can i pay by card?", ("price", "payment")), ("when can i return it?", ())],
)  # fmt: skip
def test_two_topics_joined_by_and_however_it_is_spelt(nlu: Engine, text: str, topics: tuple[str, ...]) -> None:
    assert nlu.understand(text).topics == topics


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("no quiero cotización, solo el precio", "solo el precio"), ("solo el precio, sin factura", "solo el precio"),
     ("no busco celular sino un portátil", "sino un portátil"), ("hola, no necesito envío, solo garantía", "hola, solo garantía"),
     ("no quiero nada, gracias", ""), ("solo quiero el precio", ""), ("no solo quiero el precio", ""), ("no, solo eso", ""),
     ("no quiero solo el precio, quiero la garantía", ""),
     ("no quiero", ""), ("sin azúcar", ""), ("", "")],
)  # fmt: skip
def test_what_is_wanted_beside_what_is_not(text: str, wanted: str) -> None:
    assert wanted_part(text) == wanted


def test_a_long_text_does_not_leave_the_talk_for_one_word_of_it(nlu: Engine) -> None:
    long = "necesito un computador para que mi hermano no se queje y pueda cancelar sus deudas trabajando"
    assert nlu.understand(long, "text").intent == "inform"
    sure = "por favor ya no quiero que me escriban más, borren mi número de su lista de mensajes"
    assert nlu.understand(sure, "text").intent == "stop"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("asen envios a pasto", "shipping"),
        ("hola, ¿me lo mandan a Medellín?", "shipping"),
        ("do you ship to cali?", "shipping"),
        ("puedo pagar con tarjeta", "payment"),
        ("cuánto tiempo tiene de garantía", "warranty"),
        ("hasta qué hora atienden", "hours"),
        ("where is your shop", "location"),
        ("ese casco trae visera?", "helmet"),
        ("necesito un portátil para la universidad", None),
        ("Ana Torres", None),
        ("mi abuela tiene gripa", None),
        ("quiero hablar con una persona", None),
        ("hola", None),
        ("quiero comprar un celular", None),
        ("reciben celulares usados", "trade_in"),
        ("cuánto vale el televisor", None),
        ("2 millones", None),
        ("...", None),
    ],
)
def test_faq(nlu: Engine, text: str, key: str | None) -> None:
    index = nlu.faq_index(FAQ)
    assert index.match(text)[0] == key
    assert nlu.understand(text, faq=index).faq == key


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("¿hacen envíos y aceptan tarjeta?", ("shipping", "payment")),
        ("¿hacen envíos, aceptan tarjeta y a qué hora abren?", ("shipping", "payment", "hours")),
        ("¿a qué hora abren? ¿dónde están ubicados?", ("hours", "location")),
        ("¿hacen envíos a Cali y Medellín?", ("shipping",)),
        ("¿hacen envíos?", ("shipping",)),
    ],
)
def test_several_frequent_questions_in_one_message(nlu: Engine, text: str, keys: tuple[str, ...]) -> None:
    heard = nlu.understand(text, faq=nlu.faq_index(FAQ))
    assert (heard.faq, *heard.also) == keys


@pytest.mark.parametrize(
    ("text", "angry"),
    [
        ("estan ahi???? son unos ladrones", True),
        ("tengo dos locales y una bodega, son unos ladrones", True),
        ("el ladrón de corriente, de seis tomas", False),
    ],
)
def test_anger_beside_something_else_is_heard(nlu: Engine, text: str, angry: bool) -> None:
    assert (nlu.understand(text).intent == "insult") == angry


def test_who_says_wait_and_goes_on_does_not_leave(nlu: Engine) -> None:
    assert nlu.understand("ah espera, puedo en español? tengo una tiendita en pasto").intent != "later"
    assert nlu.understand("ah espera un momento").intent == "later"


def test_a_question_is_one_however_many_marks_it_has(nlu: Engine) -> None:
    index = nlu.faq_index({"incoterms": ["qué es un incoterm"], "hours": FAQ["hours"]})
    assert nlu.understand("que es incoterm??", "text", index).faq == "incoterms"


def test_no_questions_match_nothing(nlu: Engine) -> None:
    assert nlu.faq_index({}).match("hacen envíos") == (None, 0.0)
    assert nlu.faq_index({"empty": ["", " "]}).match("hacen envíos") == (None, 0.0)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("do you ship to cali?", "en"),
        ("vocês entregam?", "pt"),
        ("hello, i need a laptop", "en"),
        ("bom dia", "pt"),
        ("quero comprar um notebook", "pt"),
        ("quiero comprar un portátil", "es"),
        ("kiero saver cuanto bale", "es"),
        ("hola", None),
        ("ok", None),
        ("Ana Torres", None),
        ("John Smith", None),
        ("ana@ruiz.co", None),
        ("300", None),
        ("🙂", None),
    ],
)
def test_language(nlu: Engine, text: str, language: str | None) -> None:
    assert nlu.understand(text).language == language


def test_a_name_that_was_asked_for_has_no_language(nlu: Engine) -> None:
    assert nlu.understand("Maria de la Cruz", "person_name").language is None


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("hacen envios", True),
        ("hola buenas, tienen garantia", True),
        ("y qué garantía dan", True),
        ("quisiera saber si abren hoy", True),
        ("do you ship", True),
        ("vocês entregam", True),
        ("vocês fazem entrega", True),
        ("Ana Torres", False),
        ("que tenga buena batería", False),
        ("como 2 millones", False),
        ("cuando usted me diga", False),
        ("cuando entregan", True),
        ("para mi empresa", False),
        ("para qué quieren mi correo", True),
    ],
)
def test_question(text: str, asks: bool) -> None:
    assert is_question(normalise(text)) is asks


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ana Torres", True),
        ("Tienda El Precio Justo", True),
        ("Ana María De La Torre Ruiz", True),
        ("Ana María De La Torre Ruiz Vélez", False),
        ("ANA TORRES", False),
        ("Ana", False),
        ("Hola buenas tardes", False),
    ],
)
def test_name(text: str, named: bool) -> None:
    assert looks_like_a_name(text) is named


@pytest.mark.parametrize("text", ["", " ", "...", "\x00", "\u202e\u200b"])
def test_nothing_said_is_nothing_understood(nlu: Engine, text: str) -> None:
    assert nlu.understand(text, "text") == NOTHING


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=300) | st.text(alphabet=st.characters(codec=None)) | st.just("ñ" * 64_000) | st.just("hola " * 13_000),
    expected=st.sampled_from([None, "text", "person_name", "email", "money", "choice", "date", "unknown reader"]),
)
def test_any_text_is_understood_somehow(nlu: Engine, text: str, expected: str | None) -> None:
    understood = nlu.understand(text, expected, nlu.faq_index({"k": [text]}))
    assert understood.intent in nlu.model.intents
    assert 0 <= understood.confidence <= 1
    assert 0 <= understood.faq_confidence <= 1


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A corpus of two intents."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    intents = {"greet": ["hola", "buenas"], "inform": ["Ana", "2 millones"]}
    blocks = (f"- intent: {name}\n  examples: |\n" + "".join(f"    - {x}\n" for x in texts) for name, texts in intents.items())
    (corpus / "es.yml").write_text("nlu:\n" + "".join(blocks), encoding="utf-8")
    return corpus


def test_a_start_from_the_cache_understands_the_same_and_damage_is_repaired(tmp_path: Path, small: Path) -> None:
    cache = tmp_path / "cache"
    first = load(cache, small).understand("ola buenas")
    (file,) = cache.iterdir()
    whole, written = file.read_bytes(), file.stat().st_mtime_ns
    assert load(cache, small).understand("ola buenas") == first
    assert file.stat().st_mtime_ns == written
    for damage in (whole[: len(whole) // 2], b"", b"PK\x03\x04 not an archive", whole[:200] + b"\xff" * 40 + whole[240:]):
        file.write_bytes(damage)
        assert load(cache, small).understand("ola buenas") == first
        assert len(file.read_bytes()) == len(whole)


def test_a_changed_corpus_is_learnt(tmp_path: Path, small: Path) -> None:
    cache = tmp_path / "cache"
    assert load(cache, small).understand("chao pescao").intent != "goodbye"
    with (small / "es.yml").open("a", encoding="utf-8") as file:
        file.write("- intent: goodbye\n  examples: |\n    - chao pescao\n")
    assert load(cache, small).understand("chao pescao").intent == "goodbye"
    assert len(list(cache.iterdir())) == 1  # the model of the old corpus is gone


def test_a_cache_that_cannot_be_written_is_no_error(small: Path) -> None:
    assert load(small / "es.yml", small).understand("hola").intent == "greet"


def test_what_is_remembered_of_a_short_text_depends_on_nothing_that_was_asked(nlu: Engine) -> None:
    asked = [None, "choice", "person_name", "text", None]
    fresh = [Engine(nlu.model).understand("envío gratis", expected) for expected in asked]
    engine = Engine(nlu.model)
    assert [engine.understand("envío gratis", expected) for expected in asked] == fresh


def test_the_same_questions_share_their_index(nlu: Engine) -> None:
    index = nlu.faq_index({"shipping": ["hacen envíos"]})
    assert nlu.faq_index({"shipping": ("hacen envíos",)}) is index
    assert nlu.faq_index({"shipping": ["hacen envíos", "mandan a Cali"]}) is not index


def test_an_answer_is_not_looked_up_among_the_questions(nlu: Engine) -> None:
    index = nlu.faq_index({"shipping": ["Bogotá", "a Bogotá"]})
    assert nlu.understand("Bogotá", "location", index).faq is None
    assert nlu.understand("¿a Bogotá?", None, index).faq == "shipping"
