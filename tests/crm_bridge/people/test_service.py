"""Who is who: one row a human being, and two that turn out to be one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import Session

from crm_bridge.assignment.sellers import first_team
from crm_bridge.people.service import OF_CONVERSATION, Contact, change_identity, merge, resolve
from data.tables import Assignment, Base, Company, Consent, Conversation, Event, Identity, Lead, Number, Person, User

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@dataclass
class Books:
    session: Session
    company: int
    other: int
    numbers: list[int]

    def contact(self, *identities: tuple[str, str], company: int | None = None, name: str | None = None) -> Contact:
        return Contact(company or self.company, identities, name)

    def talk(self, person: int, number: int, **more: Any) -> Conversation:
        given: dict[str, Any] = {"owner": "bot", "unread": 1, "status": "open", "recipient": {"phone": "57300"}}
        row = Conversation(
            company_id=self.company, number_id=number, person_id=person, reasons=[], created_at=NOW, **given | more
        )
        self.session.add(row)
        self.session.flush()
        return row

    def lead(self, person: int, talk: Conversation, at: datetime, **more: Any) -> Lead:
        given: dict[str, Any] = {"interest": "form", "stage": "new", "complete": False, "score": 0, "priority": "cold"}
        row = Lead(
            company_id=self.company, person_id=person, conversation_id=talk.id, number_id=talk.number_id, answers=[], reasons=[],
            source="organic", created_at=NOW, updated_at=at, **given | more,
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        return row

    def alive(self) -> list[Person]:
        return list(self.session.scalars(select(Person).where(Person.merged_into_id.is_(None)).order_by(Person.id)))


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=ON"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        companies = [Company(name=name, country="CO", currency="COP", timezone="UTC", created_at=NOW) for name in ("Una", "Otra")]
        session.add_all(companies)
        session.flush()
        numbers = [
            Number(
                company_id=companies[0].id, channel="whatsapp", external_id=str(n), display=str(n), name="n", bot_name="n",
                dialog="form", hours={}, created_at=NOW,
            )
            for n in range(2)
        ]  # fmt: skip
        session.add_all(numbers)
        session.flush()
        yield Books(session, companies[0].id, companies[1].id, [number.id for number in numbers])
    engine.dispose()


def test_new_people_are_made_once_and_each_company_has_its_own(books: Books) -> None:
    ana = books.contact(("phone", "573001"), ("bsuid", "CO.1"), name="Ana")
    again = books.contact(("bsuid", "CO.1"))
    elsewhere = books.contact(("phone", "573001"), company=books.other)
    found = resolve(books.session, [ana, again, elsewhere, ana], NOW)
    assert found[ana] == found[again] != found[elsewhere]
    assert resolve(books.session, [again], NOW) == {again: found[ana]}
    assert [(person.company_id, person.profile_name, person.phone) for person in books.alive()] == [
        (books.company, "Ana", "+573001"),
        (books.other, None, "+573001"),
    ]
    assert resolve(books.session, [], NOW) == {}


def test_two_who_share_an_identity_become_the_older_one(books: Books) -> None:
    phone, bsuid = books.contact(("phone", "573001")), books.contact(("bsuid", "CO.1"))
    both = books.contact(("phone", "573001"), ("bsuid", "CO.1"))
    older, newer = (resolve(books.session, [contact], NOW)[contact] for contact in (phone, bsuid))
    assert resolve(books.session, [both], NOW) == {both: older}
    assert [person.id for person in books.alive()] == [older]
    assert {row.person_id for row in books.session.scalars(select(Identity))} == {older}
    (told,) = books.session.scalars(select(Event))
    assert (told.kind, told.person_id, told.payload) == ("PeopleMerged", older, {"gone": newer})


def test_in_one_batch_too(books: Books) -> None:
    """The phone, the BSUID and both come in one body, from people nobody knew."""
    phone, bsuid = ("phone", "573001"), ("bsuid", "CO.1")
    contacts = [books.contact(phone), books.contact(bsuid), books.contact(phone, bsuid)]
    found = resolve(books.session, contacts, NOW)
    assert len(set(found.values())) == len(books.alive()) == 1


def test_merging_joins_talks_and_leaves_one_open_lead(books: Books) -> None:
    keep, gone = (resolve(books.session, [c], NOW)[c] for c in (books.contact(("phone", "1")), books.contact(("phone", "2"))))
    first, second = books.numbers
    same = books.talk(keep, first, state="{}", last_in_at=NOW, score=10)
    other = books.talk(gone, first, state='{"later": 1}', last_in_at=NOW + timedelta(hours=1), score=60, owner="human", unread=2)
    alone = books.talk(gone, second)
    old = books.lead(keep, same, NOW, complete=True, score=90, priority="hot")
    new = books.lead(gone, other, NOW + timedelta(hours=1), score=40)
    apart = books.lead(gone, alone, NOW, interest="quote")
    closed = books.lead(gone, other, NOW, stage="converted")
    books.session.add(
        Consent(company_id=books.company, person_id=gone, purpose="marketing", granted=False, words="", source="", at=NOW)
    )
    books.session.get_one(Person, gone).name = "Ana"
    merge(books.session, books.company, keep, gone, NOW)
    books.session.expire_all()

    talks = list(books.session.scalars(select(Conversation).order_by(Conversation.id)))
    assert [(talk.id, talk.person_id) for talk in talks] == [(same.id, keep), (alone.id, keep)]
    assert (talks[0].state, talks[0].score, talks[0].owner, talks[0].unread) == ('{"later": 1}', 60, "human", 3)
    assert [(lead.id, lead.stage, lead.person_id) for lead in (old, new, apart, closed)] == [
        (old.id, "lost", keep), (new.id, "new", keep), (apart.id, "new", keep), (closed.id, "converted", keep),
    ]  # fmt: skip
    assert (new.score, new.complete, new.conversation_id) == (40, True, same.id)
    assert {row.person_id for row in books.session.scalars(select(Consent))} == {keep}
    assert [person.name for person in books.alive()] == ["Ana"]


@pytest.mark.parametrize(("accepted", "goes_on"), [((), 0), ((0,), 0), ((1,), 1), ((0, 1), 0)])
def test_of_two_open_hand_overs_one_goes_on_the_accepted_one_first(books: Books, accepted: tuple[int, ...], goes_on: int) -> None:
    people = [resolve(books.session, [contact], NOW)[contact] for contact in (books.contact(("phone", p)) for p in "12")]
    team = first_team(books.session, books.company, NOW)
    users = [
        User(company_id=books.company, email=name, name=name, role="seller", password_hash="x", created_at=NOW) for name in "ab"
    ]
    books.session.add_all(users)
    books.session.flush()
    sellers = [user.id for user in users]
    hands = []
    for index, person in enumerate(people):
        theirs = index in accepted
        owner = {"owner": "human", "owner_id": sellers[index], "snoozed_until": NOW} if theirs else {"owner": "queued"}
        talk = books.talk(person, books.numbers[0], **owner)
        taken = {"state": "accepted", "user_id": sellers[index], "accepted_at": NOW} if theirs else {"state": "waiting"}
        hand = Assignment(
            company_id=books.company, conversation_id=talk.id, person_id=person, number_id=talk.number_id, team_id=team,
            reason="asked", priority="warm", interest="form", language="es", due_at=NOW, created_at=NOW, **taken,
        )  # fmt: skip
        books.session.add(hand)
        hands.append(hand)
    books.session.flush()
    before = [hand.state for hand in hands]
    merge(books.session, books.company, *people, NOW)
    books.session.expire_all()
    (talk,) = books.session.scalars(select(Conversation))
    assert [(hand.conversation_id, hand.person_id) for hand in hands] == [(talk.id, people[0])] * 2
    assert [hand.state for hand in hands] == [before[goes_on] if index == goes_on else "closed" for index in range(2)]
    owner = ("human", sellers[goes_on], NOW) if accepted else ("queued", None, None)
    assert (talk.owner, talk.owner_id, talk.snoozed_until) == owner, "it is whose the hand-over is"


def test_a_new_phone_goes_to_the_person_and_every_talk(books: Books) -> None:
    contact = books.contact(("phone", "525512345678"), ("bsuid", "MX.1"))
    person = resolve(books.session, [contact], NOW)[contact]
    talk = books.talk(person, books.numbers[0], recipient={"phone": "5215512345678", "bsuid": "MX.1"})
    assert change_identity(books.session, books.company, "phone", "525512345678", "525587654321", NOW) == person
    assert talk.recipient == {"phone": "525587654321", "bsuid": "MX.1"}
    assert {row.value for row in books.session.scalars(select(Identity))} == {"525587654321", "MX.1"}
    assert books.session.get_one(Person, person).phone == "+525587654321"
    assert change_identity(books.session, books.company, "phone", "nobody", "1", NOW) is None
    assert change_identity(books.session, books.company, "bsuid", "MX.1", "MX.2", NOW) == person
    assert {row.value for row in books.session.scalars(select(Identity))} == {"525587654321", "MX.1", "MX.2"}, (
        "old ids may still come"
    )


def test_a_new_phone_that_somebody_is_known_by_already_is_the_same_person(books: Books) -> None:
    old, new = books.contact(("phone", "571")), books.contact(("phone", "572"))
    first, second = (resolve(books.session, [contact], NOW)[contact] for contact in (old, new))
    assert change_identity(books.session, books.company, "phone", "571", "572", NOW) == first
    assert [person.id for person in books.alive()] == [first]
    assert books.session.get_one(Person, second).merged_into_id == first


def test_whatever_belongs_to_a_conversation_follows_it_into_another() -> None:
    """A row that stays behind keeps the conversation from going."""
    told = {mapper.class_ for mapper in Base.registry.mappers if "conversation_id" in mapper.columns}
    assert told == set(OF_CONVERSATION)
