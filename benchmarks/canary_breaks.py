"""What breaks on the paths of `bench canary`, and says the whole canary when it does: libraries do.

A break that nothing runs into proves nothing, so it is told whether something did.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from unittest import mock

from benchmarks.canary_values import Canary
from warehouse.readers import READERS

_reached: list[bool] = []
"""Of each break of the path that is driven, whether anything has run into it."""


def told(one: Canary) -> str:
    """What a library prints when it fails on a row."""
    forms = {name: form[0] for name, form in one.forms().items()}
    return f"conversion failed in row {forms}: value '{one.document}' of ({', '.join(forms.values())})"


def fails(one: Canary, kind: type[BaseException] = ValueError) -> Callable[..., Any]:
    """A function that fails and says the row; its cause says it too. A path must run into one of its breaks."""
    number = len(_reached)
    _reached.append(False)

    def broken(*_: object, **__: object) -> Any:
        _reached[number] = True
        try:
            raise KeyError(told(one))
        except KeyError as error:
            raise kind(told(one)) from error

    return broken


def begin() -> None:
    """Forget the breaks of the path before."""
    _reached.clear()


def are_missed() -> bool:
    """Whether something was broken since, and nothing has run into it."""
    return bool(_reached) and not any(_reached)


def readers_fail(one: Canary, kind: type[BaseException] = ValueError) -> Any:
    """Reading delimited files fails, as long as this is entered."""
    broken = wraps(READERS["delimited"])(fails(one, kind))  # A dialect's options are held against what it takes.
    return mock.patch.dict(READERS, {"delimited": broken})
