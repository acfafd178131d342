"""One turn, from top to bottom: claim, load, understand, step, apply, save, enqueue.

Conversations are claimed, never single messages: what a person wrote since our last word is one turn, first in first out. The
claim is the lock on the conversation's row in the turn's own transaction: it ends with it, whatever becomes of the process. A
batch of conversations is loaded in one read, each is stepped, and all are written at once; the commit makes state, books, events
and replies durable together. Which conversations, and when: `bot/turns.py`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from bot import rating, staff_chat, unclear
from bot.arrivals import recipient_of, referral_of
from bot.channels.base import Inbound, Outbound, Text
from bot.clock import Clock
from bot.live import Change
from bot.metrics import FAILED_TURNS, TURNS
from bot.numbers import Numbers, OurNumber, text
from bot.staff.ear import Ear
from bot.standin import Outgoing
from bot.translate import PREVIEW, Said, language_of, to_outbound, to_turn, written
from bot.written import Again, Written
from crm_bridge.assignment import opening
from crm_bridge.assignment.sellers import first_team, waking_last
from crm_bridge.assignment.service import close
from crm_bridge.context import Context
from crm_bridge.events import Event, HandoffRequested, LeadRegistered, LeadUpdated, TakenOver, TurnParked
from crm_bridge.handlers import run_all
from crm_bridge.journal import entry, record, record_all
from crm_bridge.leads.rules import priority
from crm_bridge.people.rules import canonical_phone
from crm_bridge.people.service import FACTS, Description, change_identity, describe
from data import dialog_state, outbox, phrases
from data.session import Database
from data.types import new_id
from dialogs import engine
from dialogs.model import Do, Effect, Handoff, Say, State, Unclear
from nlu.understanding import Foresees, Nlu
from notifications import alerts

TRIES = 3
LEARNING = 0.1
"""Seconds between two looks whether what our own people say can be understood already."""
_decode = msgspec.json.Decoder(Inbound).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class _Case:
    """The conversation that a turn is about. `source` names the message that asked for it; `talk` becomes its row."""

    session: Session
    talk: dict[str, Any]
    number: OurNumber
    source: str
    now: datetime


class Conversations:
    """Makes turns inside a transaction. `one_by_one`: each message is answered by itself, whatever came together."""

    def __init__(self, numbers: Numbers, nlu: Nlu, ear: Ear, clock: Clock, *, one_by_one: bool = False) -> None:
        self._numbers = numbers
        self._ear = ear
        self._ahead = nlu if isinstance(nlu, Foresees) else None
        self._clock = clock
        self._one_by_one = one_by_one
        self.cost = 1e-4
        """Seconds of CPU that a turn of the last batch took, the database's not counted."""

    async def foresee(self, database: Database, ids: Sequence[int]) -> None:
        """Let an understanding that asks elsewhere do so now: a transaction waits for no network."""
        if self._ahead is not None:
            news = await database.read(partial(dialog_state.unanswered, ids=ids))
            taken = (rows[: self._most(rows)] for rows in news.values())
            said = ([(row["id"], _decode(row["payload"])) for row in rows] for rows in taken)
            await self._ahead.foresee(text for each in said if (text := written(each)))

    # ------------------------------------------------------------------------------------ claim, load, step
    def answer(self, session: Session, ids: Sequence[int]) -> Written:
        """A turn for each of these conversations: its unanswered messages, or its silence."""
        with waking_last(session):
            return self._answer(session, ids)

    def _answer(self, session: Session, ids: Sequence[int]) -> Written:
        written = Written()
        talks = dialog_state.load(session, ids)
        news = dialog_state.new_messages(session, ids)
        full = sum(map(len, news.values())) >= dialog_state.MOST_NEW
        began = time.thread_time()
        for talk_id in sorted(ids, key=lambda each: each in talks and talks[each]["user_id"] is None):  # our own people first
            rows = news.get(talk_id, [])
            if talk_id not in talks or (full and not rows):
                written.missed.append(talk_id)
                continue
            talk = talks[talk_id]
            if talk_id in written.touched:
                written.again.append(Again(talk["company_id"], talk["number_id"], talk_id))
                continue
            most = self._most(rows)
            if len(rows) > most or full:
                written.again.append(Again(talk["company_id"], talk["number_id"], talk_id))
            written.add(self._turn(session, talk, rows[:most]))
        self.cost = max((time.thread_time() - began) / max(len(ids), 1), 1e-6)
        describe(session, written.told)
        dialog_state.save(session, written.talks)
        outbox.add(session, written.outgoing)
        self._carry_out(session, written)
        opening.heard(session, written.heard, self._clock.now())
        phrases.add(session, written.unclear)
        dialog_state.done(session, written.done)
        return written

    def _most(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """How many of them are one turn; where one fails, each by itself tells which."""
        return 1 if self._one_by_one or any(row["tries"] for row in rows) else len(rows)

    def failed(self, session: Session, talk_id: int, error: str) -> Again | None:
        """Count the failure; the first message of the turn is parked after some tries, so that the next ones flow."""
        FAILED_TURNS.inc()
        talk = dialog_state.load(session, [talk_id]).get(talk_id)
        if talk is None:
            return None
        rows = dialog_state.new_messages(session, [talk_id]).get(talk_id, [])
        if not rows:  # a silence that could not be answered: once is enough
            dialog_state.save(session, [dict(talk) | {"due_at": None}])
            self._journal(session, talk, TurnParked(message_id=0, error=error))
            return None
        first, tries = rows[0], rows[0]["tries"] + 1
        parked = tries >= TRIES
        dialog_state.trouble(
            session, [{"message": first["id"], "new_state": "parked" if parked else "new", "count": tries, "problem": error}]
        )
        if parked:
            self._journal(session, talk, TurnParked(message_id=first["id"], error=error))
        wait = 0.0 if parked else 0.5 * 2**tries
        return Again(talk["company_id"], talk["number_id"], talk_id, wait) if not parked or len(rows) > 1 else None

    def _turn(self, session: Session, row: dict[str, Any], rows: Sequence[Mapping[str, Any]]) -> Written:
        """One conversation's turn: what came since our last word, or its silence."""
        number = self._numbers.by_id(row["number_id"])
        now = self._clock.now()
        talk = dict(row)
        if not rows:
            if row["due_at"] is None or row["due_at"] > now:
                return Written()
            ours = staff_chat.is_memory(row["state"])
            if ours or row["owner"] != "bot" or row["state"] is None:  # somebody else answers: it is not for us to remind
                return Written(talks=[talk | {"due_at": None}])
            state = engine.state_from_json(row["state"])
            state, effects = engine.remind(number.dialog, state, to_turn(row, number, (), state, now))
            return self._apply(_Case(session, talk, number, f"{number.row.channel}:silence", now), state, effects)
        done = [each["id"] for each in rows]
        said = [(each["id"], _decode(each["payload"])) for each in rows]
        if row["user_id"] is not None and staff_chat.is_unclear(said) and not self._ear.ready():
            return Written(again=[Again(row["company_id"], row["number_id"], row["id"], LEARNING)])
        said = self._sift(session, talk, said)
        if said:
            _note(talk, [message for _, message in said])
        if talk["owner"] != "human" and (pressed := [m.choice for _, m in said if rating.is_rating(m.choice)]):
            said = [each for each in said if not rating.is_rating(each[1].choice)]
            if not said:
                return self._thank(_Case(session, talk, number, "", now), str(pressed[-1]), done)
        if said and (row["user_id"] is not None or staff_chat.is_code(said)):
            turn = staff_chat.hear(session, row, said, now, self._ear)
            if turn is not None:
                return self._staff(_Case(session, talk, number, "", now), turn, done)
        if not said or talk["owner"] == "human":
            heard = [talk["id"]] if said else []
            changed = [(talk["company_id"], Change("conversation", talk["id"]))]
            told = self._overhear(_Case(session, talk, number, "", now), row, said) if said else []
            return Written(talks=[talk], done=done, changed=changed, heard=heard, told=told)
        TURNS.inc()
        if row["state"] and not staff_chat.is_memory(row["state"]):
            state = engine.state_from_json(row["state"])
        else:
            state = engine.begin(number.dialog, language_of(row["language"] or number.row.language))
        state, effects = engine.step(number.dialog, state, to_turn(row, number, said, state, now))
        source = f"{number.row.channel}:{said[-1][1].external_id}"
        written = self._apply(_Case(session, talk, number, source, now), state, effects)
        written.done = done
        written.turned = [talk["id"]]
        return written

    def _overhear(self, case: _Case, row: Mapping[str, Any], said: Said) -> list[Description]:
        """Keep what the prospect tells the person who answers them, as far as the bot would ask for it afterwards."""
        if row["state"] is None or staff_chat.is_memory(row["state"]):
            return []
        before = engine.state_from_json(row["state"])
        turn = to_turn(row, case.number, said, before, case.now)
        state = engine.overhear(case.number.dialog, before, turn)
        case.talk["state"] = engine.state_to_json(state)
        return _told(case, state)

    def _thank(self, case: _Case, pressed: str, done: list[int]) -> Written:
        """The prospect rated how they were attended; the managers hear of a bad one."""
        talk, number = case.talk, case.number
        written = Written(talks=[talk], done=done, changed=[(talk["company_id"], Change("conversation", talk["id"]))])
        rated = rating.take(case.session, talk, pressed, case.now)
        if rated is None:
            return written
        bad = rated.score is not None and rated.score <= rating.BAD
        told = rating.tell_supervisors(case.session, talk, rated, case.now) if bad else []
        written.changed += [(alert.company_id, Change("alert", alert.user_id)) for alert in told]
        words = text("rate_sorry" if told else "rate_thanks", talk["language"] or number.row.language, number.voice.tone)
        row = _row(case, Text(words), words)
        written.outgoing.append(row)
        written.messages.append(Outgoing(row["id"], talk["id"], number.row.id, talk["recipient"], Text(words)))
        return written

    def _staff(self, case: _Case, turn: staff_chat.StaffTurn, done: list[int]) -> Written:
        """One of our own people asked for something in their chat, or became one."""
        TURNS.inc()
        talk = case.talk
        talk |= turn.row
        changed = [(talk["company_id"], Change("conversation", talk["id"])), *turn.changed]
        written = Written(talks=[talk], done=done, changed=changed, touched=turn.touched, turned=[talk["id"]])
        for reply in turn.replies:
            row = _row(case, reply, reply.body)
            written.outgoing.append(row)
            written.messages.append(Outgoing(row["id"], talk["id"], case.number.row.id, talk["recipient"], reply))
        written.messages += turn.sent
        return written

    def _sift(self, session: Session, talk: dict[str, Any], messages: Said) -> list[tuple[int, Inbound]]:
        """The messages that want an answer. What was changed or taken back before we read it counts as it is now; a new phone, or
        a seller who answered from the phone's own app, is acted on."""
        said: dict[str, tuple[int, Inbound]] = {}
        for row_id, message in messages:
            match message.kind:
                case "edit" if message.about in said:
                    old_id, old = said[message.about]
                    said[message.about] = old_id, msgspec.structs.replace(old, text=message.text)
                case "revoke" if message.about in said:
                    del said[message.about]
                case "echo":
                    if talk["owner"] != "human":
                        talk["owner"] = "human"
                        close(session, talk["id"], self._clock.now())
                        alerts.withdraw(session, conversation_id=talk["id"], now=self._clock.now())
                        self._journal(session, talk, TakenOver(by="phone app"))
                    talk["preview"] = message.text[:PREVIEW]
                case "system":
                    self._identity(session, talk, message)
                case "reaction" | "edit" | "revoke":
                    pass  # stored and shown; nothing to say
                case _:
                    said[message.external_id] = row_id, message
        return list(said.values())

    def _identity(self, session: Session, talk: dict[str, Any], message: Inbound) -> None:
        system = message.system or {}
        for kind, new in (("phone", system.get("wa_id") or system.get("new_wa_id")), ("bsuid", system.get("user_id"))):
            old = message.sender.phone if kind == "phone" else message.sender.bsuid
            if isinstance(new, str) and old:
                canon = canonical_phone if kind == "phone" else str
                change_identity(session, talk["company_id"], kind, canon(old), canon(new), self._clock.now())
                talk["recipient"] = {**talk["recipient"], kind: new}

    # ------------------------------------------------------------------------------------------ apply, save
    def _apply(self, case: _Case, state: State, effects: Sequence[Effect]) -> Written:
        talk, number = case.talk, case.number
        written = Written(talks=[talk], changed=[(talk["company_id"], Change("conversation", talk["id"]))])
        for say in effects:
            if isinstance(say, Say):
                message = to_outbound(say)
                row = _row(case, message, say.text)
                written.outgoing.append(row)
                written.messages.append(Outgoing(row["id"], talk["id"], number.row.id, talk["recipient"], message))
        written.told = _told(case, state)
        points, reasons = engine.score(number.dialog, state, number.local(case.now))
        quiet = engine.silence(number.dialog, state)
        talk |= {
            "state": engine.state_to_json(state),
            "status": state.status,
            "score": points,
            "priority": priority(points),
            "reasons": reasons,
            "due_at": case.now + quiet if quiet is not None else None,
        }
        if any(not isinstance(effect, Say) for effect in effects):
            self._books(case, state, effects, written)
        return written

    def _books(self, case: _Case, state: State, effects: Sequence[Effect], written: Written) -> None:
        talk = case.talk
        context = Context(
            company_id=talk["company_id"],
            person_id=talk["person_id"],
            conversation_id=talk["id"],
            number_id=case.number.row.id,
            source=case.source,
            language=state.language,
            referral=talk["referral"],
            now=case.now,
        )
        for effect in effects:
            match effect:
                case Do(command):
                    written.asked.append((context, command))
                case Handoff(reason):
                    talk["owner"] = "queued" if talk["owner"] == "bot" else talk["owner"]
                    team, interest = case.number.team_id, case.number.row.dialog
                    handed = opening.opened(
                        talk, team_id=team, reason=reason, interest=interest, language=state.language, now=case.now
                    )
                    written.handed.append(handed)
                    written.changed.append((talk["company_id"], Change("assignment", handed["id"])))
                case Unclear():
                    if (phrase := unclear.phrase(case.session, talk, case.number, state, effect, case.now)) is not None:
                        written.unclear.append(phrase)
                        written.changed.append((talk["company_id"], Change("phrase", 0)))
                case Say():
                    pass

    def _carry_out(self, session: Session, written: Written) -> None:
        """What a batch of turns asks of the CRM core, each kind together; then its hand-overs, which tell the lead."""
        now = self._clock.now()
        leads: dict[int, int] = {}
        for (context, _), event in zip(written.asked, run_all(session, written.asked), strict=True):
            if isinstance(event, LeadRegistered | LeadUpdated):
                leads[context.conversation_id] = event.lead_id
                written.changed.append((context.company_id, Change("lead", event.lead_id)))
        firsts: dict[int, int] = {}
        entries = []
        for row in written.handed:
            company, talk = row["company_id"], row["conversation_id"]
            row["lead_id"] = leads.get(talk)
            if not row["team_id"]:
                if company not in firsts:
                    firsts[company] = first_team(session, company, now)
                row["team_id"] = firsts[company]
            event = HandoffRequested(reason=row["reason"])
            entries.append(entry(company, event, now, person=row["person_id"], conversation=talk))
        record_all(session, entries)
        opening.open_all(session, written.handed)

    def _journal(self, session: Session, talk: Mapping[str, Any], event: Event) -> None:
        record(session, talk["company_id"], event, self._clock.now(), person=talk["person_id"], conversation=talk["id"])


def _told(case: _Case, state: State) -> list[Description]:
    """What the person has told of themselves that their row does not have yet: written at once, not only with the lead."""
    given = {question.fact: state.answers.get(name) for name, question in case.number.dialog.questions.items() if question.fact}
    new = {
        fact: answer.value for fact, answer in given.items() if answer and answer.value and case.talk[FACTS[fact]] != answer.value
    }
    return [Description(case.talk["company_id"], case.talk["person_id"], new, state.language)] if new else []


def _note(talk: dict[str, Any], said: Sequence[Inbound]) -> None:
    """What the conversation's row shows of the newest messages."""
    last = said[-1]
    newest = max(message.at for message in said)
    talk |= {
        "last_in_at": max(newest, talk["last_in_at"] or newest),
        "unread": talk["unread"] + len(said),
        "preview": (last.text or f"[{last.kind}]")[:PREVIEW],
        "recipient": recipient_of(last.sender),
        "snoozed_until": None,
        "referral": next((found for message in said if (found := referral_of(message))), None) or talk["referral"],
    }


def _row(case: _Case, message: Outbound, text: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "company_id": case.talk["company_id"],
        "number_id": case.number.row.id,
        "conversation_id": case.talk["id"],
        "channel": case.number.row.channel,
        "recipient": case.talk["recipient"],
        "kind": type(message).__struct_config__.tag,
        "text": text,
        "payload": _encode(message).decode(),
        "state": "queued",
        "rank": 0,
        "tries": 0,
        "due_at": case.now,
        "created_at": case.now,
    }
