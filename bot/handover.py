"""What happens to a hand-over by itself: a seller is found, an offer runs out, a target is missed, long silence gives the bot its
turn back, a reminder is due. Each is one transaction that holds its row, so that it happens once, whoever does it.

`crm_bridge/assignment` decides; here it is told to the people concerned: alerts to ours, one honest sentence to the prospect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot import takeover
from bot.channels.base import Text
from bot.clock import Clock
from bot.live import Change
from bot.numbers import Numbers, opening_words, text
from bot.standin import Outgoing
from crm_bridge.assignment import decisions, overlooked, reminders, sellers, targets
from crm_bridge.assignment.decisions import Decision
from data.session import Database, is_away
from data.tables import Alert, Assignment, Conversation, Offer, Reminder
from notifications import alerts

log = structlog.get_logger()

POLL = 1.0
"""Seconds between two looks for what is due; what a turn hands over is looked at right away."""
TOGETHER = 4
"""What is done at the same time: each is a transaction of its own, and they share commits."""
PAUSE = 0.1
"""Seconds between two looks: the first of many that are handed over is decided at once, the next ones together, at little more
than the cost of one."""
YIELDS = 3
"""While the turns are busy, three quarters of the time are theirs."""
PUT_OFF = timedelta(minutes=1)
"""When one that failed is tried again."""
OVERLOOKED = 2.0
"""Seconds between two looks for what waits although somebody is there: a word that was lost is made up for."""
IDLE = 60.0
"""Seconds between two looks for what has been silent too long."""


@dataclass(slots=True)
class Told:
    """What follows once it is committed."""

    messages: list[Outgoing] = field(default_factory=list)
    changed: list[tuple[int, Change]] = field(default_factory=list)


class Handover:
    """`run` until cancelled; `wake` when a conversation was handed over. `busy` tells whether many wait for a turn."""

    def __init__(
        self,
        database: Database,
        numbers: Numbers,
        clock: Clock,
        on_said: Callable[[Sequence[Outgoing]], None],
        on_changed: Callable[[Sequence[tuple[int, Change]]], None],
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._numbers = numbers
        self._clock = clock
        self._on_said = on_said
        self._on_changed = on_changed
        self._busy = busy
        self._woken = asyncio.Event()
        self._seen = 0
        """Up to which of those that wait was looked whether somebody could take them."""
        self._failed: dict[int, datetime] = {}
        """Rows that are not tried again before then."""

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        next_overlooked = next_idle = loop.time()
        while True:
            try:
                async with asyncio.timeout(POLL):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            try:
                if loop.time() >= next_overlooked:
                    next_overlooked = loop.time() + OVERLOOKED
                    await self.look_overlooked()
                await self.look()
                if loop.time() >= next_idle:
                    next_idle = loop.time() + IDLE
                    await self.look_idle()
                await asyncio.sleep(PAUSE)
            except (SQLAlchemyError, OSError):
                log.warning("the database does not answer; looking again")
                await asyncio.sleep(POLL)

    async def look(self) -> None:
        """Do all that is due: hand-overs (hot ones first), targets, reminders."""
        loop = asyncio.get_running_loop()
        for due, work, table in (
            (decisions.due, self._decide, Assignment),
            (_alone(targets.due), self._target, Assignment),
            (_alone(reminders.due), self._remind, Reminder),
        ):
            while found := await self._database.read(partial(due, now=self._clock.now())):
                done: list[bool] = []
                for start in range(0, len(found), TOGETHER):
                    began = loop.time()
                    some = [self._some(work, table, company, rows) for company, rows in found[start : start + TOGETHER]]
                    done += await asyncio.gather(*some)
                    if self._busy():  # prospects are answered first, however many of them are ready
                        await asyncio.sleep(YIELDS * (loop.time() - began))
                if not any(done) or sum(len(rows) for _, rows in found) < decisions.GROUP:
                    break  # others are at them, or that was all

    async def _some(
        self, work: Callable[..., Told | None], table: type[Assignment | Reminder], company: int, rows: Sequence[int]
    ) -> bool:
        """What is due of these rows, in one transaction; where one of them spoils it, each by itself; and that one is put off, so
        that it holds up no other. Whether anything was done."""
        done = await self._do(partial(work, rows=rows), company)
        if done is None and len(rows) > 1:
            return any([await self._some(work, table, company, [row]) for row in rows])
        if done is None:
            now = self._clock.now()
            self._failed[rows[0]] = now + PUT_OFF
            later = update(table).where(table.id == rows[0], table.due_at <= now).values(due_at=now + PUT_OFF)
            await self._database.write(lambda session: session.execute(later), company=company)
        return bool(done)

    async def look_overlooked(self) -> None:
        """Have that looked at which waits although somebody could take it. Many who wait are looked through in pages."""
        now = self._clock.now()
        try:
            found, self._seen = await self._database.read(partial(overlooked.find, now=now, after=self._seen))
            self._failed = {row: until for row, until in self._failed.items() if until > now}
            if found := [row for row in found if row not in self._failed]:
                await self._database.write(partial(overlooked.look_again, hands=found, now=now))
        except Exception as error:
            if is_away(error):
                raise
            log.exception("what waits could not be looked through")

    async def look_idle(self) -> None:
        """Give the bot back what nobody has written in for long, and remind sellers of windows that are about to close."""
        now = self._clock.now()
        for company, talk in await self._database.read(partial(targets.idle, now=now)):
            await self._do(partial(self._return, talk=talk), company)
        for company, wanted in await self._database.read(partial(reminders.closing_windows, now=now)):
            await self._do(partial(self._note_window, wanted=wanted), company)

    async def _do(self, work: Callable[..., Told | None], company: int) -> bool | None:
        """One of them, by itself. Whether anything was done; None when it failed."""
        try:
            told = await self._database.write(partial(work, now=self._clock.now()), company=company)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("a hand-over failed")
            return None
        if told is None:
            return False
        self._on_said(told.messages)
        self._on_changed(told.changed)
        return True

    # ------------------------------------------------------------------------------------------- hand-overs
    def _decide(self, session: Session, rows: Sequence[int], now: datetime) -> Told | None:
        decided = decisions.decide_all(session, rows, now)
        if not decided:
            return None
        told = Told()
        waits = any(decision.offer is None for decision in decided)
        people = sellers.staff(session, decided[0].assignment.company_id, now, sellers.SUPERVISORS) if waits else []
        for decision in decided:
            told.changed += _changes(decision.assignment).changed
            if decision.expired is not None:
                told.changed += [_alerted(each) for each in alerts.withdraw(session, offer_id=decision.expired.id, now=now)]
            if decision.offer is None:
                self._nobody(session, told, decision, people, now)
        offers = [(decision.assignment, decision.offer) for decision in decided if decision.offer is not None]
        self._alert(session, told, "lead_offered", [(row, offer.user_id, offer) for row, offer in offers], now)
        return told

    def _nobody(
        self, session: Session, told: Told, decision: Decision, people: Sequence[tuple[int, str, bool]], now: datetime
    ) -> None:
        """The prospect hears once when to expect somebody; the managers hear that nobody is there, or that all let it pass; and a
        minute later, if that changed nothing, the administrators (`people`: as sellers.staff has them). While the number is
        closed all that is as it should be."""
        row = decision.assignment
        kind = "lead_unclaimed" if decision.everybody else "lead_waiting"
        number = self._numbers.by_id(row.number_id)
        if people and number.is_open(now):
            before = session.execute(
                select(Alert.user_id, Alert.created_at).where(Alert.assignment_id == row.id, Alert.kind == kind)
            ).all()
            patience = now - decisions.LOOK_AGAIN  # however often it is looked at meanwhile
            if all(at <= patience for _, at in before):
                whom = sellers.to_hear(people, {user for user, _ in before})
                self._alert(session, told, kind, [(row, user, None) for user in whom], now)
        if row.told_at is not None or decision.everybody or not decision.choice.considered:
            return  # where nobody sells but the owners, it is they who answer: the dialog has said that somebody will
        row.told_at = now
        if number.is_open(now):  # closed, the dialog has said so itself
            words = text("nobody_there" if decision.opens_at else "nobody_known", row.language, number.voice.tone)
            opens = opening_words(number.local(now), number.local(decision.opens_at)) if decision.opens_at else {}
            talk = session.scalars(select(Conversation).where(Conversation.id == row.conversation_id)).one()
            said = words.format(opens=opens.get(row.language, ""))
            told.messages.append(takeover.say(session, talk, Text(said), said, None, now))

    def _alert(
        self, session: Session, told: Told, kind: str, whom: Sequence[tuple[Assignment, int, Offer | None]], now: datetime
    ) -> None:
        """Tell these users of a company about these hand-overs."""
        told.changed += map(_alerted, alerts.raise_all(session, kind, whom, now))

    # ------------------------------------------------------------------------------------------- targets
    def _target(self, session: Session, rows: Sequence[int], now: datetime) -> Told | None:
        step = targets.step(session, rows[0], now)
        if step is None:
            return None
        told = _changes(step.assignment)
        if step.what == "begun" or step.user_id is None:
            return told
        if step.what == "warned":
            self._alert(session, told, "reply_due", [(step.assignment, step.user_id, None)], now)
            return told
        talk = step.assignment.conversation_id
        told.changed += [_alerted(each) for each in alerts.withdraw(session, conversation_id=talk, now=now)]
        late = [step.user_id, *sellers.supervisors(session, step.assignment.company_id, now)]
        self._alert(session, told, "reply_late", [(step.assignment, user, None) for user in dict.fromkeys(late)], now)
        return told

    def _return(self, session: Session, talk: int, now: datetime) -> Told | None:
        held = session.scalar(
            select(Conversation).where(Conversation.id == talk).with_for_update(key_share=True, skip_locked=True)
        )
        if held is None or not targets.idle(session, now, talk=talk):
            return None  # somebody is at it, or wrote a moment ago
        takeover.give_back(session, talk, None, now, over=True)
        withdrawn = alerts.withdraw(session, conversation_id=talk, now=now)
        return Told(changed=[(held.company_id, Change("conversation", talk)), *map(_alerted, withdrawn)])

    # ------------------------------------------------------------------------------------------- reminders
    def _remind(self, session: Session, rows: Sequence[int], now: datetime) -> Told | None:
        reminder = reminders.fire(session, rows[0], now)
        if reminder is None:
            return None
        talk, words = reminder.conversation_id, reminder.words
        alert = alerts.raise_alert(
            session,
            kind="window_closing" if (reminder.rule or "").startswith(reminders.CLOSING) else "reminder",
            user_id=reminder.user_id,
            company_id=reminder.company_id,
            facts=alerts.facts_about(session, talk, words=words) if talk is not None else alerts.Facts(words=words),
            now=now,
            conversation_id=talk,
        )
        return Told(changed=[_alerted(alert)])

    def _note_window(self, session: Session, wanted: reminders.Window, now: datetime) -> Told | None:
        return Told() if reminders.by_rule(session, wanted, now) else None


def _alone(due: Callable[..., Sequence[tuple[int, int]]]) -> Callable[..., list[tuple[int, list[int]]]]:
    """The rows that `due` finds, each by itself."""
    return lambda session, now: [(company, [row]) for company, row in due(session, now)]


def _changes(row: Assignment) -> Told:
    changed: list[tuple[int, Any]] = [
        (row.company_id, Change("assignment", row.id)),
        (row.company_id, Change("conversation", row.conversation_id)),
    ]
    if row.lead_id is not None:
        changed.append((row.company_id, Change("lead", row.lead_id)))
    return Told(changed=changed)


def _alerted(alert: Alert) -> tuple[int, Change]:
    return alert.company_id, Change("alert", alert.user_id)
