"""No sequence of inputs crashes the engine, loses an answer, talks too much or outgrows a message."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogs import engine
from dialogs.loader import load_file, load_folder
from dialogs.model import Attachment, AttachmentKind, Dialog, Effect, Handoff, Say, State, Turn, Voice
from nlu.understanding import Understanding

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("America/Bogota"))
DIALOGS = (
    load_folder()["electronics"],
    load_file(Path(__file__).parents[1] / "transcripts" / "electronics" / "next_version.yaml"),
)
INTENTS = (
    "greet",
    "price",
    "buy",
    "stock",
    "shipping",
    "payment",
    "warranty",
    "returns",
    "discount",
    "hours",
    "location",
    "catalog",
    "quote",
    "human",
    "thanks",
    "goodbye",
    "affirm",
    "deny",
    "correct",
    "repeat",
    "skip",
    "back",
    "cancel",
    "restart",
    "stop",
    "start",
    "language_es",
    "language_en",
    "language_pt",
    "complaint",
    "order_status",
    "job",
    "spam",
    "insult",
    "bot_challenge",
    "help",
    "later",
    "inform",
    "out_of_scope",
)
SAID = (
    "hola",
    "Ana Ruiz",
    "Ana, ana@ruiz.co",
    "ana@gmial.com",
    "un portátil de 2 millones para hoy",
    "2",
    "3 millones",
    "sí",
    "no",
    "saltar",
    "me equivoqué, el presupuesto es 5 millones",
    "no, mi correo es otro: luis@x.co",
    "cambiar el nombre",
    "¿hacen envíos?",
    "hoy",
    "Bogotá",
    "para mí",
    "para mi empresa",
    "Ferretería El Norte",
    "corregir",
    "el correo",
    "seguir",
    "no sé",
    "english please",
    "😀",
    "???",
    "5",
    "quiero comprar una impresora",
    "\u202eABC\u0000\ud800",
    "x" * 65_536,
    "a\n" * 3_000,
    "{full_name} {{7*7}} {% for %}",
    "👍",
)
IDS = (
    "buyer:personal",
    "buyer:empresa",
    "timing:hoy",
    "timing:mes",
    "timing:gone",
    "gone:x",
    "_confirm:yes",
    "_confirm:fix",
    "_doubt:yes",
    "_doubt:no",
    "_human:yes",
    "_human:no",
    "_fix:budget",
    "_fix:mail",
    "_fix:gone",
    "_",
    ":",
    "",
)
KINDS = get_args(AttachmentKind)

attachments = st.builds(
    Attachment,
    kind=st.sampled_from(KINDS),
    file=st.just("17"),
    name=st.sampled_from(("", "Luis Ruiz", "x" * 300)),
    phone=st.sampled_from(("", "+573105551234", "nope")),
    email=st.sampled_from(("", "luis@ruiz.co")),
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    detail=st.sampled_from(("", "2 x Monitor LG")),
)
understandings = st.builds(
    Understanding,
    intent=st.sampled_from(INTENTS),
    confidence=st.sampled_from((0.0, 0.5, 0.7, 0.99)),
    faq=st.sampled_from((None, "shipping", "gone")),
    faq_confidence=st.sampled_from((0.0, 0.9)),
    language=st.sampled_from((None, "es", "en", "pt", "fr")),
)
turns = st.builds(
    Turn,
    text=st.one_of(st.just(""), st.sampled_from(SAID), st.text(max_size=80)),
    choice=st.one_of(st.none(), st.none(), st.sampled_from(IDS)),
    attachments=st.lists(attachments, max_size=2).map(tuple),
    understanding=understandings,
    now=st.integers(0, 100_000).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    open=st.booleans(),
    opens=st.sampled_from(({}, {"es": "mañana a las 9:00", "en": "tomorrow at 9:00 AM"})),
    known=st.sampled_from(({}, {"name": "Ana Ruiz"}, {"name": "x" * 500, "email": "ana@ruiz.co", "company": "Ruiz SAS"})),
    returning=st.booleans(),
    voice=st.sampled_from((Voice(), Voice("Luna", "TecnoCentro", "usted"))),
)
moves = st.lists(
    st.tuples(st.sampled_from(("step", "step", "step", "remind", "hand back")), st.sampled_from(range(len(DIALOGS))), turns),
    max_size=12,
)


def move(kind: str, dialog: Dialog, state: State, turn: Turn) -> tuple[State, list[Effect]]:
    match kind:
        case "step":
            return engine.step(dialog, state, turn)
        case "remind":
            return engine.remind(dialog, state, turn)
        case _:
            return engine.resume(state), []


@given(moves)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_sequence(sequence: list[tuple[str, int, Turn]]) -> None:
    state = engine.begin(DIALOGS[0], "es")
    for kind, which, turn in sequence:
        dialog, before = DIALOGS[which], state
        state, effects = move(kind, dialog, before, turn)
        if before.status == "human" and kind != "hand back":  # nothing is asked while a person is waited for
            assert state.status == "human"
            assert not any(isinstance(effect, Handoff) or (isinstance(effect, Say) and effect.choices) for effect in effects)
        says = [effect for effect in effects if isinstance(effect, Say)]
        assert len(says) <= 2
        for say in says:
            assert_fits(say)
        assert_kept(before, state, turn, " ".join(say.text for say in says))
        assert engine.state_from_json(engine.state_to_json(state)) == state
        engine.score(dialog, state, turn.now)
        assert (engine.silence(dialog, state) is None) == (not state.greeted or state.status not in ("open", "confirming"))


def assert_fits(say: Say) -> None:
    assert say.text.strip()
    assert len(say.text) <= (1024 if say.choices else 4096)
    assert len(say.choices) <= 10
    assert all(0 < len(choice.title) <= (20 if len(say.choices) <= 3 else 24) for choice in say.choices)
    assert len({choice.id for choice in say.choices}) == len(say.choices)
    assert len(say.button) <= 20


def assert_kept(before: State, after: State, turn: Turn, said: str) -> None:
    """An answer goes only when the person starts anew, and changes only by a correction that is acknowledged."""
    intent = turn.understanding.intent
    anew = intent == "restart" or (before.status == "done" and intent in ("buy", "price", "quote", "stock"))
    for name, answer in before.answers.items():
        now = after.answers.get(name)
        if now is None:
            assert anew
        elif now.value != answer.value and not anew:
            added = isinstance(now.value, str) and now.value.startswith(f"{answer.value}; ")
            assert added or before.doubt or after.doubt or any(word in said for word in ("Corregido", "Corrected", "Corrigido"))
