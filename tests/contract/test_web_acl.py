"""AWS would accept docs/web-acl.yaml, which operations.md offers, and its rules fit Pulse."""

from typing import Any

import pytest
from botocore.loaders import Loader
from samtranslator.yaml_helper import yaml_parse

from tests.contract.test_pages import DISTRIBUTION
from tests.contract.test_template import ROOT

FILE = ROOT / "docs" / "web-acl.yaml"
TEMPLATE: dict[str, Any] = yaml_parse(FILE.read_text())
ACL = TEMPLATE["Resources"]["WebAcl"]["Properties"]


def test_cloudformation_would_take_it() -> None:
    # imported here, which takes most of a second, because each worker imports every test
    from cfnlint.api import lint_file
    from cfnlint.config import ManualArgs

    assert lint_file(FILE, config=ManualArgs(regions=["us-east-1"])) == []


def test_it_is_for_cloudfront_and_lets_through_what_no_rule_is_about() -> None:
    assert ACL["Scope"] == "CLOUDFRONT"
    assert ACL["DefaultAction"] == {"Allow": {}}


def test_each_address_is_limited_where_the_api_is() -> None:
    (rule,) = ACL["Rules"]
    limited = rule["Statement"]["RateBasedStatement"]
    shapes = Loader().load_service_model("wafv2", "service-2")["shapes"]
    assert limited["AggregateKeyType"] == "IP"
    assert limited["AggregateKeyType"] in shapes["RateBasedStatementAggregateKeyType"]["enum"]
    # the windows that the API's documentation names
    assert limited["EvaluationWindowSec"] in (60, 120, 300, 600)
    parameter = TEMPLATE["Parameters"][limited["Limit"]["Ref"]]
    assert parameter["MinValue"] == shapes["RateLimit"]["min"]
    matched = limited["ScopeDownStatement"]["ByteMatchStatement"]
    (api,) = (b for b in DISTRIBUTION["CacheBehaviors"] if b["TargetOriginId"] == "api")
    assert f"{matched['SearchString']}*" == api["PathPattern"]
    assert matched["PositionalConstraint"] == "STARTS_WITH"


def test_another_spelling_of_the_path_does_not_lead_around_the_limit() -> None:
    """CloudFront normalizes a path by RFC 3986, but a rule sees the path as it was sent."""
    (rule,) = ACL["Rules"]
    limited = rule["Statement"]["RateBasedStatement"]
    matched = limited["ScopeDownStatement"]["ByteMatchStatement"]
    transformed = sorted(matched["TextTransformations"], key=lambda one: one["Priority"])
    kinds = [one["Type"] for one in transformed]
    assert kinds == ["URL_DECODE", "NORMALIZE_PATH"]  # in this order: %2F%2F hides slashes
    shapes = Loader().load_service_model("wafv2", "service-2")["shapes"]
    assert set(kinds) <= set(shapes["TextTransformationType"]["enum"])


def test_who_is_over_the_limit_is_told_when_to_come_again() -> None:
    (rule,) = ACL["Rules"]
    answer = rule["Action"]["Block"]["CustomResponse"]
    assert answer["ResponseCode"] == 429
    (header,) = answer["ResponseHeaders"]
    window = rule["Statement"]["RateBasedStatement"]["EvaluationWindowSec"]
    assert (header["Name"], header["Value"]) == ("Retry-After", str(window))


@pytest.mark.parametrize("configured", [ACL, *ACL["Rules"]])
def test_no_request_is_kept_as_a_sample(configured: dict[str, Any]) -> None:
    """A sample would show addresses, and keys in queries."""
    assert configured["VisibilityConfig"]["SampledRequestsEnabled"] is False
