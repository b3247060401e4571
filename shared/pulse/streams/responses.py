"""The stream of responses: what customers answered to surveys."""

from pulse.streams.fields import WORD_LIMIT, Dimension, Field, Sent, Stream

METRICS = ("csat", "nps", "ces")
"""The metrics that surveys measure."""
CHANNELS = ("ticket", "chat", "external")
"""The usual channels of responses. Senders may name others."""
COMMENT_LIMIT = 4_000
USER_AGENT_LIMIT = 4_000
TAG_SLOTS = ("tag1", "tag2", "tag3", "tag4")
"""The columns of those tags that a tenant has declared as dimensions."""

RESPONSES = Stream(
    name="responses",
    noun="response",
    identity="response_id",
    fields=(
        Field("tenant", by="write_raw"),
        Field(
            "survey",
            sent=Sent("survey", "Required, unless the key is tied to one survey.", "survey_id"),
            always=True,
            dimension=Dimension("survey", "Survey", "The survey that asked."),
        ),
        Field(
            "metric",
            always=True,
            dimension=Dimension("metric", "Metric", "What the survey measures.", METRICS),
        ),
        Field(
            "scale",  # as Rule.label: with its cut-offs if they are not the default, 1-5:good5
            always=True,
            dimension=Dimension(
                "scale", "Scale", "The scale, with its rule where that is not the default."
            ),
        ),
        Field(
            "response_id",
            sent=Sent(
                "response_id",
                "Sent again with the same answered_at, it replaces what was sent before. Needs "
                "answered_at or age_ms. One is made and returned where it is missing.",
            ),
            always=True,
        ),
        Field("key_kind", by="write_raw"),  # publishable or secret
        Field(
            "answered_us",  # microseconds since 1970, UTC
            "bigint",
            Sent(
                "moment",
                "Default now; at most 5 minutes ahead, 35 days back with a publishable key, back "
                "to 1990-01-01, or as long as raw is kept, with a secret one.",
                "answered_at",
            ),
            always=True,
        ),
        Field(
            "age_ms",
            None,
            Sent(
                "milliseconds",
                "In the place of answered_at, where the sender's clock is not to be trusted: how "
                "many milliseconds ago the answer was given. The reply says under which "
                "answered_at it was stored.",
            ),
            in_message=False,
        ),
        Field("received_us", "bigint", by="write_raw"),
        Field("content_hash", by="write_raw"),  # of all other columns but received_us and key_id
        Field(
            "score",
            "int",
            Sent("score", "A whole number within the survey's scale.", required=True),
            always=True,
        ),
        Field(
            "channel",
            sent=Sent(
                "word",
                f"Where it came from: {', '.join(CHANNELS)}, or another name.",
                limit=WORD_LIMIT,
                default="external",
            ),
            always=True,
            dimension=Dimension(
                "channel",
                "Channel",
                f"Where the answer came from: {', '.join(CHANNELS)}, or what the sender calls it.",
                open=True,
            ),
        ),
        Field(
            "agent",
            sent=Sent("id", "The agent who is rated.", "agent_id"),
            dimension=Dimension(
                "agent", "Agent", "The agent who was rated.", a_person=True, open=True
            ),
        ),
        Field("agent_name", sent=Sent("name", "The agent's name, to be shown.")),
        Field("customer", sent=Sent("id", "Who answered.", "customer_id")),
        Field("interaction", sent=Sent("id", "What the answer is about.", "interaction_id")),
        Field("comment", sent=Sent("text", "What the customer wrote.", limit=COMMENT_LIMIT)),
        Field(
            "tags",
            "map<string,string>",
            Sent("tags", "Texts of the sender's own, by name."),
        ),
        Field(
            "signature",
            None,
            Sent(
                "signature",
                "What a link that was signed brings along (sig). Without it a survey whose agents "
                "are signed drops the agent of a publishable key and keeps the answer, and one "
                "whose interactions are signed links no such answer to its interaction.",
            ),
            in_message=False,
        ),
        Field(
            "country",
            sent=Sent("country", "With a secret key only: the customer's, as the server knows it."),
            dimension=Dimension(
                "country", "Country", "The customer's country (ISO 3166-1 alpha-2)."
            ),
        ),
        Field(
            "ip",
            None,
            Sent("address", "With a secret key only: the customer's address. Never stored."),
        ),
        Field(
            "user_agent",
            None,
            Sent(
                "user_agent",
                "With a secret key only: the customer's browser.",
                limit=USER_AGENT_LIMIT,
            ),
        ),
        Field(
            "browser",
            by="write_raw",
            dimension=Dimension("browser", "Browser", "The customer's browser.", open=True),
        ),
        Field(
            "os",
            by="write_raw",
            dimension=Dimension(
                "os", "Operating system", "The customer's operating system.", open=True
            ),
        ),
        Field(
            "device",
            by="write_raw",
            dimension=Dimension("device", "Device", "The customer's kind of device."),
        ),
        Field("key_id", by="write_raw", since=2),  # of the key that sent it
        *(Field(name, since=3) for name in TAG_SLOTS),
        # True if a publishable key sent it and it may be linked to its interaction all the same
        Field("linkable", "boolean", since=3),
    ),
    exported=(
        "tenant",
        "survey",
        "metric",
        "scale",
        "response_id",
        "key_kind",
        "answered_at",
        "received_at",
        "score",
        "channel",
        "agent",
        "agent_name",
        "customer",
        "interaction",
        "comment",
        "tags",
        "country",
        "browser",
        "os",
        "device",
    ),
)
