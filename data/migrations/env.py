"""Alembic's entry: runs on the connection that data/schema.py hands over."""

from alembic import context

from data.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    user_module_prefix="data.types.",
)
with context.begin_transaction():
    context.run_migrations()
