"""Examples of property tests: the same few for every change, and other ones for who asks for more.

An example that fails is news to who looks for one, with `--examples 20` or BORDERLAKE_FUZZ. To a change that has
nothing to do with it, it would be a failure by chance.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

_KEPT = "_hypothesis_internal_use_settings"
"""Where Hypothesis keeps what a test declares; a profile would not change what is declared."""


IS_FUZZING = "BORDERLAKE_FUZZ" in os.environ
"""Whether tests that draw files and requests were told to draw many."""


def load() -> None:
    """Declare what holds of property tests, before any is imported."""
    settings.register_profile(
        "tests",
        deadline=None,
        derandomize=not IS_FUZZING,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )
    settings.load_profile("tests")


def settle(items: Iterable[pytest.Item], times: float) -> None:
    """No property test fails because a machine is slow; each gets so many times its examples, and if more, new ones."""
    for test in property_tests(items):
        own = declared(test)
        settled = settings(own, suppress_health_check={*own.suppress_health_check, HealthCheck.too_slow})
        if times != 1:
            settled = settings(settled, max_examples=max(1, round(own.max_examples * times)), derandomize=False)
        setattr(test, _KEPT, settled)


def property_tests(items: Iterable[pytest.Item]) -> Iterator[Callable[..., Any]]:
    """Those among tests that are given examples, each once."""
    tests = {getattr(item.obj, "__func__", item.obj) for item in items if isinstance(item, pytest.Function)}
    return (test for test in tests if getattr(test, "is_hypothesis_test", False))


def declared(test: Callable[..., Any]) -> settings:
    """What a property test declares of itself."""
    found: settings = getattr(test, _KEPT, None) or settings()
    return found
