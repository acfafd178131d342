from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Choices, File, Option, Outbound, Reaction, Recipient, Template, Text
from bot.channels.whatsapp_build import TooLong, check, form_of, to_json

ANA = Recipient(phone="573001112233", bsuid="CO.1")


def options(count: int, title: str = "Opción {}", **other: str) -> tuple[Option, ...]:
    return tuple(Option(f"q:{n}", title.format(n), **other) for n in range(count))


def part(message: Outbound) -> Any:
    body = to_json(message, ANA, "77")
    return body[body["type"]]


def test_the_envelope() -> None:
    assert to_json(Text("hola"), ANA, "77") == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "573001112233",
        "type": "text",
        "text": {"preview_url": False, "body": "hola"},
        "biz_opaque_callback_data": "77",
    }


def test_a_person_without_a_phone() -> None:
    body = to_json(Text("hola"), Recipient(bsuid="CO.1"), "")
    assert body["recipient"] == "CO.1"
    assert "to" not in body
    assert "biz_opaque_callback_data" not in body
    with pytest.raises(ValueError, match="neither a phone nor a BSUID"):
        to_json(Text("hola"), Recipient(telegram="5"), "")


@pytest.mark.parametrize(
    ("choices", "form"),
    [
        (options(1), "button"),
        (options(3), "button"),
        (options(4), "list"),
        (options(10), "list"),
        (options(11), "numbered"),
        (options(2, "x" * 20 + "{}"), "list"),
        (options(2, "igual"), "list"),
        (options(2, description="más"), "list"),
    ],
)
def test_how_options_are_shown(choices: tuple[Option, ...], form: str) -> None:
    message = Choices("¿Cuál?", choices)
    assert form_of(message) == form
    shown = part(message)
    assert shown.get("type", "numbered") == form


def test_numbered_text() -> None:
    message = Choices("¿Cuál?", options(11), footer="Escribe el número")
    words = part(message)["body"]
    assert words.startswith("¿Cuál?\n\n1. Opción 0\n2. Opción 1\n")
    assert words.endswith("\n11. Opción 10\n\nEscribe el número")


LIMITS: list[tuple[str, int, Any]] = [
    ("text body", 4096, lambda n: Text("x" * n)),
    ("text body", 4096, lambda n: Choices("x" * (n - 2 - len("\n".join(f"{i}. y" for i in range(1, 12)))), options(11, "y"))),
    ("interactive body", 1024, lambda n: Choices("x" * n, options(2))),
    ("interactive body", 1024, lambda n: Choices("x" * n, options(5))),
    ("footer", 60, lambda n: Choices("b", options(2), footer="x" * n)),
    ("button id", 256, lambda n: Choices("b", (Option("x" * n, "t"),))),
    ("list button", 20, lambda n: Choices("b", options(5), button="x" * n)),
    ("row title", 24, lambda n: Choices("b", (*options(4), Option("a", "x" * n)))),
    ("row id", 200, lambda n: Choices("b", (*options(4), Option("x" * n, "t")))),
    ("row description", 72, lambda n: Choices("b", (*options(4), Option("a", "t", "x" * n)))),
    ("template parameter", 1024, lambda n: Template("t", "es", ("x" * n,))),
    ("template name", 512, lambda n: Template("x" * n, "es")),
    ("caption", 1024, lambda n: File("image", media_id="1", caption="x" * n)),
]


@pytest.mark.parametrize(("name", "limit", "make"), LIMITS)
def test_limits(name: str, limit: int, make: Any) -> None:
    check(make(limit))
    with pytest.raises(TooLong, match=f"{name}: .*{limit}") as caught:
        check(make(limit + 1))
    assert (caught.value.part, caught.value.limit) == (name, limit)
    with pytest.raises(TooLong):
        to_json(make(limit + 1), ANA, "77")


@pytest.mark.parametrize(
    "message",
    [
        Text(" "),
        Choices("b", ()),
        Choices("", options(2)),
        Choices("b", (Option("a", "x"), Option("a", "y"))),
        Choices("b", (Option("a", ""),)),
        Template("t", "es", ("",)),
        File("image"),
        File("image", link="https://a", media_id="1"),
        File("image", link="file:///etc/passwd"),
        File("sticker", media_id="1", caption="c"),
        Reaction("👍", ""),
    ],
)
def test_what_is_no_message(message: Outbound) -> None:
    with pytest.raises(ValueError, match=":"):
        check(message)


def test_a_parameter_is_one_line() -> None:
    (component,) = part(Template("t", "es", ("Ana\n Ruiz\t x",)))["components"]
    assert component["parameters"] == [{"type": "text", "text": "Ana Ruiz x"}]


URL = "http(s)://image-url"
BUTTONS = (Option("<UNIQUE_BUTTON_ID_1>", "<BUTTON_TITLE_1>"), Option("<UNIQUE_BUTTON_ID_2>", "<BUTTON_TITLE_2>"))
META: dict[str, Outbound] = {
    "cloud_messages_send_text_message": Text("text-message-content"),
    "cloud_messages_send_reply_button": Choices("<BUTTON_TEXT>", BUTTONS),
    "cloud_messages_send_image_message_by_id": File("image", media_id="<IMAGE_OBJECT_ID>"),
    "cloud_messages_send_audio_message_by_id": File("audio", media_id="<AUDIO_OBJECT_ID>"),
    "cloud_messages_send_video_message_by_id": File("video", media_id="<VIDEO_OBJECT_ID>", caption="<VIDEO_CAPTION_TEXT>"),
    "cloud_messages_send_sticker_message_by_id": File("sticker", media_id="<MEDIA_OBJECT_ID>"),
    "cloud_messages_send_document_message_by_id": File(
        "document", media_id="<DOCUMENT_OBJECT_ID>", caption="<DOCUMENT_CAPTION_TO_SEND>", filename="<DOCUMENT_FILENAME>"
    ),
    "cloud_messages_send_reply_with_reaction_message": Reaction("<EMOJI>", "<WAM_ID>"),
}


@pytest.mark.parametrize("name", META)
def test_like_meta_s_examples(samples: Path, name: str) -> None:
    example = json.loads((samples / "meta-postman" / "outbound" / f"{name}.json").read_text("utf-8"))
    assert to_json(META[name], Recipient(phone=example["to"]), "") == example


def test_like_meta_s_template(samples: Path) -> None:
    file = samples / "meta-postman" / "outbound" / "cloud_examples_send_sample_shipping_confirmation_template.json"
    template = json.loads(file.read_text("utf-8"))["template"]
    del template["language"]["policy"]  # on-premises API only
    assert part(Template("sample_shipping_confirmation", "en_US", ("2",))) == template


def test_like_meta_s_list(samples: Path) -> None:
    file = samples / "meta-postman" / "outbound" / "cloud_messages_send_list_message.json"
    example = json.loads(file.read_text("utf-8"))["interactive"]
    ours = part(Choices("<BODY_TEXT>", (Option("i", "t", "d"), *options(3)), "<BUTTON_TEXT>", "<FOOTER_TEXT>"))
    assert {key: ours[key] for key in ("type", "body", "footer")} == {key: example[key] for key in ("type", "body", "footer")}
    assert ours["action"]["button"] == example["action"]["button"]
    (section,) = ours["action"]["sections"]
    assert section["rows"][0].keys() == example["action"]["sections"][0]["rows"][0].keys()
