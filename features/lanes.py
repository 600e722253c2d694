"""What of a view rolls on by a day, and the sums, edges and values that its features are made of (ADR 0012).

What they add up to is `features.tiles`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from features import spread
from features.views import PRIOR_OF, Aggregation, FeatureView, Kind
from warehouse.errors import BorderlakeError

ROWS = "rows"
_MEASURES: Mapping[Kind, tuple[str, ...]] = {
    Kind.COUNT: (ROWS,),
    Kind.SUM: ("fixed",),
    Kind.MEAN: ("present", "fixed"),
    Kind.SHARE: ("present", "fixed"),
    Kind.STD: ("present", "fixed", *spread.PIECES),
    Kind.RATE: ("present", "fixed"),
    Kind.GAP: ("present", "fixed"),
    Kind.DEVIATION: ("present", "fixed", "squares"),
}
_EDGES: Mapping[Kind, int] = {Kind.DAYS_SINCE_LAST: 1, Kind.DAYS_SINCE_FIRST: -1}


@dataclass(frozen=True)
class Lane:
    """One running sum: a measure of a column (millionths, their squares, present values, rows) over a window."""

    measure: str
    window_days: int | None


def measure(name: str, aggregation: Aggregation) -> str:
    """A measure by its name and the aggregation's column: `rows`, `fixed:value`."""
    return name if name == ROWS else f"{name}:{aggregation.column}"


def rolls(one: Aggregation) -> bool:
    """Whether a feature rolls on by a day: a sum over days, a time since, or a distinct count of the lifetime.

    Extremes, last values, entropy and concentration need more of the past than a state keeps; hours do not end at
    midnights; conditions roll where the view asks them, of all its features alike.
    """
    is_kept = one.kind in _MEASURES or one.kind in _EDGES or (one.kind is Kind.DISTINCT and one.window_days is None)
    return is_kept and one.window_hours is None and not one.where and one.holds is None


def check_rolls(view: FeatureView) -> None:
    """Raises `BorderlakeError` naming the features that do not roll on by a day."""
    still = [one.name for one in view.aggregations if not rolls(one)]
    if still:
        raise BorderlakeError(
            f"view '{view.name}': {', '.join(still)} cannot be rolled on by a day; compute them from the history "
            "(features.windows), or declare them in a view of their own"
        )


def lanes(view: FeatureView) -> tuple[Lane, ...]:
    """The sums that the view's features are made of."""
    wanted = [
        Lane(measure(name, aggregation), aggregation.window_days)
        for aggregation in view.aggregations
        for name in _MEASURES.get(aggregation.kind, ())
    ]
    return tuple(dict.fromkeys(wanted))


def measures(view: FeatureView) -> tuple[str, ...]:
    """The columns of its tiles."""
    return tuple(dict.fromkeys([ROWS, *(lane.measure for lane in lanes(view))]))


def window_days(view: FeatureView) -> tuple[int, ...]:
    """The windows that days leave."""
    return tuple(sorted({lane.window_days for lane in lanes(view) if lane.window_days is not None}))


def edges_of(view: FeatureView) -> tuple[int, ...]:
    """Which edges the view asks for."""
    return tuple(sorted({_EDGES[one.kind] for one in view.aggregations if one.kind in _EDGES}))


def held_columns(view: FeatureView) -> tuple[str, ...]:
    """Columns whose distinct values are counted."""
    named = [one.column for one in view.aggregations if one.kind is Kind.DISTINCT and one.column is not None]
    return tuple(dict.fromkeys(named))


def prior_of(view: FeatureView) -> FeatureView | None:
    """What the view's rates are drawn to, as a view of its own: all entities of a jurisdiction are one more entity."""
    means = tuple(replace(one, kind=Kind.MEAN) for one in view.aggregations if one.kind is Kind.RATE)
    if not means:
        return None
    return replace(view, name=f"{view.name}/prior", entity=(PRIOR_OF,), source_entity=(PRIOR_OF,), aggregations=means)
