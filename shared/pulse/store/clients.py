"""AWS clients, each made once a process (making one costs about 350 ms).

They are botocore's: boto3 around it is a fifth of a cold start, for what nothing here uses.
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
"""What to do after a 503 of a request that changes nothing, or that counts once however often."""
_NOT_NOW = "It could not be stored or looked up just now."
_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, read_timeout=30)
_FAIL_FAST = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1, read_timeout=1.5
)
# what lasts as long as a function may: asked once, since another call would run beside the first
_LASTING = Config(retries={"total_max_attempts": 1}, read_timeout=910, tcp_keepalive=True)
# signed links then name the bucket in its own region: the general name sends those who ask for a
# young bucket elsewhere, where the signature does not hold
_S3 = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})


def client(service: str, *, fail_fast: bool = False, lasting: bool = False) -> Any:
    """The process's client of a service; `fail_fast` ones give up within about 3 s.

    Hurried is for code that a person or a page waits for, patient for scheduled work; `lasting`
    ones wait for a function's end, and ask once. botocore cannot make clients in several threads at
    once: who uses threads asks for the first one before them.
    """
    return _made(service, _FAIL_FAST if fail_fast else _LASTING if lasting else _PATIENT)


@cache
def _made(service: str, config: Config) -> Any:
    if service == "s3":
        config = config.merge(_S3)
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    """What the environment says of region and credentials."""
    return get_session()


@contextmanager
def unavailable_on_failure(advice: str = AGAIN) -> Iterator[None]:
    """Within the block, a failure of any AWS service is an UnavailableError with `advice`.

    So is what only a newer version of Pulse understands, which was taken back.

    What is logged is the kind of failure alone: botocore's messages can hold parameters.
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
