from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.entities.references import references
from nlu.entities.words import fold

SAID = """
mi pedido es 300123456 | order 300123456
pedido 3001234567 | order 3001234567
pedido #123 | order 123
el pedido número 4455 | order 4455
pedido no. 77 | order 77
mi orden 987654321 no ha llegado | order 987654321
la orden de compra OC-4500 | order OC-4500
la OC 4500 cuando llega | order OC4500
PED-0012 | order PED-0012
order number 4455 | order 4455
cotización 2026-001 | quote 2026-001
COT-2026-001 | quote COT-2026-001
la cotización es la 55 | quote 55
factura FV-1234 | invoice FV-1234
la factura electrónica FE 778 | invoice FE778
invoice 4455 | invoice 4455
guía 987654321 | parcel 987654321
el número de guía es 987-654-321 | parcel 987-654-321
tracking 1Z999AA10123456784 | parcel 1Z999AA10123456784
mi cédula es 1.020.304.050 | identity 1.020.304.050
nit 900.123.456-7 | identity 900.123.456-7
dni 45678912 | identity 45678912
cuenta de ahorros 123-456789-00 | account 123-456789-00
referencia IP15-128 | other IP15-128
#45 | other 45?
el pedido 45 y la cotizacion 77 | order 45, quote 77
mi numero es 3001234567 |
quiero pedir 300 unidades |
hice un pedido de 300 cajas |
cotización de 3 millones |
la cotización del 15 |
pedido para el 15 |
la factura del mes |
calle 80 # 15-20 |
2 pedidos |
el pedido 1 |
#4 |
300 123 4567 |
pago de contado |
"""


@pytest.mark.parametrize("line", SAID.strip().splitlines())
def test_references(line):
    said, wanted = (each.strip() for each in line.split("|"))
    found = references(fold(said))
    assert ", ".join(f"{one.kind} {one.number}{'' if one.sureness == 'sure' else '?'}" for one in found) == wanted


@given(st.text(max_size=120) | st.text(alphabet="pedido #0123456789-oc cot.:", max_size=60))
def test_any_text(said):
    for one in references(fold(said)):
        assert 0 <= one.start < one.end <= len(said)
        assert sum(sign.isdigit() for sign in one.number) >= 2
