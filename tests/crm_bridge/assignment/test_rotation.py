"""Four processes hand leads over at the same time, with absences, refusals and silence."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import pytest
from sqlalchemy import func, select

from crm_bridge.assignment import sellers
from crm_bridge.assignment.rules import TURN, cost_of
from data.tables import Assignment, Offer, TeamMember, User

LEADS = int(os.environ.get("ROTATION_LEADS", "60"))
"""In all; give it 10000 for the whole proof, which takes minutes."""


@pytest.mark.parametrize("weights", [(1, 1, 1, 1, 1), (4, 2, 1)])
async def test_four_processes_share_leads_and_lose_none(desk: Any, weights: tuple[int, ...], database_url: str) -> None:
    def hire(session: Any) -> None:
        names = range(len(desk.sellers), len(weights))
        people = [
            User(
                company_id=desk.company, email=f"{n}@una.co", name=f"V{n}", role="seller", password_hash="x", created_at=desk.now
            )
            for n in names
        ]
        session.add_all(people)
        session.flush()
        for user, weight in zip([*desk.sellers, *(row.id for row in people)], weights, strict=True):
            sellers.join(session, desk.team, user, weight)
            sellers.seller(session, user).capacity = 60

    await desk.do(hire)
    given = {"url": database_url, "company": desk.company, "number": desk.number, "team": desk.team, "leads": LEADS // 4}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.crm_bridge.assignment.rotation",
            json.dumps({**given, "node": node, "seed": node}),
            stdout=asyncio.subprocess.PIPE,
        )
        for node in range(1, 5)
    ]
    outs = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0] * 4
    assert [json.loads(out)["wrong"] for out, _ in outs] == [[]] * 4, "nobody absent or full was asked"

    def look(session: Any) -> tuple[Any, ...]:
        states = dict(session.execute(select(Assignment.state, func.count()).group_by(Assignment.state)).all())
        accepted = select(func.count()).where(Offer.state == "accepted").group_by(Offer.assignment_id)
        owners = list(session.scalars(accepted))
        standing = session.scalar(select(func.count(Offer.id)).where(Offer.state == "offered"))
        ledger = session.execute(select(TeamMember.weight, TeamMember.served, TeamMember.turns)).all()
        unowned = session.scalar(select(func.count(Assignment.id)).where(Assignment.user_id.is_(None)))
        return states, owners, standing, unowned, ledger

    states, owners, standing, unowned, ledger = await desk.do(look)
    assert sum(states.values()) == LEADS, "none is lost, none is there twice"
    assert states.keys() <= {"accepted", "closed"}
    assert (set(owners), standing, unowned) == ({1}, 0, 0), "each lead has one owner"
    served = [served for _, served, _ in ledger]
    longest = max(cost_of(weight) for weight in weights)
    assert max(served) - min(served) <= 2 * longest, f"in turns: {[round(each / TURN, 1) for each in served]}"
    assert sum(turns for _, _, turns in ledger) == sum(states.values()), [turns for _, _, turns in ledger]
