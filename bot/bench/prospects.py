"""Simulated prospects: each says the next line of a script when the service's answer has reached the fake Graph API.

Answers are matched by the recipient's number and by the tag `[qN]` or `[done]` in their text, so that a lost, a doubled and a
disordered one are all seen. They run in a process of their own: a JSON `Plan` is its argument; it writes `{}` when the warm-up is
over, then one line a window: a list with the figures of each load.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count

import msgspec
import uvloop

from bot.bench.graph import AGAIN, Graph
from bot.bench.http import Pool
from bot.bench.webhooks import Webhooks

SCRIPT = ("hola", "Ana Torres", "Ferretería Norte", "un sistema de ventas", "5000", "Lima", "este mes")
_FIRST_PHONE = 51_900_000_000
_NUMBER = 100_000_000_000_001
_TAG = re.compile(r"\[(?:q(\d+)|done)\]")
_now = time.perf_counter


def numbers(count: int) -> list[str]:
    """What Meta calls the first `count` of our numbers."""
    return [str(_NUMBER + at) for at in range(count)]


def known_phone(at: int) -> int:
    """The phone of a stored person, by their place in time, up to a million: neighbours in time are none in the index."""
    return _FIRST_PHONE + at * 7_919 % 1_000_000


class Load(msgspec.Struct):
    """What one crowd does: `rate` turns a second, or, where it is 0, as many as `prospects` who answer at once can make."""

    numbers: list[str]
    prospects: int = 64
    rate: float = 0
    script: Sequence[str] = SCRIPT
    statuses: int = 0
    """Statuses to each of the service's messages, 0 to 3."""
    statuses_a_body: int = 1
    burst: int = 1
    """Lines that come as several messages in one body."""
    photos: int = 0
    """Photos in a row, each in its own body, before the last line but one."""
    twice: bool = False
    """Every message is delivered twice, at once."""
    known: int = 0
    """How many people are stored already: one talk in ten is with one of them."""
    patience: float = 10
    """Seconds after which an answer is lost."""


class Plan(msgspec.Struct):
    """Where the service and the fake Graph API are, and who writes for how long; all times in seconds."""

    port: int
    graph_port: int
    secret: str
    loads: list[Load]
    path: str = "/webhooks/whatsapp"
    graph_delay: float = 0
    warm_up: float = 1
    seconds: float = 6
    windows: int = 1


class _Prospect:
    __slots__ = ("acknowledged", "crowd", "heard", "number", "phone", "photos", "sent", "step", "wants")

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.phone = self.number = b""
        self.step = 0
        """Lines said and answered."""
        self.wants = 0
        """The number of the answer after which the next line is said; `step` when nothing is open."""
        self.heard = 0
        """A bit for each answer."""
        self.photos = 0
        """Answers to photos, which repeat the question, that may still come."""
        self.sent = 0.0
        self.acknowledged = False


_People = dict[bytes, _Prospect | None]
"""By phone; None: we gave them up, and what they hear late does not count."""


class _Counts:
    """Turns and times of the window; what went wrong is counted from the start, the warm-up too."""

    def __init__(self) -> None:
        self.lost = self.duplicated = self.out_of_order = self.unexpected = 0
        self.new_window()

    def new_window(self) -> None:
        self.turns = self.refused = 0
        self.replies: list[float] = []
        self.acks: list[float] = []

    def figures(self, took: float) -> dict[str, float]:
        return {
            "turns": self.turns,
            "turns_per_s": round(self.turns / took, 1),
            "webhook_to_reply_p50_ms": _quantile(self.replies, 0.5),
            "webhook_to_reply_p99_ms": _quantile(self.replies, 0.99),
            "ack_p50_ms": _quantile(self.acks, 0.5),
            "ack_p99_ms": _quantile(self.acks, 0.99),
            "refused": self.refused,
        }


class Crowd:
    """The prospects of one load."""

    def __init__(self, load: Load, pool: Pool, webhooks: Webhooks, people: _People) -> None:
        self.counts = _Counts()
        self.load = load
        self.ending = False
        self._pool, self._webhooks, self._people = pool, webhooks, people
        self._lines = [msgspec.json.encode(line) for line in load.script]
        self._numbers = [number.encode() for number in load.numbers]
        self._talks = count()
        self._all: list[_Prospect] = []
        self._free: deque[_Prospect] = deque()

    @property
    def open(self) -> bool:
        """Whether somebody still waits for an answer."""
        return any(prospect.wants > prospect.step for prospect in self._all)

    async def run(self) -> None:
        if not self.load.rate:
            for _ in range(self.load.prospects):
                self._next(self._new())
            return
        gap, due = 1 / self.load.rate, _now()
        while not self.ending:  # latency counts from the time at which a prospect wanted to write
            while due <= _now():
                self._say(self._free.popleft() if self._free else self._new(), due)
                due += gap
            await asyncio.sleep(max(0.0005, due - _now()))

    def give_up(self, patience: float) -> None:
        """What was acknowledged and not answered within `patience` is lost; somebody else takes the place."""
        for prospect in self._all:
            if prospect.wants > prospect.step and _now() > prospect.sent + patience:
                self.counts.lost += prospect.acknowledged
                given_up = prospect.phone
                self._rename(prospect)
                self._people[given_up] = None
                self._next(prospect)

    # ---------------------------------------------------------------------------------------------- saying
    def _new(self) -> _Prospect:
        prospect = _Prospect(self)
        self._all.append(prospect)
        self._rename(prospect)
        return prospect

    def _rename(self, prospect: _Prospect) -> None:
        """The next person starts over in this one's place."""
        self._people.pop(prospect.phone, None)
        serial = next(self._talks)
        if self.load.known and serial % 10 == 0:
            phone = known_phone(serial // 10 * 104_729 % self.load.known)
        else:
            phone = _FIRST_PHONE + next(_serial)
        prospect.phone = b"%d" % phone
        prospect.number = self._numbers[phone % len(self._numbers)]
        prospect.step = prospect.wants = prospect.heard = prospect.photos = 0
        self._people[prospect.phone] = prospect

    def _next(self, prospect: _Prospect) -> None:
        if self.ending:
            return
        if self.load.rate:
            self._free.append(prospect)
        else:
            self._say(prospect, _now())

    def _say(self, prospect: _Prospect, since: float) -> None:
        load, phone, webhooks = self.load, prospect.phone, self._webhooks
        prospect.sent, prospect.acknowledged = since, False
        prospect.wants = min(prospect.step + load.burst, len(self._lines))
        texts = [webhooks.text(phone, _message(phone), line) for line in self._lines[prospect.step : prospect.wants]]
        request = webhooks.messages(prospect.number, phone, texts)
        if load.photos and prospect.step <= len(self._lines) - 2 < prospect.wants:
            prospect.photos = unread = load.photos

            def read() -> None:
                nonlocal unread
                unread -= 1
                if not unread:
                    self._post(prospect, request)

            for _ in range(load.photos):
                photo = webhooks.photo(phone, _message(phone), next(_serial))
                self._post(prospect, webhooks.messages(prospect.number, phone, [photo]), read)
            return
        for _ in range(1 + load.twice):
            self._post(prospect, request)

    def _post(self, prospect: _Prospect, request: bytes, then: Callable[[], None] | None = None) -> None:
        began, phone = _now(), prospect.phone

        def answered(status: int) -> None:
            if status == 200:
                self.counts.acks.append(_now() - began)
                if then is not None:
                    then()
                elif prospect.phone == phone:
                    prospect.acknowledged = True
                return
            self.counts.refused += 1
            if prospect.phone == phone and not self.ending:
                asyncio.get_running_loop().call_later(AGAIN, self._post, prospect, request, then)

        self._pool.post(request, answered)

    # --------------------------------------------------------------------------------------------- hearing
    def hear(self, prospect: _Prospect, text: str) -> bool:
        """An answer arrived. True when the person's lines are all answered: they go on with `go_on`."""
        counts, tag = self.counts, _TAG.search(text)
        if tag is None:
            counts.unexpected += 1
            return False
        step = int(tag[1]) if tag[1] else len(self._lines)
        if prospect.heard >> step & 1:
            if prospect.photos and step == prospect.step:
                prospect.photos -= 1
            else:
                counts.duplicated += 1
            return False
        prospect.heard |= 1 << step
        counts.out_of_order += step != prospect.step + 1
        prospect.step += 1
        counts.turns += 1
        counts.replies.append(_now() - prospect.sent)
        return prospect.step == prospect.wants

    def go_on(self, prospect: _Prospect) -> None:
        if prospect.step >= len(self._lines):
            self._rename(prospect)
        self._next(prospect)


async def run(plan: Plan) -> None:
    webhooks, people = Webhooks(plan.secret, plan.path), _People()
    pool = Pool("127.0.0.1", plan.port, 64)
    crowds = [Crowd(load, pool, webhooks, people) for load in plan.loads]
    nobody = 0

    def heard(phone: bytes, text: str) -> Callable[[], None] | None:
        nonlocal nobody
        prospect = people.get(phone)
        if prospect is None:
            nobody += phone not in people  # they are through, and hear something again
            return None
        crowd = prospect.crowd
        return (lambda: crowd.go_on(prospect)) if crowd.hear(prospect, text) else None

    graph = Graph(pool, webhooks, plan.loads[0].statuses, plan.loads[0].statuses_a_body, heard, _message)
    server = await graph.listen(plan.graph_port, plan.graph_delay)
    tasks = [asyncio.create_task(crowd.run()) for crowd in crowds]
    tasks.append(asyncio.create_task(_impatience(crowds)))
    await asyncio.sleep(plan.warm_up)
    _write({})
    for window in range(plan.windows):
        for crowd in crowds:
            crowd.counts.new_window()
        began, cpu = _now(), time.process_time()
        await asyncio.sleep(plan.seconds)
        took, cpu = _now() - began, time.process_time() - cpu
        figures: list[dict[str, float]] = [crowd.counts.figures(took) for crowd in crowds]
        if window == plan.windows - 1:
            graph.ending = True
            await _drain(crowds)
        for crowd, found in zip(crowds, figures, strict=True):
            counts = crowd.counts
            found["lost"] = counts.lost
            found["duplicated"] = counts.duplicated + nobody
            found["out_of_order"] = counts.out_of_order
            found["unexpected"] = counts.unexpected
            found["generator_cpu_share"] = round(cpu / took, 2)
        _write(figures)
    for task in tasks:
        task.cancel()
    server.close()
    pool.close()


async def _impatience(crowds: Sequence[Crowd]) -> None:
    while True:
        await asyncio.sleep(0.25)
        for crowd in crowds:
            crowd.give_up(crowd.load.patience)


async def _drain(crowds: Sequence[Crowd]) -> None:
    for crowd in crowds:
        crowd.ending = True
    until = _now() + max(crowd.load.patience for crowd in crowds)
    while _now() < until and any(crowd.open for crowd in crowds):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)  # for what comes a second time
    for crowd in crowds:
        crowd.give_up(0)


def _quantile(values: Sequence[float], share: float) -> float:
    return round(1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))], 2) if values else 0.0


_serial = count(10_000_000 + int(time.time()) % 7_000 * 10_000)


def _message(phone: bytes) -> bytes:
    """An id as long as Meta's, which, like theirs, begins with whose it is."""
    return b"wamid.HBgL%bFQIAERgS%018X" % (phone, next(_serial))


def _write(line: object) -> None:
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(run(msgspec.json.decode(sys.argv[1].encode(), type=Plan)))
