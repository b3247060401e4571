"""serve_reports' routes: who asks, what for, and the reply's headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pulse.errors import ForbiddenError, NotFoundError
from pulse.http import Call, Reply, Route
from pulse.reports.registry import REPORTS, Report
from pulse.serve.catalogue import catalogue
from pulse.serve.openapi import document
from pulse.serve.query import parse
from pulse.serve.questions import Question
from pulse.serve.years import Years
from pulse.settings import ServeReportsSettings
from pulse.store.clients import client, unavailable_on_failure
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.access import Directory, authenticate, require_kind
from pulse.tenants.keys import Key
from pulse.tenants.tenant import Tenant

_HEADERS = {
    "Cache-Control": "private, max-age=60",
    "Vary": "Authorization, X-Api-Key, Accept",
}


@dataclass(frozen=True)
class Reports:
    """Answers what is read under /v1: reports, their catalogue, the interface's description."""

    directory: Directory
    years: Years

    @classmethod
    def from_settings(cls, settings: ServeReportsSettings) -> Self:
        """serve_reports on the table and the bucket that template.yaml names."""
        for service in ("dynamodb", "s3"):
            client(service, hurried=True)  # here, because years are read by threads at once
        directory = Directory(Tenants(settings.table, hurried=True))
        return cls(directory, Years(Objects(settings.lake_bucket, hurried=True)))

    @property
    def routes(self) -> Mapping[str, Route]:
        """API Gateway's route keys and what answers them."""
        return {
            "GET /v1/reports": _with_outages(self.catalogue),
            "GET /v1/reports/{report}": _with_outages(self.report),
            "GET /v1/openapi.json": self.openapi,
        }

    def catalogue(self, call: Call) -> Reply:
        """What there is to be asked; any key that may read some of it."""
        key = authenticate(call, self.directory)
        require_kind(key, "report", "secret", "operator")
        return Reply.json(200, catalogue(), _HEADERS)

    def openapi(self, call: Call) -> Reply:
        """The OpenAPI document; needs no key."""
        return Reply.json(200, document(), {"Cache-Control": "public, max-age=300"})

    def report(self, call: Call) -> Reply:
        """One page of one report, or 304 where the caller has it.

        Raises the RequestError that API.md names for a key, report or query at fault.
        """
        key = authenticate(call, self.directory)
        tenant = self._tenant(key)
        report = _named(call.path_parameters["report"])
        query = parse(call.query, report, call.headers.get("accept", ""))
        question = Question.ask(report, query, tenant, key)
        years = self.years.read(report.family, tenant, question.dates.years)
        if not question.goes_on_in(years):
            # the page before may come from a process that knew a newer build than this one
            years = self.years.read(report.family, tenant, question.dates.years, anew=True)
        etag = question.etag(years)
        headers = {"ETag": etag, **_HEADERS}
        if question.goes_on_in(years) and _has(call, etag):
            return Reply(304, headers=headers)
        reply = question.reply(years, call.raw_query)
        return Reply(reply.status, reply.body, {**headers, **reply.headers})

    def _tenant(self, key: Key) -> Tenant:
        """The tenant whose reports the key reads."""
        if key.kind == "operator":
            raise ForbiddenError(
                "operator_not_yet",
                "Operator keys cannot read reports yet; use a report key of the tenant.",
            )
        require_kind(key, "report", "secret")
        tenant = self.directory.tenant(key.tenant) if key.tenant else None
        if tenant is None:
            raise ForbiddenError("tenant_unknown", "The key's tenant does not exist.")
        return tenant


def _with_outages(route: Route) -> Route:
    """The route, which answers 503 where the table or the lake cannot be read just now."""

    def answered(call: Call) -> Reply:
        with unavailable_on_failure():
            return route(call)

    return answered


def _named(name: str) -> Report:
    if name not in REPORTS:
        raise NotFoundError(
            "unknown_report", f"There is no such report. There are: {', '.join(REPORTS)}."
        )
    return REPORTS[name]


def _has(call: Call, etag: str) -> bool:
    """Does If-None-Match name this reply? A proxy that compresses may have made it weak."""
    named = call.headers.get("if-none-match", "").split(",")
    return any(name.strip().removeprefix("W/") in (etag, "*") for name in named)
