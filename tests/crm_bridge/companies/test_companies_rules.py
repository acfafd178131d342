"""Passwords, codes and hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from crm_bridge.companies import hours, rules

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("corta", rules.PasswordTooShort),
        ("x" * 201, rules.PasswordTooLong),
        ("aaaaaaaaaaaa", rules.PasswordGuessable),
        ("la-de-marcela-2026", rules.PasswordGuessable),
    ],
)
def test_weak_passwords_are_refused(password: str, refusal: type[rules.Refusal]) -> None:
    with pytest.raises(refusal):
        rules.check_password(password, "marcela@una.co")
    rules.check_password("un café con leche", "marcela@una.co")


def test_a_password_fits_its_own_hash_only() -> None:
    hashed = rules.hash_password("un café con leche")
    assert hashed.startswith("$argon2id$")
    assert rules.password_fits("un café con leche", hashed)
    assert not rules.password_fits("un cafe con leche", hashed)
    assert not rules.password_fits("no account has this password", None)
    assert not rules.password_fits("un café con leche", "not a hash")


def test_a_code_fits_one_step_early_or_late_and_only_after_the_last_used() -> None:
    secret = pyotp.random_base32()
    step = int(NOW.timestamp()) // 30
    for late in (-30, 0, 30):
        code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=late))
        assert rules.code_step(secret, code, NOW, 0) == step + late // 30
        assert rules.code_step(secret, code, NOW, step + 1) is None
    assert rules.code_step(secret, pyotp.TOTP(secret).at(NOW + timedelta(seconds=90)), NOW, 0) is None
    assert rules.code_step(secret, "", NOW, 0) is None


def test_hours_are_read_as_people_write_them() -> None:
    read = rules.read_hours({"mon": "14:00 - 18:00, 9:00–13:00", "tue": "", "sat": "9:00-12:00,"})
    assert read == {"mon": ["09:00-13:00", "14:00-18:00"], "sat": ["09:00-12:00"]}
    assert not hours.problems(read)
    assert hours.problems(rules.read_hours({"mon": "de nueve a seis"}))
