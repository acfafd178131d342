"""Typed settings from the environment and `.env`; the service refuses to start when one is wrong, naming it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from yarl import URL

from notifications.senders.email import read_sender, read_server


class WrongSettings(Exception):
    """A setting is missing or cannot be used; the message names the variable and says what it takes."""


class Settings(BaseSettings):
    """Every setting of the service; the names are the environment's."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    database_url: str = "sqlite:///var/mostrador.db"
    """Where everything is kept: sqlite:///path or postgresql://user:password@host/name."""
    redis_url: SecretStr = SecretStr("")
    """Wakes processes at once where there are several: redis://host:port/0. Empty: they look into the database."""
    secret_key: SecretStr = Field(min_length=32)
    """Signs forms, and makes the secret that Telegram shows us: at least 32 random characters."""
    public_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8080")
    """How browsers reach the service."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8080, ge=1, le=65535)
    """The port to listen on."""

    whatsapp_app_secret: SecretStr = SecretStr("")
    """The Meta app's secret, which signs webhooks; several, comma-separated, while it is being rotated."""
    whatsapp_verify_token: SecretStr = SecretStr("")
    """What Meta shows when it subscribes to the webhook."""
    whatsapp_token: SecretStr = SecretStr("")
    """The access token for all numbers that have none of their own."""
    whatsapp_graph_url: AnyHttpUrl = AnyHttpUrl("https://graph.facebook.com")
    """Meta's Graph API, or a local one."""
    whatsapp_graph_version: str = Field(default="v26.0", pattern=r"^v\d+\.\d+$")
    """The Graph API's version."""

    telegram_token: SecretStr = SecretStr("")
    """The Telegram bot's token; empty: no Telegram."""
    telegram_api_url: AnyHttpUrl = AnyHttpUrl("https://api.telegram.org")
    """Telegram's Bot API, or a local one."""

    smtp_url: SecretStr = SecretStr("")
    """The mail server that alerts leave by: smtp+starttls://user:password@host:587, smtps://… or smtp://…; empty: no e-mail."""
    alerts_from: str = Field(default="", validate_default=True)
    """Whom alerts are from: Mostrador <alertas@ejemplo.co>. Push services are told the address too. Needed with SMTP_URL."""

    nlu_backend: Literal["embedded", "rasa"] = "embedded"
    """What understands: the engine inside, or a Rasa server, with the engine where it does not answer."""
    rasa_url: SecretStr = Field(default=SecretStr(""), validate_default=True)
    """The Rasa server: http://host:5005, with ?token=… where it asks for one. Needed with NLU_BACKEND=rasa."""

    debounce_ms: int = Field(default=100, ge=0, le=10_000)
    """Messages of one person that come within this time are answered as one; 0 answers each by itself."""
    reconcile_seconds: float = Field(default=30.0, gt=0, le=600)
    """How long a message whose sending was not answered waits for its status before it is sent again."""
    media_dir: Path = Path("var/media")
    """Where received files are kept."""
    whisper_model: Path | None = None
    """The folder of a CTranslate2 Whisper model that turns voice notes into text; empty: people are asked to write."""
    writer_url: str = ""
    """The writing assistant: any server with OpenAI's chat completions, http://127.0.0.1:11434/v1; empty: there is none."""
    writer_key: SecretStr = SecretStr("")
    """What that server is shown; empty: nothing."""
    writer_model: str = Field(default="", validate_default=True)
    """The model that writes. Needed with WRITER_URL."""
    writer_seconds: float = Field(default=30.0, gt=0, le=300)
    """How long a draft may take; a model on a small server takes longer."""
    log_format: Literal["console", "json"] = "console"
    """How log lines are written."""

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        if (address := value.get_secret_value()) and not address.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("use redis://host:port/0, rediss://… or unix://…")
        return value

    @field_validator("whisper_model", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return value or None  # an empty path would be the current folder

    @field_validator("rasa_url")
    @classmethod
    def _server(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        address = value.get_secret_value()
        if address or info.data.get("nlu_backend") == "rasa":
            url = URL(address)
            if url.scheme not in ("http", "https") or not url.host:
                raise ValueError("use http://host:5005 or https://…; NLU_BACKEND=rasa needs it")
        return value

    @field_validator("writer_url")
    @classmethod
    def _writer(cls, value: str) -> str:
        url = URL(value)
        if value and (url.scheme not in ("http", "https") or not url.host or url.query or url.user):
            raise ValueError("use http://host:port/v1 or https://…; the key goes into WRITER_KEY")
        return value

    @field_validator("writer_model")
    @classmethod
    def _model(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("writer_url"):
            raise ValueError("name the model that WRITER_URL is to write with")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr) -> SecretStr:
        if address := value.get_secret_value():
            read_server(address)
        return value

    @field_validator("alerts_from")
    @classmethod
    def _sender(cls, value: str, info: ValidationInfo) -> str:
        if value or ("smtp_url" in info.data and info.data["smtp_url"].get_secret_value()):
            read_sender(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _supported(cls, value: str) -> str:
        try:
            address = make_url(value)
            backend = address.get_backend_name()
        except ArgumentError as error:
            raise ValueError("not an address; use sqlite:///path or postgresql://user:password@host/name") from error
        if backend not in ("sqlite", "postgresql"):
            raise ValueError(f"{backend} is not supported; use sqlite:///path or postgresql://user:password@host/name")
        if backend == "sqlite" and address.database in (None, "", ":memory:"):
            raise ValueError("give SQLite a file, such as sqlite:///var/mostrador.db")
        return value

    @property
    def app_secrets(self) -> tuple[bytes, ...]:
        return tuple(part.strip().encode() for part in self.whatsapp_app_secret.get_secret_value().split(",") if part.strip())


def load(**given: object) -> Settings:
    """Read the settings. WrongSettings lists every variable that is wrong, and why."""
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])).upper()}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()]
        raise WrongSettings("wrong settings (see .env.example):\n" + "\n".join(lines)) from None
