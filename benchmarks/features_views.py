"""The 24 features of `bench features`, declared once: ours computes the views, every peer is written from them."""

from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose

VALUE, DUTY, ADVERSE = "log_value_per_kg", "duty_rate_pct", "is_adverse"
PRIOR_WEIGHT = 20.0
LEAST_ROWS, LEAST_SPREAD = 3, 0.05
"""A deviation needs so many rows, and divides by no less spread."""


def _of(view: str, kind: Kind, column: str | None, *windows: int) -> list[Aggregation]:
    return [
        Aggregation(
            "_".join(filter(None, (view, kind.value, column, str(days)))),
            kind,
            f"{kind.value} over {days} days",
            "1",
            column,
            days,
            prior_weight=PRIOR_WEIGHT,
        )
        for days in windows
    ]


def _view(name: str, entity: tuple[str, ...], *aggregations: list[Aggregation]) -> FeatureView:
    flat = tuple(one for several in aggregations for one in several)
    return FeatureView(name, entity, "events", flat, "customs", frozenset({Purpose.CUSTOMS_RISK}), f"{name}, as usual")


VIEWS = (
    _view(
        "importer",
        ("importer_id",),
        _of("importer", Kind.COUNT, None, 7, 30, 90, 365),
        _of("importer", Kind.SUM, DUTY, 7, 30, 90, 365),
        _of("importer", Kind.RATE, ADVERSE, 90, 365),
        _of("importer", Kind.DEVIATION, VALUE, 90, 365),
    ),
    _view(
        "product",
        ("product",),
        _of("product", Kind.COUNT, None, 30),
        _of("product", Kind.MEAN, VALUE, 30, 90),
        _of("product", Kind.DEVIATION, VALUE, 90, 365),
        _of("product", Kind.GAP, DUTY, 365),
    ),
    _view(
        "route",
        ("origin", "office"),
        _of("route", Kind.COUNT, None, 7, 30),
        _of("route", Kind.RATE, ADVERSE, 365),
    ),
    _view(
        "importer_product",
        ("importer_id", "product"),
        _of("importer_product", Kind.COUNT, None, 30, 365),
        _of("importer_product", Kind.MEAN, VALUE, 365),
    ),
)
NAMES = tuple(aggregation.name for view in VIEWS for aggregation in view.aggregations)


def outside(kind: Kind) -> AssertionError:
    """What a side raises of a kind that no view above has: each side writes these kinds alone."""
    return AssertionError(f"no view of this bench has a {kind}; write it for every side with the first that does")
