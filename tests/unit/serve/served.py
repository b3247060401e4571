"""serve_reports in memory: a tenant whose answers, comments and interactions are built.

Requests come as API Gateway hands them over, and pass keys, queries, plans and report objects.
"""

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, cast

import pyarrow as pa

from pulse import days, lake
from pulse.comments.month import SCHEMA, Month
from pulse.http import Door, reply_to
from pulse.serve.dimensions import DisplayNames
from pulse.serve.service import Reports
from pulse.serve.statements import Statements
from pulse.serve.years import Years
from pulse.store.names import Names
from pulse.tenants.access import Directory, TenantRecords
from pulse.tenants.keys import PREFIXES, Key, sha256
from pulse.tenants.tenant import TableState, Tenant, YearState
from tests import report_parts
from tests.unit.serve.events import Answer, as_piece, by_year
from tests.unit.serve.interactions import Tables, table_object
from tests.unit.serve.interactions import by_year as rows_by_year
from tests.unit.serve.test_every_object import Shelf

OWN = {"team": "tag1", "plan": "tag2"}
"""The column of each tag that is a dimension of the tenant."""
TENANT = Tenant(
    "acme", "Acme", min_sample=15, dimensions={key: ((days.FIRST_DAY, True),) for key in OWN}
)
GLOBEX = Tenant(
    "globex", "Globex", dimensions={key: TENANT.dimensions[key] for key in [*OWN][::-1]}
)
"""Another tenant, whose tags have each other's columns."""


@dataclass(frozen=True)
class Told(Answer):
    """An answer with its place among all answers, and what its customer wrote."""

    number: int = 0
    comment: str | None = None
    experience: Mapping[str, str | None] | None = None
    """What the customer went through, where an interaction is linked."""

    def dimension(self, name: str) -> str | None:
        """The answer's value of a dimension, also of the tenant's own and of the interaction's."""
        if name in lake.COMMENT_EXPERIENCE:
            return self.experience.get(name) if self.experience else None
        return super().dimension(OWN.get(name, name))

    @property
    def answered_us(self) -> int:
        """When it was given: later, the greater its number on a day, but for threes alike."""
        return days.noon(self.day, "UTC") + self.number // 3

    @property
    def id(self) -> str:
        """What the sender calls it."""
        return f"r{self.number:05}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that were sent with it."""
        return {key: value for key in OWN if (value := self.dimension(key)) is not None}


def invented(
    seed: int,
    size: int,
    first: date,
    last: date,
    scales: Sequence[tuple[str, str]],
    *,
    bad: bool = True,
) -> list[Told]:
    """Random answers on these scales. The team of the south is worse, and if `bad` some days are.

    These are at most a quarter of the days. Most answers are then Austrian tickets that are bad.
    """
    chance = random.Random(seed)
    span = (last - first).days
    length = chance.randint(0, span // 4)
    bad_from = first + timedelta(days=chance.randint(0, span - length))
    bad_days = {bad_from + timedelta(days=n) for n in range(length + 1)} if bad else set()
    some = (first + timedelta(days=chance.randint(0, span)) for _ in range(size))
    return [
        _one(chance, number, day, *chance.choice(scales), is_bad=day in bad_days)
        for number, day in enumerate(some)
    ]


def _one(
    chance: random.Random, number: int, day: date, metric: str, scale: str, *, is_bad: bool
) -> Told:
    low, high = (int(end) for end in scale.split(":")[0].split("-"))
    is_austrian = chance.random() < (0.7 if is_bad else 0.15)
    team = chance.choice(["north", "south", "(x)", None])
    height = chance.random() ** (6 if is_bad and is_austrian else 1 if team == "south" else 0.4)
    if scale.endswith(":low"):
        height = 1 - height
    return Told(
        day,
        round(low + (high - low) * height),
        metric,
        scale,
        survey=chance.choice(["s1", "s2"]),
        channel=chance.choices(
            ["chat", "ticket", "in-app"], [1, 20, 1] if is_bad and is_austrian else [6, 5, 1]
        )[0],
        agent=chance.choice(["ada", "Ümit, B.", "eve", "zoe", None]),
        country="AT" if is_austrian else chance.choice(["DE", "DE", "CH", None]),
        browser=chance.choices(["Firefox", None], [9, 1])[0],
        os=chance.choices(["Linux", "iOS"], [40, 1])[0],
        device=chance.choices(["mobile", "desktop", "bot"], [5, 5, 1])[0],
        tag1=team,
        tag2=chance.choice(["pro", "free", "(other)"]),
        number=number,
        comment=_comment(chance, is_bad=height < 0.4) if chance.random() < 0.7 else None,
    )


WORDS = (
    *("der", "die", "und", "zu", "lange", "gewartet", "Rückruf", "Straße", "STRASSE"),
    *("can't", "Can\u2019t", "the", "app", "3", "كانت", "سيئة"),
)
BAD_WORDS = ("abgestürzt", "app crashed", "よくない", "sehr schlecht 😠")
GOOD_WORDS = ("freundlich", "well done", "很好吃", "merci 👍")


def _comment(chance: random.Random, *, is_bad: bool) -> str:
    told = chance.choices(WORDS, k=chance.randint(1, 6))
    planted = chance.choice(BAD_WORDS if is_bad else GOOD_WORDS)
    told.insert(chance.randint(0, len(told)), planted)
    return "".join(word + chance.choice([" ", " ", " ", ". ", ", "]) for word in told).strip()


class _Records:
    """The tenants and their keys as the table has them."""

    def __init__(self, tenants: Sequence[Tenant], keys: Mapping[str, Key]) -> None:
        self.tenants = {tenant.id: tenant for tenant in tenants}
        self.by_hash = {key.sha256: key for key in keys.values()}

    def key(self, sha256: str) -> Key | None:
        return self.by_hash.get(sha256)

    def get(self, tenant: str) -> Tenant | None:
        return self.tenants.get(tenant)

    def survey(self, tenant: str, survey: str) -> None:
        return None

    def surveys(self, tenant: str) -> list[Any]:
        return []


class _NoNames:
    """No agent has a name."""

    def agents(self, tenant: str) -> dict[str, str]:
        return {}


@dataclass
class Served:
    """The tenant once these answers and interactions are built."""

    answers: Sequence[Told]
    tables: Tables = field(default_factory=dict)
    tenant: Tenant = TENANT
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the tenant's bound report key is bound to."""
    globex: Sequence[Told] = ()
    """The answers of another tenant, whom an operator asks about beside it."""

    def __post_init__(self) -> None:
        bodies: dict[str, bytes] = {}
        swapped = [replace(one, tag1=one.tag2, tag2=one.tag1) for one in self.globex]
        tenants = [
            self._built(self.tenant, self.answers, self.tables, bodies),
            self._built(GLOBEX, swapped, {}, bodies),
        ]
        self._put_comments(bodies)
        self.keys = {
            "secret": self._key("secret"),
            "report": self._key("report"),
            "bound": self._key("report", self.filters),
            "operator": Key(sha256(self._text("operator")), "operator", None, 0),
        }
        records = _Records(tenants, self.keys)
        directory = Directory(cast(TenantRecords, records))
        names = DisplayNames(directory, cast(Names, _NoNames()))
        self._routes = Reports(
            directory, Years(Shelf(bodies)), names, cast(Statements, None)
        ).routes

    def ask(self, path: str, query: str, key: str = "secret") -> Any:
        """What a GET is answered with; it has to be 200."""
        report = path.removeprefix("/v1/reports/")
        query += f"&tenant={self.tenant.id},{GLOBEX.id}" if key == "operator" else ""
        route = path if report == path else "/v1/reports/{report}"
        reply = reply_to(
            self._routes,
            {
                "routeKey": f"GET {route}",
                "rawPath": path,
                "rawQueryString": query,
                "headers": {"authorization": f"Bearer {self._text(key)}"},
                "pathParameters": {"report": report},
                "requestContext": {
                    "http": {"method": "GET", "path": path, "sourceIp": "192.0.2.1"},
                    "requestId": "r-1",
                },
            },
            Door(""),
        )
        assert reply["statusCode"] == 200, reply["body"]
        return json.loads(reply["body"])

    def _key(self, kind: str, filters: Mapping[str, tuple[str, ...]] | None = None) -> Key:
        name = "bound" if filters is not None else kind
        digest = sha256(self._text(name))
        return Key(digest, kind, self.tenant.id, 0, filters=filters or {}, comments=True)

    @staticmethod
    def _text(name: str) -> str:
        return f"{PREFIXES['report' if name == 'bound' else name]}{name}"

    @staticmethod
    def _built(
        tenant: Tenant, answers: Sequence[Told], tables: Tables, bodies: dict[str, bytes]
    ) -> Tenant:
        """The tenant as its record is once these rows are built; the objects join the others."""
        states: dict[str, dict[int, YearState]] = defaultdict(dict)
        rows: list[tuple[lake.DailyTable, int, set[date], bytes]] = [
            (lake.SCORES, year, {one.day for one in some}, as_piece(some))
            for year, some in by_year(answers).items()
        ]
        rows += [
            (table, year, {row["day"] for row in some}, table_object(table, some))
            for table in lake.DAILY_TABLES[1:]
            for year, some in rows_by_year(tables.get(table.name, [])).items()
        ]
        for table, year, held, body in rows:
            cube = report_parts.cube_rows(table, [body])
            made = report_parts.lay(table, tenant.id, year, [(held, cube)])
            bodies.update(made.bodies)
            states[table.name][year] = made.state
        built = {
            table.name: TableState(states[table.name], as_of_us=1) for table in lake.DAILY_TABLES
        }
        return replace(tenant, tables=built)

    def _put_comments(self, bodies: dict[str, bytes]) -> None:
        months: dict[str, list[Told]] = defaultdict(list)
        for one in self.answers:
            if one.comment is not None:
                months[lake.comments_key(self.tenant.id, one.day)].append(one)
        for key, some in months.items():
            rows = pa.Table.from_pylist([_row(one) for one in some], SCHEMA)
            bodies[key] = Month(rows, {one.day: 1 for one in some}).encode()


def _row(one: Told) -> dict[str, Any]:
    return {
        "day": one.day,
        "answered_us": one.answered_us,
        "score": one.score,
        "response_id": one.id,
        "key_kind": "secret",
        "interaction": f"case-{one.number}",
        "comment": one.comment,
        "tags": list(one.tags.items()),
        **{name: one.dimension(name) for name in lake.SCORE_DIMENSIONS},
        **{name: one.dimension(name) for name in lake.COMMENT_EXPERIENCE},
    }
