"""`make nlu-report`: our engine and a real Rasa DIET learn the same files in the same run, and are asked the same lines."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bot.bench import machine
from bot.rasa import Server
from nlu import evaluate, rasa_export, rasa_yaml
from nlu.engine import CORPUS
from nlu.rasa_http import opinion, question
from nlu.rasa_yaml import Line
from tests.rasa.parts import parts_of
from tests.rasa.report import Cost, Quality, quality, written
from tests.rasa.server import RASA, run, serve, shorten

EPOCHS = 100
PATIENCE = 10.0
"""Seconds for a text: here nobody waits."""


async def ours(project: Path, parts: Mapping[str, Sequence[Line]]) -> tuple[dict[str, Quality], Cost]:
    training, model = project / "data/nlu", project / "ours.npz"
    trained = await run(project, sys.executable, "-m", "bot", "nlu", "train", "--data", str(training), "--out", str(model))
    scores = {}
    for title, lines in parts.items():
        file = project / "part.yml"
        file.write_text(rasa_export.training_data(lines), encoding="utf-8")
        told = evaluate.test(model, file)
        scores[title] = Quality(len(lines), told["accuracy"], told["macro_f1"], told["auroc"])
    texts = project / "texts.json"
    texts.write_text(json.dumps([line.text for line in parts["all"]]), encoding="utf-8")
    said = ""
    for _ in range(2):  # the second finds its model made
        await run(project, sys.executable, "-m", "tests.rasa.ours", str(training), str(project / "cache"), str(texts))
        said = (project / "run.log").read_text("utf-8")
    alone = json.loads(said)
    return scores, Cost(trained.cpu_s, trained.peak_mb, alone["start_s"], alone["rss_mb"], alone["ms"])


async def diet(project: Path, parts: Mapping[str, Sequence[Line]], intents: tuple[str, ...]) -> tuple[dict[str, Quality], Cost]:
    trained = await run(project, str(RASA), "train", "nlu")
    scores: dict[str, Quality] = {}
    took: list[float] = []
    async with serve(project) as serving:
        server = Server(serving.url, PATIENCE)
        for title, lines in parts.items():
            answers = []
            for line in lines:
                began = time.perf_counter()
                body = await server.ask(question(line.text))
                took += [(time.perf_counter() - began) * 1e3] if title == "all" else []
                told = opinion(body, intents)
                answers.append(np.zeros(len(intents), dtype=np.float32) if told is None else told)
            scores[title] = quality([line.intent for line in lines], np.array(answers), intents)
        await server.close()
        return scores, Cost(trained.cpu_s, trained.peak_mb, serving.start_s, serving.rss_mb, took)


async def measure(data: Path, test: Path, epochs: int) -> dict[str, Any]:
    held_out = rasa_yaml.read(test, strict=False)
    parts = parts_of(held_out)
    with tempfile.TemporaryDirectory(prefix="nlu-report-") as folder:
        project = Path(folder)
        lines = rasa_export.export(project, data)
        shorten(project, epochs)
        intents = tuple(sorted({line.intent for line in rasa_yaml.read(data, strict=False)}))
        own, own_cost = await ours(project, parts)
        theirs, their_cost = await diet(project, parts, intents)
    about = {
        **{name: said for name, said in (await machine.about()).items() if name in ("machine", "system", "Python")},
        "numpy": version("numpy"),
        "Rasa": f"3.6.21 on Python 3.10, DIET with {epochs} epochs",
    }
    return {"lines": lines, "intents": len(intents), "own": own, "own_cost": own_cost, "theirs": theirs, "their_cost": their_cost,
            "about": about}  # fmt: skip


def main() -> None:
    asked = argparse.ArgumentParser(prog="make nlu-report ARGS=", description=__doc__)
    asked.add_argument("--data", type=Path, default=CORPUS, help="what both learn")
    asked.add_argument("--test", type=Path, default=evaluate.HELD_OUT, help="what both are asked")
    asked.add_argument("--epochs", type=int, default=EPOCHS, help="of DIET")
    asked.add_argument("--write", type=Path, default=Path("docs/nlu-report.md"))
    given = asked.parse_args()
    page = written(asyncio.run(measure(given.data, given.test, given.epochs)), " ".join(sys.argv[1:]))
    given.write.write_text(page, encoding="utf-8")
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
