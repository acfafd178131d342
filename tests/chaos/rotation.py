"""Leads that go round between sellers who come and go, handed over by four processes at once."""

from __future__ import annotations

from tests.chaos.books import Books
from tests.chaos.stage import Play, migrated
from tests.crm_bridge.assignment.shares import drive


async def rotation(play: Play) -> None:
    """Four processes share leads over PostgreSQL while sellers pass, go and come: fair shares, one owner each, none lost."""
    outcome = play.outcome
    async with migrated(outcome) as (server, database):
        books = Books(server.url)  # nothing crashes here: a commit need not wait for the disk
        await books.rows("ALTER SYSTEM SET synchronous_commit = off")
        await books.rows("SELECT pg_reload_conf()")
        shares = await drive(database, server.url, play.rounds, play.chance.randrange(10**6), play.progress)
        outcome.rounds = outcome.acknowledged = outcome.processed = shares.leads
        outcome.problems += shares.problems
        outcome.notes += shares.notes
