"""Survey responses in files."""

from pulse.cli import posting
from pulse.cli.plan import Kind, Needed, RowIds, reads
from pulse.ingest.responses import ResponseReader
from pulse.streams.responses import RESPONSES as STREAM

_OTHERWISE = ("tags", "signature", "age_ms")
"""Fields that files do not have as such. Tags are mapped one by one. A signature comes from pages
and has no effect with a secret key. An age is sent by pages when an answer is given."""

RESPONSES = Kind(
    route=posting.RESPONSES,
    identity=STREAM.identity,
    moment="answered_at",
    fields={name: read for name, read in reads(STREAM).items() if name not in _OTHERWISE},
    maps=("tags",),
    needed=(
        Needed("survey_id", "Name the survey: --survey ID, or --map survey_id=COLUMN"),
        Needed("score", "Name the column of the scores: --map score=COLUMN"),
        Needed(
            "answered_at",
            "Name the column that says when each response was given, --map answered_at=COLUMN "
            "(or one time for all, --set answered_at=2026-11-20): without it, importing the file "
            "again would count it again",
        ),
    ),
    completing=lambda batch: RowIds("response_id", batch).complete,
    reader=ResponseReader,
    if_ids_repeat="Rows with the response_id of an earlier row: {count}. Of equal ids of a survey "
    "and a day, the last row counts.",
    ids=("response_id", "customer_id", "interaction_id", "agent_id"),
)
