"""What one aggregation or condition may not say of the columns of its source: refused by name, before any row is read.

What a view and a registry may not say is `features.registry`.
"""

from collections.abc import Collection, Mapping
from math import isfinite

import polars as pl

from features.views import LIFETIME_ONLY, NEEDS_COLUMN, OF_CATEGORIES, OF_FLAGS, OF_NUMBERS, Aggregation, Kind, Where
from warehouse.errors import BorderlakeError

LONGEST_DAYS = 36_525
"""A century: a longer window is the lifetime, and is left out."""

Columns = Mapping[str, pl.DataType]


def is_number(dtype: pl.DataType) -> bool:
    """Whether values of a type are numbers, as flags are."""
    return dtype.is_numeric() or dtype == pl.Boolean


def is_flag(dtype: pl.DataType) -> bool:
    """Whether a type is of 0 and 1: silver keeps flags in the smallest integer."""
    return dtype in (pl.Boolean, pl.Int8)


def is_category(dtype: pl.DataType) -> bool:
    """Whether values of a type are told apart rather than measured: text, flags and whole numbers."""
    return dtype == pl.String or dtype == pl.Boolean or dtype.is_integer()


def check_several(where: str, what: str, given: object, of: type) -> None:
    """A tuple of what it is to be of: a comma that is missing leaves one of them, or a text that falls into letters."""
    if not isinstance(given, tuple) or not all(isinstance(one, of) for one in given):
        kind = {str: "column names", object: "values"}.get(of, f"{of.__name__}s")
        raise BorderlakeError(f"{where}: {what} is no tuple of {kind}; of one, write it with a comma: (one,)")


def check_kind(where: str, aggregation: Aggregation) -> None:
    """One of the kinds there are."""
    if not isinstance(aggregation.kind, Kind):
        raise BorderlakeError(f"{where}: unknown kind '{aggregation.kind}'; kinds: {', '.join(Kind)} of features.views")


def check_window(where: str, aggregation: Aggregation) -> None:
    """A window is of whole days or hours, and holds something but not everything."""
    days, hours = aggregation.window_days, aggregation.window_hours
    if days is not None and hours is not None:
        raise BorderlakeError(f"{where}: a window of {days} days or of {hours} hours? Give one of them")
    for span, unit, longest in ((days, "days", LONGEST_DAYS), (hours, "hours", LONGEST_DAYS * 24)):
        if span is None:
            continue
        if not isinstance(span, int) or isinstance(span, bool):
            raise BorderlakeError(f"{where}: a window of {span} {unit} is not of whole {unit}; use a whole number")
        if span <= 0:
            raise BorderlakeError(f"{where}: a window of {span} {unit} holds nothing; use 1 or more")
        if span > longest:
            raise BorderlakeError(f"{where}: a window of {span:,} {unit} is the lifetime; leave the window out")
        if aggregation.kind in LIFETIME_ONLY:
            raise BorderlakeError(f"{where}: {aggregation.kind} is over the entity's lifetime; leave the window out")


def check_column(where: str, aggregation: Aggregation, offered: Columns) -> None:
    """A column where the kind needs one, and of a type that it can be computed of."""
    kind, column = aggregation.kind, aggregation.column
    if aggregation.holds is not None:
        if kind is not Kind.SHARE:
            raise BorderlakeError(f"{where}: {kind} takes no `holds`; it says what a share is of")
        if column is not None:
            raise BorderlakeError(f"{where}: a share of {column}, or of what `holds`? Give one of them")
        return check_conditions(where, (aggregation.holds,), offered)
    if (column is not None) != (kind in NEEDS_COLUMN):
        if column is not None:
            of_rows = "; it counts rows, and distinct the different values of a column" if kind is Kind.COUNT else ""
            raise BorderlakeError(f"{where}: {kind} takes no column{of_rows}")
        or_holds = ", or what `holds`" if kind is Kind.SHARE else ""
        raise BorderlakeError(f"{where}: {kind} needs a column{or_holds}")
    if column is None:
        return None
    if not isinstance(column, str):
        raise BorderlakeError(f"{where}: the column is {column!r} and no name; a window is `window_days={column!r}`")
    require(where, "source", (column,), offered)
    dtype = offered[column]
    for kinds, is_fit, wanted in (
        (OF_NUMBERS, is_number, "a column of numbers"),
        (OF_FLAGS, is_flag, "a column of 0 and 1"),
        (OF_CATEGORIES, is_category, "a column of categories (text, flags or whole numbers)"),
        ({Kind.LAST}, lambda found: is_number(found) or is_category(found), "a column of numbers or categories"),
    ):
        if kind in kinds and not is_fit(dtype):
            raise BorderlakeError(f"{where}: {kind} needs {wanted}, and {column} is of {dtype}")
    return None


def check_conditions(where: str, conditions: tuple[Where, ...], offered: Columns) -> None:
    """Conditions on columns there are, that some rows can meet and others not, with values of the column's type."""
    check_several(where, "`where`", conditions, Where)
    for one in conditions:
        check_several(where, f"`among` of the condition on {one.column}", one.among, object)
        require(where, "source", (one.column,), offered)
        dtype, bounds = offered[one.column], [b for b in (one.at_least, one.below) if b is not None]
        asked = f"{where}: the condition on {one.column}"
        if not one.among and not bounds:
            raise BorderlakeError(f"{asked} asks nothing; say `among`, `at_least` or `below`")
        if bounds and not is_number(dtype):
            raise BorderlakeError(f"{asked} has a bound, and {one.column} is of {dtype}; say `among`")
        if not all(isfinite(bound) for bound in bounds):
            raise BorderlakeError(f"{asked} has a bound that is no finite number; leave it out")
        if one.at_least is not None and one.below is not None and one.at_least >= one.below:
            raise BorderlakeError(
                f"{asked} holds for no number: none is at least {one.at_least:g} and below {one.below:g}"
            )
        _check_among(asked, one, dtype)


def _check_among(asked: str, one: Where, dtype: pl.DataType) -> None:
    if one.among and not is_category(dtype):
        raise BorderlakeError(f"{asked} names values, and {one.column} is of {dtype}; say `at_least` or `below`")
    kind = str if dtype == pl.String else bool if dtype == pl.Boolean else int
    wrong = [value for value in one.among if type(value) is not kind]
    if wrong:
        raise BorderlakeError(f"{asked} names {wrong[0]!r}, and {one.column} is of {dtype}")


def require(where: str, of: str, names: Collection[str], offered: Collection[str]) -> None:
    """All columns are there."""
    missing = sorted(set(names) - set(offered))
    if missing:
        raise BorderlakeError(
            f"{where}: the {of} has no column {', '.join(missing)}; it has {', '.join(sorted(offered))}"
        )
