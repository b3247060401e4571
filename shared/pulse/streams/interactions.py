"""The stream of interactions: contacts of customers with the company. An event is an update."""

from pulse import days
from pulse.streams.fields import WORD_LIMIT, Dimension, Field, Sent, Stream

MEDIA_TYPES = ("voice", "email", "chat", "sms", "social", "task")
"""The usual media types. Senders may name others."""
SYNCHRONOUS = ("voice", "chat")
"""The media on which accepting is the first response (docs/metrics.md), unless a tenant says
otherwise."""
LONGEST_US = 731 * days.DAY
"""The longest time from the entry to a milestone: two years, with a leap day."""
MILESTONES = ("offered_at", "accepted_at", "first_response_at", "finished_at")
"""The milestones of an interaction, by their names in the API."""

MEDIA_TYPE = Sent(
    "word",
    f"How they were in touch: {', '.join(MEDIA_TYPES)}, or another name.",
    required=True,
    limit=WORD_LIMIT,
)
_AFTER_ENTRY = "not before entered_at, at most two years after."

INTERACTIONS = Stream(
    name="interactions",
    noun="interaction",
    identity="interaction_id",
    text="An interaction as far as it has gone. Sent again with the same entered_at it may hold "
    "only what changed: of each field the latest updated_at that has a value counts.",
    fields=(
        Field("tenant", by="write_raw"),
        Field(
            "interaction_id",
            sent=Sent("id", "Identifies it within the tenant's day of entered_at.", required=True),
            always=True,
        ),
        Field(
            "media_type",
            sent=MEDIA_TYPE,
            always=True,
            dimension=Dimension(
                "media_type",
                "Media type",
                f"How they were in touch: {', '.join(MEDIA_TYPES)}, or what the sender calls it.",
            ),
        ),
        Field(
            "entered_us",  # microseconds since 1970, UTC, like every *_us that is a moment
            "bigint",
            Sent(
                "moment",
                "When the customer came; at most 5 minutes ahead, back to 1990-01-01 or as long "
                "as raw is kept.",
                "entered_at",
                required=True,
            ),
            always=True,
        ),
        Field(
            "updated_us",
            "bigint",
            Sent(
                "moment",
                "When this was so. Default now; at most 5 minutes ahead.",
                "updated_at",
            ),
            always=True,
        ),
        Field("received_us", "bigint", by="write_raw"),
        Field("content_hash", by="write_raw"),  # of all other columns but received_us and key_id
        Field(
            "customer_segment",
            sent=Sent("name", "The kind of customer."),
            dimension=Dimension(
                "customer_segment", "Customer segment", "The segment that the customer is in."
            ),
        ),
        Field(
            "service_type",
            sent=Sent("name", "What it was about."),
            dimension=Dimension("service_type", "Service type", "What the customer wanted."),
        ),
        Field(
            "agent",
            sent=Sent("id", "The agent who handled it.", "agent_id"),
            dimension=Dimension("agent", "Agent", "The agent who dealt with it."),
        ),
        Field("agent_name", sent=Sent("name", "The agent's name, to be shown.")),
        Field("customer", sent=Sent("id", "Who the customer was.", "customer_id")),
        Field(
            "offered_us",
            "bigint",
            Sent("moment", f"When it was offered to an agent; {_AFTER_ENTRY}", "offered_at"),
        ),
        Field(
            "accepted_us",
            "bigint",
            Sent("moment", f"When an agent took it; {_AFTER_ENTRY}", "accepted_at"),
        ),
        Field(
            "first_response_us",
            "bigint",
            Sent(
                "moment",
                f"When the customer got the first reply; {_AFTER_ENTRY} On the tenant's "
                "synchronous media accepted_at where it is missing.",
                "first_response_at",
            ),
        ),
        Field(
            "finished_us",
            "bigint",
            Sent("moment", f"When it was over; {_AFTER_ENTRY}", "finished_at"),
        ),
        Field(
            "abandoned",
            "boolean",
            Sent("boolean", "True where the customer gave up; counts if it was never accepted."),
        ),
        Field("replies", "int", Sent("count", "How many replies the customer got.")),
        Field(
            "satisfaction",
            "decimal(9,4)",
            Sent(
                "decimal",
                "Within the tenant's satisfaction scale, by default 1-5; at most four decimals.",
            ),
        ),
        Field(
            "revenue",
            "decimal(18,4)",
            Sent("money", "What it brought in."),
        ),
        Field(
            "currency",  # of the revenue; sent together with it
            dimension=Dimension("currency", "Currency", "The currency of its revenue (ISO 4217)."),
        ),
        Field("accept_threshold_us", "bigint"),  # in force at entered_us; null: there was none
        Field("first_response_threshold_us", "bigint"),
        Field("finish_threshold_us", "bigint"),
        Field("key_id", by="write_raw", since=2),
        # True if only the day of the moment is known: then the column of the moment holds noon, and
        # no duration is computed from it.
        Field("entered_by_day", "boolean", since=3),
        Field("accepted_by_day", "boolean", since=3),
        Field("first_response_by_day", "boolean", since=3),
        Field("finished_by_day", "boolean", since=3),
        # whether the tenant says that customers wait on this medium
        Field("synchronous", "boolean", since=3),
    ),
    exported=(
        "tenant",
        "interaction_id",
        "media_type",
        "customer_segment",
        "service_type",
        "agent",
        "agent_name",
        "customer",
        "entered_at",
        "offered_at",
        "accepted_at",
        "first_response_at",
        "finished_at",
        "abandoned",
        "replies",
        "satisfaction",
        "revenue",
        "currency",
        "accept_threshold_seconds",
        "first_response_threshold_seconds",
        "finish_threshold_seconds",
        "entered_by_day",
        "accepted_by_day",
        "first_response_by_day",
        "finished_by_day",
        "synchronous",
        "updated_at",
        "received_at",
    ),
)
