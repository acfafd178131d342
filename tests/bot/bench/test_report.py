"""The page and the chart are made of what was measured, and of nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

from bot.bench import report
from bot.bench.form import dialog, script

PIPELINE = {
    "turns_per_s": 1234.5,
    "cpu_us_per_turn": 456.7,
    "full_load_webhook_to_reply_p99_ms": 89.1,
    "forged_status": 401,
    "builderbot_turns_per_s": 5.0,
    "pywa_turns_per_s": 600.0,
    "pywa_cpu_us_per_turn": 1500.0,
    "pywa_full_load_webhook_to_reply_p99_ms": 100.0,
    "pywa_turns_per_s_ratio": 2.06,
    "pywa_cpu_us_per_turn_ratio": 0.3,
    "at_700_understanding_cpu_ms_p50": 0.125,
    "left_out": "BuilderBot: no node and npm",
}


def test_what_was_measured_is_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "pipeline.json").write_text(json.dumps(PIPELINE))
    report.write(tmp_path, tmp_path)
    page = (tmp_path / "performance.md").read_text("utf-8")
    assert "| Mostrador, SQLite, one process | 1,234 |" in page
    assert "refused (401)" in page
    assert "| Mostrador, 700 turns/s | 0.125 |" in page
    assert "| pywa 4.5.0 | 2.06 | – | 0.3 |" in page
    assert "Not measured: BuilderBot: no node and npm." in page
    assert "How cost grows" not in page
    widths = {len(re.findall(r"\|", line)) for line in page.split("\n\n")[5].splitlines()}
    assert len(widths) == 1


def test_the_chart_has_a_bar_for_each_figure(tmp_path: Path) -> None:
    (tmp_path / "pipeline.json").write_text(json.dumps(PIPELINE))
    report.write(tmp_path, tmp_path)
    chart = ElementTree.fromstring((tmp_path / "images/performance.svg").read_text("utf-8"))  # noqa: S314 - our own
    bars = [float(one.get("width", 0)) for one in chart.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert len(bars) == 7  # two systems with three figures, and one that has a single one
    assert bars[0] > 2 * bars[1]


def test_a_form_has_a_line_for_each_question() -> None:
    for questions in (5, 50):
        assert len(dialog(questions).questions) + 1 == len(script(questions))
