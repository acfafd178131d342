"""The pages: log-in, conversations, leads, dialogs. `setup` adds them to the application."""

from bot.web.routes import setup

__all__ = ["setup"]
