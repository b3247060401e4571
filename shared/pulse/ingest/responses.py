"""Reads one response, or says what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from pulse import days, iso3166, lake
from pulse.errors import FieldError
from pulse.ingest import fields
from pulse.ingest.fields import RejectedError
from pulse.ingest.message import Event
from pulse.ingest.reader import ItemReader
from pulse.streams.fields import NAME_LIMIT
from pulse.streams.responses import RESPONSES
from pulse.tenants.own_dimensions import stamped
from pulse.tenants.rules import Rule
from pulse.tenants.signatures import covers
from pulse.tenants.surveys import Survey

PUBLISHABLE_BACK_S = 35 * 86_400
"""How many seconds after it was given a page may send an answer."""

_OF_SERVERS = ("country", "ip", "user_agent")


class ResponseReader(ItemReader):
    """Reads the responses of a request."""

    stream = RESPONSES

    def read(self, given: object, own_id: str | None = None) -> Event:
        """The response in an item of a request.

        `own_id`, from the header Idempotency-Key, identifies it if it has no response_id. Raises
        RejectedError for the first fault found.
        """
        item = self.item(given)
        self._check_servers_fields(item)
        survey = self._survey(item)
        named_id = fields.identifier(item, "response_id") or own_id
        answered_us = self._answered(item, named_id)
        if not survey.takes(answered_us):
            raise RejectedError("survey_id", "survey_closed", "The survey is closed.")
        rule = survey.rule_at(answered_us)
        signature = fields.text(item, "signature", limit=None) or ""
        response_id = named_id or lake.ulid()
        values = {
            "survey": survey.id,
            "metric": rule.metric,
            "scale": rule.label,
            "score": _score(item, rule),
            "response_id": response_id,
            "answered_us": answered_us,
            "ip": fields.ip(item),
            "user_agent": fields.text(item, "user_agent", limit=None),
            **self.values(item),
        }
        values |= self._told_apart_by(values["tags"], answered_us)
        values["linkable"] = self._linkable(values, survey, item, signature)
        if not self._may_name(values, survey, item, signature):
            return Event.of(response_id, values | _NOBODY, _NOT_SIGNED)
        country, warning = _located(values["country"])
        return Event.of(response_id, values | {"country": country}, warning)

    def _told_apart_by(self, tags: Mapping[str, str] | None, answered_us: int) -> dict[str, str]:
        """The tags that are dimensions of the tenant on the answer's day, by their columns."""
        if not tags or not (own := self.settings.dimensions):
            return {}
        return stamped(own, tags, self.local_day(answered_us))

    def _may_name(
        self, values: Mapping[str, Any], survey: Survey, item: dict[str, Any], signature: str
    ) -> bool:
        """Whether the response may name its agent. Some surveys ask for a signed link for that."""
        named = values["agent"] is not None or values["agent_name"] is not None
        if not named or survey.agents == "free" or self.key.kind == "secret":
            return True
        return self._signed("agent", survey, item, signature)

    def _linkable(
        self, values: Mapping[str, Any], survey: Survey, item: dict[str, Any], signature: str
    ) -> bool | None:
        """True if the response may be linked to its interaction although anybody may have sent it.

        None of what a server sent, which always may be, and of what may not be.
        """
        if values["interaction"] is None or self.key.kind == "secret":
            return None
        free = survey.interactions == "free"
        return free or self._signed("interaction", survey, item, signature) or None

    def _signed(self, name: str, survey: Survey, item: dict[str, Any], signature: str) -> bool:
        """Whether the response's signature covers what it names as its agent or interaction."""
        return covers(
            name,
            signature,
            secret=survey.link_secret,
            tenant=self.tenant,
            survey=survey.id,
            values={
                "agent": fields.as_sent(item, "agent_id"),
                "interaction": fields.as_sent(item, "interaction_id"),
            },
        )

    def _check_servers_fields(self, item: dict[str, Any]) -> None:
        for name in _OF_SERVERS:
            if self.key.kind == "publishable" and fields.value_of(item, name) is not None:
                raise RejectedError(
                    name, "field_not_allowed", f"{name} is accepted with a secret key only."
                )

    def _survey(self, item: dict[str, Any]) -> Survey:
        name = fields.named(item, "survey_id", limit=None)
        if name is None and len(self.key.surveys) == 1:
            name = self.key.surveys[0]
        if name is None:
            raise RejectedError("survey_id", "survey_missing", "survey_id is required.")
        # a survey that was added before names had one form may have its id in another form
        names = list(dict.fromkeys((name, fields.as_sent(item, "survey_id") or name)))
        if self.key.surveys:
            names = [one for one in names if one in self.key.surveys]
            if not names:
                raise RejectedError(
                    "survey_id", "survey_not_allowed", "This key is for other surveys."
                )
        for one in names:
            short = len(one) <= NAME_LIMIT  # no survey's id is longer
            survey = self.directory.survey(self.tenant, one) if short else None
            if survey is not None:
                return survey
        raise RejectedError("survey_id", "survey_unknown", "There is no such survey.")

    def _answered(self, item: dict[str, Any], named_id: str | None) -> int:
        us = self._aged(item)
        if us is None:
            us = self.moment(item, "answered_at")
        if us is None:
            if named_id is not None:
                raise RejectedError(
                    "answered_at",
                    "answered_at_missing",
                    "answered_at (or age_ms) is required with response_id or Idempotency-Key: "
                    "both together identify the response when it is sent again.",
                )
            return self.received_us
        if self._too_old(us):
            raise RejectedError(
                "answered_at",
                "answered_at_too_old",
                "answered_at may lie 35 days back with a publishable key, "
                f"back to {self.first_day} with a secret one.",
            )
        return us

    def _aged(self, item: dict[str, Any]) -> int | None:
        """When an answer was given that is sent with its age: by our clock, not the sender's."""
        age_ms = fields.optional_whole_number(item, "age_ms")
        if age_ms is None:
            return None
        if fields.value_of(item, "answered_at") is not None:
            raise RejectedError(
                "age_ms", "age_and_answered_at", "age_ms stands in the place of answered_at."
            )
        if age_ms < 0:
            raise RejectedError("age_ms", "age_ms_out_of_range", "age_ms must not be negative.")
        return max(0, self.received_us - age_ms * 1_000)

    def _too_old(self, us: int) -> bool:
        if self.key.kind == "publishable":
            return us < self.received_us - PUBLISHABLE_BACK_S * days.SECOND
        return self.local_day(us) < self.first_day


_NOBODY = {"agent": None, "agent_name": None}
_NOT_SIGNED = FieldError(
    "agent_id",
    "agent_not_signed",
    "This survey counts an agent only from a link that was signed for it: the answer is "
    "stored without one.",
)


def _located(code: str | None) -> tuple[str | None, FieldError | None]:
    """The country's code in ISO 3166, and a warning if the response has another code for it."""
    known = iso3166.country(code) if code else None
    if known == code:
        return code, None
    if known:
        message = f"{code} is stored as {known}, as ISO 3166 calls it."
        return known, FieldError("country", "country_renamed", message)
    message = f"{code} is no country of ISO 3166: the answer is stored without one."
    return None, FieldError("country", "country_unknown", message)


def _score(item: dict[str, Any], rule: Rule) -> int:
    score = fields.whole_number(item, "score")
    if score not in rule.scores:
        raise RejectedError(
            "score",
            "score_out_of_range",
            f"score must lie within {rule.low} and {rule.high} on this survey.",
        )
    return score
