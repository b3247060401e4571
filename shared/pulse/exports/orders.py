"""The routes of exports: they take an order, reply at once, and later show its state.

The orders of a tenant wait in a line, and a worker makes one after another (write.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pulse import days, lake
from pulse.errors import (
    ForbiddenError,
    NotFoundError,
    TooManyRequestsError,
    UnavailableError,
)
from pulse.export_orders import MOST_ORDERS, Export
from pulse.exports.request import read_request
from pulse.exports.waking import wake, wake_idle
from pulse.http import Call, Reply, Route
from pulse.ingest.body import read_body
from pulse.observe import count, logger
from pulse.settings import OrderExportsSettings
from pulse.store.clients import unavailable_on_failure
from pulse.store.events import Events
from pulse.store.exports import Exports
from pulse.store.objects import Objects
from pulse.store.tenants import Tenants
from pulse.tenants.access import Directory, authenticate, require_kind
from pulse.tenants.limits import Limits
from pulse.tenants.uses import LastUses

BODY_LIMIT = 16 * 1024
LINK_S = 3600
_TRY_AGAIN_S = 60
_ORDER_AGAIN = "It may have been ordered all the same: sent again, the file may be made twice."
_HEADERS = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Orders:
    """Takes orders for exports, and shows them to their tenant."""

    directory: Directory
    exports: Exports
    objects: Objects
    events: Events

    @classmethod
    def from_settings(cls, settings: OrderExportsSettings) -> Self:
        """The stage over the stack that the settings name."""
        limits = {
            "POST": Limits.per_minute(*settings.exports),
            "GET": Limits.per_minute(*settings.reads),
        }
        tenants = Tenants(settings.table, fail_fast=True)
        uses = LastUses(tenants.note_key_use)
        return cls(
            directory=Directory(tenants, settings.remember_us, limits, uses=uses),
            exports=Exports(settings.table, fail_fast=True),
            objects=Objects(settings.lake_bucket, fail_fast=True),
            events=Events(settings.event_source, fail_fast=True),
        )

    @property
    def routes(self) -> Mapping[str, Route]:
        """The functions by API Gateway's route keys."""
        return {
            "POST /v1/exports": unavailable_on_failure(_ORDER_AGAIN)(self.order),
            "GET /v1/exports/{id}": unavailable_on_failure()(self.show),
        }

    def order(self, call: Call) -> Reply:
        """Put the order into its tenant's line and reply 202; the file is made later.

        Raises a RequestError for a wrong key or body, or if the line is full.
        """
        tenant = self._tenant(call)
        body = read_body(call, BODY_LIMIT)
        settings = self.directory.tenant(tenant)
        if settings is None:
            raise ForbiddenError("tenant_unknown", "The key's tenant does not exist.")
        request = read_request(body, settings)
        export = Export(tenant, lake.ulid(), request, days.now_us())
        self._line_up(export)
        self._wake(tenant)
        headers = {"Location": f"/v1/exports/{export.id}", "Retry-After": "5", **_HEADERS}
        return Reply.json(202, self._shown(export), headers)

    def show(self, call: Call) -> Reply:
        """Reply with the state of an export of the key's tenant, with a new link if it is done."""
        export = self._find(self._tenant(call), call.path_parameters["id"])
        return Reply.json(200, self._shown(export), _HEADERS)

    def wake(self) -> tuple[str, ...]:
        """Invoke a worker for each tenant that has orders and no worker; return these tenants."""
        woken = wake_idle(self.exports, self.events)
        count("TenantsWoken", len(woken))
        return woken

    def _line_up(self, export: Export) -> None:
        """Store the order. A full line raises before anything is stored."""
        full = len(self.exports.line(export.tenant)) >= MOST_ORDERS
        if not full:
            self.exports.create(export)
            full = not self.exports.join_line(export, most=MOST_ORDERS)
        if full:
            raise TooManyRequestsError(
                "too_many_exports",
                f"{MOST_ORDERS} exports of the tenant wait or are being made. Order this one once "
                "one of them has ended.",
                retry_after_s=_TRY_AGAIN_S,
            )

    def _wake(self, tenant: str) -> None:
        """Invoke a worker. If that fails, `wake` finds the stored order later."""
        try:
            with unavailable_on_failure():
                wake(self.events, tenant)
        except (UnavailableError, RuntimeError) as error:
            logger.warning("worker not woken", extra={"error": type(error).__name__})

    def _tenant(self, call: Call) -> str:
        key = authenticate(call, self.directory)
        require_kind(key, "secret")
        if key.tenant is None:
            raise ForbiddenError("tenant_unknown", "The key belongs to no tenant.")
        return key.tenant

    def _find(self, tenant: str, export_id: str) -> Export:
        export = self.exports.get(tenant, export_id) if lake.is_ulid(export_id) else None
        if export is None:
            raise NotFoundError("unknown_export", "There is no such export; they last a week.")
        return export

    def _shown(self, export: Export) -> dict[str, Any]:
        """The export as replies show it; each has a new link."""
        link = None
        if export.key:
            link = self.objects.link(export.key, export.request.file_name, seconds=LINK_S)
        return {**export.shown(days.now_us()), "link": link}
