"""Errors of borderlake: each holds facts and the next step, never a value of a row.

The errors of libraries know no such rule. What is told of them is their kind and where they rose.
"""

import traceback
from difflib import get_close_matches
from pathlib import Path

_PACKAGES = ("warehouse", "features", "models", "sharing", "pipelines", "simulation", "benchmarks")
_NEAR = 0.75
"""How alike a name must be to be what was meant: a slip of the pen, and not the same agency's other dataset."""


class BorderlakeError(Exception):
    """Something a user can mend. The message says what happened and what to do next."""


class UnknownName(BorderlakeError):
    """A table, dataset, dialect, agency or model that is not declared anywhere; `remedy` says how one is."""

    def __init__(self, kind: str, name: str, known: list[str], remedy: str = "") -> None:
        near = get_close_matches(name, known, n=1, cutoff=_NEAR)
        meant = f" Did you mean {near[0]}?" if near else ""
        listed = ", ".join(sorted(known)) or "none"
        super().__init__(f"unknown {kind} '{name}'.{meant} Known: {listed}{remedy and f'. {remedy}'}")


class DialectError(BorderlakeError):
    """A dialect file that does not say what landing needs to know."""


class FileRefused(BorderlakeError):
    """A whole file that cannot be read under its dialect; `rule` names why, for the quarantine."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class WriteConflict(BorderlakeError):
    """Another writer kept committing to the same part of a table."""


class TableDamaged(BorderlakeError):
    """A table, or its manifest, is not what was committed; nothing more is written to it until it is repaired."""


class HomeDamaged(BorderlakeError):
    """The home's name is not what was written; nothing lands under it until it is repaired."""


class DiskFull(BorderlakeError):
    """The disk of the lake or of the home has no space left; nothing that is half written is seen by a reader."""


class NotReady(BorderlakeError):
    """A step whose input does not exist yet; the message names the command that makes it."""


class StepFailed(BorderlakeError):
    """A step in which a library failed; whatever the library said is left out, for it may be a row."""


def where_it_rose(error: BaseException) -> str:
    """The kind of an error and our innermost line on its way, without its text.

    >>> where_it_rose(ValueError("P1234567"))
    'ValueError'
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).parent.name in _PACKAGES or _is_below(frame.filename)]
    if not ours:
        return type(error).__name__
    last = ours[-1]
    return f"{type(error).__name__} at {_short(last.filename)}:{last.lineno} in {last.name}"


def frames_of(error: BaseException) -> list[str]:
    """Where an error passed, outermost first: files, lines and functions, no text and no values."""
    return [f"{_short(one.filename)}:{one.lineno} in {one.name}" for one in traceback.extract_tb(error.__traceback__)]


def silenced(error: BaseException, what: str) -> StepFailed:
    """An error of a library as one of ours: raise it `from None`."""
    return StepFailed(
        f"{what} failed: {where_it_rose(error)}. The error's own text is not shown, since it may hold a row's value"
    )


def _is_below(path: str) -> bool:
    return bool(set(Path(path).parts[-4:-1]) & set(_PACKAGES)) and "site-packages" not in path


def _short(path: str) -> str:
    parts = Path(path).parts
    first = next((at for at in range(len(parts) - 1, -1, -1) if parts[at] in _PACKAGES), len(parts) - 1)
    return "/".join(parts[first:])
