"""How a command ends other than well: the exit codes that scripts may rely on.

    1 FailedError       it was asked rightly and could not be done
    2 WrongUseError     the command, its options or its file must be changed first
    3 (no error)        done, but rows were rejected: REJECTED
    4 NotAllowedError   the key or the AWS credentials do not allow it

Messages say what to do next.
"""

from pulse.errors import PulseError

REJECTED = 3


class CommandError(PulseError):
    """Ends the command with a message and `exit_code`."""

    exit_code = 1


class FailedError(CommandError):
    """It could not be done."""


class WrongUseError(CommandError):
    """The caller must change the command or what it was given."""

    exit_code = 2


class NotAllowedError(CommandError):
    """The caller may not do this."""

    exit_code = 4
