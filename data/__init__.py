"""Persistence only: tables, sessions, migrations, seeds."""
