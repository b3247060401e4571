"""The layout of the lake: the columns of every table, the key of every object, the codec.

All other modules take names from here and spell none themselves. The fields of events are declared
in `streams`. template.yaml declares the same tables to Glue; a test compares both.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Literal

from pulse import days, streams
from pulse.streams import responses

CODEC: Literal["snappy"] = "snappy"
"""AWS's pandas layer has no zstd."""

PARTITION_LIMIT = 100
"""Athena refuses an UNLOAD into more partitions than this."""

_ULID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret


def ulid(moment: datetime | None = None) -> str:
    """A new unique name that sorts by its time (26 characters, https://github.com/ulid/spec)."""
    ms = days.to_us(moment or days.now()) // 1000
    value = ms << 80 | secrets.randbits(80)
    return "".join(_ULID_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def is_ulid(name: str) -> bool:
    """True for a name as `ulid` makes them."""
    return len(name) == 26 and all(letter in _ULID_ALPHABET for letter in name)


def ulid_time(name: str) -> datetime:
    """When a name was made by `ulid`. Raises ValueError if it is none."""
    if not is_ulid(name):
        raise ValueError(f"not a ULID: {name!r}")
    value = 0
    for letter in name[:10]:
        value = value << 5 | _ULID_ALPHABET.index(letter)
    return days.from_us(value * 1000)


NOT_GIVEN = "(none)"
"""What filters write for null: the dimension is not named by the event. No value has this text."""

OTHER = "(other)"
"""What daily rows have in place of rare values of a dimension with too many; no value has it."""

REST = "(rest)"
"""What replies have in place of the groups without a row of their own, if there are too many."""

RESERVED = (NOT_GIVEN, OTHER, REST)
"""Texts that no dimension may have as a value, since replies and filters use them otherwise."""

DEVICE = "device"
"""The dimension that tells what an answer was given with."""

BOT = "bot"
"""The device of what no person has sent: reports leave it out unless they are filtered for it."""

ADJUSTED_FOR = ("channel", "country")
"""The dimensions for whose mix agents' scores are adjusted unless a tenant says otherwise, because
agents do not choose it."""

SCORE_COUNTS = tuple(f"c{score}" for score in range(11))
"""c_k is the number of responses with score k; every scale lies within 0..10."""

SCORE_DIMENSIONS = tuple(dimension.name for dimension in streams.RESPONSES.dimensions)
INTERACTION_DIMENSIONS = tuple(dimension.name for dimension in streams.INTERACTIONS.dimensions)
SESSION_DIMENSIONS = tuple(dimension.name for dimension in streams.SESSIONS.dimensions)
TAG_SLOTS = responses.TAG_SLOTS
"""The dimensions of answers that mean for each tenant what it has declared."""
OPEN_DIMENSIONS = (
    *(one.name for one in streams.RESPONSES.dimensions if one.open),
    *TAG_SLOTS,
)
"""The dimensions of answers for which public keys may send any number of values."""

DAILY_SCORES: Mapping[str, str] = (
    {"tenant": "string"}
    | dict.fromkeys((*SCORE_DIMENSIONS, *TAG_SLOTS), "string")
    | dict.fromkeys(SCORE_COUNTS, "bigint")
)
"""Columns of daily_scores; one row for each combination that occurred on the day `dt`."""

DAILY_INTERACTIONS: Mapping[str, str] = (
    {"tenant": "string"}
    | dict.fromkeys(INTERACTION_DIMENSIONS, "string")
    | dict.fromkeys(
        (
            "entered",
            "offered",
            "accepted",
            "responded",
            "finished",
            "abandoned",
            "replies",
            "accept_due",  # offered, with a threshold, and not accepted or within a known time
            "accept_met",
            "first_response_due",  # the same of the response
            "first_response_met",
            "finish_due",  # finished within a known time, with a threshold
            "finish_met",
            "finished_responded",  # finished that also had a response
            "handled",  # accepted and finished
            "with_satisfaction",
            "with_revenue",  # recorded and not zero
            "accept_us",  # entered to accepted, of all accept_timed
            "first_response_us",  # entered to first response, of all first_response_timed
            "finish_us",  # entered to finished, of all finish_timed
            "handle_us",  # accepted to finished, of all handle_timed
            "accept_timed",  # of those accepted, those of which it is known how long it took
            "first_response_timed",  # of those responded
            "finish_timed",  # of those finished_responded
            "handle_timed",  # of those handled
        ),
        "bigint",
    )
    | {"satisfaction": "decimal(38,4)", "revenue": "decimal(38,4)"}
)
"""Columns of daily_interactions; each interaction counts once, on the day that it entered."""

DAILY_SESSIONS: Mapping[str, str] = (
    {"tenant": "string"}
    | dict.fromkeys(SESSION_DIMENSIONS, "string")
    | dict.fromkeys(("sessions", "active_us", "engaged_us"), "bigint")
)
"""Columns of daily_sessions; one row for each agent and medium of the day `dt`."""

LEVELS = ("in_time", "late", "never", "no_threshold")
"""How a milestone of an interaction stands to the threshold that was in force: reached within it,
reached later, not reached, or there was none. NULL where it is not known how long it took."""

DURATION_CLASSES = (
    "0-10s",
    "10-30s",
    "30-60s",
    "1-2min",
    "2-5min",
    "5-15min",
    "15-60min",
    "1-4h",
    "4-24h",
    "over-24h",
)
"""How long something took: from the first number of the unit, and less than the second. A day and
more is the last. NULL where it is not known, or has not happened."""

YES_NO = ("yes", "no")

SURVEYED_DIMENSIONS = ("survey", "metric", "scale", "channel", DEVICE)
"""The dimensions of daily_experience that the answer has."""

EXPERIENCED: Mapping[str, tuple[str, ...] | None] = {
    "media_type": None,
    "customer_segment": None,
    "service_type": None,
    "agent": None,  # who dealt with the customer
    "accept": LEVELS,
    "first_response": LEVELS,
    "finish": LEVELS,
    "wait": DURATION_CLASSES,  # from entering to being accepted
    "life": DURATION_CLASSES,  # from entering to the end
    "was_abandoned": YES_NO,
    "had_revenue": YES_NO,  # an amount that is not zero
    "was_rated": YES_NO,  # has a satisfaction of its own
    "entered_on": None,  # the interaction's own day, YYYY-MM-DD
}
"""The dimensions of daily_experience that the linked interaction has, with their values where these
are a closed set. All are NULL where no interaction is linked; else `media_type` is not."""

DAILY_EXPERIENCE: Mapping[str, str] = (
    {"tenant": "string"}
    | dict.fromkeys((*SURVEYED_DIMENSIONS, *EXPERIENCED), "string")
    | dict.fromkeys(SCORE_COUNTS, "bigint")
)
"""Columns of daily_experience; each answer counts once, on its own day, linked or not."""


@dataclass(frozen=True, kw_only=True)
class DailyTable:
    """A table of sums by day and dimensions, under its name.

    `daily_columns` maps names to Glue types, without the partition `dt`.
    """

    name: str
    daily_columns: Mapping[str, str]
    dimensions: tuple[str, ...]
    """In the order by which a tenant-year object is sorted; its days come last."""
    counted: tuple[str, ...]
    """The measures that add up to the number of events."""
    parted_by: tuple[str, ...] = ()
    """The first of the dimensions, where their values tell which measures are zero."""
    before: Mapping[str, str] = field(default_factory=dict)
    """Of measures that came later: which measure said the same in rows that lack them."""
    slots: tuple[str, ...] = ()
    """Those of the dimensions that mean for each tenant what it has declared, if anything."""

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """The additive columns."""
        keys = {"tenant", *self.dimensions}
        return tuple(name for name in self.daily_columns if name not in keys)

    @property
    def tells_bots(self) -> bool:
        """True where rows tell which events came from bots."""
        return DEVICE in self.dimensions

    @property
    def daily_table(self) -> str:
        """The Glue table of additive daily rows, whose partitions point at the current runs."""
        return f"daily_{self.name}"

    @property
    def runs_table(self) -> str:
        """The Glue table over the daily rows of any run, published or not: what checks read."""
        return f"daily_{self.name}_runs"

    @property
    def large_table(self) -> str:
        """The Glue table of large tenants' daily rows, each tenant's apart from all others'."""
        return f"large_{self.name}"

    @property
    def large_prefix(self) -> str:
        """Where these rows lie."""
        return f"large/{self.name}/"

    @property
    def daily_prefix(self) -> str:
        """Where the runs of the daily table lie."""
        return f"daily/{self.name}/"

    @property
    def report_prefix(self) -> str:
        """Where the tenant-year objects lie."""
        return f"reports/{self.name}/"


@dataclass(frozen=True, kw_only=True)
class Dataset(DailyTable):
    """One line of the flow, stream → daily table → report table, under its report table's name.

    `raw_columns` maps names to Glue types, without the partition `dt`.
    """

    stream: str
    raw_columns: Mapping[str, str]
    raw_order: tuple[str, ...]
    """Identity and version of an event: by these the rows of an object are sorted."""

    @property
    def raw_table(self) -> str:
        """The Glue table of single events."""
        return f"raw_{self.stream}"

    @property
    def raw_prefix(self) -> str:
        """Where the stream's events lie."""
        return f"raw/{self.stream}/"


SCORES = Dataset(
    name="scores",
    stream="responses",
    raw_columns=streams.RESPONSES.columns,
    daily_columns=DAILY_SCORES,
    dimensions=(
        *("metric", "scale"),
        *(d for d in SCORE_DIMENSIONS if d not in ("metric", "scale")),
        *TAG_SLOTS,
    ),
    slots=TAG_SLOTS,
    counted=SCORE_COUNTS,
    raw_order=("tenant", "survey", "key_kind", "response_id", "received_us", "content_hash"),
    parted_by=("metric", "scale"),
)
INTERACTIONS = Dataset(
    name="interactions",
    stream="interactions",
    raw_columns=streams.INTERACTIONS.columns,
    daily_columns=DAILY_INTERACTIONS,
    dimensions=INTERACTION_DIMENSIONS,
    counted=("entered",),
    before={
        "accept_timed": "accepted",
        "first_response_timed": "responded",
        "finish_timed": "finished_responded",
        "handle_timed": "handled",
    },
    raw_order=("tenant", "interaction_id", "updated_us", "received_us", "content_hash"),
)
SESSIONS = Dataset(
    name="sessions",
    stream="sessions",
    raw_columns=streams.SESSIONS.columns,
    daily_columns=DAILY_SESSIONS,
    dimensions=SESSION_DIMENSIONS,
    counted=("sessions",),
    raw_order=("tenant", "session_id", "received_us", "content_hash"),
)
DATASETS = (SCORES, INTERACTIONS, SESSIONS)
"""The tables that are made of one kind of events each."""
STREAMS = tuple(dataset.stream for dataset in DATASETS)
"""The names of the streams, which are folders below raw/."""

EXPERIENCE = DailyTable(
    name="experience",
    daily_columns=DAILY_EXPERIENCE,
    dimensions=("metric", "scale", "survey", "channel", DEVICE, *EXPERIENCED),
    counted=SCORE_COUNTS,
    parted_by=("metric", "scale"),
)
"""Answers by what the customer went through before: made of responses and interactions."""
LONGEST_LINK_DAYS = 180
"""No link between an answer and its interaction spans more days: the most that the template takes.
"""
DAILY_TABLES: tuple[DailyTable, ...] = (*DATASETS, EXPERIENCE)


def raw_prefix(stream: str, day: date) -> str:
    """Where all events of the tenant-local day `day` lie."""
    return f"raw/{stream}/dt={day}/"


def raw_key(stream: str, day: date, name: str) -> str:
    """Key of one object of events, all of the tenant-local day `day`."""
    return f"{raw_prefix(stream, day)}{name}.parquet"


COMPACTIONS = "compactions/"
"""Where the manifests of compactions lie."""


def compactions_prefix(stream: str, day: date) -> str:
    """Where the manifest of a day's compaction lies, until its sources are removed."""
    return f"{COMPACTIONS}{stream}/dt={day}/"


def compaction_key(stream: str, day: date, name: str) -> str:
    """Key of the manifest of one compaction."""
    return f"{compactions_prefix(stream, day)}{name}.json"


QUARANTINE = "quarantine/"
"""Where rows lie that could not be read."""


def quarantine_prefix(stream: str, day: date) -> str:
    """Where the rows lie that were set aside on the UTC day `day`."""
    return f"quarantine/{stream}/dt={day}/"


def quarantine_key(stream: str, day: date, name: str) -> str:
    """Key of one object of rows that could not be read, set aside on the UTC day `day`."""
    return f"{quarantine_prefix(stream, day)}{name}.json"


ERASURES = "erasures/"
"""Where the receipts of erasures lie."""


def run_prefix(dataset: DailyTable, run: str) -> str:
    """Prefix of one build's output; below it Athena adds `dt=YYYY-MM-DD/`."""
    return f"{dataset.daily_prefix}run={run}/"


def large_tenant_prefix(dataset: DailyTable, tenant: str) -> str:
    """Below which the daily rows of a large tenant lie."""
    return f"{dataset.large_prefix}tenant={tenant}/"


def large_run_prefix(dataset: DailyTable, tenant: str, run: str) -> str:
    """Prefix of what one run laid out; below it Athena adds `dt=YYYY-MM-DD/`."""
    return f"{large_tenant_prefix(dataset, tenant)}run={run}/"


def large_mark_below(run_prefix: str) -> str:
    """The object that lists the days of which all rows of the run are there."""
    return f"{run_prefix}complete"


QUESTIONS = "questions/"
"""Where Athena puts the roll-ups that reports of large tenants are answered from."""


def questions_prefix(tenant: str) -> str:
    """Below which the roll-ups lie that were made for questions about a tenant."""
    return f"{QUESTIONS}tenant={tenant}/"


def question_prefix(tenant: str, fingerprint: str, run: str) -> str:
    """Prefix of the roll-up of one question, as one run made it."""
    return f"{questions_prefix(tenant)}question={fingerprint}/run={run}/"


STAGING = "staging/"
"""Where rows lie for a run that is at work."""


def staging_root(dataset: DailyTable) -> str:
    """Below which the runs of build_reports lay out rows by tenant."""
    return f"{STAGING}{dataset.name}/"


def staging_prefix(dataset: DailyTable, run: str) -> str:
    """Prefix of what build_reports has Athena lay out per tenant before it is sorted and put."""
    return f"{staging_root(dataset)}run={run}/"


def tenant_prefix(dataset: DailyTable, tenant: str) -> str:
    """Below which all years of a tenant's rows lie."""
    return f"{dataset.report_prefix}tenant={tenant}/"


def part_prefix(dataset: DailyTable, tenant: str, year: int, run: str) -> str:
    """Below which the objects lie that a run has made of one tenant's calendar year."""
    return f"{tenant_prefix(dataset, tenant)}year={year}/run={run}/"


def part_key(dataset: DailyTable, tenant: str, year: int, run: str, rollup: str) -> str:
    """Key of one roll-up of such a part. Without a run: of the one object of former versions."""
    if not run:
        return f"{tenant_prefix(dataset, tenant)}year={year}.parquet"
    return f"{part_prefix(dataset, tenant, year, run)}{rollup}.parquet"


EXPORT_STAGING = f"{STAGING}exports/"
"""Below which each run of export_rows has a folder of its own, while it is at work."""


def export_staging_prefix(run: str, first_day: date) -> str:
    """Prefix of what export_rows has Athena lay out by day, for the batch that begins so."""
    return f"{EXPORT_STAGING}run={run}/from={first_day}/"


def exports_prefix(tenant: str) -> str:
    """Below which the files of a tenant's exports lie."""
    return f"exports/tenant={tenant}/"


def export_key(tenant: str, export: str, run: str, file_name: str) -> str:
    """Key of an export's file. Runs of one export do not meet: its record names the one it is."""
    return f"{exports_prefix(tenant)}export={export}/run={run}/{file_name}"


COMMENTS = "comments/"
"""Where the comments lie that readers find, by month and tenant."""
COMMENTS_TABLE = "comments"
"""The Glue table over them, which has each calendar month as a partition."""
COMMENT_TEXTS = (
    "response_id",
    "key_kind",
    *SCORE_DIMENSIONS,
    "interaction",
    "comment",
)
"""Those of their columns that are texts."""
HANDLED_BY = "handled_by"
"""The agent of an answer's interaction, where `agent` is the answer's own."""
COMMENT_EXPERIENCE: Mapping[str, tuple[str, ...] | None] = {
    HANDLED_BY if name == "agent" else name: values for name, values in EXPERIENCED.items()
}
"""Those that the linked interaction has, with the values and the meaning that they have in
daily_experience. All are NULL where no interaction is linked; else `media_type` is not."""
COMMENT_COLUMNS: Mapping[str, str] = {
    "day": "date",
    "answered_us": "bigint",
    "score": "int",
    **dict.fromkeys(COMMENT_TEXTS, "string"),
    "tags": "map<string,string>",
    **dict.fromkeys(COMMENT_EXPERIENCE, "string"),
}
"""The columns of a month of comments, with their Glue types."""
COMMENT_STAGING = f"{STAGING}comments/"
"""Below which each run of build_daily has a folder of its own, while it gathers comments."""


def comments_prefix(month: date) -> str:
    """Below which the comments of a calendar month lie, given by any of its days."""
    return f"{COMMENTS}month={month:%Y-%m}/"


def comments_key(tenant: str, month: date) -> str:
    """Key of a tenant's comments of a calendar month, given by any of its days."""
    return f"{comments_prefix(month)}tenant={tenant}.parquet"


def month_of_comments(key: str) -> str:
    """The month of an object of comments, as YYYY-MM."""
    return key.removeprefix(f"{COMMENTS}month=").partition("/")[0]


STATEMENT_RESULTS = "athena/"
"""Where the workgroup has Athena put what statements answer."""


def erasure_key(name: str) -> str:
    """Key of the receipt of an erasure."""
    return f"{ERASURES}{name}.json"


def finance_prefix(tenant: str) -> str:
    """Below which a tenant's files lie in the finance bucket."""
    return f"revenue/tenant={tenant}/"


def revenue_prefix(tenant: str, month: str) -> str:
    """Where in the finance bucket a tenant's revenue of a month, written YYYY-MM, lies."""
    return f"{finance_prefix(tenant)}month={month}/"


def revenue_year_prefix(tenant: str, year: int) -> str:
    """Below which all months of a year lie: what is there is listed at once."""
    return f"{finance_prefix(tenant)}month={year}-"
