"""The stored comments of a lake: changes and removes them, month by month."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import groupby

import pyarrow as pa

from pulse import days, lake
from pulse.comments.month import SCHEMA, Month
from pulse.errors import BuildCheckError, ConflictError
from pulse.store.objects import Objects

_DEAD = timedelta(hours=1)
"""A run that began to gather comments longer ago is dead."""
_REACH = lake.LONGEST_LINK_DAYS + 1
"""No answer is linked to an interaction that entered more days before."""


_TO_MEND = "delete it, then run `pulse build --start DAY --end DAY` over its month"


@dataclass(frozen=True)
class Comments:
    """The months of comments of every tenant."""

    objects: Objects

    def change(self, key: str, change: Callable[[Month], Month | None]) -> None:
        """Replace a month by what `change` returns for it; None leaves it as it is.

        Raises BuildCheckError for an object that is no month, and NewerFormatError for one that
        only a newer version can read.
        """
        while True:
            stored = self.objects.look(key)
            month = change(_decoded(key, stored[0]) if stored else Month())
            if month is None:
                return
            try:
                self.objects.replace(key, month.encode(), etag=stored[1] if stored else None)
            except ConflictError:  # another run wrote first: change what it wrote
                continue
            return

    def drop(self, tenant: str, day: date) -> None:
        """Remove a tenant's comments of a day, also from older versions, until it is built again.

        Call it for days that lost rows of raw, after the ledger has counted that: then a build that
        read the day earlier brings none of them back. Also removes what dead runs had gathered.
        """
        key, as_of_us = lake.comments_key(tenant, day), days.now_us()
        self._change_for_good(
            key, lambda month: month.replaced([day], SCHEMA.empty_table(), as_of_us)
        )
        for prefix in self.objects.folders(lake.COMMENT_STAGING):
            run = prefix.removeprefix(f"{lake.COMMENT_STAGING}run=").rstrip("/")
            if days.now() - lake.ulid_time(run) >= _DEAD:
                self.objects.wipe(prefix)

    def unlink(self, tenant: str, entered: Collection[date], answered: Iterable[date]) -> None:
        """Take from a tenant's comments what interactions tell that entered on these days.

        Also from older versions, and until they are built again. `answered` are the days that have
        answers. Call it for days that lost rows of raw, after the ledger has counted that: then a
        build that read them earlier brings no link back.
        """
        as_of_us = days.now_us()
        reached = sorted(
            day for day in answered if any(0 <= (day - one).days <= _REACH for one in entered)
        )
        for key, some in groupby(reached, key=lambda day: lake.comments_key(tenant, day)):
            unlinked = partial(Month.unlinked, entered=entered, days=[*some], as_of_us=as_of_us)
            self._change_for_good(key, unlinked)

    def _change_for_good(self, key: str, change: Callable[[Month], Month | None]) -> None:
        """As `change`, and remove what was there before."""
        self.change(key, change)
        self.objects.delete_versions(v for v in self.objects.older_versions(key) if v.key == key)

    def all(self) -> Iterator[tuple[str, Month]]:
        """Every month of every tenant, as (tenant, month)."""
        for key in self.objects.keys(lake.COMMENTS):
            tenant = key.rpartition("/tenant=")[2].removesuffix(".parquet")
            yield tenant, Month.decode(self.objects.get(key))

    def months(self, tenant: str) -> list[str]:
        """The keys of a tenant's months, including deleted ones."""
        name = f"/tenant={tenant}.parquet"
        found = {version.key for version in self.objects.versions(lake.COMMENTS)}
        return sorted(key for key in found if key.endswith(name))


def _decoded(key: str, body: bytes) -> Month:
    try:
        return Month.decode(body)
    except (pa.ArrowException, KeyError) as error:
        # without the error's text, which could quote a comment
        unread = f"{key} cannot be read ({type(error).__name__})"
        raise BuildCheckError(f"{unread}: {_TO_MEND}") from None
