"""The team's pages: who is there, the switch, shifts, teams, days off; each for those who may, and for one company."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.keys import CLOCK, LIVE
from bot.web.guard import EVERYBODY, MANAGERS
from bot.web.pages import texts
from bot.web.routes import ROUTES
from crm_bridge.assignment import absence, days, rules, sellers, service, teams
from crm_bridge.assignment.rules import LEFT_OUT
from data.tables import Assignment, Holiday, Leave, Number, Seller, Team, TeamMember, User
from tests.crm_bridge.assignment.conftest import decide

ZONE = ZoneInfo("America/Bogota")
OURS = re.compile(r"^/(team|teams|sellers|days|leaves|holidays|board)(/|$)|/why$")


@pytest.fixture
async def crew(site: Any) -> Any:
    """The site, whose two companies have a team of their seller, and one hand-over that waits."""

    def arrange(session: Any, ids: dict[str, int]) -> None:
        now = site.app[CLOCK].now()
        ids["team"] = sellers.first_team(session, ids["company"], now)
        row = Assignment(
            conversation_id=ids["talk"], person_id=ids["person"], number_id=ids["number"], team_id=ids["team"],
            lead_id=ids["lead"], state="waiting", reason="finished", priority="hot", interest="electronics", language="es",
            due_at=now, created_at=now - timedelta(minutes=7), warned=False,
        )  # fmt: skip
        session.add(row)
        ids["leave"] = absence.add_leave(session, ids["manager"], "2090-01-01", "2090-01-05", "secreto de una").id
        ids["holiday"] = absence.add_holiday(session, "2090-01-06", "secreto de una").id
        session.flush()
        ids["assignment"] = row.id

    for company in ("una", "otra"):
        await site.write(lambda session, company=company: arrange(session, site.ids[company]), company)
    return site


def today(site: Any, ahead: int = 0) -> str:
    local: datetime = site.app[CLOCK].now().astimezone(ZONE)
    return f"{local + timedelta(days=ahead):%Y-%m-%d}"


# ------------------------------------------------------------------------------------------------------- access
def test_everybody_looks_and_only_managers_change() -> None:
    ours = [route for route in ROUTES if OURS.search(route.path)]
    everybody = {(route.method, route.path) for route in ours if route.roles == EVERYBODY}
    assert everybody == {
        ("GET", "/team"), ("GET", "/team/now"), ("GET", "/team/presence"), ("POST", "/team/presence"), ("GET", "/days"),
        ("GET", r"/conversations/{id:\d+}/why"),
    }  # fmt: skip
    assert {route.roles for route in ours} == {EVERYBODY, MANAGERS}
    assert len(ours) == 23


async def test_another_companys_team_is_not_there(crew: Any) -> None:
    ids, browser = crew.ids["una"], await crew.browser("manager@otra.co")
    forms: dict[str, dict[str, str]] = {
        f"/teams/{ids['team']}": {"name": "x", "accept_seconds": "60", "first_reply_minutes": "1", "follow_up_minutes": "1",
                                  "return_hours": "1"},
        f"/teams/{ids['team']}/members": {"user": str(crew.ids["otra"]["seller"])},
        f"/teams/{ids['team']}/members/remove": {"user": str(ids["seller"])},
        f"/teams/{crew.ids['otra']['team']}/members": {"user": str(ids["seller"])},
        "/teams/numbers": {f"number-{ids['number']}": str(crew.ids["otra"]["team"])},
        f"/sellers/{ids['seller']}": {"capacity": "1", "always": "yes"},
        f"/sellers/{ids['seller']}/presence": {"away": "yes"},
        f"/leaves/{ids['leave']}/remove": {},
        f"/holidays/{ids['holiday']}/remove": {},
    }  # fmt: skip
    for path, form in forms.items():
        assert (await browser.post(path, form)).status == 404, path
    for path in (f"/teams/{ids['team']}", f"/sellers/{ids['seller']}", f"/conversations/{ids['talk']}/why"):
        await browser.get(path, status=404)
    assert (await browser.post("/leaves", {"user": str(ids["seller"]), "first": "2090-02-01"})).status == 422
    for path in ("/team", "/days?month=2090-01", "/teams", "/board"):
        page = await browser.get(path)
        assert "Ana de una" not in page
        assert "seller una" not in page
    counts = [
        len(await crew.read(lambda session, table=table: session.scalars(select(table)).all())) for table in (Leave, Holiday)
    ]
    assert counts == [1, 1]
    assert await crew.read(lambda session: session.scalars(select(Seller)).all()) == []


async def test_a_seller_sees_the_team_without_its_switches(crew: Any) -> None:
    seller, manager = await crew.browser("seller@una.co"), await crew.browser("manager@una.co")
    for browser, may in ((seller, False), (manager, True)):
        page = await browser.get("/team") + await browser.get("/days")
        assert ("/sellers/" in page) is may
        assert ('href="/teams' in page) is may
        assert ('action="/leaves' in page) is may


# ------------------------------------------------------------------------------------------------------ the team
async def test_the_team_shows_who_is_there_and_what_waits(crew: Any) -> None:
    page = await (await crew.browser("manager@una.co")).get("/team")
    for shown in (
        "Esperan un vendedor", "Ana de una", "Caliente", "hace 7 min", "Buscando quién lo atienda", "Ventas", "Tienda una",
        "seller una", "Recibe prospectos", "0/30", "100 %", "Le toca",
    ):  # fmt: skip
        assert shown in page
    assert "manager una" not in page.split('id="crew"')[1]


async def test_who_gets_nothing_is_told_why(crew: Any) -> None:
    ids, now = crew.ids["una"], crew.app[CLOCK].now()
    other_day = rules.DAYS[(now.astimezone(ZONE).weekday() + 3) % 7]
    seller, team, browser = ids["seller"], ids["team"], await crew.browser("seller@una.co")

    def arrange(session: Any, reason: str) -> None:
        work: dict[str, Any] = {"capacity": 30, "skills": [], "languages": [], "hours": {}, "now": now}
        match reason:
            case "full":
                session.scalar(select(Assignment)).user_id = seller
                teams.change_seller(session, seller, **work | {"capacity": 1})
            case "away":
                sellers.set_away(session, seller, away=True, now=now)
            case "shift":
                session.scalar(select(Assignment)).user_id = None
                teams.change_seller(session, seller, **work | {"hours": {other_day: ["08:00-09:00"]}})
                sellers.set_away(session, seller, away=False, now=now)
            case "holiday":
                absence.add_holiday(session, today(crew), "Puente")
            case "leave":
                absence.add_leave(session, seller, today(crew), "")
            case "no_share":
                sellers.join(session, team, seller, 0)

    for reason in ("full", "away", "shift", "holiday", "leave", "no_share"):  # each counts before those that hold already
        await crew.write(lambda session, reason=reason: arrange(session, reason))
        page = await browser.get("/team/now")
        assert texts()["left_out"][reason] in page
        assert "Recibe prospectos" not in page
        comes_back = reason in ("shift", "holiday", "leave")
        assert ("No hay nadie: se atiende" in page, "vuelve " in page) == (comes_back, comes_back)
        assert "Te llegan prospectos por turno" not in await browser.get("/team/presence")


async def test_a_company_without_a_team_and_one_without_sellers_in_it_are_told_so(site: Any) -> None:
    manager = await site.browser("manager@una.co")
    assert "Aún no hay equipos" in await manager.get("/team")
    assert "No estás en ningún equipo" in await (await site.browser("seller@una.co")).get("/team")
    team = await site.write(lambda session: sellers.first_team(session, site.ids["una"]["company"], site.app[CLOCK].now()))
    await site.write(lambda session: sellers.leave_team(session, team, site.ids["una"]["seller"]))
    page = await manager.get("/team")
    for shown in ("no tiene vendedores", "seller una no está en ningún equipo", f"/teams/{team}", "Nadie espera"):
        assert shown in page


async def test_somebody_says_that_they_are_busy_and_back_and_open_pages_hear_of_it(crew: Any) -> None:
    browser, ids = await crew.browser("seller@una.co"), crew.ids["una"]
    with crew.app[LIVE].listen(ids["company"]) as changes:
        page = await (await browser.post("/team/presence", {"away": "yes", "until": ""})).text()
        assert (changes.get_nowait().topic, "Estás ocupado" in page, "Ya volví" in page) == ("team", True, True)
    assert "Ocupado" in await browser.get("/team/now")
    assert "Estás disponible" in await (await browser.post("/team/presence", {"away": "no"})).text()
    page = await (await browser.post("/team/presence", {"away": "yes", "until": "25:00"})).text()
    assert "Esa hora ya pasó" in page
    assert "Estás disponible" in page
    row = await crew.read(lambda session: session.scalars(select(Seller)).one())
    assert (row.away, row.away_until) == (False, None)


async def test_a_manager_says_it_for_somebody_and_what_waits_is_looked_at_when_they_are_back(crew: Any) -> None:
    browser, seller = await crew.browser("manager@una.co"), crew.ids["una"]["seller"]
    assert "Volvió" in await (await browser.post(f"/sellers/{seller}/presence", {"away": "yes"})).text()
    await crew.write(
        lambda session: setattr(session.scalar(select(Assignment)), "due_at", crew.app[CLOCK].now() + timedelta(hours=1))
    )
    assert (await browser.post(f"/sellers/{seller}/presence", {"away": "no"})).status == 200
    row = await crew.read(lambda session: session.scalars(select(Assignment)).one())
    assert row.due_at <= crew.app[CLOCK].now()


async def test_who_was_busy_until_a_moment_ago_is_back_on_every_page(crew: Any) -> None:
    ids, now = crew.ids["una"], crew.app[CLOCK].now()
    past = now - timedelta(minutes=1)
    await crew.write(lambda session: sellers.set_away(session, ids["seller"], away=True, now=now, until=past))
    page = await (await crew.browser("manager@una.co")).get("/team/now")
    assert ("Volvió" in page, "Ocupado" in page, '{"away": "yes"}' in page) == (False, True, True)
    assert "Estás disponible" in await (await crew.browser("seller@una.co")).get("/team/presence")


async def test_the_page_is_told_when_a_team_changes(crew: Any) -> None:
    browser = await crew.browser("seller@una.co")
    async with browser.client.get("/live") as stream:
        await stream.content.readuntil(b"\r\n\r\n")
        await browser.post("/team/presence", {"away": "yes"})
        async with asyncio.timeout(5):
            assert b"teams" in await stream.content.readuntil(b"teams\r\n")
    assert "sse:teams" in await browser.get("/team")


# -------------------------------------------------------------------------------------------------- the settings
async def test_a_team_is_added_set_up_and_given_people_and_numbers(crew: Any) -> None:
    ids, browser = crew.ids["una"], await crew.browser("manager@una.co")
    page = await (await browser.post("/teams", {"name": "Mayoristas"})).text()
    assert "Equipo guardado" in page
    team = await crew.read(lambda session: session.scalars(select(Team).where(Team.name == "Mayoristas")).one())
    settings = {
        "name": "Al por mayor",
        "accept_seconds": "60",
        "first_reply_minutes": "0",
        "follow_up_minutes": "90",
        "return_hours": "24",
    }
    assert "Al por mayor" in await (await browser.post(f"/teams/{team.id}", settings)).text()
    for user, weight in ((ids["manager"], ""), (ids["seller"], "3")):
        assert (
            "Vale desde el siguiente"
            in await (await browser.post(f"/teams/{team.id}/members", {"user": str(user), "weight": weight})).text()
        )
    await browser.post(f"/teams/{team.id}/members/remove", {"user": str(ids["manager"])})
    assert "Números repartidos" in await (await browser.post("/teams/numbers", {f"number-{ids['number']}": str(team.id)})).text()
    rows = await crew.read(
        lambda session: session.execute(select(TeamMember.user_id, TeamMember.weight).where(TeamMember.team_id == team.id)).all()
    )
    assert list(rows) == [(ids["seller"], 3)]
    number, row = await crew.read(
        lambda session: (session.scalars(select(Number)).one(), session.scalars(select(Team).where(Team.id == team.id)).one())
    )
    assert number.team_id == team.id
    assert (row.accept_seconds, row.first_reply_minutes, row.follow_up_minutes, row.return_hours) == (60, 0, 90, 24)


WRONG: tuple[tuple[str, dict[str, str], str], ...] = (
    ("/teams", {"name": " "}, "NameMissing"),
    ("/teams", {"name": "VENTAS"}, "TeamNameTaken"),
    ("/teams/{team}", {"accept_seconds": "29"}, "WrongTarget"),
    ("/teams/{team}", {"accept_seconds": "4000"}, "WrongTarget"),
    ("/teams/{team}", {"follow_up_minutes": "-1"}, "WrongTarget"),
    ("/teams/{team}", {"return_hours": "²"}, "WrongTarget"),
    ("/teams/{team}", {"name": ""}, "NameMissing"),
    ("/teams/{team}/members", {"weight": "11"}, "WrongShare"),
    ("/teams/{team}/members", {"weight": "-1"}, "WrongShare"),
    ("/teams/{team}/members", {"weight": "mucho"}, "WrongShare"),
    ("/sellers/{seller}", {"capacity": "0"}, "WrongShare"),
    ("/sellers/{seller}", {"capacity": "99999999999999999999"}, "WrongShare"),
    ("/sellers/{seller}", {"always": "", "mon": "8 a 12"}, "WrongHours"),
    ("/sellers/{seller}", {"always": ""}, "WrongHours"),
    ("/leaves", {"first": "2026-02-30"}, "NotADay"),
    ("/leaves", {"first": "2026-02-10", "last": "2026-02-09"}, "DaysReversed"),
    ("/leaves", {"first": "2026-02-10", "user": "x"}, "UnknownSeller"),
    ("/holidays", {"day": "2090-01-06", "name": "Reyes"}, "HolidayTaken"),
    ("/holidays", {"day": "2090-01-07", "name": " "}, "NameMissing"),
    ("/holidays", {"day": "mañana", "name": "x"}, "NotADay"),
)


async def test_what_cannot_be_is_explained_and_stays_on_the_page(crew: Any) -> None:
    ids, browser = crew.ids["una"], await crew.browser("manager@una.co")
    whole = {
        "name": "Otra", "accept_seconds": "60", "first_reply_minutes": "10", "follow_up_minutes": "10", "return_hours": "10",
        "user": str(ids["seller"]), "weight": "1", "capacity": "77", "always": "yes", "note": "me voy", "skills": "freight",
    }  # fmt: skip
    for path, form, error in WRONG:
        answer = await browser.post(path.format(**ids), whole | form)
        page = await answer.text()
        assert (answer.status, error, texts()["error"][error] in page) == (422, error, True)
        for key, value in form.items():
            if value.strip() and key != "user" and "members" not in path:
                assert f'value="{value}"' in page


async def test_how_somebody_works_is_saved(crew: Any) -> None:
    seller, browser = crew.ids["una"]["seller"], await crew.browser("manager@una.co")
    form = [
        ("capacity", "12"), ("skills", "freight"), ("skills", "nonsense"), ("languages", "en"), ("languages", "es"),
        ("mon", "9:00 - 13:00, 14:00-18:00"), ("sat", "09:00-12:00"),
    ]  # fmt: skip
    page = await (await browser.post(f"/sellers/{seller}", form)).text()
    for shown in ("Vale desde el siguiente", "09:00-13:00, 14:00-18:00", 'value="12"', 'value="freight" checked'):
        assert shown in page
    row = await crew.read(lambda session: session.scalars(select(Seller)).one())
    assert (row.capacity, row.skills, row.languages) == (12, ["freight"], ["es", "en"])
    assert row.hours == {"mon": ["09:00-13:00", "14:00-18:00"], "sat": ["09:00-12:00"]}
    await crew.write(lambda session: setattr(session.scalars(select(User).where(User.id == seller)).one(), "active", False))
    await browser.get(f"/sellers/{seller}", status=404)


# ---------------------------------------------------------------------------------------------------------- days
async def test_a_day_without_anybody_is_seen_before_it_comes(crew: Any) -> None:
    seller, browser = crew.ids["una"]["seller"], await crew.browser("manager@una.co")
    page = await (
        await browser.post(
            "/leaves?month=2027-03", {"user": str(seller), "first": "2027-03-09", "last": "2027-03-10", "note": "Viaje"}
        )
    ).text()
    for shown in ("Ausencia agregada", "Marzo de 2027", "Sin nadie los días 9 y 10", "mar 9 mar 2027 a mié 10 mar 2027 · Viaje"):
        assert shown in page
    page = await browser.get("/days?month=2027-04")
    assert "Sin nadie" not in page
    assert "1<span" in page
    row = await crew.read(lambda session: session.scalar(select(Leave.id).where(Leave.user_id == seller)))
    assert "Ausencia quitada" in await (await browser.post(f"/leaves/{row}/remove?month=2027-03", {})).text()
    assert "Sin nadie" not in await browser.get("/days?month=2027-03")
    for month in ("", "2027-13", "x", "1999-01", "2027-3"):
        assert "Ausencias" in await browser.get(f"/days?month={month}")


async def test_the_holidays_of_the_year_come_with_one_click_and_once(crew: Any) -> None:
    browser = await crew.browser("manager@una.co")
    assert "Agregar los 17 festivos de Colombia" in await browser.get("/days?month=2025-06")
    for _ in range(2):
        page = await (await browser.post("/holidays/fill?month=2025-06", {})).text()
        assert "festivos de Colombia" not in page
    assert "Sagrado Corazón · San Pedro y San Pablo" in page or "San Pedro y San Pablo · Sagrado Corazón" in page
    rows = await crew.read(lambda session: session.scalars(select(Holiday.day).where(Holiday.day < "2026")).all())
    assert sorted(rows) == sorted({day for day, _ in days.colombian_holidays(2025)})
    assert {key for _, key in days.colombian_holidays(2025)} == set(texts()["holiday"])


# -------------------------------------------------------------------------------------------------- the reason
async def test_a_conversation_tells_why_it_went_to_whom(crew: Any) -> None:
    ids, now = crew.ids["una"], crew.app[CLOCK].now()
    browser = await crew.browser("seller@una.co")

    def let_pass(session: Any) -> None:
        sellers.join(session, ids["team"], ids["admin"])
        sellers.set_away(session, ids["admin"], away=True, now=now)
        decided = decide(session, ids["assignment"], now)
        assert decided
        assert decided.offer
        service.decline(session, decided.offer.id, ids["seller"], "whatsapp", now + timedelta(seconds=25))

    await crew.write(let_pass)
    page = await browser.get(f"/conversations/{ids['talk']}/why")
    for shown in (
        "Espera a que haya alguien",
        "admin una",
        "Ocupado",
        "la dejó pasar",
        "en 25 s",
        "por WhatsApp",
        "terminó las preguntas",
    ):
        assert shown in page
    await crew.write(lambda session: service.accept(session, ids["talk"], ids["seller"], "page", now))
    assert "tomó la conversación" in await browser.get(f"/conversations/{ids['talk']}/why")
    await crew.write(lambda session: service.close(session, ids["talk"], now))
    assert "seller una" in await browser.get(f"/conversations/{ids['talk']}/why")


def test_every_key_that_is_shown_has_its_words() -> None:
    assert set(LEFT_OUT) == set(texts()["left_out"])
    assert {"next", "former", "only", "nobody", "taken", "transfer"} < set(texts()["because"])
    leaves = [*absence.AbsenceRefusal.__subclasses__(), *teams.TeamRefusal.__subclasses__()]
    assert {refusal.__name__ for refusal in leaves} | {"WrongShare", "UnknownSeller"} <= set(texts()["error"])
