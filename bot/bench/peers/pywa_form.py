# mypy: ignore-errors
"""The bench's form on pywa's own server, with the answers in memory, written as its documentation shows. It has an
environment of its own."""

from __future__ import annotations

import os

import httpx
from pywa_async import WhatsApp, filters, types

QUESTIONS = (
    "[q1] ¿Cómo te llamas?",
    "[q2] ¿Cómo se llama la empresa?",
    "[q3] ¿Qué necesitas?",
    "[q4] ¿Qué presupuesto tienes?",
    "[q5] ¿En qué ciudad?",
    "[q6] ¿Para cuándo?",
    "[done] ¡Gracias!",
)
session = httpx.AsyncClient()
wa = WhatsApp(
    phone_id=os.environ["NUMBER"],
    token="bench-token",  # noqa: S106
    session=session,
    verify_token="bench-verify",  # noqa: S106
    app_secret=os.environ["APP_SECRET"],
    webhook_endpoint="/webhook",
)
session.base_url = httpx.URL(f"{os.environ['GRAPH_URL']}/{os.environ['GRAPH_VERSION']}")  # Graph's address is built in
answers: dict[str, list[str]] = {}


@wa.on_message(filters.text)
async def answer(_: WhatsApp, message: types.Message) -> None:
    """The next question; the first message only begins the talk."""
    given = answers.setdefault(message.from_user.wa_id or "", [])
    given.append(message.text or "")
    await message.reply(QUESTIONS[len(given) - 1])
    if len(given) == len(QUESTIONS):
        del answers[message.from_user.wa_id or ""]


if __name__ == "__main__":
    wa.run(port=int(os.environ["PORT"]), log_level="warning")
