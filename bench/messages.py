"""Made-up messages as ingest sends them, with real-looking browsers and addresses.

The same size gives the same messages. A few thousand User-Agents, the same for every size and some
far more often than others, and as many addresses as there are answers.
"""

import random
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from pulse import days
from pulse.ingest.message import ATTRIBUTE, Message

ITEMS = 500
"""The responses in each message of an import."""
USER_AGENTS = 3_000

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_MODELS = ("SM-A{}6B", "SM-S{}1U", "Pixel {}", "M20{}K6G", "CPH2{}", "XT2{}-3")
_COMMENT = "Thank you, that was quick and friendly. I only had to wait a minute."

Record = dict[str, Any]


def records(count: int, tenants: Sequence[str], *, now: datetime) -> list[Record]:
    """SQS records of single answers, as pages send them with a publishable key."""
    rng = random.Random(count)  # noqa: S311 - made-up data, the same each time
    agents = _user_agents()
    return [
        _record(
            number,
            Message(
                stream="responses",
                tenant=tenants[number % len(tenants)],
                key_kind="publishable",
                received_us=days.to_us(now),
                request_id=f"request-{number}",
                items=(_response(rng, number, now),),
                user_agent=_one(rng, agents),
            ),
            address=_address(rng),
        )
        for number in range(count)
    ]


def imports(count: int, tenants: Sequence[str], *, now: datetime) -> list[Record]:
    """SQS records of so many answers, as servers send them by the hundred."""
    rng = random.Random(count)  # noqa: S311 - made-up data, the same each time
    agents = _user_agents()
    return [
        _record(
            start,
            Message(
                stream="responses",
                tenant=tenants[start // ITEMS % len(tenants)],
                key_kind="secret",
                received_us=days.to_us(now),
                request_id=f"request-{start}",
                items=tuple(
                    _response(rng, number, now, ip=_address(rng), user_agent=_one(rng, agents))
                    for number in range(start, min(start + ITEMS, count))
                ),
            ),
        )
        for start in range(0, count, ITEMS)
    ]


def answer(number: int) -> dict[str, Any]:
    """The body of a request as a page sends it."""
    rng = random.Random(number)  # noqa: S311 - made-up data, the same each time
    return {
        "survey_id": "support",
        "score": rng.randint(1, 5),
        "channel": rng.choice(("chat", "ticket", "external")),
        "agent_id": f"agent-{rng.randrange(40):02d}",
        "interaction_id": f"case-{rng.randrange(10**8)}",
        "comment": _COMMENT,
        "tags": {"team": f"team-{rng.randrange(20)}"},
    }


def user_agent(number: int) -> str:
    """One of the browsers that customers have."""
    agents = _user_agents()
    return agents[number % len(agents)]


@cache
def _user_agents() -> list[str]:
    rng = random.Random(0)  # noqa: S311 - made-up data, the same each time
    return list({_user_agent(rng): None for _ in range(USER_AGENTS)})


def _record(number: int, message: Message, address: str = "") -> Record:
    sender = {ATTRIBUTE: {"stringValue": address, "dataType": "String"}} if address else {}
    return {
        "messageId": f"message-{number}",
        "body": message.encode(),
        "attributes": {"SentTimestamp": str(message.received_us // 1000)},
        "messageAttributes": sender,
    }


def _response(rng: random.Random, number: int, now: datetime, **client: Any) -> dict[str, Any]:
    case = answer(number)
    values = dict(
        survey=case["survey_id"],
        metric="csat",
        scale="1-5",
        response_id=f"response-{number}-{rng.getrandbits(40):x}",
        answered_us=days.to_us(now) - rng.randrange(days.DAY // 24),
        score=case["score"],
        channel=case["channel"],
        agent=case["agent_id"],
        agent_name=f"Agent {case['agent_id'][-2:]}",
        customer=f"customer-{rng.randrange(10**6)}" if rng.random() < 0.7 else None,
        interaction=case["interaction_id"],
        comment=case["comment"] if rng.random() < 0.2 else None,
        tags=case["tags"] if rng.random() < 0.5 else None,
        **client,
    )
    return {name: value for name, value in values.items() if value is not None}


def _address(rng: random.Random) -> str:
    return ".".join(str(rng.randint(1, 223)) for _ in range(4))


def _one(rng: random.Random, agents: Sequence[str]) -> str:
    """One of these User-Agents, the first ones more often than the last."""
    return agents[int(len(agents) ** rng.random()) - 1]


def _user_agent(rng: random.Random) -> str:
    version = f"{rng.randint(90, 142)}.0.{rng.randint(0, 7400)}.{rng.randint(0, 200)}"
    kind = rng.random()
    if kind < 0.35:
        return f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/{version} Safari/537.36"
    if kind < 0.65:
        ios = f"{rng.randint(13, 18)}_{rng.randint(0, 7)}_{rng.randint(0, 3)}"
        build = f"{rng.randint(13, 22)}{rng.choice('ABCDEFG')}{rng.randint(10, 399)}"
        return (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS {ios} like Mac OS X) AppleWebKit/605.1.15 "
            f"(KHTML, like Gecko) Version/{ios[:2]}.{ios[3]} Mobile/{build} Safari/604.1"
        )
    if kind < 0.95:
        model = rng.choice(_MODELS).format(rng.randint(10, 99))
        return (
            f"Mozilla/5.0 (Linux; Android {rng.randint(8, 16)}; {model}) {_WEBKIT} "
            f"Chrome/{version} Mobile Safari/537.36"
        )
    return (
        f"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:{rng.randint(90, 142)}.0) "
        f"Gecko/20100101 Firefox/{rng.randint(90, 142)}.0"
    )
