"""The CloudFront distribution of the template: which paths are pages, and with which headers.

It is read once from the deployment; local/edge.py uses it for every request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.deployment import Deployment, DeploymentError

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class HeadersPolicy:
    """The headers that CloudFront adds to replies."""

    always: Headers = ()
    to_origins: Headers = ()
    """Those that are added if the request has an Origin header."""


@dataclass(frozen=True)
class Behaviour:
    """A cache behaviour of the distribution: how it handles requests for some paths."""

    pattern: str
    """A pattern of paths: * stands for any characters, ? for one."""
    is_pages: bool
    """Whether replies come from the bucket of pages; otherwise they come from the API."""
    methods: tuple[str, ...]
    headers: HeadersPolicy

    def fits(self, path: str) -> bool:
        """Whether the behaviour's pattern matches the whole path."""
        regex = re.escape(self.pattern).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(regex, path, re.DOTALL) is not None


@dataclass(frozen=True)
class Distribution:
    """The template's distribution."""

    behaviours: tuple[Behaviour, ...]
    """In the order in which they are tried; the last one fits every path."""
    api_headers: Headers = ()
    """The headers that it adds to each request to the API."""

    def behaviour(self, path: str) -> Behaviour:
        """The behaviour for a path."""
        return next(found for found in self.behaviours if found.fits(path))


def read_distribution(deployment: Deployment) -> Distribution | None:
    """The deployment's distribution, or None if it has none. Raises DeploymentError for two."""
    found = deployment.of_type("AWS::CloudFront::Distribution")
    if len(found) > 1:
        raise DeploymentError(f"one distribution can be served, not {', '.join(found)}")
    for distribution in found.values():
        config = distribution.properties["DistributionConfig"]
        buckets = {o["Id"] for o in config["Origins"] if "S3OriginConfig" in o}
        policies = {
            policy.physical_id: _policy(policy.properties["ResponseHeadersPolicyConfig"])
            for policy in deployment.of_type("AWS::CloudFront::ResponseHeadersPolicy").values()
        }
        listed = [*config.get("CacheBehaviors", ()), config["DefaultCacheBehavior"]]
        behaviours = tuple(_behaviour(b, buckets, policies) for b in listed)
        return Distribution(behaviours, _shown_to_the_api(config["Origins"]))
    return None


def _behaviour(
    described: Mapping[str, Any], buckets: set[str], policies: Mapping[str, HeadersPolicy]
) -> Behaviour:
    named = described.get("ResponseHeadersPolicyId", "")
    return Behaviour(
        pattern=described.get("PathPattern", "*"),
        is_pages=described["TargetOriginId"] in buckets,
        methods=tuple(described.get("AllowedMethods", ("GET", "HEAD"))),
        headers=policies.get(named, HeadersPolicy()),  # AWS's managed policies are not known here
    )


def _shown_to_the_api(origins: Iterable[Mapping[str, Any]]) -> Headers:
    return tuple(
        (header["HeaderName"].lower(), header["HeaderValue"])
        for origin in origins
        if "CustomOriginConfig" in origin
        for header in origin.get("OriginCustomHeaders", ())
    )


def _policy(config: Mapping[str, Any]) -> HeadersPolicy:
    """The headers, without Strict-Transport-Security, which needs TLS (RFC 6797)."""
    security = config.get("SecurityHeadersConfig", {})
    headers = []
    if policy := security.get("ContentSecurityPolicy"):
        headers.append(("content-security-policy", policy["ContentSecurityPolicy"]))
    if "ContentTypeOptions" in security:
        headers.append(("x-content-type-options", "nosniff"))
    if policy := security.get("ReferrerPolicy"):
        headers.append(("referrer-policy", policy["ReferrerPolicy"]))
    custom = config.get("CustomHeadersConfig", {}).get("Items", ())
    headers += [(item["Header"].lower(), item["Value"]) for item in custom]
    return HeadersPolicy(tuple(headers), _cors(config.get("CorsConfig")))


def _cors(config: Mapping[str, Any] | None) -> Headers:
    if config is None:
        return ()
    origins = config["AccessControlAllowOrigins"]["Items"]
    if origins != ["*"]:
        raise DeploymentError(f"pages are for all origins or for none, not for {origins}")
    return (("access-control-allow-origin", "*"),)
