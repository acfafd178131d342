"""The command line `mostrador`: each command is a few lines here and a module that is loaded only when it is called."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(help="Mostrador: a WhatsApp-first sales service.", no_args_is_help=True, pretty_exceptions_enable=False)
company = typer.Typer(help="The companies of this installation.", no_args_is_help=True)
number = typer.Typer(help="The business numbers that people write to.", no_args_is_help=True)
user = typer.Typer(help="The people of a company who log in.", no_args_is_help=True)
nlu = typer.Typer(help="The understanding: measure and train it.", no_args_is_help=True)
app.add_typer(company, name="company")
app.add_typer(number, name="number")
app.add_typer(user, name="user")
app.add_typer(nlu, name="nlu")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    import uvloop

    return uvloop.run(work)


def _settings() -> Settings:
    from bot.settings import load

    return load()


@app.command()
def demo(
    port: int = 8080, data: Path = Path("var/demo"), fresh: Annotated[bool, typer.Option(help="Start over: forget all.")] = False
) -> None:
    """Run everything on this machine: SQLite, the local WhatsApp, a demo company. The main thing to try."""
    from bot.demo import serve_demo

    _run(serve_demo(port, data, fresh=fresh))


@app.command()
def serve(
    role: Annotated[
        list[str] | None, typer.Option(help="web, worker, sender, scheduler; several with commas. Default: all.")
    ] = None,
) -> None:
    """Run the service with the settings of the environment and .env: all of it, or some roles beside other processes."""
    from bot.cluster import roles_of
    from bot.serve import serve as run

    try:
        roles = roles_of(role or [])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--role") from None
    _run(run(_settings(), roles))


@app.command()
def chat(
    number: Annotated[str, typer.Option(help="Which business number to write to, by its dialog.")] = "electronics",
    repro: Annotated[bool, typer.Option(help="Print the talk as a transcript at the end.")] = False,
) -> None:
    """Talk to the service in this terminal, as a prospect on WhatsApp."""
    from bot.demo import chat_demo

    _run(chat_demo(number, repro=repro))


@app.command()
def migrate() -> None:
    """Bring the database to the revision that this version works with."""
    from bot.maintenance import migrate as run

    _run(run(_settings()))


@app.command()
def seed(
    password: Annotated[str, typer.Option(help="The password of the demo's users; one is made up where none is given.")] = "",
) -> None:
    """Write the demo company into the database."""
    from bot.maintenance import seed as run

    _run(run(_settings(), password))


@app.command()
def replay() -> None:
    """Take up again the webhook bodies that could not be split: for a number that was unknown, or after a repair."""
    from bot.maintenance import replay as run

    _run(run(_settings()))


@app.command()
def stats(as_json: Json = False) -> None:
    """Count what is in the database: numbers, people, messages by state, leads by priority, what waits and since when."""
    from bot.maintenance import stats as run

    counted = _run(run(_settings()))
    print(json.dumps(counted) if as_json else "\n".join(f"{key:32} {value}" for key, value in counted.items()))


@app.command()
def doctor() -> None:
    """Look at the settings, the database and the messengers, and say what is wrong and what to do."""
    from bot.maintenance import doctor as run

    raise typer.Exit(0 if _run(run(_settings())) else 1)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="pipeline, growth, fairness, soak, all, report")] = "pipeline",
    as_json: Json = False,
    seconds: Annotated[float, typer.Option(help="How long each measurement lasts.")] = 6.0,
    minutes: Annotated[int, typer.Option(help="How long the soak lasts.")] = 15,
    write: Annotated[Path | None, typer.Option(help="The folder that performance.md and its chart are written to.")] = None,
) -> None:
    """Measure the service on this machine, and others beside it."""
    from bot.bench.command import run

    _run(run(name, as_json=as_json, seconds=seconds, minutes=minutes, write=write))


@company.command("add")
def company_add(
    name: str,
    country: Annotated[str, typer.Option(help="ISO 3166 code: how phones and dates are read.")] = "CO",
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "COP",
    timezone: Annotated[str, typer.Option(help="Its time zone.")] = "America/Bogota",
) -> None:
    """Add a company."""
    from bot.maintenance import add_company

    print(_run(add_company(_settings(), name=name, country=country, currency=currency, timezone=timezone)))


@number.command("add")
def number_add(
    external_id: Annotated[
        str, typer.Option("--id", help="WhatsApp: the phone number id; Telegram: the bot's id; webchat: a word.")
    ],
    display: Annotated[str | None, typer.Argument(help="As people dial it: '+57 601 555 0101'.")] = None,
    channel: Annotated[str, typer.Option(help="whatsapp, telegram or webchat")] = "whatsapp",
    account: Annotated[str | None, typer.Option(help="The WhatsApp Business Account's id.")] = None,
    name: Annotated[str | None, typer.Option(help="The line of business, for your team.")] = None,
    bot_name: Annotated[str | None, typer.Option(help="How the assistant calls itself.")] = None,
    dialog: Annotated[str | None, typer.Option(help="Which dialog it talks.")] = None,
    template: Annotated[str | None, typer.Option(help="The approved template for when the 24-hour window is closed.")] = None,
    alert_template: Annotated[
        str | None, typer.Option(help="The approved template that alerts sellers; see docs/operate.md.")
    ] = None,
    token: Annotated[str | None, typer.Option(help="Its own access token; webchat: what widgets have to show.")] = None,
    company: Annotated[str, typer.Option(help="The company's name, where there are several.")] = "",
) -> None:
    """Add a number, or change the one with this id; one that was stopped may send again."""
    from bot.maintenance import set_number

    fields = {"display": display, "account": account, "name": name, "bot_name": bot_name, "dialog": dialog, "template": template}
    fields |= {"alert_template": alert_template, "token": token}
    print(_run(set_number(_settings(), external_id, channel, company, fields)))


@user.command("add")
def user_add(
    email: str,
    name: Annotated[str, typer.Option()],
    role: Annotated[str, typer.Option(help="admin, manager or seller")] = "seller",
    company: Annotated[str, typer.Option(help="The company's name, where there are several.")] = "",
) -> None:
    """Add somebody; their first password is printed once."""
    from bot.maintenance import add_user

    print(_run(add_user(_settings(), email=email, name=name, role=role, company=company)))


@nlu.command("evaluate")
def nlu_evaluate(as_json: Json = False) -> None:
    """Measure the understanding on the held-out part of the corpus."""
    from nlu import evaluate

    evaluate.main(as_json)


@nlu.command("train")
def nlu_train(
    data: Annotated[Path, typer.Option(help="A file or folder of Rasa NLU YAML.")],
    out: Annotated[Path, typer.Option(help="Where the model goes.")],
    base: Annotated[bool, typer.Option(help="Train with our own corpus beside it.")] = False,
) -> None:
    """Train a model from any Rasa NLU YAML."""
    from nlu import evaluate

    evaluate.train(data, out, base=base)


@nlu.command("test")
def nlu_test(
    model: Annotated[Path, typer.Option(help="A model that `nlu train` made.")],
    data: Annotated[Path, typer.Option(help="A file or folder of Rasa NLU YAML.")],
    as_json: Json = False,
) -> None:
    """Measure a model on any Rasa NLU YAML."""
    from nlu import evaluate

    report = evaluate.test(model, data)
    print(json.dumps(report) if as_json else "\n".join(f"{key:24} {value}" for key, value in report.items()))


@nlu.command("export-rasa")
def nlu_export_rasa(
    out: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    company: Annotated[str, typer.Option(help="The name of a company whose own lines come with it.")] = "",
) -> None:
    """Write our corpus as a project for a Rasa 3.6 server: `rasa train nlu` learns from it as it is."""
    from nlu import rasa_export

    own = None
    if company:
        from bot.maintenance import taught

        own = _run(taught(_settings(), company))
    lines = rasa_export.export(out, own=own)
    print(f"{lines} lines are in {out}; go there and run `rasa train nlu`, then `rasa run --enable-api`")


def main() -> None:
    """The entry point: what the user can set right is said in one message, without a traceback."""
    try:
        app()
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
    except Exception as error:
        from bot.app import WrongSchema
        from bot.maintenance import Refused
        from bot.serve import CannotListen
        from bot.settings import WrongSettings
        from bot.transcription import NoModel
        from dialogs.loader import DialogError
        from nlu.rasa_export import NotEmpty
        from nlu.rasa_yaml import CorpusError

        wrong = WrongSettings | WrongSchema | CannotListen | CorpusError | DialogError | NoModel | NotEmpty | Refused
        if not isinstance(error, wrong):
            raise
        print(f"mostrador: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
