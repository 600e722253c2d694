"""Wording: how a feature and its value are said to an officer. Which features are told, and why, is not decided here.

A value is said in its own unit, a code by what it means, and beside a number what is usual; a number outside of that
is never rounded into it.
"""

import math
from collections.abc import Iterator
from typing import Final

import polars as pl

from features.views import Feature
from models.usual import Ranges
from warehouse.contracts.base import Sensitivity
from warehouse.contracts.codes import USER_ASSIGNED

UNKNOWN: Final = "nothing known"
NOT_STATED: Final = "not stated"
"""Of what the event could have said of itself."""

_UNSAID = frozenset({"share", "code", "ratio", "log ratio", "index", "bits", "currency", "currency/kg"})
"""Units that a meaning says already; what is in money is in the currency of its own declaration."""
_SINGULAR = {"people": "person", "entries": "entry"}
_PER_DAY = {"days": 1.0, "hours": 24.0}
"""Units of time that passed, and how many make a day."""
_WEEKDAYS = dict(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), start=1))
"""By their number of ISO 8601."""
_MOST_DECIMALS = 4
"""Added to tell a number from what is usual; numbers that still look alike differ by nothing that matters."""


def in_words(feature: Feature, values: pl.Series, usual: Ranges) -> list[str]:
    """One reason for each value: what, how much, and what is usual."""
    if values.dtype == pl.String:
        return [category(feature, value) for value in values]
    if feature.unit == "day":
        return [_said(feature, _weekday(value)) for value in values]
    return list(_numbers(feature, values, usual))


def category(feature: Feature, value: str | None) -> str:
    """What the event holds: `country of origin: Viet Nam (VN)`."""
    return _said(feature, None if value is None else _meaning(feature, value))


def named(feature: Feature, value: str) -> str:
    """A category and what it holds, as one says it in passing: `HS chapter 83`. Only of what the event says of itself:
    what others know of it is not told, but for what it is of."""
    return (
        f"{called(feature)} {_meaning(feature, value)}" if feature.sensitivity is Sensitivity.OPEN else called(feature)
    )


def called(feature: Feature) -> str:
    """What a feature is of: time that passed is said in minutes, hours or days."""
    of_days = feature.description.removeprefix("days since ")
    is_time = feature.unit == "days" and of_days != feature.description
    return f"time since {of_days}" if is_time else feature.description


def _said(feature: Feature, value: str | None) -> str:
    if value is None:
        return f"{called(feature)}: {NOT_STATED if feature.sensitivity is Sensitivity.OPEN else UNKNOWN}"
    return feature.phrase.format(value) if feature.phrase else f"{called(feature)}: {value}"


def _meaning(feature: Feature, code: str) -> str:
    """What a code stands for, and the code as papers have it; the code alone where its list does not tell."""
    meaning = feature.codes.meanings.get(code) if feature.codes else None
    if meaning is None or meaning == USER_ASSIGNED:
        return code
    return meaning if meaning.casefold() == code.replace("_", " ").casefold() else f"{meaning} ({code})"


def _is_missing(value: float | None) -> bool:
    return value is None or value != value


def _weekday(value: float | None) -> str | None:
    return None if value is None or not math.isfinite(value) else _WEEKDAYS.get(int(value))


def _numbers(feature: Feature, values: pl.Series, usual: Ranges) -> Iterator[str]:
    """Few bounds differ, so each is worded once; most values are told from them without more decimals."""
    worded: dict[tuple[float, float, str | None, bool, bool, int], str] = {}
    for value, low, high, among in zip(values.to_list(), usual.low, usual.high, usual.among, strict=True):
        if _is_missing(value):
            yield _said(feature, None)
        elif _is_missing(low) or _is_missing(high):
            yield _said(feature, _measured(feature, value))
        else:
            more = _decimals(feature, value, low, high)
            told = (low, high, among, low <= value <= high, _is_short(feature, value), more)
            if told not in worded:
                worded[told] = _range(feature, *told)
            yield _said(feature, _measured(feature, value, more) + worded[told])


def _decimals(feature: Feature, value: float, low: float, high: float) -> int:
    """How many more than is usual tell a value that lies outside from the bound that it lies beyond."""
    if low <= value <= high:
        return 0
    bound = low if value < low else high
    needed = (more for more in range(_MOST_DECIMALS) if _bare(feature, value, more) != _bare(feature, bound, more))
    return next(needed, 0)


def _range(
    feature: Feature, low: float, high: float, among: str | None, is_inside: bool, is_short: bool, more: int
) -> str:
    """`, where 11 to 19 is usual for HS 640399 from VN`. A value inside is said to be: it adds to the risk beside
    others, not by being out of the ordinary."""
    last = _measured(feature, high, more) if is_short or _is_short(feature, low) else _bare(feature, high, more)
    first = _measured(feature, low, more) if _is_short(feature, high) else _bare(feature, low, more)
    of_whom = "" if among is None else f" for {among}"
    is_one = low == high or first == last
    if is_inside:
        return f", as is usual{of_whom}" if is_one else f", within the usual {first} to {last}{of_whom}"
    return f", where {last if is_one else f'{first} to {last}'} is usual{of_whom}"


def _measured(feature: Feature, value: float, more: int = 0) -> str:
    """A value with its unit."""
    number = _bare(feature, value, more)
    return number if _is_short(feature, value) else f"{number}{_unit(feature, is_one=number == '1')}"


def _is_short(feature: Feature, value: float) -> bool:
    """Whether it is a time that is better said in a smaller unit, which is then said with it."""
    return feature.unit in _PER_DAY and 0 < value < 1


def _bare(feature: Feature, value: float, more: int = 0) -> str:
    """A value without its unit; a time under a day in hours, one under an hour in minutes."""
    if not _is_short(feature, value):
        return _number(feature, value, more)
    hours = value * 24 / _PER_DAY[feature.unit]
    return f"{_short(hours, 1 + more)} h" if hours >= 1 else f"{_short(hours * 60, more)} min"


def _number(feature: Feature, value: float, more: int) -> str:
    if feature.unit == "hour":
        return f"{int(value):02}:00" if math.isfinite(value) else str(value)
    plain = _out_of_logarithm(value) if feature.unit.startswith("log ") else value
    if feature.unit in ("share", "log ratio"):
        return _percent(100 * plain, more, is_change=feature.unit == "log ratio")
    if abs(plain) >= 100 or plain == round(plain):
        return _short(plain, more)
    return _small(plain, 2 + more) if abs(plain) < 1 else _short(plain, 1 + more)


def _percent(percent: float, more: int, *, is_change: bool) -> str:
    """Small shares with a decimal: among rare findings 0.4 % and 1.2 % are not the same."""
    said = _short(percent, more if abs(percent) >= 10 else 1 + more)
    return f"+{said}%" if is_change and percent > 0 and said != "0" else f"{said}%"


def _short(number: float, decimals: int) -> str:
    """With at most so many decimals; none for show, and no minus before nothing."""
    said = f"{number:z,.{decimals}f}"
    return said.rstrip("0").removesuffix(".") if "." in said else said


def _small(number: float, digits: int) -> str:
    """A number between -1 and 1 with so many digits that count."""
    said = f"{number:.{digits}g}"
    return _short(number, 6) if "e" in said else said


def _out_of_logarithm(value: float) -> float:
    """Endless where no number is so large: words of one damaged vector must not end the scoring of its day."""
    try:
        return math.expm1(value)
    except OverflowError:
        return math.inf


def _unit(feature: Feature, *, is_one: bool) -> str:
    unit = feature.unit.removeprefix("log ")
    if unit in _UNSAID or feature.unit == "hour":
        return ""
    return f" {_SINGULAR.get(unit, unit.removesuffix('s')) if is_one else unit}"
