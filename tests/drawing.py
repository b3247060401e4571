"""Sets how property tests draw their examples: the same ones at each run, or others for each seed.

`make test` and `make check` go by the profile "same": the examples follow from the test's source,
so one commit has one answer on every machine. `make explore` goes by "explore" and a seed.
docs/decisions/0068 says why.
"""

from hypothesis import HealthCheck, settings
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


def _no_constants() -> Constants:
    """In place of the literals of whatever has been imported, which Hypothesis mixes in.

    What has been imported depends on the tests that ran before in the same process.
    """
    return Constants()
