"""Browser, operating system and kind of device by User-Agent, one case a line."""

import pytest
import ua_parser_rs
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from ua_parser.regex import Resolver as RustResolver

from pulse.raw import user_agents
from pulse.raw.user_agents import NOT_GIVEN, client_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CASES = [
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36",
     "Chrome", "Windows", "desktop"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/18.5 Safari/605.1.15", "Safari", "Mac OS X", "desktop"),
    ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
     "Firefox", "Ubuntu", "desktop"),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/140.0.0.0 Safari/537.36",
     "Chrome", "Chrome OS", "desktop"),
    # an old Internet Explorer calls a desktop with pen support a Tablet PC
    ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Tablet PC 2.0)",
     "IE", "Windows", "desktop"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/18.5 Mobile/15E148 Safari/604.1", "Mobile Safari", "iOS", "mobile"),
    (f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36",
     "Chrome Mobile", "Android", "mobile"),
    ("Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/12.1 Mobile/15E148 Safari/604.1", "Mobile Safari", "iOS", "tablet"),
    (f"Mozilla/5.0 (Linux; Android 13; SM-X906C) {WEBKIT} Chrome/140.0.0.0 Safari/537.36",
     "Chrome", "Android", "tablet"),
    ("Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/120.0 "
     "like Chrome/120.0 Safari/537.36", "Amazon Silk", "Android", "tablet"),
    (f"Mozilla/5.0 (Linux; Android 9; BRAVIA 4K) {WEBKIT} Chrome/90.0 Safari/537.36",
     "Chrome", "Android", "other"),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
     "Googlebot", "Other", "bot"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/140.0.0.0 Safari/537.36",
     "HeadlessChrome", "Linux", "bot"),
    ("Opera/9.80 (Android; Opera Mini/36.2/119.132; U; id) Presto/2.12.423 Version/12.16",
     "Opera Mini", "Android", "mobile"),
    ("Opera/9.80 (Android 4.0.4; Linux; Opera Mobi/ADR-1210091050) Presto/2.11.355 Version/12.10",
     "Opera Mobile", "Android", "mobile"),
    ("Opera/9.80 (Android 3.2; Linux; Opera Tablet/ADR-1203051631; U; en) Presto/2.10.254 "
     "Version/12.00", "Opera Tablet", "Android", "tablet"),
    (f"Mozilla/5.0 (Linux; Android 7.0; HTV32) {WEBKIT} Chrome/90.0.4430.91 Mobile Safari/537.36",
     "Chrome Mobile", "Android", "mobile"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Mobile/15E148 MyTV/3.1", "Mobile Safari UI/WKWebView", "iOS", "mobile"),
    (f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {WEBKIT} Chrome/114.0.0.0 Safari/537.36 "
     "ArkWeb/4.1.6.1 Mobile", "Chrome", "OpenHarmony", "mobile"),
    (f"Mozilla/5.0 (Tablet; OpenHarmony 5.0) {WEBKIT} Chrome/114.0.0.0 Safari/537.36 "
     "ArkWeb/4.1.6.1 Mobile", "Chrome", "OpenHarmony", "tablet"),
    (f"Mozilla/5.0 (PC; OpenHarmony 5.0) {WEBKIT} Chrome/114.0.0.0 Safari/537.36 "
     "ArkWeb/4.1.6.1", "Chrome", "OpenHarmony", "desktop"),
    ("Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Version/5.0 TV Safari/537.36", "Safari", "Tizen", "other"),
    ("curl/8.5.0", "curl", "Other", "other"),
    ("nothing that anybody knows", "Other", "Other", "other"),
    ("\x00 😀", "Other", "Other", "other"),
]  # fmt: skip


@pytest.mark.parametrize(("header", "browser", "os", "device"), CASES)
def test_what_a_header_tells(header: str, browser: str, os: str, device: str) -> None:
    client = client_of(header)
    assert (client.browser, client.os, client.device) == (browser, os, device)


@pytest.mark.parametrize("header", [None, ""])
def test_no_header_tells_nothing(header: str | None) -> None:
    assert client_of(header) == NOT_GIVEN


def test_only_the_beginning_of_an_endless_header_is_looked_at() -> None:
    assert client_of("x" * 1_000_000 + " Firefox/140.0").browser == "Other"
    assert client_of(CASES[0][0] + " " * 1_000_000).browser == "Chrome"


def test_the_rust_engine_is_the_one_that_runs() -> None:
    resolver = user_agents.resolver()
    assert isinstance(resolver, RustResolver)
    assert isinstance(resolver.ua, ua_parser_rs.UserAgentExtractor)


def listed(*, libraries: bool) -> list[str]:
    """The headers that crawler-user-agents has as examples, of libraries or of the others.

    Without those of a phone's build of Android, by which it knows a scanner.
    """
    return [
        header
        for bot in CRAWLER_USER_AGENTS_DATA
        if ("http-library" in bot["tags"]) == libraries and "AP3A" not in bot["pattern"]
        for header in bot["instances"]
    ]


def test_of_the_list_of_crawlers_nearly_all_are_bots() -> None:
    bots, libraries = listed(libraries=False), listed(libraries=True)
    assert len(bots) > 1_900
    assert {client_of(header).device for header in bots} == {"bot"}
    every = [client_of(header).device for header in (*bots, *libraries)]
    assert every.count("bot") / len(every) > 0.95


@pytest.mark.parametrize(
    "header",
    [
        "okhttp/4.12.0",
        "MyApp/1 CFNetwork/1494.0.7 Darwin/23.4.0",
        "Dart/3.3 (dart:io)",
        "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A.230805.001)",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Mobile/15E148 Instagram 325.0.3.34.92 (iPhone15,2; iOS 17_4)",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
        "like Gecko) Mobile/21E236 [FBAN/FBIOS;FBAV/457.0.0.36.108;FBBV/581150222]",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Mobile/15E148 [Pinterest/iOS]",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) GSA/309.1.618108475 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Chrome/122.0.0.0 Mobile Safari/537.36 Line/14.3.2/IAB",
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0; Microsoft Outlook 16.0) like "
        "Gecko",
        # of uap-core's tests, whose build and version crawler-user-agents takes for bots' names
        "Mozilla/5.0 (Linux; U; Android 15; en-gb; CPH2617 Build/AP3A.240617.008) "
        "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.6422.72 Mobile Safari/537.36 "
        "HeyTapBrowser/45.13.6.1",
        "Opera/9.80 (MAUI Runtime; Opera Mini/4.4.39008/37.9178; U; en) Presto/2.12.423 "
        "Version/12.16",
        "Lynx/2.8.9rel.1 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/1.1.1d",
    ],
)
def test_apps_of_people_are_no_bots(header: str) -> None:
    assert client_of(header).device != "bot"
