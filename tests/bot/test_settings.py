"""A wrong setting stops the start, and is named."""

from __future__ import annotations

import pytest

from bot.settings import WrongSettings, load

RIGHT = {"secret_key": "k" * 40}
WRONG = [
    ("SECRET_KEY", {"secret_key": "short"}),
    ("DATABASE_URL", {"database_url": "var/mostrador.db"}),
    ("DATABASE_URL", {"database_url": "mysql://root@localhost/x"}),
    ("DATABASE_URL", {"database_url": "sqlite://"}),
    ("DATABASE_URL", {"database_url": "sqlite:///:memory:"}),
    ("PUBLIC_URL", {"public_url": "mostrador.example"}),
    ("PORT", {"port": "0"}),
    ("PORT", {"port": "http"}),
    ("WHATSAPP_GRAPH_URL", {"whatsapp_graph_url": "ftp://graph.facebook.com"}),
    ("WHATSAPP_GRAPH_VERSION", {"whatsapp_graph_version": "26"}),
    ("TELEGRAM_API_URL", {"telegram_api_url": "telegram"}),
    ("DEBOUNCE_MS", {"debounce_ms": "-1"}),
    ("RECONCILE_SECONDS", {"reconcile_seconds": "0"}),
    ("LOG_FORMAT", {"log_format": "xml"}),
]


@pytest.mark.parametrize(("name", "given"), WRONG)
def test_a_wrong_setting_is_named(name: str, given: dict[str, str]) -> None:
    with pytest.raises(WrongSettings) as told:
        load(_env_file=None, **RIGHT | given)
    lines = str(told.value).splitlines()[1:]
    assert [line.strip().split(":")[0] for line in lines] == [name]


def test_all_that_is_wrong_is_named_at_once_and_no_secret_is_shown() -> None:
    with pytest.raises(WrongSettings) as told:
        load(_env_file=None, secret_key="hunter2", port=0, log_format="xml")
    assert {"SECRET_KEY", "PORT", "LOG_FORMAT"} <= {line.strip().split(":")[0] for line in str(told.value).splitlines()}
    assert "hunter2" not in str(told.value)


def test_several_app_secrets_are_told_apart() -> None:
    settings = load(_env_file=None, **RIGHT, whatsapp_app_secret=" new , old,")
    assert settings.app_secrets == (b"new", b"old")
    assert load(_env_file=None, **RIGHT, whatsapp_app_secret="").app_secrets == ()
