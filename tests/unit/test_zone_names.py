"""The names of time zones: which are accepted, and that everything that reads them knows them."""

import json
import shutil
import subprocess
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from pulse import days
from pulse.zone_names import ZONE_NAMES

_REFUSED_BY_JAVASCRIPT = """
const names = JSON.parse(require("fs").readFileSync(0, "utf8"));
const isRefused = (name) => {
  try { new Intl.DateTimeFormat("en", { timeZone: name }); return false; } catch { return true; }
};
console.log(JSON.stringify(names.filter(isRefused)));
"""


def test_the_list_is_tzdatas_without_the_zone_of_a_clock_that_is_not_set() -> None:
    """A newer tzdata may have more names, which are accepted once the list has them, too."""
    told = set(resources.files("tzdata").joinpath("zones").read_text().split())
    assert told - {"Factory"} >= ZONE_NAMES
    assert len(ZONE_NAMES) == 597


def test_tzdata_alone_has_the_rules_of_each() -> None:
    """Lambda functions need not have other files with rules."""
    for name in ZONE_NAMES:
        package, _, file = ("tzdata.zoneinfo." + name.replace("/", ".")).rpartition(".")
        with resources.files(package).joinpath(file).open("rb") as rules:
            assert ZoneInfo.from_file(rules).utcoffset(days.EPOCH) is not None


@pytest.mark.skipif(not shutil.which("node"), reason="asks a JavaScript engine")
def test_a_javascript_engine_knows_each() -> None:
    asked = subprocess.run(
        ["node", "-e", _REFUSED_BY_JAVASCRIPT],  # noqa: S607 - whichever is installed
        input=json.dumps([*ZONE_NAMES, "Factory"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(asked.stdout) == ["Factory"]


@pytest.mark.parametrize(
    "name",
    ["right/UTC", "posix/UTC", "posixrules", "localtime", "Factory", "utc", "europe/berlin",
     "Europe/Berlin ", "Mars/Olympus", "+01:00", "../UTC", "/etc/localtime", ""],
)  # fmt: skip
def test_other_names_are_no_zones(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        days.zone(name)


@pytest.mark.parametrize("name", ["UTC", "Europe/Kyiv", "Europe/Kiev", "EST5EDT", "Etc/GMT+5"])
def test_canonical_names_and_links_are_zones(name: str) -> None:
    assert days.zone(name).key == name
