"""All that our own people can ask for in their chat: the one table. How their words find their way into it: meaning.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.staff import find, managers, own, prospects, writing
from bot.staff.desk import EVERYBODY, MANAGERS, Desk, Handler, Reply
from bot.staff.words import button, choices, say, text, word


@dataclass(frozen=True, slots=True)
class Command:
    """`says` are the ways to say it, the first as it is called; other forms of its verbs stand in heard.py, its help in
    staff_texts.yaml, under its name."""

    name: str
    says: tuple[str, ...]
    handler: Handler
    examples: tuple[str, ...]
    words: bool = False
    """Whether words may follow."""
    whole: bool = False
    """Whether it is given all of the words: those that say it may tell its time too ("vuelvo a las 2")."""
    looks: bool = False
    """Whether it changes nothing."""
    roles: frozenset[str] = EVERYBODY
    because: tuple[str, ...] = ()
    """Commands that may be said behind it, as its reason ("paso, estoy ocupado")."""


def help_(desk: Desk, words: str, row: int | None) -> Reply:
    """What this role may do."""
    lines = [
        say(
            "command" if command.examples[0] == command.says[0] else "command_example",
            says=command.says[0],
            help=word("help", command.name),
            example=command.examples[0],
        )
        for command in COMMANDS
        if desk.staff.role in command.roles
    ]
    return text("help", name=desk.staff.first_name, commands="\n".join(lines))


def undo(desk: Desk, words: str, row: int | None) -> Reply:
    """How each thing is taken back; nothing is, unasked: what was the last one is too easily mistaken."""
    last = find.prospect(desk.session, desk.memory.talk) if desk.memory.talk is not None else None
    theirs = (button("return", last.id),) if last is not None and last.is_of(desk.staff.user_id) else ()
    return choices(say("undo"), (*theirs, button("reminders", 0), button("back", 0)))


COMMANDS: tuple[Command, ...] = (
    Command(
        "leads",
        ("mis prospectos", "prospectos", "mis clientes", "mis leads", "leads", "mis conversaciones", "qué tengo", "mi lista"),
        prospects.leads,
        ("mis prospectos", "/prospectos"),
        looks=True,
    ),
    Command(
        "next",
        ("siguiente", "el siguiente", "próximo", "qué sigue", "quién sigue", "a quién atiendo", "next"),
        prospects.next_one,
        ("siguiente", "¿quién sigue?", "/siguiente"),
        looks=True,
    ),
    Command(
        "take",
        (
            "acepto",
            "aceptar",
            "tomar",
            "tomo",
            "tomar a",
            "lo tomo",
            "la tomo",
            "yo lo atiendo",
            "yo la atiendo",
        ),
        prospects.take,
        ("acepto", "tomar a Ana Ruiz", "/tomar"),
        words=True,
    ),
    Command(
        "pass",
        ("paso", "pasar", "lo paso", "la paso", "no puedo", "no lo tomo", "no la tomo", "rechazar"),
        prospects.let_pass,
        ("paso", "/paso"),
        because=("busy",),
    ),
    Command(
        "summary",
        ("resumen", "resumen de", "ver", "ver a", "quién es", "cuéntame de", "datos de", "qué sabemos de"),
        prospects.summary,
        ("resumen de Ana Ruiz", "¿quién es Ana?", "/resumen Ana"),
        words=True,
        looks=True,
    ),
    Command(
        "reply",
        (
            "responder",
            "responde",
            "respóndele",
            "escribir",
            "escribe",
            "escríbele",
            "contestar",
            "contesta",
            "contéstale",
            "dile",
        ),
        writing.reply,
        ("responder a Ana: ya te envío la cotización", "dile a Ana: ¡listo!", "/responder Ya le confirmo"),
        words=True,
    ),
    Command(
        "note",
        ("nota", "anota", "anotar", "apunta", "apuntar"),
        writing.note,
        ("nota llamó y pide factura", "nota sobre Ana: paga a 30 días", "/nota @Camilo ayúdame con esta"),
        words=True,
    ),
    Command(
        "remind",
        ("recuérdame", "recordarme", "recordar", "recuerda", "recordatorio", "avísame"),
        own.remind,
        ("recuérdame llamar a Ana mañana a las 9", "recuérdame en 2 horas enviar el catálogo", "/recordar el viernes 3pm"),
        words=True,
    ),
    Command(
        "reminders",
        ("mis recordatorios", "recordatorios", "qué tengo que recordar"),
        own.listed,
        ("mis recordatorios", "/recordatorios"),
        looks=True,
    ),
    Command(
        "busy",
        ("ocupado", "ocupada", "estoy ocupado", "estoy ocupada", "no disponible", "almuerzo", "me voy", "pausa", "ya vuelvo"),
        own.busy,
        ("ocupado hasta las 3", "ocupada 2 horas", "/ocupado"),
        words=True,
        whole=True,
    ),
    Command(
        "back",
        (
            "vuelvo",
            "ya volví",
            "volví",
            "estoy de vuelta",
            "de vuelta",
            "disponible",
            "ya llegué",
        ),
        own.back,
        ("vuelvo", "ya volví", "/vuelvo"),
    ),
    Command(
        "return",
        ("devolver", "devolver al bot", "devuélvelo", "devuélvela", "devuélvelo al bot", "devuélvela al bot", "que siga el bot"),
        prospects.give_back,
        ("devolver", "devolver a Ana al bot", "/devolver"),
        words=True,
    ),
    Command(
        "transfer",
        ("transferir", "transfiere", "transfiérelo", "transfiérela", "pásalo", "pásala", "pásaselo", "pásasela"),
        prospects.transfer,
        ("transferir a Camilo", "transferir Ana Ruiz a Camilo", "/transferir"),
        words=True,
    ),
    Command(
        "team",
        ("equipo", "mi equipo", "quién está", "quiénes están", "cómo está el equipo"),
        managers.team,
        ("equipo", "¿quién está?", "/equipo"),
        roles=MANAGERS,
        looks=True,
    ),
    Command(
        "waiting",
        ("pendientes", "qué hay pendiente", "quién espera", "quiénes esperan", "qué espera", "en espera"),
        managers.waiting,
        ("pendientes", "¿quién espera?", "/pendientes"),
        roles=MANAGERS,
        looks=True,
    ),
    Command(
        "today",
        ("hoy", "cómo vamos", "cómo va el día", "cómo vamos hoy", "las cifras de hoy", "cifras"),
        managers.today,
        ("hoy", "¿cómo vamos?", "/hoy"),
        roles=MANAGERS,
        looks=True,
    ),
    Command(
        "undo",
        ("deshacer", "me equivoqué", "cancelar"),
        undo,
        ("deshacer", "/deshacer"),
        looks=True,
    ),
    Command(
        "help",
        ("ayuda", "help", "comandos", "qué puedo hacer", "menú", "start"),
        help_,
        ("ayuda", "/ayuda"),
        looks=True,
    ),
)
_ANSWERS: Mapping[str, Handler] = {
    "send": writing.send,
    "drop": writing.drop,
    "confirm": writing.confirm,
    "to": prospects.to,
    "forget": own.forget,
    "what": own.what,
    "in_an_hour": own.in_an_hour,
    "tomorrow": own.tomorrow,
}
"""What only buttons and rows of ours ask for."""
BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}


def handler_of(verb: str) -> Handler | None:
    command = BY_NAME.get(verb)
    return command.handler if command is not None else _ANSWERS.get(verb)
