"""The embedded engine in a process of its own, for its memory and speed: python -m tests.rasa.ours TRAINING CACHE TEXTS.json"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

from nlu.engine import load
from nlu.meaning import installed


def main(training: Path, cache: Path, texts: Path) -> None:
    started = time.perf_counter()
    engine = load(cache, training, encoder=installed())
    loaded = time.perf_counter() - started
    took = []
    for text in json.loads(texts.read_text("utf-8")):
        began = time.perf_counter()
        engine.understand(text)
        took.append((time.perf_counter() - began) * 1e3)
    rss = psutil.Process().memory_info().rss / 2**20
    sys.stdout.write(json.dumps({"start_s": loaded, "ms": took, "rss_mb": rss}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
