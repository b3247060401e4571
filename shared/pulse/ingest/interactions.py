"""Reads one update of an interaction, or says what is wrong with it.

The update is stored with the tenant's settings for its medium on the day of its entry: the
thresholds, and whether customers wait on the line. So a later change of settings changes no report
of earlier days.
"""

from collections.abc import Mapping
from typing import Any

from pulse import days
from pulse.ingest import fields, money
from pulse.ingest.fields import RejectedError
from pulse.ingest.message import Event
from pulse.ingest.reader import ItemReader
from pulse.streams.interactions import INTERACTIONS, LONGEST_US, MILESTONES


class InteractionReader(ItemReader):
    """Reads the interactions of a request."""

    stream = INTERACTIONS

    def read(self, given: object, own_id: str | None = None) -> Event:
        """The update in an item of a request. Raises RejectedError for the first fault found."""
        item = self.item(given)
        values = self.values(item)
        values |= self._moments(item)
        values["satisfaction"] = self._satisfaction(item)
        values["revenue"], values["currency"] = money.revenue(item)
        values |= self._in_force(values["media_type"], values["entered_us"])
        return Event.of(values["interaction_id"], values)

    def _moments(self, item: dict[str, Any]) -> dict[str, Any]:
        """The columns of all times, and for each milestone whether only its day is known."""
        by_day = {
            name: fields.bare_day(item, name) is not None or None
            for name in ("entered_at", *MILESTONES)
        }
        entered_us = self._entered(item)
        found: dict[str, Any] = {"entered_us": entered_us, "updated_us": self._updated(item)}
        for name in MILESTONES:
            found[_column(name, "us")] = self._milestone(item, name, entered_us, by_day)
        by_day.pop("offered_at")  # no duration is computed from it, so the table has no such column
        return found | {_column(name, "by_day"): known for name, known in by_day.items()}

    def _in_force(self, media_type: str, entered_us: int) -> dict[str, Any]:
        """The columns of the tenant's settings for the medium, on the day of the entry."""
        thresholds = self.settings.thresholds_at(media_type, self.local_day(entered_us))
        return {
            "accept_threshold_us": _us(thresholds.accept_s),
            "first_response_threshold_us": _us(thresholds.first_response_s),
            "finish_threshold_us": _us(thresholds.finish_s),
            "synchronous": media_type in self.settings.synchronous_media,
        }

    def _entered(self, item: dict[str, Any]) -> int:
        us = fields.required("entered_at", self.moment(item, "entered_at"))
        if self.local_day(us) < self.first_day:
            raise fields.too_old("entered_at", self.first_day)
        return us

    def _updated(self, item: dict[str, Any]) -> int:
        us = self.moment(item, "updated_at")
        return self.received_us if us is None else self._recent("updated_at", us)

    def _recent(self, field: str, us: int) -> int:
        """Return `us`. Raises RejectedError if it is before the first day of the raw tables."""
        if self.local_day(us) < days.FIRST_DAY:
            raise fields.too_old(field, days.FIRST_DAY)
        return us

    def _milestone(
        self, item: dict[str, Any], field: str, entered_us: int, by_day: Mapping[str, bool | None]
    ) -> int | None:
        """The time of a milestone (UTC, microseconds); None if it is absent.

        Raises RejectedError if it is before the entry, or too long after it. If `by_day` says that
        only the day of one of the two is known, it must not be on an earlier day than the entry.
        """
        us = self.moment(item, field)
        if us is None:
            return None
        if by_day[field] or by_day["entered_at"]:
            is_before = self.local_day(us) < self.local_day(entered_us)
        else:
            is_before = us < entered_us
        if is_before:
            raise RejectedError(field, "negative_duration", f"{field} lies before entered_at.")
        if us - entered_us > LONGEST_US:
            raise RejectedError(
                field, "duration_too_long", f"{field} lies more than two years after entered_at."
            )
        return us

    def _satisfaction(self, item: dict[str, Any]) -> str | None:
        low, high = self.settings.satisfaction_range
        satisfaction = fields.decimal(item, "satisfaction", low, high)
        return None if satisfaction is None else str(satisfaction)


def _column(moment: str, ending: str) -> str:
    return f"{moment.removesuffix('at')}{ending}"


def _us(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * days.SECOND
