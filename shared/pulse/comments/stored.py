"""The comments of a lake: their change, month by month, and their removal."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from pulse import days, lake
from pulse.comments.month import SCHEMA, Month
from pulse.errors import BuildCheckError, ConflictError
from pulse.store.objects import Objects

_DEAD = timedelta(hours=1)
"""Whoever began to gather comments longer ago is at work no more."""


_TO_MEND = "delete it, then run `pulse build --start DAY --end DAY` over its month"


@dataclass(frozen=True)
class Comments:
    """The months of every tenant."""

    objects: Objects

    def change(self, key: str, change: Callable[[Month], Month | None]) -> None:
        """Let a month be what `change` makes of it; where that is None it stays as it is.

        Raises BuildCheckError for an object that is no month, NewerFormatError for a newer one's.
        """
        while True:
            stored = self.objects.look(key)
            month = change(_decoded(key, stored[0]) if stored else Month())
            if month is None:
                return
            try:
                self.objects.replace(key, month.encode(), etag=stored[1] if stored else None)
            except ConflictError:  # somebody else was first: what follows from theirs is done
                continue
            return

    def drop(self, tenant: str, day: date) -> None:
        """Let a tenant's day have no comments until it is built again, nor have had any.

        For days of which rows were removed from raw: call it once the ledger counts that. A build
        that has read the day before brings none of them back. What builds that died have gathered
        goes, too.
        """
        key, as_of_us = lake.comments_key(tenant, day), days.now_us()
        self.change(key, lambda month: month.replaced([day], SCHEMA.empty_table(), as_of_us))
        self.objects.delete_versions(v for v in self.objects.older_versions(key) if v.key == key)
        for prefix in self.objects.folders(lake.COMMENT_STAGING):
            run = prefix.removeprefix(f"{lake.COMMENT_STAGING}run=").rstrip("/")
            if days.now() - lake.ulid_time(run) >= _DEAD:
                self.objects.wipe(prefix)

    def all(self) -> Iterator[tuple[str, Month]]:
        """Every tenant's months, each with the tenant."""
        for key in self.objects.keys(lake.COMMENTS):
            tenant = key.rpartition("/tenant=")[2].removesuffix(".parquet")
            yield tenant, Month.decode(self.objects.get(key))

    def months(self, tenant: str) -> list[str]:
        """The keys of a tenant's months, of those that were deleted too."""
        name = f"/tenant={tenant}.parquet"
        found = {version.key for version in self.objects.versions(lake.COMMENTS)}
        return sorted(key for key in found if key.endswith(name))


def _decoded(key: str, body: bytes) -> Month:
    try:
        return Month.decode(body)
    except (pa.ArrowException, KeyError) as error:
        # without the error's text, which could quote what a comment held
        unread = f"{key} cannot be read ({type(error).__name__})"
        raise BuildCheckError(f"{unread}: {_TO_MEND}") from None
