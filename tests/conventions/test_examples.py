"""No property test fails by chance, nor because a machine is slow."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.examples import IS_FUZZING, declared, property_tests, settle


def test_no_property_test_is_judged_by_the_clock(request: pytest.FixtureRequest) -> None:
    found = {test.__qualname__: declared(test) for test in property_tests(request.session.items)}
    assert {name for name, one in found.items() if one.deadline is not None} == set()
    assert {name for name, one in found.items() if HealthCheck.too_slow not in one.suppress_health_check} == set()


def test_examples_are_the_same_each_time_unless_others_are_asked_for(request: pytest.FixtureRequest) -> None:
    is_as_usual = request.config.getoption("--examples") == 1 and not IS_FUZZING
    assert {declared(test).derandomize for test in property_tests(request.session.items)} <= {is_as_usual}


@pytest.mark.parametrize(("times", "examples"), [(1, 4), (3, 12), (0.01, 1)])
def test_what_a_test_declares_is_kept_and_its_examples_multiplied(
    request: pytest.FixtureRequest, times: float, examples: int
) -> None:
    @settings(max_examples=4, phases=[Phase.generate], suppress_health_check=[HealthCheck.filter_too_much])
    @given(st.integers())
    def holds(number: int) -> None: ...

    settle([pytest.Function.from_parent(request.node.parent, name="holds", callobj=holds)], times)
    settled = declared(holds)
    assert (settled.max_examples, settled.phases) == (examples, (Phase.generate,))
    assert settled.derandomize == (times == 1 and not IS_FUZZING)
    assert set(settled.suppress_health_check) == {HealthCheck.filter_too_much, HealthCheck.too_slow}
