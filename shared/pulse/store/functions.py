"""Lambda: functions that are called by hand."""

from pulse.store.clients import client


def start(function: str) -> None:
    """Lambda has taken a call of the function, with an empty event; nobody waits for its end."""
    client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b"{}")
