from __future__ import annotations

import pytest

from dialogs.model import Attachment
from dialogs.readers import READERS, Heard, Miss, Reading


@pytest.mark.parametrize(
    ("text", "name"),
    [("Bogotá", "Bogotá"), ("bogota", "Bogotá"), ("suba", "Bogotá"), ("de Shenzhen a Bogotá", "Bogotá"), ("en Bosa", "Bogotá"),
     ("en medellin", "Medellín"), ("vivo en cali", "Cali"),
     ("estoy en barranqilla", "Barranquilla"),
     ("soy de pereira", "Pereira"), ("hola, necesito envio a bucaramanga", "Bucaramanga"), ("busco portatil en bogota",
     "Bogotá"), ("cdmx", "Ciudad de México"),
     ("San luis potosi", "San Luis Potosí"), ("são paulo", "São Paulo"), ("Lima", "Lima"), ("i live in miami", "Miami"),
     ("moro em curitiba", "Curitiba"),
     ("Bucaramanga, Santander", "Bucaramanga, Santander"), ("Calle 80 # 15-20 apto 301", "Calle 80 # 15-20 apto 301"),
     ("cra 7 con 72", "Cra 7 con 72"),
     ("La Calera, vereda El Salitre", "La Calera, vereda El Salitre")],
)  # fmt: skip
def test_places_in_words(text, name, read):
    reading = read("location", text)
    assert reading.value == {"latitude": None, "longitude": None, "name": name}
    assert reading.shown == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("no sé", "unknown"),
        ("123", "not_a_place"),
        ("dos millones", "not_a_place"),
        ("ana@ruiz.co", "not_a_place"),
        ("quiero una lima", "not_a_place"),
        ("soy David", "not_a_place"),
        ("¿cuánto vale?", "not_a_place"),
    ],
)
def test_no_place(text, why, read):
    assert read("location", text) == Miss(why)


@pytest.mark.parametrize(
    ("text", "part"),
    [("necesito 3 cajas en Medellín urgente", "Medellín"), ("soy ana de cartagena", "cartagena"), ("envio a medelin",
     "medelin"), ("vivo en cali", "cali"),
     ("somos de bogota dc", "bogota dc"), ("Ana Mendoza", None), ("quiero una lima", None), ("soy David", None),
     ("de Bogotá a Medellín", None), ("hola", None)],
)  # fmt: skip
def test_find_a_city(text, part, find):
    reading = find("location", text)
    assert (text[slice(*reading.span)] if reading else None) == part


# The country that was written to, what is said, and every city that it may be.
CITIES = """
CO | shenzen | Shenzhen
CO | Shangai | Shanghai
CO | guangzou | Guangzhou
CO | hong kong | Hong Kong
CO | Ningbo, China | Ningbo, China
CO | rotterdam | Rotterdam
CO | buenabentura | Buenaventura
CO | vogota | Bogotá
CO | medeyin | Medellín
CO | barranqiya | Barranquilla
CO | kali | Cali
CO | cartajena | Cartagena
CO | bucaramnga | Bucaramanga
CO | monterrei | Monterrey
CO | de Shenzhen a Buenaventura | Buenaventura
CO | Cartagena | Cartagena
CO | Cartagena, España | Cartagena, España
CO | Cordoba | Córdoba, Argentina; Córdoba, España
CO | córdoba argentina | Córdoba, Argentina
AR | Córdoba | Córdoba
ES | Córdoba | Córdoba
MX | Santiago | Santiago, Chile; Santiago, República Dominicana
CL | Santiago | Santiago
PE | para Valencia | Valencia, Venezuela; Valencia, España
VE | Valencia | Valencia
CO | Mérida | Mérida, México; Mérida, Venezuela
MX | Mérida | Mérida
CO | San Antonio | San Antonio, Chile; San Antonio, Estados Unidos
CO | Trujillo | Trujillo
CO | Bogotá Colombia | Bogotá, Colombia
CO | Zipakira | Zipaquirá
CO | Casa | Casa
CO | Calle | Calle
"""


@pytest.mark.parametrize("line", CITIES.strip().splitlines())
def test_which_city(line, read):
    country, said, cities = line.split(" | ")
    reading = read("location", said, country)
    assert "; ".join(each.shown for each in (reading, *reading.rivals)) == cities
    assert reading.value["name"] == reading.shown


@pytest.mark.parametrize(("text", "cities"), [("necesito el envío a Valencia", "Valencia, Venezuela; Valencia, España"),
     ("lo mandan para buenabentura", "Buenaventura"), ("Sebastián Trujillo", ""), ("una carga de Balboa", "Balboa"),
     ("busco un turbo diesel", ""),
     ("vivo en córdoba argentina", "Córdoba, Argentina"), ("pago 300 córdobas", ""), ("vivo en Santander", "")])  # fmt: skip
def test_find_which_city(text, cities, find):
    reading = find("location", text)
    assert "; ".join(each.shown for each in (reading, *reading.rivals)) == cities if reading else not cities


# A message, where its way begins, and where it ends.
WAYS = """
traer unas maquinas de shenzen a buenabentura | Shenzhen | Buenaventura
importar zapatos desde Guangzhou hasta Bogotá | Guangzhou | Bogotá
quiero traer llantas desde Miami | Miami |
desde Hong Kong, China | Hong Kong |
traer cerámica desde valencia españa hasta barranquilla por barco | Valencia, España | Barranquilla
de Valencia, Venezuela, a Cali | Valencia, Venezuela | Cali
llevar café hasta Hamburgo | | Hamburgo
carga con destino a Rotterdam | | Rotterdam
de Cali a Buenaventura | Cali | Buenaventura
ship shoes from Shenzhen to Cartagena | Shenzhen | Cartagena
desde San Antonio a Long Beach | San Antonio, Chile | Long Beach
en Bogotá | | Bogotá
Cali | | Cali
un contenedor de muebles desde China | |
zapatos de cuero a buen precio | |
de martes a viernes | |
de 2 a 3 millones | |
desde mañana hasta el viernes | |
cajas de Medellín | |
"""


@pytest.mark.parametrize("line", WAYS.strip().splitlines())
def test_both_ends_of_a_way(line, find):
    said, *ends = (each.strip() for each in line.split("|"))
    found = [find("location", said, way=way) for way in ("from", "to")]
    assert [reading.shown if reading else "" for reading in found] == ends
    assert all(0 <= reading.span[0] < reading.span[1] <= len(said) for reading in found if reading)


def test_the_country_is_called_as_the_language_does(read):
    assert read("location", "Valencia", "CO", language="en").rivals[0].shown == "Valencia, Spain"


def test_a_pin(asking):
    heard = Heard(attachments=(Attachment("location", latitude=4.711, longitude=-74.0721),))
    reading = READERS["location"].read(heard, asking())
    assert reading == READERS["location"].find(heard, asking())
    assert reading == Reading({"latitude": 4.711, "longitude": -74.0721, "name": ""}, "📍 4.71100, -74.07210")


def test_files(asking):
    photo, voice, pin = Attachment("image", file="17"), Attachment("voice", file="18"), Attachment("location")
    pdf = Attachment("document", file="19", name="cotización.pdf")
    reader = READERS["file"]
    assert reader.read(Heard(attachments=(photo,)), asking()) == Reading({"kind": "image", "file": "17"}, "📷")
    assert reader.read(Heard("mira", None, (pin, pdf)), asking()) == Reading(
        {"kind": "document", "file": "19"}, "📎 cotización.pdf"
    )
    assert reader.read(Heard(attachments=(voice,)), asking()) == Reading({"kind": "voice", "file": "18"}, "🎤")
    assert reader.find(Heard(attachments=(voice,)), asking()) is None
    assert reader.find(Heard(attachments=(voice, pdf)), asking()).value["file"] == "19"
    assert reader.read(Heard("no tengo"), asking()) == Miss("not_a_file")
    assert reader.read(Heard(attachments=(pin,)), asking()) == Miss("not_a_file")
    assert reader.read(Heard(), asking()) == Miss("empty")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  un portátil  para diseño ", "un portátil para diseño"),
        ("a\nb", "a\nb"),
        ("\u202eoja\u202c", "oja"),
        ("x\0y", "xy"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_text(text, kept, read):
    assert read("text", text) == Reading(kept, kept)


@pytest.mark.parametrize("text", ["", " \n", "😊👍", "...", "\u200b\u202e", "\0"])
def test_no_text(text, read):
    assert read("text", text) == Miss("empty")
