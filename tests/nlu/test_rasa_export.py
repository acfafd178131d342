"""The project for a real Rasa: what is written is what was read. That Rasa trains on it: `make test-rasa`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nlu.engine import CORPUS
from nlu.rasa_export import NotEmpty, export, from_rasa, to_rasa
from nlu.rasa_yaml import CorpusError, read

FILES = {"config.yml", "credentials.yml", "data", "domain.yml", "endpoints.yml"}


def test_every_line_of_the_corpus_comes_back_from_it(tmp_path: Path) -> None:
    written = export(tmp_path / "project")
    lines = read(CORPUS)
    back = read(tmp_path / "project/data/nlu")
    assert written == len(lines)
    assert sorted((line.text, line.intent, line.language) for line in back) == sorted(
        (line.text, line.intent, line.language) for line in lines
    )


def test_the_domain_knows_every_intent_and_rasa_reads_every_file(tmp_path: Path) -> None:
    export(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == FILES
    domain, config = (yaml.safe_load((tmp_path / name).read_text("utf-8")) for name in ("domain.yml", "config.yml"))
    assert domain["intents"] == sorted({line.intent for line in read(CORPUS)})
    assert config["language"] == "es"
    assert [part["name"] for part in config["pipeline"]][-2:] == ["DIETClassifier", "FallbackClassifier"]
    rules = yaml.safe_load((tmp_path / "data/rules.yml").read_text("utf-8"))
    assert rules["rules"][0]["steps"][0] == {"intent": "nlu_fallback"}


@pytest.mark.parametrize(
    ("line", "intent"),
    [
        ("¿hacen envíos: a Cali?", "faq/shipping"),
        ("- no # nada", "no"),
        ("{nombre} & 'comillas' “así” 100%", "123"),
        ("hola 👋🏽 qué   más", "on: off"),
    ],
)
def test_what_yaml_could_misread_comes_back(line: str, intent: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    blocks = [{"intent": name, "examples": [{"text": text}]} for name, text in ((intent, line), ("other", "otra cosa"))]
    (corpus / "lines.yml").write_text(yaml.safe_dump({"nlu": blocks}, allow_unicode=True), encoding="utf-8")
    before = read(corpus)
    export(tmp_path / "project", corpus)
    back = {from_rasa(each.intent): each.text for each in read(tmp_path / "project/data/nlu")}
    assert back == {each.intent: " ".join(each.text.split()) for each in before}
    domain = yaml.safe_load((tmp_path / "project/domain.yml").read_text("utf-8"))
    assert to_rasa(intent) in domain["intents"]
    assert "/" not in "".join(domain["intents"])


def test_a_folder_with_files_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(NotEmpty, match=f"{tmp_path} is not empty"):
        export(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(NotEmpty, match=r"mine\.txt is not empty"):
        export(tmp_path / "mine.txt")


def test_nothing_is_written_of_a_corpus_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("nlu:\n- intent: a\n  examples: |\n    - x\n", encoding="utf-8")
    with pytest.raises(CorpusError):
        export(tmp_path / "project", tmp_path)
    assert not (tmp_path / "project").exists()


def test_what_a_company_taught_comes_with_it_and_counts(tmp_path: Path) -> None:
    line = read(CORPUS)[0]
    written = export(tmp_path / "project", own={"me regalas la listica": "catalog", line.text.upper(): "spam"})
    back = {each.text: each.intent for each in read(tmp_path / "project/data/nlu")}
    assert back["me regalas la listica"] == "catalog"
    assert back[line.text.upper()] == "spam"
    assert line.text not in back
    assert written == len(read(tmp_path / "project/data/nlu"))
