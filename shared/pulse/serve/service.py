"""serve_reports' routes: who asks, what for, and the reply's headers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.resources import files
from typing import Any, Self

from pulse.errors import (
    ForbiddenError,
    GoneError,
    NewerFormatError,
    NotFoundError,
    UnavailableError,
)
from pulse.http import JSON, Call, Reply, Route
from pulse.observe import logger
from pulse.reports.registry import REPORTS, Report
from pulse.serve import identity
from pulse.serve.answer import answer
from pulse.serve.catalogue import catalogue
from pulse.serve.comments.found import MOST_READ
from pulse.serve.comments.routes import CommentAnswers
from pulse.serve.cursors import fingerprint
from pulse.serve.dimensions import DisplayNames, ValueSearch
from pulse.serve.distributed import Distributed
from pulse.serve.feeds import fed
from pulse.serve.formats import to_json
from pulse.serve.insights import insights_query
from pulse.serve.insights.drivers import drivers
from pulse.serve.insights.reading import Reader
from pulse.serve.insights.routes import insights
from pulse.serve.own import own_dimensions, with_own
from pulse.serve.plan import Plan, plan_of
from pulse.serve.posted import as_query, check_address
from pulse.serve.query import Query, parse, tenants_named
from pulse.serve.reading import read
from pulse.serve.statements import WEIGHT, Statements
from pulse.serve.years import Admit, TenantYears, Years
from pulse.settings import ServeReportsSettings
from pulse.store.clients import client, unavailable_on_failure
from pulse.store.held import HeldRuns
from pulse.store.names import Names
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.access import Directory, authenticate, require_kind
from pulse.tenants.keys import Key
from pulse.tenants.limits import Limits
from pulse.tenants.tenant import Tenant, check_tenant_id, is_tenant_id
from pulse.tenants.uses import LastUses

_HEADERS = {
    "Cache-Control": "private, max-age=60",
    "Vary": "Authorization, X-Api-Key, Accept",
}
_OF_GET = ("ETag", "Link")
"""Headers that mean nothing where the question was posted."""
_GONE = "The report is being built anew just now. Send the same request again."
_WAIT = "A newer version of Pulse has built this report. Ask again after the next build of reports."


@dataclass(frozen=True)
class Reports:
    """Answers what is read under /v1: reports, dimensions, their catalogue, the description."""

    directory: Directory
    years: Years
    names: DisplayNames
    statements: Statements
    """What asks Athena about comments of months that are too large."""
    most_comments: int = MOST_READ
    """A process holds so many comments."""

    @classmethod
    def from_settings(cls, settings: ServeReportsSettings) -> Self:
        """serve_reports on the table and the bucket that template.yaml names."""
        for service in ("dynamodb", "s3"):
            client(service, fail_fast=True)  # here, because years are read by threads at once
        limits = {"GET": Limits.per_minute(*settings.reads)}
        tenants = Tenants(settings.table, fail_fast=True)
        as_of = HeldRuns(settings.table, fail_fast=True).as_of
        uses = LastUses(tenants.note_key_use)
        directory = Directory(tenants, settings.remember_us, limits, as_of, uses)
        names = DisplayNames(directory, Names(settings.table, fail_fast=True))
        distributed = Distributed.from_settings(settings)
        objects = Objects(settings.lake_bucket, fail_fast=True)
        years = Years(objects, elsewhere=distributed.years)
        return cls(directory, years, names, distributed.statements, settings.comments_held)

    @property
    def routes(self) -> Mapping[str, Route]:
        """API Gateway's route keys and what answers them."""
        return {
            "GET /v1/reports": _with_outages(self.catalogue),
            "GET /v1/reports/{report}": _with_outages(self.report),
            "POST /v1/reports/{report}": _with_outages(self.posted_report),
            "GET /v1/dimensions/{name}": _with_outages(self.dimension),
            "GET /v1/insights": _with_outages(self.insights),
            "GET /v1/insights/drivers": _with_outages(self.drivers),
            "GET /v1/comments": _with_outages(self._comments.comments),
            "GET /v1/words": _with_outages(self._comments.words),
            "GET /v1/openapi.json": self.openapi,
        }

    @property
    def _comments(self) -> CommentAnswers:
        return CommentAnswers(
            self.directory, self.years.objects, self.statements, self.most_comments
        )

    def catalogue(self, call: Call) -> Reply:
        """What there is to be asked; any key that may read some of it."""
        key = self._reader(call, "report", "secret", "operator")
        tenant = self.directory.tenant(key.tenant) if key.tenant else None
        return Reply.json(200, catalogue(tenant, comments=key.reads_comments), _HEADERS)

    def openapi(self, call: Call) -> Reply:
        """docs/openapi.json as it stands, or 304 where the caller has it; needs no key."""
        body, etag = _described()
        headers = {"ETag": etag, "Cache-Control": "public, max-age=300"}
        if _has(call, etag):
            return Reply(304, headers=headers)
        return Reply(200, body, {"Content-Type": JSON, **headers})

    def report(self, call: Call) -> Reply:
        """One page of one report, or 304 where the caller has it.

        Raises the RequestError that docs/http.md names for a key, report or query at fault.
        """
        key = self._reader(call, "report", "secret", "operator", "feed")
        check_address(call)
        return self._report(fed(call, key) if key.kind == "feed" else call, key)

    def posted_report(self, call: Call) -> Reply:
        """The same page for parameters in a body, however many; nobody may keep the reply.

        It counts as a read. Raises what `report` does, and the RequestError of a body at fault.
        """
        key = self._reader(replace(call, method="GET"), "report", "secret", "operator")
        reply = self._report(as_query(call), key)
        headers = {name: text for name, text in reply.headers.items() if name not in _OF_GET}
        return Reply(reply.status, reply.body, {**headers, "Cache-Control": "no-store"})

    def _report(self, call: Call, key: Key) -> Reply:
        """The page that the call's query asks for, or 304."""
        own = own_dimensions(self._asked_about(call, key))
        report = with_own(_named(call.path_parameters["report"]), own)
        across = key.kind == "operator"
        accept = call.headers.get("accept", "")
        query = parse(call.query, report, accept, across_tenants=across)

        def made(plan: Plan) -> Reply:
            etag = _weak(identity.etag(plan))
            headers = {"ETag": etag, **_HEADERS}
            if identity.start(plan) is not None and _has(call, etag):
                return Reply(304, headers=headers)
            reply = answer(plan, self._objects(plan, key), call.raw_query)
            return Reply(reply.status, reply.body, {**headers, **reply.headers})

        return self._answer(report, query, key, made)

    def dimension(self, call: Call) -> Reply:
        """The values of one dimension, or 304 where the caller has them.

        Raises the RequestError that docs/http.md names for a key, dimension or query at fault.
        """
        key = self._reader(call, "report", "secret", "operator")
        check_address(call)
        across = key.kind == "operator"
        own = own_dimensions(self._asked_about(call, key))
        search = ValueSearch.parse(
            call.path_parameters["name"], call.query, across_tenants=across, own=own
        )

        def made(plan: Plan) -> Reply:
            return _told(call, search.answer(plan, self._objects(plan, key), self.names))

        return self._answer(search.report, search.query, key, made)

    def insights(self, call: Call) -> Reply:
        """What happened in some days, or 304 where the caller has it.

        Raises the RequestError that docs/http.md names for a key or query at fault.
        """
        return self._insights(call, insights_query.PARAMETERS, insights)

    def drivers(self, call: Call) -> Reply:
        """What goes with a score, or 304 where the caller has it. Raises what `insights` raises."""
        return self._insights(call, insights_query.DRIVERS, drivers)

    def _insights(
        self,
        call: Call,
        parameters: Mapping[str, str],
        found: Callable[
            [Reader, Plan, insights_query.InsightsQuery, DisplayNames], Mapping[str, Any]
        ],
    ) -> Reply:
        key = self._reader(call, "report", "secret", "operator")
        self.directory.admit("GET", key, insights_query.WEIGHT)
        check_address(call)
        across = key.kind == "operator"
        own = own_dimensions(self._asked_about(call, key))
        asked = insights_query.parse(call.query, parameters, across_tenants=across, own=own)

        def made(plan: Plan) -> Reply:
            tenants = [one.tenant for one in plan.tenants]
            reader = Reader(tenants, key, self.years, self._admit(key))
            return _told(call, found(reader, plan, asked, self.names))

        report = with_own(insights_query.REPORT, own)
        return self._answer(report, asked.query, key, made)

    def _reader(self, call: Call, *kinds: str) -> Key:
        """The key, if it is of one of these kinds. Of any, feed keys alone may be in the query."""
        key = authenticate(call, self.directory, in_query=("feed",))
        require_kind(key, *kinds)
        return key

    def _asked_about(self, call: Call, key: Key) -> list[Tenant]:
        """The tenants that a call is about, as far as there are any: it is not parsed yet."""
        named = [key.tenant] if key.tenant else tenants_named(call.query)
        found = (self.directory.tenant(name) for name in named if is_tenant_id(name))
        return [tenant for tenant in found if tenant is not None]

    def _tenants(self, key: Key, query: Query, *, anew: bool = False) -> list[Tenant]:
        """The tenants whose reports are asked for: the key's own, or those that are named."""
        if query.tenants is not None:
            return [self._named_tenant(name, anew=anew) for name in query.tenants]
        tenant = self._tenant(key.tenant, anew=anew) if key.tenant else None
        if tenant is None:
            raise ForbiddenError("tenant_unknown", "The key's tenant does not exist.")
        return [tenant]

    def _named_tenant(self, name: str, *, anew: bool) -> Tenant:
        unknown = NotFoundError("tenant_unknown", f"There is no tenant {name[:64]!r}.")
        try:
            check_tenant_id(name)  # the table refuses some texts as keys
        except ValueError:
            raise unknown from None
        if (tenant := self._tenant(name, anew=anew)) is None:
            raise unknown
        return tenant

    def _tenant(self, name: str, *, anew: bool) -> Tenant | None:
        """The tenant. One without reports as its record is now: somebody waits for the first."""
        found = self.directory.tenant(name, anew=anew)
        if found is None or found.has_reports or anew:
            return found
        return self.directory.tenant(name, anew=True)

    def _answer(
        self, report: Report, query: Query, key: Key, made: Callable[[Plan], Reply]
    ) -> Reply:
        """What is made of the plan as the records of its tenants tell of it.

        Records are remembered for a while. They are looked at anew for a page whose former one
        comes from rows that they do not name, as a process that knew of a newer build made it, and
        where an object has gone that they name. Raises UnavailableError if it has gone even so.
        """
        for anew in (False, True):
            plan = plan_of(report, query, self._tenants(key, query, anew=anew), key)
            plan = self.names.told(plan)
            if not anew and identity.start(plan) is None:
                continue
            try:
                return made(plan)
            except GoneError as error:
                logger.info("an object has gone", extra={"error": str(error), "anew": anew})
        raise UnavailableError("unavailable", _GONE)

    def _objects(self, plan: Plan, key: Key) -> TenantYears:
        """The rows of each tenant that hold the plan's days, table by table."""
        (found,) = read(self.years, [plan], self._admit(key))
        return found

    def _admit(self, key: Key) -> Admit:
        """Counts a statement that Athena begins against the limits of the key and its tenant."""
        return partial(self.directory.admit, "GET", key, WEIGHT)


@cache
def _described() -> tuple[str, str]:
    """The OpenAPI document, which `make docs` writes, and its ETag."""
    body = files(__package__).joinpath("openapi.json").read_text("utf-8")
    return body, _weak(f'"{fingerprint(body)}"')


def _with_outages(route: Route) -> Route:
    """The route, which answers 503 where the table or the lake cannot be read just now.

    So it does where a newer version, which was taken back, has built what this one would misread.
    """

    def answered(call: Call) -> Reply:
        with unavailable_on_failure():
            try:
                return route(call)
            except NewerFormatError as error:
                code = "built_by_newer_version"
                raise UnavailableError(code, _WAIT, retry_after_s=60) from error

    return answered


def _named(name: str) -> Report:
    if name not in REPORTS:
        raise NotFoundError(
            "unknown_report", f"There is no such report. There are: {', '.join(REPORTS)}."
        )
    return REPORTS[name]


def _told(call: Call, members: Mapping[str, Any]) -> Reply:
    """These members as a reply, or 304 where the caller has it; what they say is its name."""
    body = to_json(members)
    headers = {"ETag": _weak(f'"{fingerprint(body)}"'), **_HEADERS}
    if _has(call, headers["ETag"]):
        return Reply(304, headers=headers)
    return Reply(200, body, {"Content-Type": JSON, **headers})


def _weak(etag: str) -> str:
    """The ETag for the reply in whichever coding it is sent: only then may both share one."""
    return f"W/{etag}"


def _has(call: Call, etag: str) -> bool:
    """Does If-None-Match name this reply? It compares weakly (RFC 9110, 13.1.2)."""
    named = [name.strip() for name in call.headers.get("if-none-match", "").split(",")]
    return "*" in named or etag.removeprefix("W/") in (name.removeprefix("W/") for name in named)
