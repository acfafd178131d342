from __future__ import annotations

from dataclasses import replace

import pytest

from dialogs.readers import READERS, Heard, Miss

# Said on Tuesday 24 November 2026 at 10:00.
DAYS = """
es | hoy | 2026-11-24
es | para hoy mismo | 2026-11-24
es | ya | 2026-11-24
es | lo antes posible | 2026-11-24
es | urgente | 2026-11-24
es | esta tarde | 2026-11-24
es | mañana | 2026-11-25
es | manana | 2026-11-25
es | mañana mismo | 2026-11-25
es | mañana por la mañana | 2026-11-25
es | pasado mañana | 2026-11-26
es | el viernes | 2026-11-27
es | el biernes | 2026-11-27
es | savado | 2026-11-28
es | 15 de disiembre | 2026-12-15
es | la prosima semana | 2026-11-30/2026-12-06
es | este viernes | 2026-11-27
es | próximo lunes | 2026-11-30
es | el lunes que viene | 2026-11-30
es | el martes | 2026-12-01
es | este martes | 2026-11-24
es | viernes 27 | 2026-11-27
es | viernes 27 de noviembre | 2026-11-27
es | viernes de la otra semana | 2026-12-04
es | sábado | 2026-11-28
es | esta semana | 2026-11-24/2026-11-29
es | la otra semana | 2026-11-30/2026-12-06
es | para la próxima semana | 2026-11-30/2026-12-06
es | la semana que viene | 2026-11-30/2026-12-06
es | fin de semana | 2026-11-28/2026-11-29
es | este mes | 2026-11-24/2026-11-30
es | el mes que viene | 2026-12-01/2026-12-31
es | el otro mes | 2026-12-01/2026-12-31
es | fin de mes | 2026-11-30
es | a fin de mes | 2026-11-30
es | a principios de mes | 2026-12-01/2026-12-10
es | fin de año | 2026-12-31
es | el año que viene | 2027-01-01/2027-12-31
es | en diciembre | 2026-12-01/2026-12-31
es | diciembre | 2026-12-01/2026-12-31
es | finales de noviembre | 2026-11-30
es | mediados de diciembre | 2026-12-11/2026-12-20
es | quincena | 2026-11-30
es | en quince días | 2026-12-09
es | en 8 días | 2026-12-02
es | en un par de días | 2026-11-26
es | dentro de un mes | 2026-12-24
es | en 3 meses | 2027-02-24
es | en 2 o 3 semanas | 2026-12-08/2026-12-15
es | dos semanas | 2026-12-08
es | 8 días | 2026-12-02
es | el 3 de diciembre | 2026-12-03
es | 3 de dic | 2026-12-03
es | tres de diciembre | 2026-12-03
es | primero de diciembre | 2026-12-01
es | treinta y uno de diciembre | 2026-12-31
es | 15 de enero | 2027-01-15
es | 15 de enero de 2027 | 2027-01-15
es | del 3 al 5 de diciembre | 2026-12-03/2026-12-05
es | entre el 3 y el 5 de diciembre | 2026-12-03/2026-12-05
es | entre lunes y miércoles | 2026-11-30/2026-12-02
es | jueves o viernes | 2026-11-26/2026-11-27
es | 3/12 | 2026-12-03
es | 24/12/2026 | 2026-12-24
es | 24-12-26 | 2026-12-24
es | 12/25 | 2026-12-25
es | 2026-12-24 | 2026-12-24
es | el 15 | 2026-12-15
es | el día 30 | 2026-11-30
es | el 31 | 2026-12-31
es | 15 | 2026-12-15
es | navidad | 2026-12-25
es | nochebuena | 2026-12-24
es | no, el viernes no, el sábado | 2026-11-28
es | este trimestre | 2026-11-24/2026-12-31
es | el próximo trimestre | 2027-01-01/2027-03-31
es | el trimestre que viene | 2027-01-01/2027-03-31
es | el segundo trimestre | 2027-04-01/2027-06-30
es | primer trimestre de 2028 | 2028-01-01/2028-03-31
es | Q1 | 2027-01-01/2027-03-31
es | q4 de 2027 | 2027-10-01/2027-12-31
es | este semestre | 2026-11-24/2026-12-31
es | el segundo semestre del otro año | 2027-07-01/2027-12-31
es | del 3 al 15 | 2026-12-03/2026-12-15
es | del 26 al 30 | 2026-11-26/2026-11-30
es | del 28 al 5 | 2026-11-28/2026-12-05
es | del 20 al 26 | 2026-11-20/2026-11-26
es | entre el 3 y el 15 | 2026-12-03/2026-12-15
es | desde el 3 hasta el 15 | 2026-12-03/2026-12-15
es | del tres al quince | 2026-12-03/2026-12-15
es | del 3 al 15 de marzo | 2027-03-03/2027-03-15
es | del 3 al 15 de marzo de 2028 | 2028-03-03/2028-03-15
es | la primera quincena de diciembre | 2026-12-01/2026-12-15
es | la segunda quincena de enero | 2027-01-16/2027-01-31
es | la segunda quincena | 2026-11-16/2026-11-30
es | la primera quincena | 2026-12-01/2026-12-15
es | esta quincena | 2026-11-24/2026-11-30
es | de hoy en ocho | 2026-12-01
es | hoy en quince | 2026-12-08
es | del viernes en ocho | 2026-12-04
es | el viernes en quince | 2026-12-11
es | el primer lunes de diciembre | 2026-12-07
es | último viernes del mes | 2026-11-27
es | el tercer jueves de enero | 2027-01-21
es | la primera semana de enero | 2027-01-01/2027-01-07
es | última semana de diciembre | 2026-12-25/2026-12-31
es | en enero del otro año | 2027-01-01/2027-01-31
es | en diciembre del año que viene | 2027-12-01/2027-12-31
es | mitad de año | 2027-06-15/2027-07-15
es | pasao mañana | 2026-11-26
es | inmediatamente | 2026-11-24
es | hoy a las 19h | 2026-11-24T19:00
es | el viernes a las 14 hs | 2026-11-27T14:00
en | this quarter | 2026-11-24/2026-12-31
en | next quarter | 2027-01-01/2027-03-31
en | the 3rd to the 15th | 2026-12-03/2026-12-15
en | the first monday of january | 2027-01-04
en | in a fortnight | 2026-12-08
pt | este trimestre | 2026-11-24/2026-12-31
pt | do dia 3 ao dia 15 | 2026-12-03/2026-12-15
pt | quinzena | 2026-11-30
pt | a primeira quinzena de dezembro | 2026-12-01/2026-12-15
es | mañana a las 3 de la tarde | 2026-11-25T15:00
es | mañana a las 10 am | 2026-11-25T10:00
es | mañana 9:30 | 2026-11-25T09:30
es | el jueves a las 4 y media | 2026-11-26T16:30
es | a las 3 | 2026-11-24T15:00
es | a las 9 | 2026-11-25T09:00
es | a las 15:30 | 2026-11-24T15:30
es | el viernes al mediodía | 2026-11-27T12:00
en | today | 2026-11-24
en | tomorrow | 2026-11-25
en | the day after tomorrow | 2026-11-26
en | on friday | 2026-11-27
en | next friday | 2026-12-04
en | this weekend | 2026-11-28/2026-11-29
en | next week | 2026-11-30/2026-12-06
en | end of the month | 2026-11-30
en | in two weeks | 2026-12-08
en | December 3rd | 2026-12-03
en | March 5 | 2027-03-05
en | the 15th | 2026-12-15
en | tomorrow at 3 pm | 2026-11-25T15:00
en | asap | 2026-11-24
pt | hoje | 2026-11-24
pt | amanhã | 2026-11-25
pt | depois de amanhã | 2026-11-26
pt | sexta-feira | 2026-11-27
pt | na sexta | 2026-11-27
pt | próxima segunda | 2026-11-30
pt | semana que vem | 2026-11-30/2026-12-06
pt | fim do mês | 2026-11-30
pt | daqui a 15 dias | 2026-12-09
pt | 3 de dezembro | 2026-12-03
pt | amanhã às 15h | 2026-11-25T15:00
"""


@pytest.mark.parametrize("line", DAYS.strip().splitlines())
def test_days(line, read):
    language, text, days = line.split(" | ")
    first, _, last = days.rpartition("/")
    value = read("date", text, language=language).value
    assert value == ({"from": first, "to": last} if first else last)


@pytest.mark.parametrize(
    ("text", "language", "shown"),
    [("el viernes", "es", "viernes 27 de noviembre"), ("on friday", "en", "Friday, November 27"), ("sexta-feira", "pt",
     "sexta-feira, 27 de novembro"),
     ("15 de enero", "es", "viernes 15 de enero de 2027"), ("mañana a las 3 de la tarde", "es",
     "miércoles 25 de noviembre, 3:00 p. m."),
     ("fin de semana", "es", "sábado 28 de noviembre – domingo 29 de noviembre")],
)  # fmt: skip
def test_shown(text, language, shown, read):
    assert read("date", text, language=language).shown == shown


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), ("hola", "not_a_date"), ("por la mañana", "not_a_date"), ("necesito 15 portátiles", "not_a_date"),
     ("no sé", "unknown"),
     ("sin afán", "unknown"), ("cuando se pueda", "unknown"),
     ("cuando puedan", "unknown"), ("cuando usted me diga", "unknown"),
     ("ayer", "in_the_past"), ("la semana pasada", "in_the_past"),
     ("hace 3 días", "in_the_past"), ("el lunes pasado", "in_the_past"), ("20/11/2026", "in_the_past"), ("3 de noviembre",
     "in_the_past"),
     ("el mes pasado", "in_the_past"), ("el trimestre pasado", "in_the_past"), ("quinto lunes de febrero", "no_such_day"),
     ("del 3 al 15 por ciento", "not_a_date"), ("el trimestre 7", "not_a_date"), ("un segundo", "not_a_date"),
     ("hoy a las 8 am", "in_the_past"), ("31 de febrero", "no_such_day"), ("31/02", "no_such_day"),
     ("el viernes 0", "no_such_day"), ("del 0 al 5", "no_such_day"), ("entre el 28 y el 0", "no_such_day"),
     ],
)  # fmt: skip
def test_misses(text, why, read):
    assert read("date", text) == Miss(why)


def test_the_past_where_it_is_asked_for(asking):
    past = replace(asking(), past=True)
    assert READERS["date"].read(Heard("ayer"), past).value == "2026-11-23"
    assert READERS["date"].read(Heard("3 de noviembre"), past).value == "2026-11-03"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("ayer", "2026-11-23", ""), ("la semana pasada", "2026-11-16", "2026-11-22"), ("el mes pasado", "2026-10-01", "2026-10-31"),
     ("el trimestre pasado", "2026-07-01", "2026-09-30"), ("el semestre pasado", "2026-01-01", "2026-06-30"),
     ("el año pasado", "2025-01-01", "2025-12-31"), ("hace una semana", "2026-11-17", ""),
     ("mes pasado", "2026-10-01", "2026-10-31")],
)  # fmt: skip
def test_spans_that_have_passed(text, first, last, asking):
    value = READERS["date"].read(Heard(text), replace(asking(), past=True)).value
    assert value == ({"from": first, "to": last} if last else first)


# What is said where, and every day that it may mean, the likeliest first.
RIVALS = """
es | CO | el próximo viernes | 2026-11-27 2026-12-04
es | CO | próximo jueves a las 3 | 2026-11-26T15:00 2026-12-03T15:00
pt | BR | próxima sexta | 2026-11-27 2026-12-04
es | CO | el próximo lunes | 2026-11-30
es | CO | este viernes | 2026-11-27
es | CO | el viernes próximo | 2026-11-27
en | US | next friday | 2026-12-04
es | CO | 3/5 | 2027-05-03
es | MX | 03/05/2027 | 2027-05-03
es | PA | 3/5 | 2027-03-05 2027-05-03
en | US | 3/5 | 2027-03-05 2027-05-03
en | CO | 3/5 | 2027-05-03 2027-03-05
en | US | 5/5 | 2027-05-05
en | US | 12/25 | 2026-12-25
en | US | 25/12 | 2026-12-25
en | US | 12/24/2026 | 2026-12-24
en | US | 2/30/2027 | no_such_day
es | CO | el viernes, aunque navidad me sirve | 2026-11-27 2026-12-25
es | CO | lunes o martes | 2026-11-30/2026-12-01
es | CO | hoy, el viernes, en navidad o en año nuevo | ambiguous
"""


@pytest.mark.parametrize("line", RIVALS.strip().splitlines())
def test_what_may_be_several_days(line, read):
    language, country, text, days = line.split(" | ")
    meant = read("date", text, country, language=language)
    if isinstance(meant, Miss):
        assert meant.why == days
        return
    values = [each.value if isinstance(each.value, str) else "/".join(each.value.values()) for each in (meant, *meant.rivals)]
    assert values == days.split()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("hola soy Ana Ruiz, necesito un portátil de 2 millones para hoy", "hoy"),
        ("lo necesito para el viernes", "viernes"),
        ("un tubo de 3/4 para el lunes", "lunes"),
        ("me sirve el 3 de diciembre en la tarde", "3 de diciembre"),
        ("lo quiero para el 15 de diciembre máximo, presupuesto 1.800.000", "15 de diciembre"),
        ("i need it by friday please", "friday"),
        ("hoy vi su anuncio", None),
        ("¿abren el domingo?", None),
        ("¿lo tienen para mañana?", None),
        ("una pulgada 1/2", None),
        ("compré el 3 de diciembre", None),
        ("vivo en la calle 3 de mayo", None),
        ("me interesa el 15 pro", None),
        ("quiero 3 set de ollas", None),
        ("nos vemos mañana", None),
        ("i may buy one", None),
    ],
)
def test_find(text, part, find):
    reading = find("date", text, language="en" if text.startswith("i ") else "es")
    assert (text[slice(*reading.span)] if reading else None) == part
