"""The dictionary of features: each one as plain words, as data, and as a page of Markdown. Where it is kept, and which
models use it, is not known here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from features import conditions
from features.declaring import is_flag
from features.explaining import LEAST_ROWS, LEAST_SPREAD
from features.registry import Registry
from features.sources import SOURCES, Silver
from features.spread import LEAST_ROWS_OF_A_SPREAD
from features.views import PRIOR_OF, Aggregation, Feature, FeatureView, Kind

_HEAD = """# Features

Every feature that a model may ask for, as the views in `features/` declare it. This page is written by
`borderlake features dictionary`, and a test holds that it says what they say; do not change it by hand.
[Writing features](writing-features.md) tells how to add one.

**As known strictly before.** A value of an event counts the rows of its entity that had happened *and* were known
before that event; the event itself and what is simultaneous do not count, and what was corrected before counts as
corrected. `borderlake features explain EVENT` shows the rows behind a value.

**Window.** The days or hours before the event in which a row must have become usable; *lifetime* is all of them.
Where a feature says *only where*, rows that do not meet the condition, or lack its column, are not its history.

**Nothing known** gives 0 for counts, sums and distinct counts, the rate of the jurisdiction for rates, and no value for
the rest. An event that names no entity has no rate either.

**Owner** is the agency whose data a value rests on; `partner-` is another jurisdiction's. **Sensitivity** is how far it
may travel: no feature is personal, for silver holds keyed ids only.
"""
_COLUMNS = ("feature", "meaning", "unit", "window", "owner", "sensitivity", "purposes")


def dictionary(registries: Iterable[Registry]) -> str:
    """The page of several subjects."""
    return "\n\n".join([_HEAD.strip(), *(_subject(registry) for registry in registries), _sources()]) + "\n"


def _sources() -> str:
    """What a view may rest on."""
    lines = [
        "## Sources",
        "",
        "Histories that a view may rest on, and the columns that it may name as keys, in conditions and to compute of.",
        "Flags are 0 or 1. What is told apart (distinct, entropy, concentration) is a text, a flag or a whole number.",
        "Each row says when it happened and since when it was known.",
        "",
        "| source | of | purposes | numbers | flags | texts |",
        "|---|---|---|---|---|---|",
    ]
    for name, source in SOURCES.items():
        tables = ", ".join(f"silver.{table}" for table in source.tables)
        kinds = {kind: [one for one, dtype in source.types.items() if _kind(dtype) == kind] for kind in _KINDS}
        cells = [", ".join(f"`{one}`" for one in kinds[kind]) or "-" for kind in _KINDS]
        lines.append(f"| `{name}` | {tables} | {', '.join(sorted(source.purposes))} | {' | '.join(cells)} |")
    return "\n".join(lines)


_KINDS = ("number", "flag", "text")


def _kind(dtype: pl.DataType) -> str:
    if is_flag(dtype):
        return "flag"
    return "number" if dtype.is_numeric() else "text"


def computed(view: FeatureView, aggregation: Aggregation) -> str:
    """What an aggregation computes, in plain words."""
    whom, theirs = _listed(view.entity), _listed(view.keys_in_source)
    of_entity = f"of the event's {whom}" if whom == theirs else f"whose {theirs} is the event's {whom}"
    asked = conditions.told(conditions.conditions_of(view, aggregation))
    only = f", only where {asked}," if asked else ""
    rows = f"rows of {view.source} {of_entity}{only} that became known {_span(aggregation)}"
    column = aggregation.column
    match aggregation.kind:
        case Kind.COUNT:
            return f"the number of {rows}"
        case Kind.SUM:
            return f"the sum of {column} over {rows}"
        case Kind.MEAN:
            return f"the mean of {column} over {rows}"
        case Kind.STD:
            return f"the standard deviation of {column} over {rows}, of which there must be {LEAST_ROWS_OF_A_SPREAD}"
        case Kind.MIN:
            return f"the least {column} among {rows}"
        case Kind.MAX:
            return f"the greatest {column} among {rows}"
        case Kind.LAST:
            return f"{column} of the one that happened last among {rows}"
        case Kind.SHARE if aggregation.holds is not None:
            return f"the share of those whose {conditions.told((aggregation.holds,))} among {rows}"
        case Kind.SHARE:
            return f"the share of {column} among {rows}"
        case Kind.RATE:
            return (
                f"the share of {column} among {rows}, drawn to the share in the event's {PRIOR_OF} by "
                f"{aggregation.prior_weight:g} rows"
            )
        case Kind.DEVIATION:
            return (
                f"how many standard deviations (each with {LEAST_SPREAD:g} added) the event's own {column} lies from "
                f"the mean of {rows}, of which there must be {LEAST_ROWS}"
            )
        case Kind.GAP:
            return f"the event's own {column} less the mean of {rows}"
        case Kind.DISTINCT:
            return f"the number of different values of {column} among {rows}"
        case Kind.ENTROPY:
            return f"how evenly the values of {column} spread over {rows}: their entropy in bits"
        case Kind.CONCENTRATION:
            return f"how far one value of {column} prevails among {rows}: the sum of the squares of its shares"
        case Kind.DAYS_SINCE_LAST:
            return f"days from the latest of {rows}"
        case Kind.DAYS_SINCE_FIRST:
            return f"days from the earliest of {rows}"


def _span(aggregation: Aggregation) -> str:
    if aggregation.days is None:
        return "at any time before it"
    return f"in the {window(aggregation).removeprefix('1 ')} before it"


def window(aggregation: Aggregation | None) -> str:
    """`90 days`, `6 hours`, `lifetime`, or for an attribute of the event itself `-`."""
    if aggregation is None:
        return "-"
    if aggregation.days is None:
        return "lifetime"
    hours = aggregation.window_hours
    count, unit = (aggregation.window_days, "day") if hours is None else (hours, "hour")
    return f"1 {unit}" if count == 1 else f"{count:,} {unit}s"


def aggregation_of(view: FeatureView | None, name: str) -> Aggregation | None:
    """The aggregation that is the feature; None for an attribute of the event."""
    return None if view is None else next(one for one in view.aggregations if one.name == name)


def tables_of(view: FeatureView) -> tuple[str, ...]:
    """The silver tables that a view's source reads."""
    return tuple(Silver.tables()[name].name for name in SOURCES[view.source].tables)


def columns_of(view: FeatureView, aggregation: Aggregation) -> tuple[str, ...]:
    """The columns of silver that a feature names itself, as `silver.table.column`; derived ones stand in no table."""
    alone = replace(view, aggregations=(aggregation,))
    named = list(dict.fromkeys((*view.keys_in_source, *sorted(conditions.columns_of(alone)))))
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
        "window_hours": None,
        "window": window(aggregation),
        "prior_weight": None,
        "condition": None,
        "beyond": {},
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
        "window_hours": aggregation.window_hours,
        "condition": _condition(view, aggregation),
        "beyond": conditions.defined(view, aggregation),
        "prior_weight": aggregation.prior_weight if aggregation.kind is Kind.RATE else None,
    }


def _condition(view: FeatureView, aggregation: Aggregation) -> str | None:
    """What rows must meet to count, and of a share what is to hold, in words."""
    asked = conditions.told(conditions.conditions_of(view, aggregation))
    held = conditions.told((aggregation.holds,)) if aggregation.holds is not None else ""
    return "; ".join([*([f"only where {asked}"] if asked else []), *([f"share where {held}"] if held else [])]) or None


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
        meaning = f"{one['meaning']} ({one['condition']})" if one["condition"] else one["meaning"]
        cells = (name, meaning, one["unit"], one["window"], one["owner"], one["sensitivity"], purposes)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
