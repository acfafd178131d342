"""Alembic's migrations, run by `mostrador migrate` (data/schema.py)."""
