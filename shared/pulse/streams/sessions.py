"""The stream of agent sessions: how long an agent was logged in on one medium on one day."""

from pulse import days
from pulse.streams.fields import Field, Sent, Stream
from pulse.streams.interactions import INTERACTIONS, MEDIA_TYPE

LONGEST_US = 25 * 3600 * days.SECOND
"""The longest session: a day has at most 25 hours."""

_DIMENSIONS = {dimension.name: dimension for dimension in INTERACTIONS.dimensions}

SESSIONS = Stream(
    name="sessions",
    noun="session",
    identity="session_id",
    text="An agent's session on one medium. Sent again for the same day it replaces what was sent "
    "before.",
    fields=(
        Field("tenant", by="write_raw"),
        Field(
            "session_id",
            sent=Sent("id", "Identifies it within its day.", required=True),
            always=True,
        ),
        Field(
            "agent",
            sent=Sent("id", "Whose session it was.", "agent_id", required=True),
            always=True,
            dimension=_DIMENSIONS["agent"],
        ),
        Field("media_type", sent=MEDIA_TYPE, always=True, dimension=_DIMENSIONS["media_type"]),
        Field(
            "day",
            None,
            Sent(
                "day",
                "The tenant's day; from 1990-01-01, or as long as raw is kept, to today.",
                required=True,
            ),
        ),
        Field(
            "active_us",  # microseconds, like every *_us that is a duration
            "bigint",
            Sent("seconds", "How long the agent was logged in.", "active_seconds", required=True),
            always=True,
        ),
        Field(
            "engaged_us",
            "bigint",
            Sent(
                "seconds",
                "How long of it the agent was engaged; at most all of it.",
                "engaged_seconds",
                required=True,
            ),
            always=True,
        ),
        Field("received_us", "bigint", by="write_raw"),
        Field("content_hash", by="write_raw"),
        Field("key_id", by="write_raw", since=2),
    ),
)
