"""Sets how property tests draw their examples: the same ones at each run, or others for each seed.

`make test` and `make check` go by the profile "same": the examples follow from the test's source,
so one commit has one answer on every machine. They are a third of those that the test asks for.
`make explore` goes by "explore" and a seed, and draws all. docs/decisions/0068 says why.
"""

from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, is_hypothesis_test, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants


def install() -> None:
    """Property tests draw by the profile "same" unless pytest is told another."""
    # A busy machine is no fault of the code: neither a test nor its drawing has a deadline.
    patient = settings(
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.register_profile("same", patient, derandomize=True)
    # Said, since Hypothesis would draw the same examples where the variable CI is set.
    settings.register_profile("explore", patient, derandomize=False)
    settings.load_profile("same")
    providers._get_local_constants = _no_constants


def spare(tests: Iterable[Any]) -> None:
    """Each property test of these draws a third of its examples, but ten if it has as many.

    To be called once. By the profile "explore" all examples are drawn.
    """
    if settings.get_current_profile_name() != "same":
        return
    for test in set(filter(is_hypothesis_test, tests)):
        asked = test._hypothesis_internal_use_settings
        fewer = max(asked.max_examples // 3, min(asked.max_examples, 10))
        test._hypothesis_internal_use_settings = settings(asked, max_examples=fewer)


def _no_constants() -> Constants:
    """In place of the literals of whatever has been imported, which Hypothesis mixes in.

    What has been imported depends on the tests that ran before in the same process.
    """
    return Constants()
