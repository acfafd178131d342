from __future__ import annotations

import pytest

from dialogs.readers import Heard
from dialogs.readers.company import find_company


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hola necesito 5 computadores para mi empresa Ferretería Norte SAS", "Ferretería Norte SAS"),
        ("Ferretería El Tornillo SAS", "Ferretería El Tornillo SAS"),
        ("les escribe Sandra Peña de Distribuidora La 14 Ltda, necesitamos 20 monitores", "Distribuidora La 14 Ltda"),
        ("Ing. Carlos Duarte de Metalmecánica Duarte SAS", "Metalmecánica Duarte SAS"),
        ("somos constructora andina s.a.s", "constructora andina s.a.s"),
        ("de la empresa Café de los Andes S.A.", "Café de los Andes S.A."),
        ("3 celulares pra minha empresa, a Padaria Sol Ltda", "Padaria Sol Ltda"),
        ("we are Kaffee GmbH", "Kaffee GmbH"),
        ("Trabajo en Panadería La Espiga", "Panadería La Espiga"),
        ("tengo una Ferretería en Cali", None),
        ("necesito un portátil para mi empresa", None),
        ("soy de la compañía", None),
        ("me dice el precio sa", None),
        ("SAS", None),
        ("", None),
    ],
)
def test_find_company(text: str, name: str | None) -> None:
    found = find_company(Heard(text))
    assert (found.value if found else None) == name
    assert found is None or text[slice(*(found.span or (0, 0)))] == name
