"""A dialog loads, or says everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogs.loader import DialogError, load_file, load_folder, load_text, with_overrides
from dialogs.model import Dialog
from dialogs.readers import READERS

GOOD = """\
dialog: shop
version: 3
confirm: false
greet:
  first: {es: "Hola, soy {bot}.", en: "Hi, I'm {bot}.", pt: "Oi, sou {bot}."}
  returning: {es: "Hola, {full_name|first_name}.", en: "Hi.", pt: "Oi."}
questions:
  full_name:
    read: person_name
    fact: name
    label: {es: Nombre, en: Name, pt: Nome}
    ask: {es: "¿Tu nombre?", en: "Your name?", pt: "Seu nome?", es-usted: "¿Su nombre?"}
  buyer:
    read: choice
    label: {es: Compra, en: Buyer, pt: Compra}
    choices:
      empresa: {es: Una empresa, en: A company, pt: Uma empresa, also: [negocio]}
      persona: {es: Para mí, en: For me, pt: Para mim}
    ask: {es: "¿Para quién?", en: "For whom?", pt: "Para quem?"}
  firm:
    read: text
    if: "buyer == 'empresa'"
    label: {es: Empresa, en: Company, pt: Empresa}
    ask: {es: "¿Cuál empresa?", en: "Which company?", pt: "Qual empresa?"}
score:
  - {if: "buyer == 'empresa'", add: 20, because: "es empresa"}
done:
  do: register_lead
  say: {es: "¡Gracias!", en: "Thanks!", pt: "Obrigado!"}
  closed: {es: "Hasta {opens}.", en: "Until {opens}.", pt: "Até {opens}."}
faq:
  shipping: {intent: shipping, asks: [hacen envíos], say: {es: "Sí.", en: "Yes.", pt: "Sim."}}
silence: {remind: 2h, expire: 20h}
"""


def problems(source: str) -> str:
    with pytest.raises(DialogError) as caught:
        load_text(source, "shop.yaml")
    return str(caught.value)


def test_loads() -> None:
    dialog = load_text(GOOD, "shop.yaml")
    assert (dialog.name, dialog.version, list(dialog.questions)) == ("shop", 3, ["full_name", "buyer", "firm"])
    assert dialog.faq_questions() == {"shipping": ("hacen envíos",)}
    paths = list(dialog.texts())
    assert paths[:4] == ["greet.first", "greet.returning", "questions.full_name.ask", "questions.full_name.label"]
    assert "questions.buyer.choices.empresa" in paths
    assert paths[-1] == "faq.shipping.say"
    assert dialog.texts()["questions.full_name.ask"]["es-usted"] == "¿Su nombre?"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("read: person_name", "read: persona", "shop.yaml:9: questions.full_name.read: there is no reader persona"),
        ('pt: "Seu nome?", ', "", "questions.full_name.ask: has no pt"),
        ('en: "Your name?"', 'en: "  "', "questions.full_name.ask.en: is empty"),
        ("    fact: name\n", "    fact: age\n", "there is no fact age"),
        ("    fact: name\n", "    way: back\n", "must be from or to"),
        ("  buyer:\n", "  full_name:\n", "shop.yaml:13: questions.full_name: is there twice"),
        ("version: 3", "version: 3\nconfrim: true", "confrim: unknown key; did you mean confirm?"),
        ("version: 3", "version: tres", "version: must be a number"),
        ("if: \"buyer == 'empresa'\"\n", "if: \"byer == 'empresa'\"\n", "questions.firm.if: names byer, which is not a question"),
        ("if: \"buyer == 'empresa'\"\n", 'if: "buyer =="\n', "questions.firm.if: cannot be read"),
        ("if: \"buyer == 'empresa'\"\n", "if: \"'a' * 999999999\"\n", "may only compare answers"),
        ("if: \"buyer == 'empresa'\"\n", 'if: "buyer.__class__"\n', "may only compare answers"),
        ("if: \"buyer == 'empresa'\"\n", 'if: "firm"\n', "is asked only after itself: firm → firm"),
        ("Hola, soy {bot}.", "Hola, soy {seller}.", "greet.first: unknown variable {seller}; there are: bot, buyer"),
        ("Hola, soy {bot}.", "Hola, soy {bot|upper}.", "unknown filter |upper"),
        ("Hola, soy {bot}.", "Hola, soy {bot.__class__}.", "only variables and filters go between braces"),
        ("Hola, soy {bot}.", "Hola, {% for x in bot %}.{% endfor %}", "only variables and filters go between braces"),
        ("Hola, soy {bot}.", "Hola, soy {bot", "cannot be read"),
        ("es: Para mí", "es: Para mí y para toda mi familia", "choices.persona.es: has 30 characters; WhatsApp shows 20"),
        ("es: Para mí", "es: Una empresa", "two choices read the same in es"),
        ("¿Para quién?", "x" * 1025, "questions.buyer.ask.es: has 1025 characters; WhatsApp shows 1024"),
        ("¿Cuál empresa?", "x" * 4097, "WhatsApp shows 4096"),
        ("expire: 20h", "expire: 25h", "within WhatsApp's 24 hours"),
        ("remind: 2h", "remind: soon", "silence.remind: must be a time like"),
        ("do: register_lead", "do: send_money", "there is only register_lead"),
        ("intent: shipping, asks: [hacen envíos], ", "", "faq.shipping: can never be asked"),
        ("also: [negocio]", "within: soon", "choices.empresa.within: must be a number"),
        ("  firm:\n", "  company:\n", "is a name that texts use for something else"),
        ("confirm: false", "confirm: perhaps", "must be true or false"),
        ("confirm: false", "when: {default: true}", "when: unknown key"),
    ],
)
def test_refuses(old: str, new: str, message: str) -> None:
    assert old in GOOD
    assert message in problems(GOOD.replace(old, new, 1))


def test_names_every_problem_at_once() -> None:
    broken = (
        GOOD.replace("read: person_name", "read: persona").replace("add: 20", "add: much").replace("remind: 2h", "remind: 21h")
    )
    told = problems(broken).splitlines()
    assert [line.split(":")[1] for line in told] == ["9", "26", "33"]
    assert all(line.startswith("shop.yaml:") for line in told)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "shop.yaml:1: is empty"),
        ("- a", "must be a mapping"),
        ("a: [", "shop.yaml:2: not valid YAML"),
        ("questions: {}", "has none"),
    ],
)
def test_not_a_dialog(source: str, message: str) -> None:
    assert message in problems(source)


def test_more_choices_than_anybody_reads() -> None:
    many = "".join(f"      c{index}: {{es: C{index}, en: C{index}, pt: C{index}}}\n" for index in range(31))
    source = GOOD.replace("      persona: {es: Para mí, en: For me, pt: Para mim}\n", many)
    assert "has 32 choices" in problems(source)


def test_a_cycle_of_two() -> None:
    source = GOOD.replace("  buyer:\n", "  buyer:\n    if: \"firm == 'x'\"\n")
    assert "is asked only after itself" in problems(source)


def test_folder_tells_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("version: 3", "version: x"), "utf-8")
    (tmp_path / "b.yaml").write_text("[", "utf-8")
    (tmp_path / "c.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "d.yaml").write_text(GOOD, "utf-8")
    with pytest.raises(DialogError) as caught:
        load_folder(tmp_path)
    told = str(caught.value)
    assert "a.yaml:2: version" in told
    assert "b.yaml:2: not valid YAML" in told
    assert "d.yaml:1: dialog: there already is a dialog shop" in told
    with pytest.raises(DialogError, match=r"none.yaml:1: cannot be read"):
        load_file(tmp_path / "none.yaml")


def test_shipped_dialogs_load() -> None:
    assert "electronics" in load_folder()


@pytest.mark.parametrize("reader", sorted(set(READERS) - {"text"}))
def test_every_reader_has_its_own_help(electronics: Dialog, reader: str) -> None:
    assert f"help.{reader}.other" in electronics.common
    assert f"help.{reader}.simpler" in electronics.common
    known = {key.rpartition(".")[2] for key in electronics.common if key.startswith(f"help.{reader}.")}
    assert known <= READERS[reader].misses | {"other", "simpler"}


def test_overrides(electronics: Dialog) -> None:
    edits = {"questions.budget.ask": {"es": "¿Cuánta plata tienes, {full_name|first_name}?"}, "confirm": False}
    edited = with_overrides(electronics, edits, 7)
    assert edited.version == 7
    assert not edited.confirm
    assert edited.questions["budget"].ask.sources["es"] == "¿Cuánta plata tienes, {full_name|first_name}?"
    assert edited.questions["budget"].ask.sources["en"] == electronics.questions["budget"].ask.sources["en"]
    assert list(edited.questions) == list(electronics.questions)
    again = with_overrides(edited, {"questions.budget.ask": {"es": "¿Cuánto?"}}, 8)
    assert again.questions["budget"].ask.sources["es"] == "¿Cuánto?"
    assert not again.confirm
    assert with_overrides(electronics, {}, electronics.version).texts() == electronics.texts()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("questions.budget.ask", {"es": ""}, "questions.budget.ask.es: is empty"),
        ("questions.budget.ask", {"es": "{nobody}"}, "questions.budget.ask: unknown variable {nobody}"),
        ("questions.budget.ask", {"fr": "Combien ?"}, "questions.budget.ask.fr: unknown key"),
        ("questions.timing.choices.hoy", {"es": "Lo necesito hoy mismo ya"}, ""),
        (
            "questions.timing.choices.hoy",
            {"es": "Lo necesito hoy mismo ya!"},
            "questions.timing.choices.hoy.es: has 25 characters",
        ),
        ("questions.gone.ask", {"es": "¿?"}, "questions.gone.ask: there is no such text in this dialog any more"),
        ("dialog", "other", "dialog: there is no such text"),
        ("", "x", ": there is no such text"),
    ],
)
def test_overrides_are_checked(electronics: Dialog, path: str, value: object, message: str) -> None:
    if not message:
        assert with_overrides(electronics, {path: value}, 2).version == 2
        return
    with pytest.raises(DialogError) as caught:
        with_overrides(electronics, {path: value}, 2)
    assert str(caught.value).startswith(message)
