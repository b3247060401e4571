"""Every exception that Pulse raises on purpose, and the HTTP status of each.

    PulseError
    ├── RequestError          the caller can mend it; becomes application/problem+json
    │   ├── BadRequestError         400
    │   ├── UnauthorizedError       401
    │   ├── ForbiddenError          403
    │   ├── NotFoundError           404
    │   ├── OutdatedError           409  the request is about an earlier build
    │   ├── PayloadTooLargeError    413
    │   ├── UriTooLongError         414
    │   ├── UnsupportedMediaTypeError 415
    │   ├── UnprocessableError      422
    │   ├── TooManyRequestsError    429  try again later
    │   └── UnavailableError        503  try again later
    ├── SettingsError         an environment variable or a tenant's setting is missing or wrong
    ├── AthenaError           a statement failed, was cancelled or ran out of time
    ├── BuildCheckError       a build's result contradicts its input; nothing was published
    ├── NewerFormatError      a newer version wrote it, and this one would misread it
    ├── FunctionFailedError   a function that a command invoked has failed
    ├── CatalogError          Glue refused a day; the next build tries it again
    ├── GoneError             an object that a record named has been removed; read the record again
    └── ConflictError         another process changed the same record or object first; start over

docs/http.md#errors lists the statuses; `code` is the stable name of the case, for programs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class PulseError(Exception):
    """Anything that Pulse itself raises."""


class SettingsError(PulseError):
    """A setting is missing or wrong; the message names it."""


class AthenaError(PulseError):
    """An Athena statement did not succeed; the message holds Athena's own reason."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        """`retryable` says whether the same statement might succeed at another time."""
        super().__init__(message)
        self.retryable = retryable


class FunctionFailedError(PulseError):
    """A function that a command invoked has failed; the message is the function's own."""


class CatalogError(PulseError):
    """Glue could not point a day at its run; the message names the day and Glue's reason."""


class NewerFormatError(PulseError):
    """Only a newer version of Pulse can read this; it stays where it is until one is deployed."""


class GoneError(PulseError):
    """An object that a record named has been removed; the record of now names another."""


class BuildCheckError(PulseError):
    """A build's result contradicts its input; the published tables are as they were."""


def raise_collected(errors: Sequence[PulseError]) -> None:
    """Raise what went wrong while the rest went on, if anything did; the first tells of all."""
    if not errors:
        return
    first, *others = errors
    raise type(first)("; ".join(map(str, errors))) if others else first


class ConflictError(PulseError):
    """Another writer was first; read again and start over."""


@dataclass(frozen=True)
class FieldError:
    """One field at fault: its name (dotted for nested ones), a stable code, a sentence."""

    field: str
    code: str
    message: str


class RequestError(PulseError):
    """A request that cannot be served as it is; `status` and `title` come from the subclass."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Bad request"

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers or {}
        self.extra = extra or {}

    def problem(self) -> dict[str, Any]:
        """The body of an RFC 9457 reply."""
        body: dict[str, Any] = {
            "type": f"urn:pulse:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            body["errors"] = [
                {"field": e.field, "code": e.code, "message": e.message} for e in self.errors
            ]
        return body | self.extra


class BadRequestError(RequestError):
    """400: the request cannot be read, or names something that does not exist."""


class UnauthorizedError(RequestError):
    """401: no key, or one that is unknown, revoked or expired."""

    status = 401
    title = "Unauthorized"


class ForbiddenError(RequestError):
    """403: a known key that may not do this."""

    status = 403
    title = "Forbidden"


class NotFoundError(RequestError):
    """404: no such path, report or survey."""

    status = 404
    title = "Not found"


class OutdatedError(RequestError):
    """409: the request goes on from a build that has been replaced since."""

    status = 409
    title = "Conflict"


class PayloadTooLargeError(RequestError):
    """413: more bytes or items than a request may hold."""

    status = 413
    title = "Payload too large"


class UriTooLongError(RequestError):
    """414: an address that is longer than API Gateway and CloudFront accept."""

    status = 414
    title = "URI too long"


class UnsupportedMediaTypeError(RequestError):
    """415: a body in a content coding other than gzip."""

    status = 415
    title = "Unsupported media type"


class UnprocessableError(RequestError):
    """422: readable, but nothing in it can be accepted."""

    status = 422
    title = "Unprocessable content"


class TooManyRequestsError(RequestError):
    """429: the caller sends more than it may. Nothing was done; it may try again later."""

    status = 429
    title = "Too many requests"

    def __init__(self, code: str, detail: str, *, retry_after_s: int) -> None:
        super().__init__(code, detail, headers={"Retry-After": str(retry_after_s)})


class UnavailableError(RequestError):
    """503: it could not be stored or read in time. It may have been stored all the same."""

    status = 503
    title = "Service unavailable"

    def __init__(self, code: str, detail: str, *, retry_after_s: int = 5) -> None:
        super().__init__(code, detail, headers={"Retry-After": str(retry_after_s)})
