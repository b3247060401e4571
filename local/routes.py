"""The HTTP API of the template: routes, their throttles, CORS.

It is read once from the deployment; local/http_api.py uses it for every request.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from local.deployment import Deployment, DeploymentError

DEFAULT = "$default"
_ANY_METHOD = "x-amazon-apigateway-any-method"


class Throttle:
    """A token bucket: `rate` requests a second, at most `burst` at once."""

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._filled_at = burst, clock()
        self._lock = threading.Lock()

    def admits(self) -> bool:
        """Take a token; False if there is none."""
        with self._lock:
            now = self._clock()
            gained = (now - self._filled_at) * self._rate
            self._tokens = min(self._burst, self._tokens + gained)
            self._filled_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


@dataclass(frozen=True)
class Route:
    """One route of the API and the function behind it, by its logical id."""

    method: str
    """A method, or ANY."""
    path: str
    function: str
    throttle: Throttle | None = None
    _pattern: re.Pattern[str] = field(init=False, repr=False)
    _names: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = [_segment(part) for part in self.path.split("/")]
        pattern = re.compile("/".join(regex for regex, _ in parts), re.DOTALL)
        object.__setattr__(self, "_pattern", pattern)
        object.__setattr__(self, "_names", tuple(name for _, name in parts if name))

    @property
    def key(self) -> str:
        """The route key in API Gateway's form: `GET /v1/reports/{report}`."""
        return DEFAULT if self.path == DEFAULT else f"{self.method} {self.path}"

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path's parameters, or None if the route is not for this request."""
        if self.method not in {"ANY", method}:
            return None
        if self.path == DEFAULT:
            return {}
        found = self._pattern.fullmatch(path)
        return None if found is None else dict(zip(self._names, found.groups(), strict=True))

    @property
    def vagueness(self) -> tuple[Any, ...]:
        """A key that sorts specific routes first: literal, {name}, {name+}, then $default."""
        if self.path == DEFAULT:
            return (True,)
        segments = self.path.split("/")
        shape = [2 if s.endswith("+}") else 1 if s.startswith("{") else 0 for s in segments]
        return (False, 2 in shape, shape, self.method == "ANY")


def _segment(part: str) -> tuple[str, str]:
    """The regular expression of one path segment, and the parameter's name if it is one."""
    if part.startswith("{") and part.endswith("+}"):
        return "(.+)", part[1:-2]
    if part.startswith("{") and part.endswith("}"):
        return "([^/]+)", part[1:-1]
    return re.escape(part), ""


@dataclass(frozen=True)
class Cors:
    """The CORS configuration: what pages of other origins may do."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age: int | None
    credentials: bool

    def preflight(self, origin: str) -> dict[str, str]:
        """The headers of the reply to a preflight; none if the origin is not allowed."""
        answer = self._origin(origin)
        if not answer:
            return {}
        if self.methods:
            answer["access-control-allow-methods"] = ",".join(self.methods)
        if self.headers:
            answer["access-control-allow-headers"] = ",".join(self.headers)
        if self.max_age is not None:
            answer["access-control-max-age"] = str(self.max_age)
        return answer

    def response(self, origin: str) -> dict[str, str]:
        """The headers that are added to the reply to a page's request."""
        answer = self._origin(origin)
        if answer and self.exposed:
            answer["access-control-expose-headers"] = ",".join(self.exposed)
        return answer

    def _origin(self, origin: str) -> dict[str, str]:
        if "*" in self.origins:
            allowed = "*"
        elif any(_origin_fits(pattern, origin) for pattern in self.origins):
            allowed = origin
        else:
            return {}
        answer = {"access-control-allow-origin": allowed}
        if self.credentials:
            answer["access-control-allow-credentials"] = "true"
        return answer


def _origin_fits(pattern: str, origin: str) -> bool:
    """Whether the origin is the pattern, or matches API Gateway's `https://*`."""
    if pattern.endswith("://*"):
        return origin.startswith(pattern[:-1])
    return pattern.lower() == origin.lower()


@dataclass(frozen=True)
class HttpApi:
    """The template's API."""

    api_id: str
    routes: tuple[Route, ...]
    """The most specific first."""
    cors: Cors | None
    access_log_format: str | None

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a request and the path's parameters."""
        for route in self.routes:
            parameters = route.match(method, path)
            if parameters is not None:
                return route, parameters
        return None


def read_http_api(deployment: Deployment) -> HttpApi | None:
    """The deployment's API, or None if it has none. Raises DeploymentError for two of them."""
    apis = deployment.of_type("AWS::ApiGatewayV2::Api")
    if len(apis) > 1:
        raise DeploymentError(f"one HTTP API can be served, not {', '.join(apis)}")
    for api in apis.values():
        body = api.properties["Body"]
        stages = deployment.of_type("AWS::ApiGatewayV2::Stage").values()
        stage = next((s.properties for s in stages), {})
        routes = sorted(_routes(body, stage, deployment), key=lambda route: route.vagueness)
        return HttpApi(
            api_id=api.physical_id,
            routes=tuple(routes),
            cors=_cors(body.get("x-amazon-apigateway-cors")),
            access_log_format=stage.get("AccessLogSettings", {}).get("Format"),
        )
    return None


def _routes(
    body: Mapping[str, Any], stage: Mapping[str, Any], deployment: Deployment
) -> Iterable[Route]:
    by_name = {config.name: logical_id for logical_id, config in deployment.functions.items()}
    for path, methods in body.get("paths", {}).items():
        for method, operation in methods.items():
            uri = operation["x-amazon-apigateway-integration"]["uri"]
            name = unquote(uri).split(":function:")[1].split("/")[0].split(":")[0]
            plain_path = DEFAULT if path.strip("/") == DEFAULT else path
            plain_method = "ANY" if method == _ANY_METHOD else method.upper()
            key = DEFAULT if plain_path == DEFAULT else f"{plain_method} {plain_path}"
            yield Route(plain_method, plain_path, by_name[name], _throttle(stage, key))


def _throttle(stage: Mapping[str, Any], route_key: str) -> Throttle | None:
    default = stage.get("DefaultRouteSettings") or {}
    settings = default | (stage.get("RouteSettings") or {}).get(route_key, {})
    rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
    if rate is None and burst is None:
        return None
    rate = float(rate if rate is not None else burst)
    return Throttle(rate, float(burst if burst is not None else max(rate, 1)))


def _cors(settings: Mapping[str, Any] | None) -> Cors | None:
    if not settings:
        return None
    age = settings.get("maxAge")
    return Cors(
        origins=tuple(settings.get("allowOrigins", ())),
        methods=tuple(settings.get("allowMethods", ())),
        headers=tuple(settings.get("allowHeaders", ())),
        exposed=tuple(settings.get("exposeHeaders", ())),
        max_age=None if age is None else int(age),
        credentials=str(settings.get("allowCredentials", False)).lower() == "true",
    )
