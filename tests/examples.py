"""Property tests with more examples than the few that a change waits for."""

from collections.abc import Iterable

import pytest
from hypothesis import settings

_KEPT = "_hypothesis_internal_use_settings"
"""Where Hypothesis keeps what a test declares; a profile would not change what is declared."""


def with_examples(items: Iterable[pytest.Item], times: float) -> None:
    """Give each property test so many times the examples that it declares."""
    tests = {getattr(item.obj, "__func__", item.obj) for item in items if isinstance(item, pytest.Function)}
    for test in tests:
        if getattr(test, "is_hypothesis_test", False):
            declared = getattr(test, _KEPT, None) or settings()
            setattr(test, _KEPT, settings(declared, max_examples=max(1, round(declared.max_examples * times))))
