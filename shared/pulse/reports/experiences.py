"""The experience family: what customers answered, by what they went through before.

An answer counts by the interaction that it is linked to (docs/decisions/0072). Where none is
linked, it has nothing of an interaction, and counts all the same.
"""

from collections.abc import Mapping
from dataclasses import replace

from pulse import lake
from pulse.reports.declarations import Dimension, Report
from pulse.reports.surveys import AVERAGE, CI_HIGH, CI_LOW, MEDIAN, RESPONSES, SCORE, SHARE_PCT
from pulse.reports.surveys import SURVEY as SURVEY_FAMILY

# -- the dimensions

_EXPERIENCED: Mapping[str, tuple[str, str]] = {
    "media_type": (
        "Media type",
        "How the customer got in touch. It has a value in every answer that is linked, and none in "
        "the others.",
    ),
    "customer_segment": ("Customer segment", "What kind of customer got in touch."),
    "service_type": ("Service type", "What the customer wanted."),
    "agent": ("Agent", "The agent who dealt with the interaction."),
    "accept": ("Accepting", "Whether the interaction was accepted within the threshold."),
    "first_response": ("First response", "Whether the first response came within the threshold."),
    "finish": ("Finishing", "Whether the interaction was finished within the threshold."),
    "wait": ("Wait", "How long it took from entering to being accepted."),
    "life": ("Whole life", "How long it took from entering to the end."),
    "was_abandoned": ("Abandoned", "Whether the customer gave up before being accepted."),
    "had_revenue": ("With revenue", "Whether it brought a revenue that is not zero."),
    "was_rated": ("With satisfaction", "Whether it has a satisfaction of its own."),
    "entered_on": ("Entered on", "The day on which the interaction entered."),
}
"""Titles and texts of the dimensions that the linked interaction has (lake.EXPERIENCED)."""

EXPERIENCED = tuple(
    Dimension(
        name,
        *_EXPERIENCED[name],
        values=values,
        a_person=name == "agent",
        in_order=values is not None,
        is_day=name == "entered_on",
    )
    for name, values in lake.EXPERIENCED.items()
)
"""These dimensions, in the order of the table."""

OF_COMMENTS = tuple(
    replace(
        one,
        name=lake.HANDLED_BY,
        title="Handled by",
        text="The agent who dealt with the interaction that the answer is linked to.",
    )
    if one.name == "agent"
    else one
    for one in EXPERIENCED
)
"""The same as comments have them, where `agent` is the answer's own."""

# -- the family and its report

EXPERIENCE = replace(
    SURVEY_FAMILY,
    name="experience",
    dataset=lake.EXPERIENCE,
    dimensions=(
        *(SURVEY_FAMILY.dimension(name) for name in lake.SURVEYED_DIMENSIONS),
        *EXPERIENCED,
    ),
)
"""Its scores are judged as those of the survey family are."""

REPORTS = (
    Report(
        name="experience",
        title="Scores by experience",
        text="How customers scored by what they went through before: whether they were accepted in "
        "time, how long they waited, with whom they dealt. Rows without a value are of answers "
        "that are linked to no interaction, or of whose interaction it is not known.",
        family=EXPERIENCE,
        group_by=("accept",),
        metrics=(RESPONSES, SHARE_PCT, AVERAGE, MEDIAN, SCORE, CI_LOW, CI_HIGH),
        linked_by="media_type",
        entered_on="entered_on",
    ),
)
"""In the order of the catalogue."""
