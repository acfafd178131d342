"""Failures on demand: what the local Graph API is told to answer instead of the truth."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.simulator.graph_errors import CODES


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next `times` sends, each with `probability`; of one business number, or of all (None).

    code        one of Meta's: an error body at once, or a `failed` status later, as Meta does for that code
    http        a bare HTTP status with an HTML body, as a proxy gives
    timeout     seconds without an answer, then the connection is cut; the message was not taken
    drop_reply  the message is taken and delivered, and then the connection is cut (with `timeout`: after that long)
    """

    number: str | None = None
    code: int | None = None
    http: int | None = None
    timeout: float | None = None
    drop_reply: bool = False
    times: int = 1
    probability: float = 1.0

    @classmethod
    def read(cls, given: dict[str, Any]) -> Fault:
        """A fault from JSON. ValueError says what is wrong with it."""
        try:
            fault = cls(**given)
        except TypeError:
            unknown = set(given) - set(cls.__dataclass_fields__)
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}") from None
        if not (fault.code is not None or fault.http or fault.timeout or fault.drop_reply):
            raise ValueError("one of code, http, timeout, drop_reply is needed")
        if fault.code is not None and fault.code not in CODES:
            raise ValueError(f"code: one of {', '.join(map(str, CODES))}")
        if fault.http is not None and not (isinstance(fault.http, int) and 400 <= fault.http <= 599):
            raise ValueError("http: 400 to 599")
        if fault.timeout is not None and not (isinstance(fault.timeout, int | float) and 0 < fault.timeout <= 300):
            raise ValueError("timeout: seconds, up to 300")
        if not (isinstance(fault.times, int) and fault.times >= 1 and 0 < fault.probability <= 1):
            raise ValueError("times: 1 or more; probability: above 0, up to 1")
        return fault


class Faults:
    """The faults that are still to happen, in the order in which they were asked for."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def draw(self, number: str) -> Fault | None:
        """The fault that hits this send of `number`, used up by one."""
        for at, fault in enumerate(self._faults):
            if fault.number in (None, number) and self._chance.random() < fault.probability:
                if fault.times > 1:
                    self._faults[at] = replace(fault, times=fault.times - 1)
                else:
                    del self._faults[at]
                return fault
        return None

    def view(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]
