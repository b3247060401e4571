"""What moved a score: contributions add up, and chance is not reported as a change."""

import random
from collections.abc import Sequence

import pytest

from pulse.reports import metrics
from pulse.reports.moving import (
    Answers,
    Contributor,
    Group,
    Mover,
    Place,
    chance,
    contributors,
    movers,
    surely_changed,
    top_contributor,
    under_heads,
)
from pulse.tenants.rules import Rule

CSAT = Rule.parse("csat", "1-5")
NPS = Rule.parse("nps", "0-10")


def csat(good: int, n: int, *, least: int = 0) -> Answers:
    """So many good answers of n."""
    return Answers.of([0, n - good, 0, 0, 0, good, 0, 0, 0, 0, 0], CSAT, least=least)


def nps(promoters: int, passives: int, detractors: int) -> Answers:
    return Answers.of([detractors, 0, 0, 0, 0, 0, 0, passives, 0, 0, promoters], NPS)


def group(name: str, now: Answers, before: Answers) -> Group:
    """The group of "dimension=value"."""
    dimension, value = name.split("=")
    return Group(Place(dimension, value), now, before)


def test_contributions_add_up_to_the_change_of_the_whole() -> None:
    counts = [(60, 80, 400, 500), (300, 380, 20, 300), (0, 0, 7, 9), (12, 15, 0, 0)]
    groups = [group(f"c={at}", csat(a, b), csat(c, d)) for at, (a, b, c, d) in enumerate(counts)]
    good, n, good_before, n_before = (sum(column) for column in zip(*counts, strict=True))
    found = movers(groups, csat(good, n), csat(good_before, n_before))
    total = sum(one.points or 0 for one in found)
    assert total == pytest.approx(100 * good / n - 100 * good_before / n_before)
    # share now x (score now - level), less the same of before: by hand for the first
    level = 100 * 427 / 809
    expected = 80 / 475 * (75 - level) - 500 / 809 * (80 - level)
    assert found[0].points == pytest.approx(expected)


def test_a_group_that_only_became_smaller_has_moved_nothing() -> None:
    groups = [
        group("c=same", csat(75, 100), csat(300, 400)),
        group("c=worse", csat(50, 500), csat(150, 200)),
    ]
    same, worse = movers(groups, csat(125, 600), csat(450, 600))
    assert same.points == 0
    assert worse.points is not None and worse.points < -50


def test_a_withheld_score_has_no_contribution_and_too_few_answers_no_p_value() -> None:
    few = group("agent=ada", csat(2, 3, least=5), csat(5, 9, least=5))
    [mover] = movers([few], csat(50, 90), csat(50, 90))
    assert mover.points is None and mover.p is None
    assert contributors([mover]) == []
    assert chance(csat(9, 9), csat(0, 90)) is None
    [gone] = movers([group("c=x", csat(0, 0), csat(20, 40))], csat(50, 90), csat(50, 90))
    assert gone.points == pytest.approx(-40 / 90 * (50 - 100 * 50 / 90))


def test_at_five_percent_a_p_value_says_what_significant_says() -> None:
    random_counts = random.Random(5)
    for _ in range(300):
        n, m = random_counts.randint(10, 400), random_counts.randint(10, 400)
        first = [random_counts.randint(0, n) for _ in range(11)]
        second = [random_counts.randint(0, m) for _ in range(11)]
        for rule in (CSAT, NPS):
            now, before = _judged(first, rule), _judged(second, rule)
            p = chance(Answers.of(now, rule), Answers.of(before, rule))
            assert p is not None and (p < 0.05) is metrics.significant(now, before, rule)
    assert chance(csat(60, 100), csat(60, 100)) == 1


def _judged(counts: Sequence[int], rule: Rule) -> list[int]:
    return [count if score in rule.scores else 0 for score, count in enumerate(counts)]


def mover(p: float | None) -> Mover:
    return Mover(Place("c", "x"), csat(1, 2), csat(1, 2), 0.0, p)


def test_benjamini_hochberg_by_hand() -> None:
    def sure(*ps: float | None) -> list[bool]:
        return surely_changed([mover(p) for p in ps])

    assert sure(0.01, 0.04, 0.03, None, 0.9) == [True, False, False, False, False]
    assert sure(0.01, 0.02, 0.03, 0.04, 0.05) == [True] * 5
    assert sure() == []


GROUPS = 66


def drawn(dice: random.Random, n: int, share: float) -> Answers:
    return csat(sum(dice.random() < share for _ in range(n)), n)


def test_of_quiet_weeks_at_most_seven_in_a_hundred_show_a_significant_mover() -> None:
    dice = random.Random(20261121)
    alarms = 0
    for _ in range(300):
        found = []
        for at in range(GROUPS):
            share = (0.6, 0.75, 0.9, 0.97)[at % 4]
            sizes = [10 + int(dice.random() ** 3 * 250) for _ in range(2)]
            found.append(mover(chance(*(drawn(dice, n, share) for n in sizes))))
        alarms += any(surely_changed(found))
    assert alarms / 300 <= 0.07


def test_a_group_that_fell_by_30_points_is_found_among_65_quiet_ones() -> None:
    dice = random.Random(7)
    found = 0
    for _ in range(40):
        shares = [0.45, *[0.75] * (GROUPS - 1)]
        all_groups = [
            mover(chance(drawn(dice, 150, share), drawn(dice, 150, 0.75))) for share in shares
        ]
        found += surely_changed(all_groups)[0]
    assert found >= 38


def test_the_top_contributor_is_who_explains_more_than_its_size_not_who_is_everybody() -> None:
    now, before = csat(514, 1013), csat(511, 644)
    countries = [
        group("country=AT", csat(74, 445), csat(52, 64)),
        group("country=DE", csat(440, 568), csat(459, 580)),
    ]
    surveys = [group("survey=support", now, before)]
    devices = [
        group("device=mobile", csat(280, 550), csat(261, 335)),
        group("device=desktop", csat(234, 463), csat(250, 309)),
    ]
    found = top_contributor(
        [one for some in (surveys, devices, countries) for one in movers(some, now, before)],
        now,
        before,
    )
    assert found is not None
    assert found.mover.place == Place("country", "AT")
    assert found.share > 0.9
    assert top_contributor(movers(devices, now, before), now, before) is None


def test_after_days_that_were_worse_still_nobody_is_to_blame() -> None:
    now, before = csat(500, 1000), csat(200, 1000)
    countries = [
        group("country=DE", csat(350, 500), csat(50, 500)),
        group("country=AT", csat(150, 500), csat(150, 500)),
    ]
    assert top_contributor(movers(countries, now, before), now, before) is None
    assert top_contributor(movers(countries, before, before), before, before) is None
    back = [Group(one.place, one.before, one.now) for one in countries]
    found = top_contributor(movers(back, before, now), before, now)  # the other way round, it fell
    assert found is not None and found.mover.place.value == "DE"


def sure_of(
    groups: Sequence[Group], now: Answers, before: Answers, *, sure: bool = True
) -> list[Contributor]:
    return [
        Contributor(one.place, one.now, one.before, one.points or 0.0, one.p, sure)
        for one in movers(groups, now, before)
    ]


def test_the_same_answers_by_another_name_stand_within_the_strongest_group() -> None:
    # only Austria fell, on each device alike: without it neither moved; chat fell by itself
    now, before = csat(1300, 2000), csat(1520, 2000)
    groups = [
        group("country=AT", csat(200, 500), csat(380, 500)),
        group("country=DE", csat(1100, 1500), csat(1140, 1500)),
        group("device=mobile", csat(650, 1000), csat(760, 1000)),
        group("device=desktop", csat(650, 1000), csat(760, 1000)),
        group("channel=chat", csat(60, 100), csat(100, 100)),
        group("agent=anna", csat(30, 60), csat(45, 60)),
        group("survey=all", now, before),
    ]
    without_austria = [
        group("device=mobile", csat(550, 750), csat(570, 750)),
        group("device=desktop", csat(550, 750), csat(570, 750)),
        group("channel=chat", csat(58, 98), csat(98, 98)),
        group("agent=anna", csat(2, 4, least=5), csat(3, 4, least=5)),
    ]
    asked = []

    def outside(head: Contributor, places: Sequence[Place]) -> Sequence[Mover]:
        asked.append((head.place, places))
        rest = without_austria if head.place.value == "AT" else groups
        return movers(rest, now, before)

    heads = under_heads(sure_of(groups, now, before), now, before, outside)
    names = ("device=mobile", "device=desktop", "channel=chat", "agent=anna")
    places = {Place(*name.split("=")) for name in names}  # none of countries, nor who is everybody
    assert (asked[0][0], {*asked[0][1]}) == (Place("country", "AT"), places)
    assert [
        (head.contributor.place.value, [one.place.value for one in head.within]) for head in heads
    ] == [
        ("AT", ["mobile", "desktop"]),
        ("DE", []),
        ("chat", []),
        ("anna", []),  # of whom nobody may tell what remains
    ]


def test_under_what_may_be_chance_nothing_is_folded_and_nothing_is_asked() -> None:
    now, before = csat(700, 1000), csat(760, 1000)
    groups = [
        group("country=AT", csat(100, 200), csat(152, 200)),
        group("device=mobile", csat(100, 200), csat(152, 200)),
    ]

    def outside(head: Contributor, places: Sequence[Place]) -> Sequence[Mover]:
        raise AssertionError("asked")

    found = under_heads(sure_of(groups, now, before, sure=False), now, before, outside)
    assert len(found) == 2


def test_of_an_nps_passives_count_for_nothing() -> None:
    now, before = nps(50, 30, 20), nps(60, 30, 10)
    assert (now.mean, before.mean) == (30.0, 50.0)
    [whole] = movers([group("c=x", now, before)], now, before)
    assert whole.points == pytest.approx(-20)
