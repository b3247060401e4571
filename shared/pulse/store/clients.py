"""AWS clients, each made once a process, because making one takes about 350 ms.

They are clients of botocore. boto3 would add a fifth to a cold start, and nothing here uses it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session, get_session

from pulse.errors import NewerFormatError, UnavailableError
from pulse.observe import logger

AGAIN = "Send the same request again."
"""The advice of a 503 for requests that change nothing, or that count once if they come twice."""
_NOT_NOW = "It could not be stored or looked up just now."
_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, read_timeout=30)
_FAIL_FAST = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1, read_timeout=1.5
)
# for calls that take as long as a function may: tried once, since a second call would run as well
_LASTING = Config(retries={"total_max_attempts": 1}, read_timeout=910, tcp_keepalive=True)
# with these, signed links name the bucket's own region: S3's general address redirects requests for
# a new bucket to another address, for which the signature is not valid
_S3 = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})


def client(service: str, *, fail_fast: bool = False, lasting: bool = False) -> Any:
    """The process's client of a service.

    A `fail_fast` client gives up within about 3 s, for code that a person or a page waits for. A
    `lasting` one waits for the end of a function and never tries again. botocore cannot make
    clients in several threads at once: code with threads calls this before it starts them.
    """
    return _made(service, _FAIL_FAST if fail_fast else _LASTING if lasting else _PATIENT)


@cache
def _made(service: str, config: Config) -> Any:
    if service == "s3":
        config = config.merge(_S3)
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    """The session with the region and credentials of the environment."""
    return get_session()


@contextmanager
def unavailable_on_failure(advice: str = AGAIN) -> Iterator[None]:
    """Within the block, a failure of any AWS service becomes an UnavailableError with `advice`.

    So does a record that only a newer version of Pulse can read, which was deployed and then
    replaced by this one. Only the kind of failure is logged: botocore's messages can quote
    parameters.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        logger.error("AWS refused", extra={"operation": error.operation_name, "error": code})
        raise UnavailableError("unavailable", f"{_NOT_NOW} {advice}") from error
    except NewerFormatError as error:
        logger.error("of a newer version", extra={"error": str(error)})
        raise UnavailableError("unavailable", f"{_NOT_NOW} {advice}") from error
    except BotoCoreError as error:
        logger.error("AWS did not answer", extra={"error": type(error).__name__})
        raise UnavailableError("unavailable", f"{_NOT_NOW} {advice}") from error
