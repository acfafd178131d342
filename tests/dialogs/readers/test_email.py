from __future__ import annotations

import pytest

from dialogs.model import Attachment
from dialogs.readers import READERS, Heard, Miss

ADDRESSES = """
ana@ruiz.co | ana@ruiz.co
ANA@Ruiz.CO | ana@ruiz.co
mi correo es ana@ruiz.co. | ana@ruiz.co
no, mi correo es otro: ana@ruiz.co | ana@ruiz.co
no es ana@a.co, es ana@b.co | ana@b.co
<ana@ruiz.co> | ana@ruiz.co
*ana@ruiz.co* | ana@ruiz.co
mailto:ana@ruiz.co | ana@ruiz.co
contacto@ferreteria-norte.com.co | contacto@ferreteria-norte.com.co
juan.perez+lista@empresa.com.mx | juan.perez+lista@empresa.com.mx
ana arroba gmail punto com | ana@gmail.com
ana arroba gmail.com | ana@gmail.com
Ana Arroba Gmail Punto Com | ana@gmail.com
ana ruiz arroba gmail punto com | anaruiz@gmail.com
maria luisa 85 arroba hotmail punto com | marialuisa85@hotmail.com
juan guion bajo perez arroba hotmail punto com | juan_perez@hotmail.com
es: carlos.r arroba empresa punto com punto co | carlos.r@empresa.com.co
mi correo es pepe arroba yahoo punto es | pepe@yahoo.es
mi email es pepe at gmail dot com | pepe@gmail.com
ana@gmail,com | ana@gmail.com
ana@gmail com | ana@gmail.com
ana @ gmail . com | ana@gmail.com
ana@gmailcom | ana@gmail.com
ana@gmail | ana@gmail.com
ana@empresa,com.co | ana@empresa.com.co
"""


@pytest.mark.parametrize("line", ADDRESSES.strip().splitlines())
def test_addresses(line, read):
    text, address = line.split(" | ")
    reading = read("email", text)
    assert (reading.value, reading.shown, reading.instead) == (address, address, None)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("ana@gmial.com", "ana@gmail.com"), ("ana@gamil.com", "ana@gmail.com"), ("ana@gmail.co", "ana@gmail.com"),
     ("ana@gmail.con", "ana@gmail.com"),
     ("ana@gmai.com", "ana@gmail.com"), ("ana@hotmial.com", "ana@hotmail.com"), ("ana@hormail.com", "ana@hotmail.com"),
     ("ana@homail.com", "ana@hotmail.com"), ("ana@outlok.com", "ana@outlook.com"), ("ana@yaho.es", "ana@yahoo.es"),
     ("ana@yahoo.com.mz", "ana@yahoo.com.mx"), ("ana@iclud.com", "ana@icloud.com"), ("ana@empresa.con", "ana@empresa.com"),
     ("ana@empresa.comm", "ana@empresa.com"), ("ana@ruiz.co", None), ("ana@mail.com", None), ("ana@hotmail.es", None),
     ("ana@gmx.com", None),
     ("ana@empresa.cl", None), ("ana@uni.edu.co", None), ("ana@yahoo.com.co", None), ("ana@olive.com", None),
     ("ana@email.com", None)],
)  # fmt: skip
def test_a_slip_in_the_domain_is_kept_and_put_in_doubt(written, meant, read):
    reading = read("email", written)
    assert reading.value == written
    assert (reading.instead.value if reading.instead else None) == meant


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), ("@", "empty"), ("hola", "not_an_email"), ("no sé", "unknown"), ("ana.gmail.com", "no_at_sign"),
     ("ana@@x.com", "not_an_email"),
     ("ana@", "not_an_email"), ("@gmail.com", "not_an_email"), ("a@b.co c@d.co e@f.co g@h.co", "ambiguous"), ("3001234567",
     "not_an_email"), ("no molestes más con el correo", "not_an_email")],
)  # fmt: skip
def test_misses(text, why, read):
    assert read("email", text) == Miss(why)


@pytest.mark.parametrize(
    ("text", "address", "part"),
    [("Ana, ana@ruiz.co", "ana@ruiz.co", "ana@ruiz.co"), ("escríbeme a ana@ruiz.co por favor", "ana@ruiz.co", "ana@ruiz.co"),
     ("soy ana y mi correo es ana arroba gmail punto com", "ana@gmail.com", "ana arroba gmail punto com"),
     ("25 arrobas de café", None, None), ("sígueme en @tienda", None, None), ("nos vemos en tienda.com", None, None)],
)  # fmt: skip
def test_find(text, address, part, find):
    reading = find("email", text)
    assert (reading.value if reading else None) == address
    assert (text[slice(*reading.span)] if reading else None) == part


def test_a_shared_contact_has_an_address(asking):
    heard = Heard(attachments=(Attachment("contact", name="Ana", email="Ana@Ruiz.co"),))
    assert READERS["email"].read(heard, asking()).value == "ana@ruiz.co"


@pytest.mark.parametrize(
    ("text", "values"),
    [("ana@a.co o ana@b.co", ["ana@a.co", "ana@b.co"]), ("no es ana@a.co, es ana@b.co", ["ana@b.co"]),
     ("a@b.co c@d.co e@f.co", ["a@b.co", "c@d.co", "e@f.co"]), ("ana@a.co ana@a.co", ["ana@a.co"])],
)  # fmt: skip
def test_any_of_several_that_are_told(text, values, read):
    reading = read("email", text)
    assert [each.value for each in (reading, *reading.rivals)] == values
