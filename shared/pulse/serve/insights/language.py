"""Sentences in four languages: texts, numbers, amounts and days as their readers write them.

texts.json has the other languages' texts by the English ones in the code, forms.json what numbers
and days look like and what countries are called. Both say what Unicode's CLDR says, which browsers
have too; tests hold them against a browser's engine (decision 0075).
"""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from pulse import lake

LANGUAGES = ("en", "de", "fr", "es")
"""English comes first: it is told where no other language is asked for."""
NOTHING = "–"
_MINUS = "−"
_HARD_BLANK = "\u00a0"

_LEVELS = {
    "in_time": "In time",
    "late": "Late",
    "never": "Never",
    "no_threshold": "No threshold",
}
_YES_NO = {"yes": "yes", "no": "no"}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "channel": {"ticket": "Ticket", "chat": "Chat", "external": "External"},
    "device": {"mobile": "Mobile", "desktop": "Desktop", "tablet": "Tablet"},
    "media_type": {
        "voice": "Voice",
        "chat": "Chat",
        "email": "Email",
        "sms": "SMS",
        "social": "Social",
        "task": "Task",
    },
    "accept": _LEVELS,
    "first_response": _LEVELS,
    "finish": _LEVELS,
    "was_abandoned": _YES_NO,
    "had_revenue": _YES_NO,
}
"""Values that are words of ours, as people read them."""
_CAPITALISED = ("channel", "device", "media_type")
_DURATIONS = ("wait", "life")


@cache
def _read(name: str) -> Any:
    return json.loads(files(__package__).joinpath(name).read_text("utf-8"))


@dataclass(frozen=True)
class Language:
    """How one of LANGUAGES says things."""

    name: str

    @property
    def _forms(self) -> Mapping[str, Any]:
        forms: Mapping[str, Any] = _read("forms.json")[self.name]
        return forms

    # -- texts

    def text(self, english: str, **values: str) -> str:
        """The text with values in the places of their {names}. Raises KeyError if it is unknown."""
        pattern = english if self.name == "en" else _read("texts.json")[english][self.name]
        return str(pattern.format(**values)) if values else str(pattern)

    def counted(self, number: int, one: str, several: str) -> str:
        """So many things, by a text for one and another for several, with {n}."""
        chosen = one if number in self._forms["singular"] else several
        return self.text(chosen, n=self.count(number))

    def listed(self, texts: Sequence[str]) -> str:
        """All of the texts as one: "a", "a and b", "a, b and c"."""
        *most, last = texts
        return f"{', '.join(most)}{self._forms['and']}{last}" if most else last

    def in_sentence(self, name: str) -> str:
        """A common noun within a sentence; in German such have capitals."""
        return name if self.name == "de" else name.lower()

    # -- numbers

    def count(self, number: int) -> str:
        """A whole number, its thousands apart."""
        return self.fixed(Decimal(number), 0)

    def fixed(self, number: Decimal | float, decimals: int) -> str:
        """A number with so many decimals, rounded as browsers do: halves away from zero."""
        exact = Decimal(str(number)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        text = self._written(abs(exact))
        return f"{_MINUS}{text}" if exact < 0 else text

    def signed(self, number: Decimal | float, decimals: int) -> str:
        """The same with a sign, as a change is told; zero has none."""
        text = self.fixed(number, decimals)
        is_more = number > 0 and any(digit in text for digit in "123456789")
        return f"+{text}" if is_more else text

    def percent(self, number: Decimal | float, decimals: int) -> str:
        """A percentage; its sign stays on the line."""
        return f"{self.fixed(number, decimals)}{_HARD_BLANK}%"

    def money(self, amount: Decimal, currency: str) -> str:
        """An exact amount, with two decimals at least; a negative one has its sign in front."""
        exact = abs(amount).normalize()
        least = exact.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
        text = self._written(least if least == exact else exact)
        symbol = self._forms["currencies"].get(currency, currency)
        if not self._forms["currency_first"]:
            told = f"{text}{_HARD_BLANK}{symbol}"
        else:
            is_sign = unicodedata.category(symbol[-1]).startswith("S")
            told = f"{symbol}{'' if is_sign else _HARD_BLANK}{text}"
        return f"{_MINUS}{told}" if amount < 0 else told

    def _written(self, number: Decimal) -> str:
        """A number that is not negative, with the decimals that it has."""
        whole, _, fraction = f"{number:,f}".partition(".")
        if number < self._forms["least_grouped"]:
            whole = whole.replace(",", "")
        parts = [whole.replace(",", self._forms["group"]), *([fraction] if fraction else [])]
        return str(self._forms["decimal"]).join(parts)

    # -- days

    def day(self, day: date) -> str:
        """A day without its year: "Thu 29 Oct"."""
        return str(self._forms["day"]).format(
            weekday=self._forms["weekdays"][day.weekday()], day=day.day, month=self._month(day)
        )

    def days(self, first: date, last: date) -> str:
        """A range of days: "25 Oct – 21 Nov 2026". A month and a year are named once if shared."""
        if first == last:
            shape = "one"
        elif (first.year, first.month) == (last.year, last.month):
            shape = "month"
        else:
            shape = "year" if first.year == last.year else "other"
        return str(self._forms["range"][shape]).format(
            day=first.day,
            month=self._month(first if shape != "month" else last),
            year=first.year,
            day_2=last.day,
            month_2=self._month(last),
            year_2=last.year,
        )

    def _month(self, day: date) -> str:
        return str(self._forms["months"][day.month - 1])

    # -- values

    def value(self, dimension: str, value: str | int | None, names: Mapping[str, str]) -> str:
        """What a dimension's value is called, where the tenant has these `names` for values.

        The value stands behind a name that other values have too.
        """
        nothing = self.text("Not given")
        if value is None:
            return nothing
        text = str(value)
        name = names.get(text) or self._own_name(dimension, text)
        alike = sum(_compared(one) == _compared(name) for one in names.values())
        is_nothing = _compared(name) == _compared(nothing)
        return f"{name} ({text})" if alike > 1 or is_nothing else name

    def _own_name(self, dimension: str, value: str) -> str:
        if dimension == "country":
            return str(self._forms["countries"].get(value, value))
        if word := _WORDS.get(dimension, {}).get(value):
            return self.text(word)
        if dimension in _DURATIONS:
            return self._duration(value)
        return value[:1].upper() + value[1:] if dimension in _CAPITALISED else value

    def _duration(self, value: str) -> str:
        """A class of durations as people write it: "0–10 s" of "0-10s"."""
        if value == lake.DURATION_CLASSES[-1]:
            return self.text("A day and more")
        number = value.rstrip("abcdefghijklmnopqrstuvwxyz")
        return f"{number.replace('-', NOTHING)}{_HARD_BLANK}{value.removeprefix(number)}"


def _compared(name: str) -> str:
    """Names that differ in nothing that is seen at a glance count as one."""
    return name.strip().lower()
