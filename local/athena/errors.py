"""The errors of statements that end as FAILED.

    StatementError            Athena would refuse it with this message (COLUMN_NOT_FOUND: ...)
    └── NotEmulatedError      Athena might run it, but this emulation cannot

The text of the error is the execution's StateChangeReason.
"""


class StatementError(Exception):
    """A statement that Athena would end as FAILED; its text is the reason."""


class NotEmulatedError(StatementError):
    """A statement outside of the portable subset: refused rather than answered differently."""

    def __init__(self, what: str, because: str) -> None:
        super().__init__(f"NOT_EMULATED: {what}, because {because}")
