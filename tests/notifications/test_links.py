"""Signed links: they mean what was signed, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifications.links import Link, LinkExpired, LinkForged, read, sign

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=24)
SECRET = "k" * 40


def test_a_link_means_what_was_signed() -> None:
    for action in ("accept", "pass"):
        token = sign(SECRET, alert_id=2**62, action=action, expires=LATER)
        assert token.isascii()
        assert token.replace("-", "").replace("_", "").isalnum()
        assert read(SECRET, token, NOW) == Link(2**62, action, LATER)
    with pytest.raises(ValueError, match="not in"):
        sign(SECRET, alert_id=1, action="delete", expires=LATER)


def test_it_ends_to_the_second() -> None:
    token = sign(SECRET, alert_id=1, action="accept", expires=LATER)
    assert read(SECRET, token, LATER - timedelta(seconds=1)).alert_id == 1
    with pytest.raises(LinkExpired):
        read(SECRET, token, LATER)


def test_no_character_of_it_can_be_changed() -> None:
    token = sign(SECRET, alert_id=7, action="pass", expires=LATER)
    for place in range(len(token)):
        for other in "AB_-z":
            if token[place] != other:
                with pytest.raises(LinkForged):
                    read(SECRET, token[:place] + other + token[place + 1 :], NOW)


@pytest.mark.parametrize("token", ["", "a", "ab", "ñandú", "=" * 66, "!" * 66, "A" * 66, "A" * 10_000, "%00"])
def test_what_is_no_link(token: str) -> None:
    with pytest.raises(LinkForged):
        read(SECRET, token, NOW)


def test_another_secret_and_a_longer_token() -> None:
    token = sign(SECRET, alert_id=7, action="pass", expires=LATER)
    for secret, given in (("j" * 40, token), (SECRET, token + "AAAA"), (SECRET, token[:-4])):
        with pytest.raises(LinkForged):
            read(secret, given, NOW)


def test_one_that_is_forged_and_over_is_forged() -> None:
    token = sign("j" * 40, alert_id=7, action="pass", expires=NOW - timedelta(days=1))
    with pytest.raises(LinkForged):
        read(SECRET, token, NOW)
