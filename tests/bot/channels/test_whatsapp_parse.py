from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import UNKNOWN_TIME, Inbound, Notice, Parsed, Sender, Status
from bot.channels.whatsapp_parse import parse

BSUID = "CO.13491208655302741918"
ANA = {"profile": {"name": "Ana Ruiz"}, "wa_id": "573001112233", "user_id": BSUID}
SKU = {"product_retailer_id": "A-1", "quantity": 1, "item_price": 9.5, "currency": "COP"}
EDITED = {"type": "text", "text": {"body": "ya"}}
LUIS = {"profile": {"name": "Luis"}, "wa_id": "573004445566"}


def body(*messages: Any, field: str = "messages", contacts: Any = (ANA, LUIS), **value: Any) -> bytes:
    """A webhook body of our number 111 with these messages."""
    value = {"metadata": {"phone_number_id": "111"}, "contacts": contacts, "messages": messages, **value}
    change = {"field": field, "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "9", "changes": [change]}]}).encode()


def text(words: str = "hola", **other: Any) -> dict[str, Any]:
    return {"from": ANA["wa_id"], "id": "wamid.1", "timestamp": "1700000000", "type": "text", "text": {"body": words}} | other


def only(parsed: Parsed) -> Inbound:
    (item,) = parsed.items
    assert isinstance(item, Inbound)
    return item


def test_a_text() -> None:
    message = only(parse(body(text("¿Precio? 😀"))))
    sender = Sender(phone="573001112233", bsuid=BSUID, name="Ana Ruiz")
    at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert message == Inbound("whatsapp", "111", "wamid.1", sender, at, "text", "¿Precio? 😀")


@pytest.mark.parametrize("timestamp", ["1700000000", 1700000000, 1700000000.0])
def test_times(timestamp: object) -> None:
    assert only(parse(body(text(timestamp=timestamp)))).at.year == 2023


@pytest.mark.parametrize("timestamp", ["mañana", None, 0, -5, "", 10**30, 1e300, "9" * 5000, 99999999999])
def test_no_time_is_reported_and_the_message_kept(timestamp: object) -> None:
    parsed = parse(body(text(timestamp=timestamp)))
    assert only(parsed).at == UNKNOWN_TIME
    assert parsed.problems == ("entry[0].changes[0].value.messages[0].timestamp: not a time",)


def test_contacts_go_by_identity_not_by_place() -> None:
    luis, ana, unknown = text() | {"from": LUIS["wa_id"]}, text(), text() | {"from": "579"}
    bsuid = text(from_user_id=BSUID) | {"from": None}
    parsed = parse(body(luis, ana, bsuid, unknown))
    senders = [(item.sender.name, item.sender.phone, item.sender.bsuid) for item in parsed.items if isinstance(item, Inbound)]
    assert senders == [
        ("Luis", "573004445566", None),
        ("Ana Ruiz", "573001112233", BSUID),
        ("Ana Ruiz", "573001112233", BSUID),
        (None, "579", None),
    ]


def test_a_message_that_names_nobody() -> None:
    nameless = text() | {"from": None}
    assert only(parse(body(nameless, contacts=[ANA]))).sender.phone == "573001112233"
    parsed = parse(body(nameless, text()))
    assert only(parsed).sender.name == "Ana Ruiz"
    assert parsed.problems == ("entry[0].changes[0].value.messages[0]: no sender",)


@pytest.mark.parametrize("contacts", [None, [], "no", [5, ANA, {"profile": 7}]])
def test_contacts_absent_or_broken(contacts: object) -> None:
    parsed = parse(body(text(), contacts=contacts))
    assert only(parsed).sender.phone == "573001112233"
    assert bool(parsed.problems) == bool(contacts)


def test_one_malformed_message_does_not_lose_its_neighbours() -> None:
    first, bad, last = text("a", id="1"), text(id="2") | {"text": "no object"}, text("c", id="3")
    statuses = [{"id": "w", "status": "read", "timestamp": 1}, 5, {"id": "w", "status": "sent", "timestamp": 1}]
    parsed = parse(body(first, bad, last, statuses=statuses))
    assert [item.external_id for item in parsed.items if isinstance(item, Inbound)] == ["1", "3"]
    assert [item.status for item in parsed.items if isinstance(item, Status)] == ["read", "sent"]
    paths = [problem.partition(":")[0] for problem in parsed.problems]
    assert paths == ["entry[0].changes[0].value.messages[1]", "entry[0].changes[0].value.statuses[1]"]


def test_broken_entries_and_changes_stand_alone() -> None:
    whole = json.loads(body(text()))
    whole["entry"] = [7, *whole["entry"], {"id": 1, "changes": [None, *whole["entry"][0]["changes"]]}, {"changes": {}}]
    parsed = parse(json.dumps(whole).encode())
    assert [item.external_id for item in parsed.items if isinstance(item, Inbound)] == ["wamid.1", "wamid.1"]
    assert [problem.partition(":")[0] for problem in parsed.problems] == ["entry[0]", "entry[3].changes"]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": None}, ("text", "hola")),
        ({"type": "poll_creation"}, ("unsupported", "")),
        ({"type": "image"}, ("unsupported", "")),
        ({"type": "image", "image": {"id": 42, "caption": "mira"}}, ("image", "mira")),
        ({"type": "audio", "audio": {"id": "a", "voice": True}}, ("voice", "")),
        ({"type": "voice", "voice": {"id": "a"}}, ("voice", "")),
        ({"type": "location", "location": {"latitude": "4.6", "longitude": -74}}, ("location", "")),
        ({"type": "location", "location": {"latitude": 400, "longitude": -74}}, ("unsupported", "")),
        ({"type": "location", "location": {"latitude": "nan", "longitude": 0}}, ("unsupported", "")),
        ({"type": "order", "order": {"product_items": [SKU | {"quantity": "2"}]}}, ("order", "")),
        ({"type": "order", "order": {"product_items": [SKU | {"quantity": 1.5}]}}, ("unsupported", "")),
        ({"type": "edit", "edit": {"original_message_id": "w", "message": EDITED}}, ("edit", "ya")),
        ({"type": "request_welcome"}, ("system", "")),
    ],
)  # fmt: skip
def test_content(part: dict[str, Any], expected: tuple[str, str]) -> None:
    message = only(parse(body(text() | part)))
    assert (message.kind, message.text) == expected


@pytest.mark.parametrize(
    ("response", "form"),
    [
        ('{"mail": "a@b.co", "n\\u0000": "\\ud800"}', {"mail": "a@b.co", "n": "\ufffd"}),
        ({"already": "an object"}, {"already": "an object"}),
        ("[1]", None),
        ("not json", None),
        ("[" * 5000, None),
        (None, None),
    ],
)
def test_a_flow_s_answer_need_not_be_an_object(response: object, form: object) -> None:
    interactive = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": response}}
    message = only(parse(body(text(type="interactive", interactive=interactive))))
    assert (message.kind, message.text, message.form) == ("flow", "Sent", form)


def test_an_echo_is_from_us_to_the_customer() -> None:
    echo = text("ya te llamo") | {"from": "57111", "to": ANA["wa_id"]}
    message = only(parse(body(field="smb_message_echoes", message_echoes=[echo])))
    assert (message.kind, message.echoed, message.sender.name, message.text) == ("echo", "text", "Ana Ruiz", "ya te llamo")


def test_an_identity_change_keeps_the_new_identity() -> None:
    system = {"type": "user_changed_user_id", "user_id": "CO.2", "new_wa_id": "573009", "body": "cambió"}
    message = only(parse(body(text(type="system", system=system))))
    assert message.system == system | {"wa_id": "573009"}


def test_a_payment_s_status_is_no_message_s() -> None:
    payment = {"id": "w", "type": "payment", "status": "failed", "timestamp": 1}
    (notice,) = parse(body(statuses=[payment])).items
    assert notice == Notice("whatsapp", "statuses", "9", payment, "111")


def test_a_group_is_not_a_talk() -> None:
    (notice,) = parse(body(text(group_id="g"))).items
    assert isinstance(notice, Notice)
    assert notice.field == "group_messages"


def test_a_failed_status() -> None:
    error = {"code": "131047", "title": "Re-engagement message", "error_data": {"details": "24 h"}}
    status = {"id": "w", "status": "failed", "timestamp": 1, "recipient_id": "573001112233", "errors": [error]}
    (item,) = parse(body(statuses=[status | {"biz_opaque_callback_data": "77"}])).items
    assert isinstance(item, Status)
    assert (item.callback, item.code, item.detail) == ("77", 131047, "131047 Re-engagement message: 24 h")
    assert item.sender == Sender(phone="573001112233", bsuid=BSUID, name="Ana Ruiz")


@pytest.mark.parametrize("field", ["account_alerts", "user_id_update", "phone_number_quality_update", "algo_nuevo"])
@pytest.mark.parametrize("value", [{"a": 1}, [1], "x", 2**80])
def test_everything_else_is_a_notice(field: str, value: object) -> None:
    whole = {"object": "whatsapp_business_account", "entry": [{"id": 9, "changes": [{"field": field, "value": value}]}]}
    (notice,) = parse(json.dumps(whole).encode()).items
    assert isinstance(notice, Notice)
    assert (notice.field, notice.account) == (field, "9")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"null", b"7", b'"x"', b"NaN", b"{}", b'{"object":"page"}', b'{"object":5}', b"\xff\xfe",
        b'{"object":"whatsapp_business_account","entry":"\xff"}',
        b'{"object":"whatsapp_business_account","entry":[NaN]}',
        b"[" * 200_000, b'{"object":"whatsapp_business_account","entry":' + b"[" * 200_000,
        b'{"object":"whatsapp_business_account","entry":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
)  # fmt: skip
def test_not_a_webhook_body(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not a w"):
        parse(raw)


def test_strange_text_is_cleaned() -> None:
    raw = body(text("MARK")).replace(b"MARK", rb"a\u0000b\ud83d \u200f" + b"x" * 70_000)
    words = only(parse(raw)).text
    assert words.startswith("ab\ufffd \u200fxxx")
    assert 65_530 <= len(words) <= 65_536


def test_a_bottomless_part_costs_only_its_message() -> None:
    referral: Any = "x"
    for _ in range(100):
        referral = {"a": referral}
    parsed = parse(body(text(referral=referral), text("b", id="2")))
    assert only(parsed).text == "b"
    assert parsed.problems == ("entry[0].changes[0].value.messages[0]: nested too deep",)


# ------------------------------------------------------------------------------------------- whatever comes
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e308, 1e308) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
PARTS: tuple[dict[str, Any], ...] = (
    text(context={"id": "w", "forwarded": True, "referred_product": {"product_retailer_id": "p"}}, referral={"source_id": "1"}),
    {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "caption": "c", "sha256": "s"}},
    {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "i", "title": "t"}}},
    {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{}", "body": "b"}}},
    {"type": "contacts", "contacts": [{"name": {"formatted_name": "n"}, "phones": [{"phone": "1"}], "emails": [{"email": "e"}]}]},
    {
        "type": "order",
        "order": {"product_items": [{"product_retailer_id": "p", "quantity": 1, "item_price": 2, "currency": "COP"}]},
    },
    {"type": "edit", "edit": {"original_message_id": "w", "message": {"type": "text", "text": {"body": "b"}}}},
    {"type": "system", "system": {"type": "user_changed_number", "wa_id": "5", "body": "b"}},
    {"type": "location", "location": {"latitude": 1, "longitude": 2, "name": "n"}},
    {"type": "unsupported", "errors": [{"code": 131051, "title": "t", "error_data": {"details": "d"}}]},
)


@st.composite
def mutated(draw: st.DrawFn, whole: Any) -> Any:
    """`whole` with one thing somewhere inside replaced by anything."""
    if not isinstance(whole, (dict, list)) or not whole or draw(st.integers(0, 3)) == 0:
        return draw(JSON)
    keys = sorted(whole) if isinstance(whole, dict) else range(len(whole))
    key = draw(st.sampled_from(keys))
    copy = whole.copy()
    copy[key] = draw(mutated(whole[key]))
    return copy


@given(st.data(), st.sampled_from(PARTS))
def test_no_message_however_broken_loses_its_neighbours(data: st.DataObject, part: dict[str, Any]) -> None:
    broken = data.draw(mutated(text(id="2") | part))
    parsed = parse(body(text("a", id="before"), broken, text("c", id="after")))
    ids = [item.external_id for item in parsed.items if isinstance(item, Inbound)]
    assert ids[0] == "before"
    assert ids[-1] == "after"
    assert len(ids) == 3 or any("messages[1]" in problem for problem in parsed.problems) or broken is None or "group_id" in broken
    msgspec.json.encode(parsed)


@given(st.data())
def test_a_body_with_anything_in_it_is_read_or_refused(data: st.DataObject) -> None:
    statuses = [{"id": "w", "status": "sent", "timestamp": "1", "recipient_id": "5", "errors": [{"code": 1}]}]
    whole = data.draw(mutated(json.loads(body(*(text() | part for part in PARTS), statuses=statuses))))
    try:
        parsed = parse(json.dumps(whole).encode())
    except ValueError:
        return
    stored = msgspec.json.encode(parsed)
    assert b"\\u0000" not in stored


@given(st.data())
def test_a_garbled_body_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(body(*(text() | part for part in PARTS)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    try:
        parsed = parse(bytes(raw))
    except ValueError:
        return
    msgspec.json.encode(parsed)
