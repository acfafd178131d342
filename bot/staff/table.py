"""All that our own people can ask for in their chat: the one table, and how their words find their way into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter

from rapidfuzz import fuzz

from bot.staff import managers, own, prospects
from bot.staff.desk import EVERYBODY, MANAGERS, Desk, Handler, Reply
from bot.staff.words import say, text, word
from dialogs.readers.words import fold


@dataclass(frozen=True, slots=True)
class Command:
    """`says` are the ways to say it, the first as it is called; its help stands in staff_texts.yaml under its name. `words`:
    whether words may follow."""

    name: str
    says: tuple[str, ...]
    handler: Handler
    examples: tuple[str, ...]
    words: bool = False
    roles: frozenset[str] = EVERYBODY


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


COMMANDS: tuple[Command, ...] = (
    Command(
        "leads",
        ("mis prospectos", "prospectos", "mis clientes", "mis leads", "leads", "mis conversaciones", "qué tengo", "mi lista"),
        prospects.leads,
        ("mis prospectos", "/prospectos"),
    ),
    Command(
        "next",
        ("siguiente", "el siguiente", "próximo", "qué sigue", "quién sigue", "a quién atiendo", "next"),
        prospects.next_one,
        ("siguiente", "¿quién sigue?", "/siguiente"),
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
    ),
    Command(
        "summary",
        ("resumen", "resumen de", "ver", "ver a", "quién es", "cuéntame de", "datos de", "qué sabemos de"),
        prospects.summary,
        ("resumen de Ana Ruiz", "¿quién es Ana?", "/resumen Ana"),
        words=True,
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
        prospects.reply,
        ("responder a Ana: ya te envío la cotización", "dile a Ana: ¡listo!", "/responder Ya le confirmo"),
        words=True,
    ),
    Command(
        "note",
        ("nota", "anota", "anotar", "apunta", "apuntar"),
        prospects.note,
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
    ),
    Command(
        "busy",
        ("ocupado", "ocupada", "estoy ocupado", "estoy ocupada", "no disponible", "almuerzo", "me voy", "pausa", "ya vuelvo"),
        own.busy,
        ("ocupado hasta las 3", "ocupada 2 horas", "/ocupado"),
        words=True,
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
    ),
    Command(
        "waiting",
        ("pendientes", "qué hay pendiente", "quién espera", "quiénes esperan", "qué espera", "en espera"),
        managers.waiting,
        ("pendientes", "¿quién espera?", "/pendientes"),
        roles=MANAGERS,
    ),
    Command(
        "today",
        ("hoy", "cómo vamos", "cómo va el día", "cómo vamos hoy", "las cifras de hoy", "cifras"),
        managers.today,
        ("hoy", "¿cómo vamos?", "/hoy"),
        roles=MANAGERS,
    ),
    Command("help", ("ayuda", "help", "comandos", "qué puedo hacer", "menú", "start"), help_, ("ayuda", "/ayuda")),
)
_ANSWERS: Mapping[str, Handler] = {
    "send": prospects.send,
    "drop": prospects.drop,
    "confirm": prospects.confirm,
    "to": prospects.to,
    "forget": own.forget,
    "in_an_hour": own.in_an_hour,
    "tomorrow": own.tomorrow,
}
"""What only buttons and rows of ours ask for."""
BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}


def handler_of(verb: str) -> Handler | None:
    command = BY_NAME.get(verb)
    return command.handler if command is not None else _ANSWERS.get(verb)


# ------------------------------------------------------------------------------------------- what words mean
@dataclass(frozen=True, slots=True)
class Meant:
    """`sure`: said as it stands in the table, and not only like it."""

    command: Command
    words: str
    sure: bool


_LEAD = re.compile(
    r"[\s¿¡!.,]*(?:(?:hola|buenas|buenos dias|buenas tardes|oye|por favor|porfa|muestrame|mostrar|dame|dime|quiero ver|quiero|"
    r"necesito|cuales son|ver)\b[\s,:!.]*(?=\S))*"
)
_SLASH = re.compile(r"\s*/\s*([a-z_]+)(?:@\w+)?")
_TAIL = re.compile(r"[\s.,;!?¡¿)]*(?:\b(?:por ?favor|porfa|porfis|gracias|pues|ya|ahora|plis)\b[\s.,;!?)]*)*")
_BREAK = re.compile(r"[\s:,.;!?¡¿-]|$")
_CLOSE, _MARGIN = 84.0, 4.0
"""How alike a slip must be to what was meant, and its lead over any other command."""


@cache
def _ways() -> tuple[tuple[str, Command], ...]:
    """(folded way to say it, command), the longest first."""
    ways = [(fold(said), command) for command in COMMANDS for said in command.says]
    return tuple(sorted(ways, key=lambda way: -len(way[0])))


def understand(said: str) -> Meant | None:
    """The command that `said` is, with the words behind it; None when it is none."""
    folded = fold(said)
    slash = _SLASH.match(folded)
    if slash:
        said = slash[1].replace("_", " ") + said[slash.end() :]
        folded = fold(said)
    starts = {match.end() if (match := _LEAD.match(folded)) else 0, len(folded) - len(folded.lstrip(" ¿¡!.,\n"))}
    exact = [found for start in starts if (found := _exact(said, folded, start))]
    return max(exact, key=itemgetter(0))[1] if exact else _slip(said, folded, max(starts))


def _exact(said: str, folded: str, start: int) -> tuple[int, Meant] | None:
    """The longest way to say something that stands there, with its length."""
    for way, command in _ways():
        end = start + len(way)
        if not folded.startswith(way, start) or not _BREAK.match(folded, end):
            continue
        if _TAIL.fullmatch(folded, end):
            return len(way), Meant(command, "", sure=True)
        if command.words:
            return len(way), Meant(command, said[end:].strip(" \t\n,.-–"), sure=True)
    return None


def _slip(said: str, folded: str, start: int) -> Meant | None:
    """A way to say it with a slip of the finger: as many words as it has, alone unless the command takes words."""
    tokens = [(match.group(), match.end()) for match in re.finditer(r"[^\s¿?¡!.,;:]+", folded[start:])]
    scores: dict[str, tuple[float, int, Command]] = {}
    for way, command in _ways():
        many = way.count(" ") + 1
        if len(way) < 5 or many > len(tokens) or (many < len(tokens) and not command.words):
            continue
        likeness = fuzz.ratio(way, " ".join(token for token, _ in tokens[:many]))
        if likeness >= _CLOSE and likeness > scores.get(command.name, (0.0, 0, command))[0]:
            scores[command.name] = likeness, tokens[many - 1][1], command
    ranked = sorted(scores.values(), key=lambda score: -score[0])
    if not ranked or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < _MARGIN):
        return None
    _, end, command = ranked[0]
    rest = said[start + end :].strip(" \t\n,.-–")
    return Meant(command, rest if command.words else "", sure=False)
