"""The Anonymous Bank's calls of February 1999 as voice interactions.

The file (Technion, A. Mandelbaum) has a line a call: a date, and times of day without one, of
which 0:00:00 says "not reached". What is made of it here, and nowhere else:

- entered is the VRU's entry; offered the queue's start, else the service's; accepted the service's
  start where the outcome is AGENT; finished the service's exit, else the VRU's; abandoned HANG.
- PHANTOM calls, which no customer made, are left out.
- A time of day more than half a day before the call entered is of the next day.
- The clocks of the machines differ: a milestone a second or two before the one that it follows is
  taken to be of the same second.
- type is the service type, priority the customer segment.
"""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

FILE = "anonymous_bank_1999-02.txt"
ZONE = "Asia/Jerusalem"
_NOT_REACHED = "0:00:00"
_HALF_A_DAY = timedelta(hours=12)


def interactions(folder: Path) -> Iterator[dict[str, Any]]:
    """Every call as POST /v1/interactions takes it, in the file's order."""
    with (folder / FILE).open(newline="") as file:
        for call in csv.DictReader(file, delimiter="\t"):
            if call["outcome"] != "PHANTOM":
                yield _interaction(call)


def _interaction(call: dict[str, str]) -> dict[str, Any]:
    entered = _at(call, "vru_entry")
    is_accepted = call["outcome"] == "AGENT" and call["ser_start"] != _NOT_REACHED
    offered = _first(call, "q_start", "ser_start")
    accepted = _first(call, "ser_start") if is_accepted else None
    finished = _first(call, "ser_exit", "vru_exit")
    milestones: dict[str, str] = {}
    latest = entered
    for name, moment in (
        ("offered_at", offered),
        ("accepted_at", accepted),
        ("finished_at", finished),
    ):
        if moment is not None:
            latest = max(latest, moment)
            milestones[name] = latest.isoformat()
    return {
        "interaction_id": f"{call['date']}/{call['vru+line']}/{call['call_id']}",
        "media_type": "voice",
        "entered_at": entered.isoformat(),
        "service_type": call["type"],
        "customer_segment": call["priority"],
        "agent_id": None if call["server"] == "NO_SERVER" else call["server"],
        "abandoned": call["outcome"] == "HANG",
        **milestones,
    }


def _first(call: dict[str, str], *columns: str) -> datetime | None:
    """The first of these times that was reached, on the day on which it must have been."""
    reached = [column for column in columns if call[column] != _NOT_REACHED]
    if not reached:
        return None
    moment = _at(call, reached[0])
    if _at(call, "vru_entry") - moment > _HALF_A_DAY:
        moment += timedelta(days=1)
    return moment


def _at(call: dict[str, str], column: str) -> datetime:
    text = f"{call['date']} {call[column]}"
    return datetime.strptime(text, "%y%m%d %H:%M:%S").replace(tzinfo=ZoneInfo(ZONE))
