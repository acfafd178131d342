"""What is installed is what stands in the tree: an image is built from the package, and has nothing else to start with."""

from __future__ import annotations

import tomllib
from glob import glob
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
TOP = sorted({name.partition(".")[0] for name in PROJECT["packages"]})


@pytest.mark.parametrize("top", TOP)
def test_every_package_is_installed(top: str) -> None:
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / top).rglob("*.py")}
    assert found == {name for name in PROJECT["packages"] if name.partition(".")[0] == top}


@pytest.mark.parametrize("top", TOP)
def test_every_file_that_the_code_reads_is_installed(top: str) -> None:
    patterns = PROJECT["package-data"].get(top, [])
    installed = {  # found as setuptools does: Path.glob takes "**" for folders alone
        name
        for pattern in patterns
        for name in glob(pattern, root_dir=ROOT / top, recursive=True)  # noqa: PTH207
    }
    there = {str(path.relative_to(ROOT / top)) for path in (ROOT / top).rglob("*") if path.is_file()}
    assert {name for name in there if not name.endswith((".py", ".pyc", ".md"))} <= installed
