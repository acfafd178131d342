"""Users, the lock-out, sessions, and versions of a dialog's texts."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from crm_bridge.assignment import sellers, teams
from crm_bridge.assignment import service as assignment
from crm_bridge.companies import queries, rules, service
from data.tables import Conversation, DialogVersion, Number, Person, TeamMember, User
from tests.crm_bridge.assignment.conftest import decide


async def test_ten_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(office: Any) -> None:
    async def attempt(later: timedelta = timedelta()) -> service.Attempt | None:
        return await office.database.write(lambda session: service.begin_log_in(session, " ANA@una.co ", office.now + later))

    for _ in range(rules.MAX_FAILURES):
        assert await attempt() is not None
    assert await attempt() is None
    assert await attempt(rules.LOCK - timedelta(seconds=1)) is None
    assert await attempt(rules.LOCK) is not None
    assert await office.database.write(lambda session: service.begin_log_in(session, "nadie@una.co", office.now)) is None


async def test_a_right_log_in_forgets_the_wrong_ones(office: Any) -> None:
    await office.database.write(lambda session: service.begin_log_in(session, "ana@una.co", office.now))
    await office.database.write(lambda session: service.log_in(session, office.admin, "token", "Firefox", office.now))
    user = await office.database.read(lambda session: queries.account(session, office.admin), company=office.company)
    assert user.failed_logins == 0


async def test_a_second_factor_takes_each_code_once(office: Any) -> None:
    secret = pyotp.random_base32()
    await office.database.write(lambda session: service.set_second_factor(session, office.admin, secret), company=office.company)
    code = pyotp.TOTP(secret).at(office.now)

    async def log_in(token: str, given: str | None) -> object:
        return await office.database.write(lambda session: service.log_in(session, office.admin, token, "", office.now, given))

    assert await log_in("none", None) is None
    assert await log_in("wrong", "000000" if code != "000000" else "111111") is None
    assert await log_in("right", code) is not None
    assert await log_in("again", code) is None


async def test_a_session_lives_two_weeks_from_its_last_use_and_ends_at_once_when_ended(office: Any) -> None:
    row = await office.database.write(lambda session: service.log_in(session, office.admin, "hash", "", office.now))

    async def viewer(later: timedelta) -> queries.Viewer | None:
        return await office.database.read(lambda session: queries.viewer(session, "hash", office.now + later))

    day = timedelta(days=1)
    found = await viewer(13 * day)
    assert found is not None
    assert (found.company_id, found.role) == (office.company, "admin")
    await office.database.write(lambda session: service.keep_session(session, "hash", {}, office.now + 13 * day))
    assert await viewer(26 * day) is not None
    assert await viewer(27 * day) is None
    ended = await office.database.write(
        lambda session: service.end_sessions(session, office.admin, office.now, only=row.id), company=office.other
    )
    assert ended == 0  # another company's session is not there
    await office.database.write(lambda session: service.end_sessions(session, office.admin, office.now), company=office.company)
    assert await viewer(day) is None


async def test_users_are_checked_and_belong_to_their_company(office: Any) -> None:
    async def add(**given: str) -> User:
        fields = {"name": "Luis", "email": "luis@una.co", "role": "seller", "password_hash": "hash"} | given
        return await office.database.write(
            lambda session: service.add_user(session, now=office.now, **fields), company=office.company
        )

    for given, refusal in (
        ({"email": "ana@UNA.co"}, rules.EmailTaken),
        ({"email": "no es un correo"}, rules.NotAnEmail),
        ({"name": "  "}, rules.NameMissing),
        ({"role": "owner"}, rules.WrongRole),
    ):
        with pytest.raises(refusal):
            await add(**given)
    luis = await add()
    with pytest.raises(LookupError):
        await office.database.write(
            lambda session: service.change_user(session, luis.id, by=1, role="admin", active=True, now=office.now),
            company=office.other,
        )
    with pytest.raises(rules.OwnAccount):
        await office.database.write(
            lambda session: service.change_user(
                session, office.admin, by=office.admin, role="admin", active=False, now=office.now
            ),
            company=office.company,
        )


async def test_who_becomes_a_seller_gets_leads_with_the_others(office: Any) -> None:
    def work(session: Any) -> list[list[int]]:
        add = partial(service.add_user, session, password_hash="hash", now=office.now)
        leo, eva = (add(name=name, email=f"{name}@una.co", role=role) for name, role in (("Leo", "seller"), ("Eva", "manager")))
        found = []
        for role in ("manager", "seller", "admin", "seller"):
            service.change_user(session, eva.id, by=office.admin, role=role, active=True, now=office.now)
            found.append([each == eva.id for each in session.scalars(select(TeamMember.user_id).order_by(TeamMember.id))])
        second = teams.add_team(session, "Norte", office.now)
        sellers.leave_team(session, sellers.first_team(session, office.company, office.now), leo.id)
        teams.set_share(session, second.id, leo.id, 1, office.now)
        for role in ("manager", "seller"):
            service.change_user(session, leo.id, by=office.admin, role=role, active=True, now=office.now)
        found.append(session.scalars(select(TeamMember.team_id == second.id).where(TeamMember.user_id == leo.id)).all())
        return found

    assert await office.database.write(work, company=office.company) == [
        [False],
        [False, True],
        [False, True],
        [False, True],
        [True],
    ], "once, and who is of a team stays in that"


async def test_a_user_switched_off_is_out_at_once(office: Any) -> None:
    await office.database.write(lambda session: service.log_in(session, office.admin, "hash", "", office.now))

    async def switch(active: bool) -> None:
        await office.database.write(
            lambda session: service.change_user(session, office.admin, by=0, role="admin", active=active, now=office.now),
            company=office.company,
        )

    await switch(active=False)
    assert await office.database.read(lambda session: queries.viewer(session, "hash", office.now)) is None
    assert await office.database.write(lambda session: service.begin_log_in(session, "ana@una.co", office.now)) is None
    await switch(active=True)
    assert await office.database.read(lambda session: queries.viewer(session, "hash", office.now)) is None, "it ended"


async def test_what_somebody_switched_off_was_answering_waits_for_another(office: Any) -> None:
    def work(session: Any) -> tuple[int, int]:
        add = partial(service.add_user, session, role="seller", password_hash="hash", now=office.now)
        leo, eva = (add(name=name, email=f"{name}@una.co") for name in ("Leo", "Eva"))
        person = Person(name="Ana", created_at=office.now)
        session.add(person)
        session.flush()
        talk = Conversation(
            number_id=office.number, person_id=person.id, recipient={}, reasons=[], owner="human", owner_id=leo.id,
            created_at=office.now,
        )  # fmt: skip
        session.add(talk)
        session.flush()
        assignment.accept(session, talk.id, leo.id, "page", office.now)
        service.change_user(session, leo.id, by=office.admin, role="seller", active=False, now=office.now)
        session.refresh(talk)
        assert (talk.owner, talk.owner_id) == ("queued", None)
        hand = assignment.current(session, talk.id)
        assert hand is not None
        assert (hand.state, hand.user_id) == ("waiting", None)
        decision = decide(session, hand.id, office.now)
        assert decision is not None
        assert decision.offer is not None
        return decision.offer.user_id, eva.id

    offered, eva = await office.database.write(work, company=office.company)
    assert offered == eva


async def test_versions_grow_and_a_stale_edit_is_refused(office: Any) -> None:
    async def save(base: int) -> DialogVersion:
        return await office.database.write(
            lambda session: service.save_dialog(
                session, office.number, dialog="electronics", overrides={"greet.first": {"es": f"v{base}"}}, note=" nota ",
                author=office.admin, base=base, now=office.now,
            ),
            company=office.company,
        )  # fmt: skip

    assert (await save(0)).version == 1
    assert (await save(1)).version == 2
    with pytest.raises(rules.StaleVersion):
        await save(1)
    lines = await office.database.read(lambda session: queries.versions(session, office.number), company=office.company)
    assert [(line.row.version, line.author, line.row.note) for line in lines] == [(2, "Ana", "nota"), (1, "Ana", "nota")]


async def test_hours_of_another_company_or_out_of_order_are_not_set(office: Any) -> None:
    def change(**given: Any) -> Any:
        hours = {"mon": ["09:00-18:00"]}
        fields = {"bot_name": "Sofi", "tone": "usted", "hours": hours, "alert_template": "aviso_2", "now": office.now} | given
        return lambda session: service.change_number(session, office.number, **fields)

    with pytest.raises(rules.WrongHours):
        await office.database.write(change(hours={"mon": ["18:00-09:00"]}), company=office.company)
    for wrong in ("Aviso", "aviso de prospecto", "avisó", "x" * 513):
        with pytest.raises(rules.NotATemplate):
            await office.database.write(change(alert_template=wrong), company=office.company)
    with pytest.raises(LookupError):
        await office.database.write(change(), company=office.other)
    await office.database.write(change(), company=office.company)
    number = await office.database.read(lambda session: session.scalar(select(Number)), company=office.company)
    assert (number.bot_name, number.tone, number.hours) == ("Sofi", "usted", {"mon": ["09:00-18:00"]})
    assert number.alert_template == "aviso_2"
    await office.database.write(change(alert_template=""), company=office.company)
    number = await office.database.read(lambda session: session.scalar(select(Number)), company=office.company)
    assert number.alert_template is None
