"""What happens to a message of ours that cannot go as it is: an approved template in its place, another try, or a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from bot.channels.base import Action, Channel, Outbound, Template
from bot.clock import Clock
from bot.numbers import Numbers, OurNumber
from crm_bridge.events import NumberStopped, SendingFailed
from crm_bridge.journal import record
from data import outbox
from data.tables import Number, Person
from data.tables.conversations import Conversation
from data.types import new_id

TRIES = 6
AGAIN = (Action.RETRY, Action.SLOW_APP, Action.SLOW_NUMBER, Action.SLOW_PAIR)
"""What an error may ask for that ends in another try."""

_decode: msgspec.json.Decoder[Outbound] = msgspec.json.Decoder(Outbound)
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True, eq=False)
class Outgoing:
    """A committed message on its way. `claimed`: it is ours to send. `suspect`: it may have left already."""

    id: int
    conversation_id: int
    number_id: int
    recipient: dict[str, str]
    message: Outbound
    tries: int = 0
    claimed: bool = False
    suspect: bool = False


def from_row(row: Mapping[str, Any]) -> Outgoing:
    return Outgoing(
        id=row["id"],
        conversation_id=row["conversation_id"],
        number_id=row["number_id"],
        recipient=row["recipient"],
        message=_decode.decode(row["payload"]),
        tries=row["tries"],
    )


class StandIns:
    """Acts on statuses that tell of a failure, by the same table as on refusals."""

    def __init__(self, numbers: Numbers, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._numbers = numbers
        self._channels = channels
        self._clock = clock

    def make(self, session: Session, ids: Sequence[int]) -> list[Outgoing]:
        """These did not arrive. Where trying again makes sense, a message is queued in its place, to be sent once the session is
        committed; the others are reported."""
        done = outbox.retried(session, ids)
        made = []
        for row in outbox.by_id(session, ids):
            if row["id"] in done or row["state"] != "failed":
                continue
            number = self._numbers.by_id(row["number_id"])
            action = self._channels[row["channel"]].action(row["error_code"] or 0)
            payload: Outbound | None = None
            if action in AGAIN and row["tries"] < TRIES:
                payload = _decode.decode(row["payload"])
            elif action is Action.USE_TEMPLATE and number.row.template and row["kind"] != "template":
                payload = template_for(session, row["conversation_id"], number, number.row.template)
            if payload is None:
                report(session, row["id"], row["error_code"] or 0, row["error"] or "", self._clock.now())
                continue
            words = payload.name if isinstance(payload, Template) else row["text"]
            kind = "template" if isinstance(payload, Template) else row["kind"]
            fresh = dict(row) | {
                "id": new_id(), "kind": kind, "text": words, "payload": _encode(payload).decode(),
                "state": "queued", "rank": 0, "holder": None, "external_id": None,
                "sent_at": None, "error_code": None, "error": None, "retry_of_id": row["id"], "created_at": self._clock.now(),
            }  # fmt: skip
            outbox.add(session, [fresh])
            made.append(from_row(fresh))
        return made


def turn_into_template(session: Session, message: Outgoing, number: OurNumber, name: str, why: str) -> Template:
    """The row becomes what is really sent."""
    made = template_for(session, message.conversation_id, number, name)
    outbox.replace_payload(session, message.id, "template", made.name, _encode(made).decode(), why)
    return made


def template_for(session: Session, conversation_id: int, number: OurNumber, name: str) -> Template:
    """The number's approved template with its one parameter: the person's name, as far as it is known."""
    talk = session.get(Conversation, conversation_id)
    person = session.get(Person, talk.person_id) if talk is not None else None
    called = (person.name or person.profile_name) if person is not None else None
    return Template(name=name, language=number.row.language, parameters=(called or number.company.name,))


def report(session: Session, outbox_id: int, code: int, error: str, now: datetime) -> None:
    """Write into the journal that a message did not arrive."""
    for row in outbox.by_id(session, [outbox_id]):
        talk = session.get(Conversation, row["conversation_id"])
        record(
            session,
            row["company_id"],
            SendingFailed(outbox_id=outbox_id, code=code, error=error),
            now,
            person=talk.person_id if talk is not None else None,
            conversation=row["conversation_id"],
        )


def stop_number(session: Session, number: OurNumber, code: int, error: str, now: datetime) -> None:
    """Several messages may be refused before the first of them has stopped the number: it stops once."""
    row = session.get_one(Number, number.row.id, with_for_update=True)
    if row.stopped is None:
        row.stopped = f"{code}: {error}"[:300]
        record(session, row.company_id, NumberStopped(number_id=row.id, code=code, error=error), now)
