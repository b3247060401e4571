"""pulse tenant delete: deletes a tenant with everything that belongs to it.

First its keys are revoked, so that no new events come, and export_revenue is kept from changing its
files, which are booked. Then its events are removed as by a purge, also from objects that hold rows
of other tenants. Then its reports, exports, names, surveys and keys are removed, and its record
last. So if a run dies, the next one still finds the tenant and does the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pulse import days, lake
from pulse.erasure.erase import Erase
from pulse.erasure.purge import Purge
from pulse.erasure.waiting import Waiting
from pulse.settings import BuildSettings
from pulse.store.finance import Finance
from pulse.store.imports import Imports
from pulse.store.laid import LaidRows
from pulse.store.names import Names
from pulse.store.objects import Objects
from pulse.store.questions import Questions
from pulse.store.tenants import Tenants
from pulse.tenants.tenant import Tenant

REMEMBERED_US = 60 * days.SECOND
"""How long a function may still accept a key that has been revoked (template.yaml's maximum)."""


@dataclass(frozen=True)
class Deletion:
    """The stage, which `pulse tenant delete` runs."""

    erase: Erase
    tenants: Tenants
    names: Names
    imports: Imports
    finance: Finance
    questions: Questions
    files: Objects
    """The finance bucket."""

    @classmethod
    def from_settings(
        cls,
        settings: BuildSettings,
        dead_letters: str,
        finance_bucket: str,
        say: Callable[..., None],
    ) -> Self:
        """The stage over the stack that the settings name; `say` gets its messages."""
        return cls(
            erase=Erase.from_settings(settings, dead_letters, say),
            tenants=Tenants(settings.table),
            names=Names(settings.table),
            imports=Imports(settings.table),
            finance=Finance(settings.table),
            questions=Questions(settings.table),
            files=Objects(finance_bucket),
        )

    def run(
        self, tenant: Tenant, *, with_finance: bool, rebuild: Callable[[], None]
    ) -> tuple[str, Mapping[str, Any]]:
        """Delete the tenant; return the key of the receipt in the lake, and the receipt.

        Afterwards three things are left: the receipt; the tombstone, which covers events that may
        still be queued; and, unless `with_finance`, the tenant's files in the finance bucket. Data
        of other tenants are unchanged. `rebuild` is called to build the days that they shared.
        """
        revoked = self._revoke(tenant.id)
        wait = Waiting(
            self.erase.say, self.erase.pause, "Waiting until its revenue has been exported …"
        )
        while not self.finance.close(tenant.id):
            wait()
        everything = Purge.of_all(tenant.id, days.now_us())
        removed = self.erase.remove(everything, rebuild=rebuild)
        counts = {
            "keys_revoked": revoked,
            "exports": self.erase.traces.remove_exports(tenant.id),
            "report_objects": self._wipe_reports(tenant.id),
            "names": self.names.remove(tenant.id),
            "imports": self.imports.remove(tenant.id),
            "surveys": self.tenants.remove_surveys(tenant.id),
            "keys": self._remove_keys(tenant.id),
            "finance_files": self._wipe_finance(tenant.id) if with_finance else 0,
        }
        receipt = {**removed.shown(), "tenant_deleted": counts}
        self.erase.store(removed, receipt)
        self.tenants.remove(tenant.id)
        self._wipe_reports(tenant.id)  # a build that began earlier may have written one since
        return removed.key, receipt

    def preview(self, tenant: Tenant, *, with_finance: bool) -> Mapping[str, Any]:
        """What `run` would remove, as far as one search finds it. Changes nothing."""
        removed = self.erase.preview(Purge.of_all(tenant.id, days.now_us()))
        keys = self.tenants.keys(tenant.id)
        files = list(self.files.keys(lake.finance_prefix(tenant.id))) if with_finance else []
        counts = {
            "keys_revoked": sum(key.usable(days.now_us()) for key in keys),
            "exports": len(self.erase.exports.of_tenant(tenant.id)),
            "report_objects": sum(
                len(list(self.erase.objects.keys(lake.tenant_prefix(dataset, tenant.id))))
                for dataset in lake.DAILY_TABLES
            ),
            "names": len(self.names.agents(tenant.id)),
            "imports": len(self.imports.of_tenant(tenant.id)),
            "surveys": len(self.tenants.surveys(tenant.id)),
            "keys": len(keys),
            "finance_files": len(files),
        }
        return {**removed.shown(), "tenant_deleted": counts}

    def _revoke(self, tenant: str) -> int:
        """Revoke all keys and wait until no function accepts them; return how many were in use."""
        now_us = days.now_us()
        keys = self.tenants.keys(tenant)
        usable = [key for key in keys if key.usable(now_us)]
        for key in usable:
            self.tenants.revoke_key(key.id, now_us)
        ended = [now_us] * bool(usable) + [key.revoked_us for key in keys if key.revoked_us]
        left_us = max(ended, default=0) + REMEMBERED_US - now_us
        if left_us > 0:
            self.erase.say(f"Waiting {left_us // days.SECOND} s until its keys are forgotten …")
            self.erase.pause(left_us / days.SECOND)
        return len(usable)

    def _remove_keys(self, tenant: str) -> int:
        keys = self.tenants.keys(tenant)
        for key in keys:
            self.tenants.remove_key(key)
        return len(keys)

    def _wipe_reports(self, tenant: str) -> int:
        """Delete all versions of its reports; return how many objects these were.

        Also deleted are its comments, its rows that a build laid out separately, and what was made
        to answer queries.
        """
        objects = self.erase.objects
        prefixes = [lake.tenant_prefix(dataset, tenant) for dataset in lake.DAILY_TABLES]
        found = sum(len(list(objects.keys(prefix))) for prefix in prefixes)
        for prefix in prefixes:
            objects.wipe(prefix)
        objects.wipe_keys(self.erase.comments.months(tenant))
        laid = LaidRows(objects)
        laid.remove_unnamed(laid.runs(tenant), None)
        self.questions.remove(tenant, objects)
        return found

    def _wipe_finance(self, tenant: str) -> int:
        """Delete its revenue files, so that its id can be used again; return how many."""
        prefix = lake.finance_prefix(tenant)
        files = len(list(self.files.keys(prefix)))
        self.files.wipe(prefix)
        self.finance.remove(tenant)
        return files
