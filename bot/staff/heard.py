"""What else says a command, besides the ways that the table tells of: the forms of its verbs in the Spanish of both sides of the
ocean, and what people write in a hurry. Patterns of folded words, by the command's name; a space is any space, and `que`, `para`,
`por` and `estoy` are also what a chat makes of them (speech.py)."""

from __future__ import annotations

from collections.abc import Mapping

from bot.staff.speech import BOT, PROSPECT

_WHOM = rf"(?:{PROSPECT}s?)"
_AWAY = (
    r"(?:ocupad[oa]|almuerzo|almorzar|almorzando|comer|comiendo|desayun(?:o|ar|ando)|cenar|cenando|reunion|reuniones|junta|cita|"
    r"vacaciones|descanso|receso|break|medico|odontologo|incapacitad[oa]|manejando|conduciendo|ausente|desconectad[oa]|permiso)"
)
_TAKE = r"(?:tomo|cojo|agarro|atiendo|acepto|quiero|quedo)"

HEARD: Mapping[str, tuple[str, ...]] = {
    "leads": (
        rf"(?:mis|los|las) (?:{_WHOM}|conversaciones)(?: que tengo)?",
        rf"(?:que|cuales|cuantos|a quien(?:es)?)(?: {_WHOM})? (?:tengo|hay|son)",
        r"que hay (?:para mi|nuevo|de nuevo|pendiente)",
        rf"(?:tengo|hay|(?:me )?llego) (?:algo|alguien|algun|alguna)(?: {_WHOM})?(?: (?:nuev[oa]|pendiente|para mi))?",
        rf"(?:tengo|hay) {_WHOM}(?: (?:nuevos?|pendientes?))?",
    ),
    "next": (
        r"(?:el |la |al |a la )?(?:siguiente|proxim[oa]|que sigue)",
        r"(?:el |la |a )?otr[oa](?: mas)?",
        r"quien(?: mas)?(?: sigue)?",
        r"(?:a )?quien (?:me toca|(?:le )?(?:respondo|atiendo|escribo|contesto|llamo))(?: primero)?",
    ),
    "take": (
        rf"(?:yo )?(?:lo|la|me lo|me la|(?:a )?est[ea]) {_TAKE}(?: yo)?",
        r"yo (?:tomo|cojo|agarro|acepto)",
        r"me quedo con",
        r"(?:es )?mi[oa]",
        r"aceptad[oa]",
    ),
    "pass": (
        r"(?:lo|la|est[ea]|yo) paso",
        r"paso de (?:est|es)[ea]",
        r"(?:yo )?no (?:lo |la )?(?:puedo|tomo|quiero|alcanzo)(?: (?:a )?(?:tomar|atender|coger|agarrar)(?:lo|la))?",
        r"(?:que )?(?:lo|la) (?:tome|atienda|coja|agarre) otr[oa]",
        r"(?:da|de|pasa|pase)se(?:lo|la) a otr[oa]",
    ),
    "summary": (
        r"(?:la |el |los )?(?:info|informacion|datos|ficha|historial|detalles?|resumen) (?:de|del|sobre)",
        r"que (?:sabes|sabemos|paso|hay) (?:de|con|sobre)",
        r"que (?:dijo|dice|quiere|necesita|pidio)(?= \w)",
        r"(?:cuenta|conta)me (?:de|sobre)",
        r"quien (?:es|era)",
        r"busca(?:r|me)?(?: a)?(?= \w)",
    ),
    "reply": (
        r"(?:respond(?:er|e|a)|escrib(?:ir|e|i|a)|contest(?:ar|a|e))(?:les?)?",
        r"(?:di|deci|diga|avis[ae]|coment[ae])les?",
        r"(?:mand[ae]|envi[ae]|pregunt[ae]|pon)les?(?=\s*:| a [^:]{1,60}:)",
        r"(?:mand|envi)(?:ar|a|e)(?:les?)? (?:un|otro) (?:mensaje|mensajito|whatsapp|texto)",
    ),
    "note": (
        r"(?:(?:pon|agreg|dej|hac|haz|cre|anad|guard|escrib)(?:er|ar|ir|a|e|i)?(?:le|me)? )?(?:una |otra )?nota",
        r"(?:anot|apunt)(?:ar|a|e)(?:les?|lo|la|me)?",
    ),
    "remind": (
        r"(?:recue?rd|acue?rd)(?:ar|a|e)me",
        r"(?:hac|haz|hag)(?:e|a)?me (?:acordar|recordar|acuerdo)",
        r"(?:(?:pon|program|crea|hac|haz|agend|dej)(?:er|ar|a|e)?(?:me)? )?(?:(?:un|una|otro|otra) )?(?:recordatorio|alarma)",
        r"agend[ae]me",
    ),
    "reminders": (
        r"(?:los |que |cuales )?recordatorios(?: (?:tengo|hay))?",
        r"que me (?:vas a|tienes que) recordar",
        r"(?:borra|quita|elimina|cancela)r? (?:el|un|ese|los|mis) recordatorios?",
    ),
    "busy": (
        rf"(?:estoy|estare|(?:me )?voy|salgo|sigo|entro) (?:(?:en|a|al|de|por|con|un|una|mi|la|el) )*{_AWAY}",
        r"en (?:una |mi )?(?:reunion|junta|almuerzo|vacaciones|descanso|receso)",
        r"vacaciones|almorzando",
        r"(?:no )?(?:vuelvo|regreso)(?= (?:a las?|al|en|el|hasta|manana|despues|mas|pasado|luego|hoy)\b)",
        r"(?:ya )?no (?:estoy|voy a estar|estare) disponible",
        r"no me (?:pas|mand|envi|asign|d)(?:es|en)(?: (?:mas|nuevos|otros|otro|clientes|prospectos|leads|nada))+",
    ),
    "back": (
        r"volvi|regrese|llegue",
        r"(?:ya )?estoy (?:de (?:vuelta|regreso)|disponible|libre|aqui|list[oa]|desocupad[oa])",
        r"(?:ya )?(?:aqui|aca) estoy|ya estoy",
        r"(?:me )?desocupe|desocupad[oa]",
    ),
    "return": (
        rf"(?:devolv|devuelv|regres|retorn)(?:er|ar|e|a)(?:se)?(?:lo|la)(?: al? {BOT})?",
        r"devuelv[ea]|devolve",
        rf"(?:deja )?que (?:(?:lo|la) )?(?:siga|atienda|responda|continue) el {BOT}",
        rf"(?:deja )?que el {BOT} (?:siga|continue|responda|(?:lo|la) atienda)",
    ),
    "transfer": (
        r"transf(?:er|ie?r)(?:ir|e|i|a)(?:se)?(?:les?|lo|la)?",
        r"(?:pas|asign|entreg|d)(?:ar|a|e)(?:se(?:lo|la)|le|lo|la)(?= .*\b(?:a|con)\b)",
        r"(?:pas|asign|entreg)(?:ar|a|e)(?= .* (?:a|con) )",
        r"se (?:lo|la) paso|le paso(?= .* a )",
        r"asign(?:ar|a|e)",
    ),
    "undo": (
        r"desha(?:z|ce)(?:lo|la)?",
        r"undo",
        r"(?:cancela|borra|anula|quita)r?(?:lo|la| eso| esto| lo ultimo)?",
        r"(?:me )?equivoque",
    ),
    "help": (
        r"(?:ayuda|ayude)me",
        r"que (?:mas )?(?:puedes|sabes|puedo) hacer",
        r"como (?:funciona|se usa|es) (?:esto|este)",
        r"instrucciones|opciones",
    ),
}
