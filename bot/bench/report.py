"""`docs/performance.md` and its chart, from the figures that the benches kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.bench import fairness, growth, handover, soak
from bot.bench.chart import bars
from bot.bench.peers import PEERS
from bot.bench.pipeline import MANY, RATE
from bot.bench.prospects import SCRIPT
from bot.bench.shapes import SHAPES, Figures

Rows = Iterable[tuple[str, str]]
"""What a row is called, and what the names of its figures begin with."""
_OURS = [(f"Mostrador, {shape.title}", shape.key) for shape in SHAPES]
_PEERS = [(peer.title, peer.key) for peer in PEERS]
_SYSTEMS = [*_OURS, *_PEERS]
_TIMES = {
    "reply p50, ms": "webhook_to_reply_p50_ms",
    "reply p99, ms": "webhook_to_reply_p99_ms",
    "ack p99, ms": "ack_p99_ms",
}
_FULL = {
    "turns/s": "turns_per_s",
    "at the end": "last_turns_per_s",
    **{head: f"full_load_{name}" for head, name in _TIMES.items()},
    "CPU µs/turn": "cpu_us_per_turn",
    "its database's": "databases_cpu_us_per_turn",
    "MB": "rss_mb",
    "turns/s, Graph API 50 ms": "graph_50_ms_turns_per_s",
}
_READY = {"to the offer": "ready_to_offer", "to the alert": "ready_to_alert"}
_RATIOS = {"turns/s": "turns_per_s_ratio", "at the end": "last_turns_per_s_ratio", "CPU µs/turn": "cpu_us_per_turn_ratio"}
_PACED = {
    "turns/s": f"at_{RATE}_turns_per_s",
    **_TIMES,
    "CPU µs/turn": f"at_{RATE}_cpu_us_per_turn",
    "prospects' share of a core": f"at_{RATE}_generator_cpu_share",
}
_FAULTS = {
    "lost": "lost",
    "doubled": "duplicated",
    "out of order": "out_of_order",
    "doubled, when each message comes twice": "twice_duplicated",
    "forged signature": "forged",
    "lost by kill -9": "killed_lost",
    "doubled by it": "killed_duplicated",
    "form begun over": "killed_out_of_order",
}


def write(kept: Path, documents: Path) -> None:
    """Write both from the JSON files in `kept`; what was not measured is left out."""
    files = sorted(kept.glob("*.json"))
    found: dict[str, Figures] = {file.stem: json.loads(file.read_text("utf-8")) for file in files}
    date = max((datetime.fromtimestamp(file.stat().st_mtime, UTC) for file in files), default=datetime.now(UTC))
    pages = {"pipeline": _pipeline, "growth": _growth, "fairness": _fairness, "handover": _handover, "soak": _soak}
    parts = [_opening(found.get("machine", {}), date), *(page(found[name]) for name, page in pages.items() if name in found)]
    (documents / "performance.md").write_text("\n\n".join(parts) + "\n", "utf-8")
    (documents / "images").mkdir(parents=True, exist_ok=True)
    (documents / "images/performance.svg").write_text(_chart(found.get("pipeline", {})), "utf-8")


def _opening(machine: Figures, date: datetime) -> str:
    versions = ", ".join(value if name in ("machine", "system") else f"{name} {value}" for name, value in machine.items())
    return f"""# How fast it is

`make bench` writes this page, and `mostrador bench` prints its figures one part at a time. Compare within a run, and trust CPU
a turn more than turns a second: the machine is shared.

Measured on {date:%Y-%m-%d}: {versions}.

A turn is a message that is stored, understood, answered and sent. Simulated prospects fill in a form of {len(SCRIPT)} messages:
they say the next one when the answer has reached a local Graph API, in signed webhooks. They run on the same cores as what they
measure, and nobody's figures are corrected for that."""


def _pipeline(found: Figures) -> str:
    found = found | {f"{key}forged": _status(found.get(f"{key}forged_status")) for _, key in _SYSTEMS}
    lacks = "\n".join(f"- {lacks}." for lacks in dict.fromkeys(peer.lacks for peer in PEERS))
    left_out = f"\n\nNot measured: {found['left_out']}." if found.get("left_out") else ""
    many, http = _cell(found.get(f"prospects_{MANY}_turns_per_s")), _cell(found.get("raw_http_requests_per_s"))
    single, fifties = _cell(found.get("raw_sqlite_commits_per_s")), _cell(found.get("raw_sqlite_rows_per_s_at_50"))
    return f"""## The pipeline, and what else there is

![Turns a second, CPU a turn and times](images/performance.svg)

{_table("64 prospects who answer at once", _FULL, _SYSTEMS, found)}

*At the end* is the last third of the time. BuilderBot as shipped has {PEERS[0].prospects} prospects: it keeps up with no more.
With {MANY}, Mostrador on SQLite makes {many} turns/s. aiohttp alone answers {http} empty requests a second here; SQLite commits
{single} single rows a second, or {fifties} rows by fifties.{left_out}

{_table("Mostrador, SQLite, one process, to", _RATIOS, _PEERS, found)}

Mostrador acknowledges a webhook when its body and messages are committed (on SQLite with `synchronous=FULL`). State, books and
answer are one more commit, before the answer leaves. A message that comes again changes nothing; answers leave in order. The
others do less for a turn:

{lacks}

{_table("messages", _FAULTS, _SYSTEMS, found)}

*Form begun over* counts answers to another question than the one asked. Mostrador's lost, doubled and out of order are of all its
measurements here, among them albums, bursts, and statuses by the ten with every message twice. `make chaos` kills its
processes in every shape.

{_table(f"{RATE} turns/s, three statuses a message", _PACED, _OURS, found)}"""


def _growth(found: Figures) -> str:
    rows = [
        *((f"{count:,} conversations stored, SQLite", f"stored_{count}_") for count in growth.STORED),
        *((f"{count:,} conversations stored, PostgreSQL", f"postgresql_stored_{count}_") for count in growth.STORED),
        *((f"{count:,} of a company's numbers", f"numbers_{count}_") for count in growth.NUMBERS),
        *((f"{count:,} companies with a number each", f"companies_{count}_") for count in growth.COMPANIES[1:]),
        *((f"a dialog of {count} questions", f"questions_{count}_") for count in growth.QUESTIONS),
    ]
    columns = {**_TIMES, "CPU µs/turn": "cpu_us_per_turn"}
    return f"""## How cost grows

{_table(f"{growth.RATE} turns/s, three statuses a message", columns, rows, found)}

A stored conversation has its person, two identities, two messages each way and their statuses. One talk in ten is with somebody
stored, the others are with new people."""


def _fairness(found: Figures) -> str:
    cases = {"alone_": "idle", "busy_": f"at {fairness.BUSY} turns/s", "flooded_": f"flooded by {fairness.FLOOD} prospects"}
    rows = [(f"{shape.title}: one number {what}", f"{shape.key}{case}") for shape in SHAPES for case, what in cases.items()]
    columns = {
        "that number's turns/s": "number_turns_per_s",
        **{f"the others' {head}": f"others_{name}" for head, name in _TIMES.items()},
        "reply p99 to idle": "others_p99_ratio",
    }
    return f"""## One number at full load beside others

As it is shipped, a service waits {fairness.DEBOUNCE_MS} ms for further bubbles of what somebody says; it does so here, and not
in the other measurements.

{_table(f"{fairness.OTHERS} turns/s of the other numbers", columns, rows, found)}"""


def _handover(found: Figures) -> str:
    times = {f"{what} p{share}, ms": f"{key}_p{share}_ms" for what, key in _READY.items() for share in (50, 99)}
    columns = {"leads/s": "leads_per_s", **times, "not sent": "unsent", "reply p99, ms": "reply_p99_ms"}
    rows = [(shape.title, f"{shape.key}handover_") for shape in SHAPES]
    return f"""## From ready to a seller

{_table(f"{handover.LEADS} leads a second, {handover.SELLERS} sellers", columns, rows, found)}

Ready is the turn that ends the form; the alert is sent when a mail server on the same cores has taken it."""


def _soak(found: Figures) -> str:
    minutes = found["minutes"]
    rows = [(f"minute {minute}", f"minute_{minute}_") for minute in sorted({1, *range(5, minutes + 1, 5), minutes})]
    columns = {"turns/s": "turns_per_s", "reply p99, ms": "webhook_to_reply_p99_ms", "ack p99, ms": "ack_p99_ms"}
    columns |= {"CPU µs/turn": "cpu_us_per_turn", "MB": "rss_mb", "descriptors": "descriptors"}
    memory, descriptors, times = (found[f"{name}_last_third_to_second"] for name in soak.COURSE)
    return f"""## {minutes} minutes without a pause

{_table(f"{soak.RATE} turns/s, three statuses a message", columns, rows, found)}

The last third to the second, by their medians: memory {memory:g}, descriptors {descriptors:g}, reply p99 {times:g}.
Lost {found["lost"]}, doubled {found["duplicated"]}, out of order {found["out_of_order"]}."""


def _chart(found: Figures) -> str:
    names = ("turns_per_s", "cpu_us_per_turn", "full_load_webhook_to_reply_p99_ms")
    rows = [
        (
            title,
            (title, key) in _OURS,
            [found.get(f"{key}{name}") if key != PEERS[0].key or name == names[0] else None for name in names],
        )
        for title, key in _SYSTEMS
        if f"{key}turns_per_s" in found
    ]
    return bars(("turns a second", "CPU µs a turn", "reply p99, ms"), rows)


def _table(corner: str, columns: Mapping[str, str], rows: Rows, found: Figures) -> str:
    lines = [[corner, *columns], ["---", *("---:" for _ in columns)]]
    for title, key in rows:
        cells = [found.get(f"{key}{name}") for name in columns.values()]
        if any(cell is not None for cell in cells):
            lines.append([title, *map(_cell, cells)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _status(status: int | None) -> str | None:
    return None if status is None else f"accepted ({status})" if status < 300 else f"refused ({status})"
