"""Numbers that name a paper or a person, and are neither a telephone nor an amount: orders, quotes, invoices, parcels, ids."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

Kind = Literal["order", "quote", "invoice", "parcel", "identity", "account", "other"]

_CALLED: dict[Kind, str] = {
    "order": r"pedido|orden(?: de compra)?|order|encargo|encomenda|oc|ov|po|ped",
    "quote": r"cotizacion|cotiz|coti|presupuesto (?=n)|proforma|quote|quotation|orcamento (?=n)|cot",
    "invoice": r"factura|fact|boleta|remision|recibo|invoice|nota fiscal|nf",
    "parcel": r"guia|tracking|rastreo|envio (?=n)|parcel|codigo de rastreio",
    "identity": r"cedula|cc|dni|nit|ruc|rut|rfc|cuit|cpf|cnpj|curp|pasaporte|passport",
    "account": r"cuenta(?: de ahorros| corriente)?|conta|clabe|account",
    "other": r"referencia|ref|codigo|serie|serial|imei|ticket|caso|radicado|reserva|contrato",
}
_NUMBER = r"(?:[a-z]{1,5} ?[-/] ?)*\d[\da-z]*(?:[.,/ -]?\d[\da-z]*)*|[a-z]{1,5}\d[\da-z-]*"
_REFERENCE = re.compile(
    r"\b(?:"
    + "|".join(f"(?P<{kind}>{called})" for kind, called in _CALLED.items())
    + r")\b\.?,?(?: (?:de (?:compra|envio|rastreo|seguimiento|ahorros)|es|era|is|e|el|la|mi|su|the|numero|numeros|nro|num|no|n|"
    r"number|terminad[oa] en))*"
    rf"(?: ?[:#.º°-])* ?(?:es )?(?P<number>{_NUMBER})(?![a-z])"
)
_WRITTEN = re.compile(
    r"(?<![\w-])(?:(?P<order>ped|oc|ov|po|ord)|(?P<quote>cot|cotiz|pro)|(?P<invoice>fac|fv|fe|inv))[- ]?"
    r"(?P<number>(?:20\d\d-)?\d{2,10})(?![\w-])"
)
"""COT-2026-001, OC 4500: what papers are numbered with themselves."""
_HASH = re.compile(r"(?<!\w)#\s?(?P<number>\d{1,12})(?![\w-])")
_FEWEST = 2


class Reference(Struct, frozen=True):
    """The number as it is compared, in capitals with its marks; the part [start, end) of the text is the number alone."""

    kind: Kind
    number: str
    start: int
    end: int
    sureness: Literal["sure", "likely"]


@lru_cache(64)
def references(folded: str) -> tuple[Reference, ...]:
    """The references in a folded text, in their order; likely where only a "#" says so."""
    if not any(sign.isdigit() for sign in folded):
        return ()
    found: list[Reference] = []
    for pattern in (_WRITTEN, _REFERENCE, _HASH):
        for match in pattern.finditer(folded):
            start, end = match.span("number") if pattern is not _WRITTEN else match.span()
            number = re.sub(r"\s+", "", folded[start:end]).upper().strip(".,-/")
            digits = sum(sign.isdigit() for sign in number)
            if digits < _FEWEST or any(start < other.end and other.start < end for other in found):
                continue
            kinds = match.groupdict()
            kind: Kind = next((each for each in _CALLED if kinds.get(each)), "other")
            found.append(Reference(kind, number, start, end, "likely" if pattern is _HASH else "sure"))
    return tuple(sorted(found, key=lambda each: each.start))
