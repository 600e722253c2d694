"""Discretion: what a step's failure may tell the orchestrator, whose event log and ticks keep every word of it.

Our own errors hold no value of a row and pass, without the errors they came from; those of libraries may print a row,
so only their kind and place are told.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar, cast

import dagster as dg

from warehouse.errors import BorderlakeError, silenced

P = ParamSpec("P")
R = TypeVar("R")


def discreet(step: Callable[P, R]) -> Callable[P, R]:
    """A step, asset, sensor or schedule whose failures say no value."""
    if inspect.isgeneratorfunction(step):

        @functools.wraps(step)
        def stream(*given: P.args, **named: P.kwargs) -> Iterator[object]:
            with _discretion(step.__name__):
                yield from cast(Iterator[object], step(*given, **named))

        return cast(Callable[P, R], stream)

    @functools.wraps(step)
    def done(*given: P.args, **named: P.kwargs) -> R:
        with _discretion(step.__name__):
            return step(*given, **named)

    return done


@contextmanager
def _discretion(name: str) -> Iterator[None]:
    try:
        yield
    except (BorderlakeError, dg.Failure, dg.RetryRequested) as error:
        raise error.with_traceback(None) from None
    except (KeyboardInterrupt, SystemExit, GeneratorExit, dg.DagsterExecutionInterruptedError):
        raise
    except BaseException as error:  # A panic of a library is no Exception.
        raise silenced(error, f"step '{name}'") from None
