"""The exit codes of commands, on which scripts may rely. 0 is success.

    1 FailedError       the command was right, but could not be done
    2 WrongUseError     the command, its options or its file must be changed first
    3 (no error)        it was done, but rows were rejected: REJECTED
    4 NotAllowedError   the key or the AWS credentials do not allow it

Messages say what to do next.
"""

from pulse.errors import PulseError

REJECTED = 3


class CommandError(PulseError):
    """Ends the command with a message and `exit_code`."""

    exit_code = 1


class FailedError(CommandError):
    """The command was right, but could not be done."""


class WrongUseError(CommandError):
    """The caller must change the command or what it was given."""

    exit_code = 2


class NotAllowedError(CommandError):
    """The caller may not do this."""

    exit_code = 4
