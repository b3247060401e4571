"""Browser, operating system and class of device, from a User-Agent header.

The families are those of ua-parser (uap-core); "Other" if it knows none. The device is a coarse
class, because a report by device is of use only with few values: uap-core has ten thousand
families of devices. Safari on an iPad sends a Mac's User-Agent and counts as a desktop. A bot is
what uap-core or crawler-user-agents lists as one, except for the latter's libraries, which apps of
people use too (docs/decisions/0050).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import ua_parser_rs
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from ua_parser import Domain, Resolver, Result, load_lazy_builtins
from ua_parser.regex import Resolver as RustResolver

LIMIT = 1_000
"""Characters of a header that are read; no browser sends a longer one."""

UNKNOWN = "Other"

_DESKTOP = frozenset(
    (
        "Windows",
        "Mac OS X",
        "Mac OS",
        "Chrome OS",
        "Linux",
        "Arch Linux",
        "CentOS",
        "Debian",
        "Fedora",
        "Gentoo",
        "Kubuntu",
        "Linux Mint",
        "Mageia",
        "Mandriva",
        "Puppy",
        "Red Hat",
        "Slackware",
        "SUSE",
        "Ubuntu",
        "FreeBSD",
        "NetBSD",
        "OpenBSD",
        "Solaris",
    )
)
_MOBILE = frozenset(
    (
        "Android",
        "BlackBerry OS",
        "Brew MP",
        "Firefox OS",
        "iOS",
        "KaiOS",
        "Nokia Series 30 Plus",
        "Nokia Series 40",
        "Symbian OS",
        "Symbian^3",
        "Symbian^3 Anna",
        "Symbian^3 Belle",
        "Windows Mobile",
        "Windows Phone",
    )
)
_TABLET = re.compile(r"iPad|Kindle|Tablet|Playbook|TouchPad", re.IGNORECASE)
_PHONE = re.compile(r"iPhone|iPod|Generic Smartphone|Generic Feature Phone")
_TELEVISION = re.compile(r"TV\b|Chromecast|BRAVIA|Roku")
_OPERA_PHONE = re.compile(r"Opera M(?:ini|obi)/")
"""Opera's browsers for phones lack the word Mobile on Android; for tablets it is Opera Tablet."""
_OPEN_HARMONY = re.compile(r"\((Phone|Tablet|PC); OpenHarmony ")
"""The form that OpenHarmony documents (openharmony/docs, web-default-userAgent.md)."""
_OPEN_HARMONY_DEVICES = {"Phone": "mobile", "Tablet": "tablet", "PC": "desktop"}
_LIBRARY = "http-library"
"""The tag of crawler-user-agents for HTTP libraries: an app on somebody's phone may use one."""
_READ_OTHERWISE: Mapping[str, str | None] = {r"AP3A\.240617\.008": None, r"008\/": r"^008\/"}
"""Patterns of crawler-user-agents that people's browsers match: the first is a build of Android on
many phones, and left out; the second the end of many version numbers, and read at the beginning."""


@dataclass(frozen=True)
class Client:
    """What a customer answered with; None is not known."""

    browser: str | None = None
    os: str | None = None
    device: str | None = None
    """One of desktop, mobile, tablet, bot and other."""


NOT_GIVEN = Client()


def client_of(user_agent: str | None) -> Client:
    """The client that sends this User-Agent header; its fields are None without a header."""
    return _parse(user_agent[:LIMIT]) if user_agent else NOT_GIVEN


@cache
def resolver() -> Resolver:
    """ua-parser with its engine in Rust, which is 30 times as fast as the one in Python."""
    return RustResolver(load_lazy_builtins())


@cache
def _bots() -> ua_parser_rs.UserAgentExtractor:
    """Finds whether a header matches any of 1,500 patterns of bots, in about a microsecond."""
    listed = (bot["pattern"] for bot in CRAWLER_USER_AGENTS_DATA if _LIBRARY not in bot["tags"])
    patterns = [pattern for one in listed if (pattern := _READ_OTHERWISE.get(one, one))]
    return ua_parser_rs.UserAgentExtractor(
        (pattern, "bot", None, None, None, None) for pattern in patterns
    )


@lru_cache(maxsize=10_000)
def _parse(user_agent: str) -> Client:
    parsed = resolver()(user_agent, Domain.ALL).complete()
    os = parsed.os.family if parsed.os else UNKNOWN
    return Client(
        browser=parsed.user_agent.family if parsed.user_agent else UNKNOWN,
        os="OpenHarmony" if _OPEN_HARMONY.search(user_agent) else os,
        device=_device(user_agent, parsed),
    )


def _device(user_agent: str, parsed: Result) -> str:
    family = parsed.device.family if parsed.device else ""
    os = parsed.os.family if parsed.os else ""
    # uap-core has the family Spider for every program that reads pages by itself
    if family == "Spider" or _bots().extract(user_agent):
        return "bot"
    if harmony := _OPEN_HARMONY.search(user_agent):
        return _OPEN_HARMONY_DEVICES[harmony[1]]
    if _OPERA_PHONE.search(user_agent):
        return "tablet" if _TABLET.search(family) else "mobile"
    carried = os == "iOS" or (os == "Android" and "Mobile" in user_agent)
    if _TELEVISION.search(user_agent) and not carried:  # apps on phones have TV in their names too
        return "other"
    if _TABLET.search(family) or (os == "Android" and "Mobile" not in user_agent):
        return "tablet"  # Android's own convention: phones say Mobile, tablets do not
    if os in _MOBILE or _PHONE.match(family):
        return "mobile"
    return "desktop" if os in _DESKTOP else "other"
