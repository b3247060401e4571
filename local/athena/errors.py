"""Why a statement ends as FAILED.

    StatementError            what Athena itself would answer, in its words (COLUMN_NOT_FOUND: ...)
    └── NotEmulatedError      Athena might run it; this emulation will not guess its answer

The text of the error is the execution's StateChangeReason.
"""


class StatementError(Exception):
    """A statement that Athena would end as FAILED; its text is the reason."""


class NotEmulatedError(StatementError):
    """A statement outside of the portable subset: refused rather than answered differently."""

    def __init__(self, what: str, because: str) -> None:
        super().__init__(f"NOT_EMULATED: {what}, because {because}")
