"""Four processes hand leads over at the same time, with absences, refusals and silence. `python -m tests.chaos --only rotation`
does so with ten thousand leads."""

from __future__ import annotations

from data.session import connect
from tests.crm_bridge.assignment.shares import drive


async def test_four_processes_share_leads_and_lose_none(database_url: str) -> None:
    database = connect(database_url)
    shares = await drive(database, database_url, leads=60, seed=7)
    await database.close()
    assert shares.problems == [], shares.notes
