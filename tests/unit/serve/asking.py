"""Asks one tenant's reports questions about answers that tests make up."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

from pulse.http import Reply
from pulse.reports.registry import REPORTS, Report
from pulse.serve.answer import answer
from pulse.serve.plan import Plan, plan_of
from pulse.serve.query import parse
from pulse.serve.years import TenantYears
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant
from tests.unit.serve.events import Answer, as_years, built, pairs

DAY = date(2026, 11, 20)
TENANT = Tenant("acme", "Acme", timezone="Europe/Berlin")
SECRET = Key("0" * 64, "secret", "acme", 0)
REPORT_KEY = replace(SECRET, kind="report")


def years(found: list[Answer], tenant: str = "acme") -> TenantYears:
    return {tenant: as_years(found)}


def plan(
    report: Report | str,
    found: list[Answer],
    query: str = "",
    *,
    key: Key = SECRET,
    tenant: Tenant = TENANT,
    content: str = "hash",
) -> Plan:
    report = REPORTS[report] if isinstance(report, str) else report
    known = built(tenant, found, content=content)
    return plan_of(report, parse(pairs(query), report), [known], key)


def ask(report: Report | str, found: list[Answer], query: str = "", **given: Any) -> Reply:
    return answer(plan(report, found, query, **given), years(found), query)


def body(report: Report | str, found: list[Answer], query: str = "", **given: Any) -> Any:
    return json.loads(ask(report, found, query, **given).body)


def many(n: int, **given: Any) -> list[Answer]:
    return [Answer(DAY, 4, **given)] * n


def countries(n: int) -> list[Answer]:
    return [Answer(DAY, 1 + number % 5, country=f"C{number:03}") for number in range(n)]
