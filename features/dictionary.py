"""The dictionary of features: each one as plain words, as data, and as a page of Markdown. Where it is kept, and which
models use it, is not known here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from features.explaining import LEAST_ROWS
from features.registry import Registry
from features.sources import SOURCES, Silver
from features.views import PRIOR_OF, Aggregation, Feature, FeatureView, Kind

_HEAD = """# Features

Every feature that a model may ask for, as the views in `features/` declare it. This page is written by
`borderlake features dictionary`, and a test holds that it says what they say; do not change it by hand.
[Writing features](writing-features.md) tells how to add one.

**As known strictly before.** A value of an event counts the rows of its entity that had happened *and* were known
before that event; the event itself and what is simultaneous do not count, and what was corrected before counts as
corrected. `borderlake features explain EVENT` shows the rows behind a value.

**Window.** The days before the event in which a row must have become usable; *lifetime* is all of them.

**Nothing known** gives 0 for counts, sums and distinct counts, the rate of the jurisdiction for rates, and no value for
the rest. An event that names no entity has no rate either.

**Owner** is the agency whose data a value rests on; `partner-` is another jurisdiction's. **Sensitivity** is how far it
may travel: no feature is personal, for silver holds keyed ids only.
"""
_COLUMNS = ("feature", "meaning", "unit", "window", "owner", "sensitivity", "purposes")


def dictionary(registries: Iterable[Registry]) -> str:
    """The page of several subjects."""
    return "\n\n".join([_HEAD.strip(), *(_subject(registry) for registry in registries)]) + "\n"


def computed(view: FeatureView, aggregation: Aggregation) -> str:
    """What an aggregation computes, in plain words."""
    whom, theirs = _listed(view.entity), _listed(view.keys_in_source)
    of_entity = f"of the event's {whom}" if whom == theirs else f"whose {theirs} is the event's {whom}"
    rows = f"rows of {view.source} {of_entity} that became known {_span(aggregation.window_days)}"
    column = aggregation.column
    match aggregation.kind:
        case Kind.COUNT:
            return f"the number of {rows}"
        case Kind.SUM:
            return f"the sum of {column} over {rows}"
        case Kind.MEAN:
            return f"the mean of {column} over {rows}"
        case Kind.RATE:
            return (
                f"the share of {column} among {rows}, drawn to the share in the event's {PRIOR_OF} by "
                f"{aggregation.prior_weight:g} rows"
            )
        case Kind.DEVIATION:
            return (
                f"how many standard deviations the event's own {column} lies from the mean of {rows}, of which there "
                f"must be {LEAST_ROWS}"
            )
        case Kind.GAP:
            return f"the event's own {column} less the mean of {rows}"
        case Kind.DISTINCT:
            return f"the number of different values of {column} among {rows}"
        case Kind.DAYS_SINCE_LAST:
            return f"days from the latest of {rows}"
        case Kind.DAYS_SINCE_FIRST:
            return f"days from the earliest of {rows}"


def _span(days: int | None) -> str:
    if days is None:
        return "at any time before it"
    return "in the day before it" if days == 1 else f"in the {days:,} days before it"


def window(aggregation: Aggregation | None) -> str:
    """`90 days`, `lifetime`, or for an attribute of the event itself `-`."""
    if aggregation is None:
        return "-"
    if aggregation.window_days is None:
        return "lifetime"
    return "1 day" if aggregation.window_days == 1 else f"{aggregation.window_days} days"


def aggregation_of(view: FeatureView | None, name: str) -> Aggregation | None:
    """The aggregation that is the feature; None for an attribute of the event."""
    return None if view is None else next(one for one in view.aggregations if one.name == name)


def tables_of(view: FeatureView) -> tuple[str, ...]:
    """The silver tables that a view's source reads."""
    return tuple(Silver.tables()[name].name for name in SOURCES[view.source].tables)


def columns_of(view: FeatureView, aggregation: Aggregation) -> tuple[str, ...]:
    """The columns of silver that a feature names itself, as `silver.table.column`; derived ones stand in no table."""
    named = [*view.keys_in_source, *([aggregation.column] if aggregation.column else [])]
    tables = [Silver.tables()[name] for name in SOURCES[view.source].tables]
    return tuple(f"{table.name}.{column}" for table in tables for column in named if column in table.columns)


def definition(registry: Registry, feature: Feature) -> dict[str, Any]:
    """A feature as data: what it means, whose it is, what it is computed from, and for what it may be used."""
    view = registry.view_of(feature.name)
    aggregation = aggregation_of(view, feature.name)
    told: dict[str, Any] = {
        "name": feature.name,
        "subject": registry.subject,
        "meaning": feature.description,
        "unit": feature.unit,
        "owner": feature.owner,
        "sensitivity": feature.sensitivity.value,
        "purposes": sorted(purpose.value for purpose in feature.purposes),
        "is_category": feature.is_category,
        "view": None,
        "computed": "as the event says of itself",
        "kind": "attribute",
        "entity": [],
        "source": registry.subject,
        "source_entity": [],
        "column": None,
        "tables": [f"silver.{registry.subject}"],
        "columns": [],
        "window_days": None,
        "window": window(aggregation),
        "prior_weight": None,
    }
    if view is None or aggregation is None:
        return told
    return told | {
        "view": view.name,
        "computed": computed(view, aggregation),
        "kind": aggregation.kind.value,
        "entity": list(view.entity),
        "source": view.source,
        "source_entity": list(view.keys_in_source),
        "column": aggregation.column,
        "tables": list(tables_of(view)),
        "columns": list(columns_of(view, aggregation)),
        "window_days": aggregation.window_days,
        "prior_weight": aggregation.prior_weight if aggregation.kind is Kind.RATE else None,
    }


def definitions(registry: Registry) -> list[dict[str, Any]]:
    """Every feature of a subject as data, in order."""
    return [definition(registry, feature) for feature in registry.features.values()]


def _subject(registry: Registry) -> str:
    told = definitions(registry)
    of_event = [one for one in told if one["view"] is None]
    lines = [
        f"## Features of {registry.subject}",
        "",
        f"{len(told)} features: {len(of_event)} that the event says of itself, "
        f"{len(told) - len(of_event)} from {len(registry.views)} views of history.",
        "",
        "### The event itself",
        "",
        *_table(of_event),
    ]
    for view in registry.views:
        lines += ["", *_view(view, [one for one in told if one["view"] == view.name])]
    return "\n".join(lines)


def _view(view: FeatureView, told: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"### {view.name}"
    yield ""
    keys = zip(view.entity, view.keys_in_source, strict=True)
    paired = [f"`{ours}`" if ours == theirs else f"`{ours}` (there `{theirs}`)" for ours, theirs in keys]
    yield f"{view.description} Entity: {', '.join(paired)}. Source: `{view.source}`, of {', '.join(tables_of(view))}."
    yield ""
    yield from _table(told)


def _table(told: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"|{'---|' * len(_COLUMNS)}"
    for one in told:
        name, purposes = f"`{one['name']}`", ", ".join(one["purposes"])
        cells = (name, one["meaning"], one["unit"], one["window"], one["owner"], one["sensitivity"], purposes)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
