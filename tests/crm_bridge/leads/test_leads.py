"""Leads: one open for a person and interest, with the newest answers; priorities and sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm_bridge import commands
from crm_bridge.commands import Answered, Command, Reason, RecordConsent, RegisterLead
from crm_bridge.context import Context
from crm_bridge.events import ConsentChanged, LeadRegistered, LeadUpdated
from crm_bridge.handlers import HANDLERS, run, run_all
from crm_bridge.leads.rules import priority, source
from data.tables import Base, Company, Conversation, Event, Lead, Number, Person

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
BIG = RegisterLead(
    "form", {"name": "Ana Ruiz", "company": "Ruiz SAS"}, (Answered("need", "Necesidad", "x", "x"),), 65, (Reason(65, "hoy"),)
)


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def context(session: Session) -> Context:
    company = Company(name="Una", country="CO", currency="COP", timezone="UTC", created_at=NOW)
    session.add(company)
    session.flush()
    number = Number(
        company_id=company.id, channel="whatsapp", external_id="1", display="1", name="n", bot_name="n", dialog="form", hours={},
        created_at=NOW,
    )  # fmt: skip
    person = Person(company_id=company.id, created_at=NOW, email="ana@ruiz.co")
    session.add_all([number, person])
    session.flush()
    talk = Conversation(company_id=company.id, number_id=number.id, person_id=person.id, recipient={}, reasons=[], created_at=NOW)
    session.add(talk)
    session.flush()
    return Context(company.id, person.id, talk.id, number.id, "whatsapp:1", "es", {"ctwa_clid": "x"}, NOW)


def leads(session: Session) -> list[Lead]:
    session.expire_all()
    return list(session.scalars(select(Lead).order_by(Lead.id)))


def test_a_lead_is_registered_with_its_person_and_its_reasons(session: Session, context: Context) -> None:
    run(session, context, BIG)
    (lead,) = leads(session)
    assert (lead.score, lead.priority, lead.reasons) == (65, "hot", [{"points": 65, "because": "hoy"}])
    assert (lead.source, lead.referral, lead.stage, lead.complete) == ("ad", {"ctwa_clid": "x"}, "new", True)
    person = session.get_one(Person, context.person_id)
    assert (person.name, person.organisation, person.email, person.language) == ("Ana Ruiz", "Ruiz SAS", "ana@ruiz.co", "es")
    (told,) = session.scalars(select(Event))
    assert (told.kind, told.lead_id, told.person_id, told.conversation_id) == (
        "LeadRegistered", lead.id, context.person_id, context.conversation_id,
    )  # fmt: skip


def test_a_second_one_of_the_same_interest_brings_the_first_up_to_date(session: Session, context: Context) -> None:
    run(session, context, BIG)
    later = dataclasses.replace(context, now=NOW + timedelta(days=1), referral=None)
    run(session, later, RegisterLead("form", score=10, complete=False))
    (lead,) = leads(session)
    assert (lead.score, lead.priority, lead.complete) == (10, "cold", True), "a finished one never becomes unfinished"
    assert (lead.referral, lead.source) == ({"ctwa_clid": "x"}, "ad"), "what brought them stays"
    assert (lead.created_at, lead.updated_at) == (NOW, NOW + timedelta(days=1))
    assert [event.kind for event in session.scalars(select(Event).order_by(Event.id))] == ["LeadRegistered", "LeadUpdated"]


def test_another_interest_and_a_closed_one_open_a_lead_of_their_own(session: Session, context: Context) -> None:
    run(session, context, BIG)
    run(session, context, RegisterLead("quote"))
    leads(session)[0].stage = "converted"
    session.flush()
    run(session, context, RegisterLead("form", score=30))
    assert [(lead.interest, lead.stage, lead.priority) for lead in leads(session)] == [
        ("form", "converted", "hot"), ("quote", "new", "cold"), ("form", "new", "warm"),
    ]  # fmt: skip


def test_what_a_batch_of_turns_asks_for_is_carried_out_together_and_told_in_its_order(session: Session, context: Context) -> None:
    run(session, context, RegisterLead("quote", score=70))
    person = Person(company_id=context.company_id, created_at=NOW)
    session.add(person)
    session.flush()
    other = dataclasses.replace(context, person_id=person.id, referral=None)
    events = run_all(
        session,
        [
            (context, BIG),
            (other, RecordConsent("marketing", granted=False, words="baja")),
            (other, dataclasses.replace(BIG, facts={"name": "Luis"}, score=5)),
            (context, RegisterLead("form", score=10, complete=False)),  # the same lead once more, from another number
            (context, RegisterLead("quote", score=1)),
        ],
    )
    quote, form, others = leads(session)
    assert [(type(event), getattr(event, "lead_id", 0)) for event in events] == [
        (LeadRegistered, form.id), (ConsentChanged, 0), (LeadRegistered, others.id), (LeadUpdated, form.id),
        (LeadUpdated, quote.id),
    ]  # fmt: skip
    assert [(lead.person_id, lead.interest, lead.score, lead.complete) for lead in (quote, form, others)] == [
        (context.person_id, "quote", 1, True), (context.person_id, "form", 10, True), (person.id, "form", 5, True),
    ]  # fmt: skip
    assert (session.get_one(Person, context.person_id).name, session.get_one(Person, person.id).name) == ("Ana Ruiz", "Luis")


def test_the_open_lead_of_another_company_is_not_theirs(session: Session, context: Context) -> None:
    run(session, context, BIG)
    other = Company(name="Otra", country="CO", currency="COP", timezone="UTC", created_at=NOW)
    session.add(other)
    session.flush()
    foreign = dataclasses.replace(context, company_id=other.id)
    own, theirs = run_all(session, [(context, BIG), (foreign, BIG)])
    assert (type(own), type(theirs)) == (LeadUpdated, LeadRegistered)


def test_the_database_itself_takes_no_second_open_lead(session: Session, context: Context) -> None:
    run(session, context, BIG)
    (lead,) = leads(session)
    fields = {column.name: getattr(lead, column.name) for column in Lead.__table__.columns if column.name != "id"}
    session.add(Lead(**fields))
    with pytest.raises(IntegrityError):
        session.flush()


def test_points_make_a_priority() -> None:
    points = {-5: "cold", 0: "cold", 29: "cold", 30: "warm", 59: "warm", 60: "hot", 500: "hot"}
    assert {score: priority(score) for score in points} == points


def test_where_somebody_came_from() -> None:
    assert [source(each) for each in (None, {}, {"form": "AB"}, {"ctwa_clid": "x"})] == ["organic", "organic", "form", "ad"]


def test_every_command_has_a_handler() -> None:
    kinds = {
        each for each in vars(commands).values() if isinstance(each, type) and issubclass(each, Command) and each is not Command
    }
    assert set(HANDLERS) == kinds
