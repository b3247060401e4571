"""Rows of the daily tables that tests make up, and the report objects that a build makes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pulse import lake
from pulse.http import Reply
from pulse.reports import tenant_year
from pulse.reports.registry import REPORTS
from pulse.reports.rollups import ROLLUPS
from pulse.serve.answer import answer
from pulse.serve.plan import plan_of
from pulse.serve.query import parse
from pulse.serve.years import YearRows
from pulse.tenants.keys import Key
from pulse.tenants.tenant import TableState, Tenant
from tests import report_parts
from tests.unit.serve.events import pairs


def table_object(table: lake.DailyTable, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The object of these rows; a measure that a row lacks is 0, decimals are ten-thousandths."""
    schema = tenant_year.schema(table, ROLLUPS[table.name][0])
    columns = {
        field.name: pa.array([_value(field, row) for row in rows], field.type) for field in schema
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), sink)
    return report_parts.cube(table, [sink.getvalue().to_pybytes()])


def _value(field: Any, row: Mapping[str, Any]) -> Any:
    value = row.get(field.name)
    if pa.types.is_decimal(field.type):
        return Decimal(f"{value or 0}E-4")
    return value or 0 if pa.types.is_integer(field.type) else value


def by_year(rows: Sequence[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    """The rows of each calendar year, oldest first."""
    years = sorted({row["day"].year for row in rows})
    return {year: [row for row in rows if row["day"].year == year] for year in years}


Tables = Mapping[str, Sequence[Mapping[str, Any]]]
"""A tenant's rows by their table's name."""


def read(tables: Tables, datasets: Sequence[lake.DailyTable]) -> list[YearRows]:
    """The tenant's objects in these tables, as they are read."""
    return [
        report_parts.as_year(table, table_object(table, some))
        for table in datasets
        for some in by_year(tables.get(table.name, [])).values()
    ]


def built(tenant: Tenant, tables: Tables, as_of_us: int = 1) -> Tenant:
    """The tenant whose record says that these rows were built."""
    states = {
        table: TableState(
            {
                year: report_parts.state((row["day"] for row in some), as_of_us=as_of_us)
                for year, some in by_year(tables.get(table, [])).items()
            },
            as_of_us=as_of_us,
        )
        for table in ("interactions", "sessions")
    }
    return replace(tenant, tables=states)


def ask(report: str, query: str, found: Sequence[tuple[Tenant, Tables]], key: Key) -> Reply:
    """The reply to a key of these tenants."""
    entry = REPORTS[report]
    parsed = parse(pairs(query), entry, across_tenants=key.kind == "operator")
    plan = plan_of(entry, parsed, [built(*one) for one in found], key)
    objects = {tenant.id: read(tables, plan.tables) for tenant, tables in found}
    return answer(plan, objects, query)
