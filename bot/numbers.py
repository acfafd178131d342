"""Our business numbers, in memory: whose each is, which dialog it talks, when it is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
import yaml
from babel.dates import format_date, format_time
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.channels.base import Account
from bot.lessons import Lessons, Lines
from crm_bridge.companies.hours import is_open, next_opening
from crm_bridge.learning import queries as learning
from data.session import Database
from data.tables import Company, DialogVersion, Number, Team
from dialogs.loader import Dialog, DialogError, with_overrides
from dialogs.model import Voice
from nlu.own import OwnLine, ways_of
from nlu.understanding import FaqIndex, Nlu

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OurNumber:
    row: Number
    company: Company
    zone: ZoneInfo
    dialog: Dialog
    nlu: Nlu
    """What its company taught, over what all share."""
    faq: FaqIndex
    voice: Voice
    account: Account
    team_id: int | None
    """The team that gets its leads; None while the company has none."""

    def local(self, now: datetime) -> datetime:
        return now.astimezone(self.zone)

    def is_open(self, now: datetime) -> bool:
        return is_open(self.row.hours, self.local(now))

    def opens(self, now: datetime) -> Mapping[str, str]:
        """When it opens next, in words by language; empty when it is open or never opens."""
        local = self.local(now)
        opening = None if is_open(self.row.hours, local) else next_opening(self.row.hours, local)
        if opening is None:
            return {}
        return opening_words(local, opening)


def opening_words(now: datetime, opening: datetime) -> Mapping[str, str]:
    """When that is, in words by language: "mañana a las 9:00". Both local."""
    return _opening_words(opening, (opening.date() - now.date()).days)


def text(name: str, language: str, tone: str) -> str:
    """What the bot says beside its dialogs, in the prospect's language: see `says` in texts.yaml."""
    texts = _texts()["says"][name]
    return texts.get(f"{language}-{tone}") or texts.get(language) or texts["es"]


@lru_cache(1024)
def _opening_words(opening: datetime, days: int) -> Mapping[str, str]:
    texts = _texts()["opens"]["today" if days == 0 else "tomorrow" if days == 1 else "later"]
    return {
        language: text.format(
            time=format_time(opening, "short", locale=language),
            day=format_date(opening, "EEEE d MMMM" if days > 6 else "EEEE", locale=language),
        )
        for language, text in texts.items()
    }


@cache
def _texts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    loaded: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load(
        Path(__file__).with_name("texts.yaml").read_text("utf-8")
    )
    return loaded


class Numbers:
    """All numbers of the installation. `reload` replaces them at once, so that a turn sees either the old or the new."""

    def __init__(self, flows: Mapping[str, Dialog], nlu: Nlu, default_token: str, lessons: Lessons | None = None) -> None:
        self._flows = flows
        self._nlu = nlu
        self._token = default_token
        self._lessons = lessons
        self._by_id: dict[int, OurNumber] = {}
        self._by_external: dict[tuple[str, str], OurNumber] = {}
        self.on_edited: Callable[[], None] = lambda: None
        """Tells the other processes."""
        self.on_missing: Callable[[], None] = lambda: None
        """What a company taught is still to be learnt."""

    def by_id(self, number_id: int) -> OurNumber:
        """KeyError when there is none."""
        return self._by_id[number_id]

    def get(self, number_id: int) -> OurNumber | None:
        return self._by_id.get(number_id)

    def find(self, channel: str, external_id: str) -> OurNumber | None:
        return self._by_external.get((channel, external_id))

    def of_account(self, channel: str, account: str) -> list[OurNumber]:
        return [number for number in self._by_id.values() if number.row.channel == channel and number.row.account == account]

    def all(self) -> list[OurNumber]:
        return list(self._by_id.values())

    async def edited(self, database: Database) -> None:
        """Somebody changed a number or its dialog: read them anew, here and elsewhere."""
        await self.reload(database)
        self.on_edited()

    async def reload(self, database: Database) -> None:
        """Read all numbers and their edited dialogs anew. DialogError when a number names a dialog that is not there."""
        found = await database.read(self._load)
        self._by_id = {number.row.id: number for number in found}
        self._by_external = {(number.row.channel, number.row.external_id): number for number in found}
        if self._lessons is not None and self._lessons.missing:
            self.on_missing()

    def _load(self, session: Session) -> list[OurNumber]:
        newest = (
            select(DialogVersion.number_id, func.max(DialogVersion.version).label("version"))
            .group_by(DialogVersion.number_id)
            .subquery()
        )
        edits = {
            edit.number_id: edit
            for edit in session.scalars(
                select(DialogVersion).join(
                    newest, (newest.c.number_id == DialogVersion.number_id) & (newest.c.version == DialogVersion.version)
                )
            )
        }
        first: dict[int, int] = dict(session.execute(select(Team.company_id, func.min(Team.id)).group_by(Team.company_id)).all())
        rows = session.execute(select(Number, Company).join(Company, Company.id == Number.company_id).order_by(Number.id)).all()
        dialogs = {number.id: self._dialog(number, edits.get(number.id)) for number, _ in rows}
        of_company: defaultdict[int, list[Dialog]] = defaultdict(list)
        for number, company in rows:
            of_company[company.id].append(dialogs[number.id])
        lessons = learning.published(session) if self._lessons is not None else {}
        taught = self._taught(lessons, of_company)
        return [
            self._number(number, company, dialogs[number.id], taught.get(company.id), lessons.get(company.id, ()), team_id)
            for number, company in rows
            for team_id in [number.team_id or first.get(company.id)]
        ]

    def _taught(self, lessons: Mapping[int, Lines], dialogs: Mapping[int, list[Dialog]]) -> dict[int, Nlu]:
        """What each company understands by that taught something."""
        if self._lessons is None:
            return {}
        self._lessons.keep(lessons)
        return {
            company: self._lessons.of(company, lines, self._lessons.intents(dialogs[company]))
            for company, lines in lessons.items()
        }

    def _dialog(self, row: Number, edit: DialogVersion | None) -> Dialog:
        dialog = self._flows.get(row.dialog)
        if dialog is None:
            raise DialogError(
                f"number {row.display} ({row.name}): no dialog {row.dialog!r}; there are {', '.join(sorted(self._flows))}"
            )
        if edit is not None and edit.dialog == row.dialog:
            try:
                dialog = with_overrides(dialog, edit.overrides, edit.version)
            except DialogError as error:  # a new version dropped what was edited: people are still answered
                log.error(
                    "the edited texts do not fit the dialog; the shipped ones are used", number=row.display, problem=str(error)
                )
        return dialog

    def _number(
        self, row: Number, company: Company, dialog: Dialog, taught: Nlu | None, lines: Lines, team_id: int | None
    ) -> OurNumber:
        nlu = taught or self._nlu
        old = self._by_id.get(row.id)
        same = old is not None and old.nlu is nlu and old.dialog.faq_questions() == dialog.faq_questions()
        asked = ways_of([OwnLine(text, label) for text, label in lines], dialog.faq_questions())
        return OurNumber(
            row=row,
            company=company,
            zone=ZoneInfo(company.timezone),
            dialog=dialog,
            nlu=nlu,
            faq=old.faq if old is not None and same else nlu.faq_index(asked),
            voice=Voice(bot=row.bot_name, company=row.name, tone="usted" if row.tone == "usted" else "tu"),
            account=Account(id=row.id, external_id=row.external_id, token=row.token or self._token),
            team_id=team_id,
        )
