"""One trained engine for all tests of understanding."""

from pathlib import Path

import pytest

from nlu.engine import Engine, load


@pytest.fixture(scope="session")
def nlu_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nlu")


@pytest.fixture(scope="session")
def nlu(nlu_cache: Path) -> Engine:
    engine = load(nlu_cache)
    assert isinstance(engine, Engine)
    return engine
