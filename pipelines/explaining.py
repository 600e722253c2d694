"""Why a feature of an event is what it is: the stored value, the value by the rows of silver now, and, where they
differ, what silver was when the vector was stored. Reads the lake; how a value is explained is `features.explaining`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import polars as pl

from features import conditions, dictionary, explaining, vectors, working
from features.explaining import Explanation, Reading, Standing
from features.sources import SOURCES, Silver
from features.vectors import SUBJECTS, Subject
from features.views import PRIOR_OF, FeatureView, Kind
from pipelines.deployment import Deployment
from pipelines.flows import SUBJECT_TABLES, feature_table, only_shown
from warehouse.errors import BorderlakeError

SHOWN = ("event_id", "subject_id", "event_version", "source_agency", "jurisdiction")
"""What names a row, where its source keeps it."""
_TIMES = ("event_at", "known_at", "superseded_at")
_LEAST_PREFIX = 6
_ALL_COMMITS = 1_000_000

Value = float | str | None


@dataclass(frozen=True)
class Explained:
    """A feature of an event."""

    name: str
    stored: Value
    recomputed: Value
    behind: Explanation | None
    """None for what the event says of itself."""
    columns: tuple[str, ...]
    """Columns of the rows that the value rests on."""
    is_stored: bool
    computed: str = ""
    """What it computes, in words."""
    working: str = ""
    """How the value follows from the rows that count, in figures."""
    why: str = ""
    """Why the two differ, where they do."""
    is_accounted: bool = True
    """False: they differ, and nothing that came late tells why."""

    @property
    def is_same(self) -> bool:
        return _same(self.stored, self.recomputed)


@dataclass(frozen=True)
class Case:
    """One version of one event and its stored vector."""

    deployment: Deployment
    subject: Subject
    event: Mapping[str, Any]
    """The event with its attributes."""

    @property
    def key(self) -> pl.Expr:
        own = self.event
        return pl.col("event_id").eq(own["event_id"]) & pl.col("event_version").eq(own["event_version"])

    @property
    def feature_set(self) -> str:
        return vectors.feature_set(self.subject.registry).digest

    @property
    def is_only_shown(self) -> bool:
        """Whether the event is of a jurisdiction that only shows what it sees, and so gets no vector."""
        return self.event["jurisdiction"] in only_shown(self.deployment, self.subject.name)

    @cached_property
    def stored(self) -> Mapping[str, Any] | None:
        """The vector of the present definitions; None where none is stored."""
        table = feature_table(self.subject.name)
        rows = self.deployment.lake.scan(table).filter(self.key & (pl.col("feature_set") == self.feature_set))
        found = vectors.unpack(rows.collect(), vectors.feature_set(self.subject.registry)).to_dicts()
        return found[0] if found else None

    @cached_property
    def stored_at(self) -> datetime | None:
        """When the commit was made that the vector came with; None where the table's log does not reach back."""
        lake, table = self.deployment.lake, feature_table(self.subject.name)
        commits = sorted(lake.commits(table, _ALL_COMMITS), key=lambda commit: int(commit["version"]))
        wanted = self.key & (pl.col("feature_set") == self.feature_set)
        low, high = 0, len(commits) - 1
        while low < high:
            middle = (low + high) // 2
            held = lake.scan(table, int(commits[middle]["version"])).filter(wanted).select(pl.len()).collect().item()
            low, high = (low, middle) if held else (middle + 1, high)
        return datetime.fromtimestamp(commits[low]["timestamp"] / 1000, UTC) if commits else None

    @cached_property
    def silver_then(self) -> Silver | None:
        """Silver as it was when the vector was stored; None where its files are no longer kept."""
        at = self.stored_at
        if at is None:
            return None
        return self.deployment.silver(as_of=at)


def case_of(deployment: Deployment, event_id: str, version: int | None = None) -> Case:
    """The event that an id, or the beginning of one, names; its current version unless another is asked for."""
    if len(event_id) < _LEAST_PREFIX:
        raise BorderlakeError(f"'{event_id}' is too short to name an event; give {_LEAST_PREFIX} characters or more")
    for name in SUBJECTS:
        scan = deployment.lake.scan(SUBJECT_TABLES[name])
        found = scan.filter(pl.col("event_id").str.starts_with(event_id)).collect()
        if found.is_empty():
            continue
        if found["event_id"].n_unique() > 1:
            raise BorderlakeError(f"{found['event_id'].n_unique()} events of {name} begin so; give more of the id")
        subject = deployment.subject(name)
        return Case(deployment, subject, _version(subject.attributes(found.lazy()).collect(), version))
    raise BorderlakeError(
        "no event of silver.shipments or silver.crossings has this id; ids are listed by "
        "`borderlake show silver.shipments --columns event_id,event_at`"
    )


def _version(found: pl.DataFrame, version: int | None) -> Mapping[str, Any]:
    ordered = found.sort("event_version")
    if version is not None:
        ordered = ordered.filter(pl.col("event_version") == version)
        if ordered.is_empty():
            known = ", ".join(str(number) for number in sorted(found["event_version"]))
            raise BorderlakeError(f"the event has no version {version}; it has {known}")
    return ordered.row(-1, named=True)


def explain(case: Case, names: Sequence[str] = ()) -> Iterator[Explained]:
    """Features of an event, one after the other; all of them unless some are named. Raises `UnknownName`."""
    registry = case.subject.registry
    by_view: dict[str | None, list[str]] = {}
    views = {name: registry.view_of(name) for name in names or registry.features}
    for name, view in views.items():
        by_view.setdefault(view.name if view else None, []).append(name)
    silver = case.deployment.silver()
    for of_view in by_view.values():
        view = views[of_view[0]]
        if view is None:
            yield from (_attribute(case, name) for name in of_view)
        else:
            yield from _of_view(case, view, of_view, silver)


def _attribute(case: Case, name: str) -> Explained:
    own = case.event[name]
    value = own if own is None or case.subject.registry.features[name].is_category else float(own)
    explained = Explained(name, _stored(case, name), value, None, (), case.stored is not None)
    if case.stored is None or explained.is_same:
        return explained
    return replace(explained, why="the event's own columns give another value than is stored", is_accounted=False)


def _of_view(case: Case, view: FeatureView, names: Sequence[str], silver: Silver) -> Iterator[Explained]:
    behind = _explanations(case, view, names, silver)
    for name in names:
        aggregation = dictionary.aggregation_of(view, name)
        assert aggregation is not None
        found = behind[name]
        explained = Explained(
            name,
            _stored(case, name),
            found.value,
            found,
            conditions.shown(view, aggregation),
            case.stored is not None,
            dictionary.computed(view, aggregation),
            working.working(aggregation, case.event, found),
        )
        if case.stored is not None and not explained.is_same:
            explained = _accounted(case, view, explained)
        yield explained


def _explanations(case: Case, view: FeatureView, names: Sequence[str], silver: Silver) -> dict[str, Explanation]:
    rows = SOURCES[view.source].rows(silver)
    aggregations = [one for one in view.aggregations if one.name in names]
    offered = rows.collect_schema().names()
    columns = {*_TIMES, *SHOWN, *view.keys_in_source, *conditions.columns_of(view)}
    kept = rows.select(name for name in offered if name in columns)
    own = explaining.rows_of_entity(view, case.event, kept).collect().to_dicts()
    rated = [one.column for one in aggregations if one.kind is Kind.RATE and one.column]
    everyone: list[dict[str, Any]] = []
    if rated:
        asked = {where.column for one in aggregations for where in conditions.conditions_of(view, one)}
        wanted = rows.select(*dict.fromkeys((*_TIMES, PRIOR_OF, *rated, *sorted(asked))))
        everyone = explaining.rows_of_jurisdiction(case.event, wanted).collect().to_dicts()
    return {one.name: explaining.explain(view, one, case.event, own, everyone) for one in aggregations}


def _accounted(case: Case, view: FeatureView, explained: Explained) -> Explained:
    """Silver as it was when the vector was stored gives the stored value, or the difference is not accounted for."""
    at = case.stored_at
    try:
        then = case.silver_then
        before = None if then is None else _explanations(case, view, [explained.name], then)[explained.name]
    except Exception:  # Whatever a library raises for files that are gone, there is nothing to compare with.
        before = None
    if before is None or at is None:
        why = "they differ, and what silver was when the vector was stored is no longer kept"
        return replace(explained, why=why, is_accounted=False)
    stored_on = f"{at:%Y-%m-%d %H:%M} UTC"
    if not _same(before.value, explained.stored):
        why = f"silver as it was when the vector was stored, {stored_on}, gives {before.value}: neither value"
        return replace(explained, why=why, is_accounted=False)
    assert explained.behind is not None
    came, went = _moved(before.readings, explained.behind.readings)
    also = "" if came or went else "; those that moved are of other entities of its jurisdiction"
    why = (
        f"late data: since the vector was stored, {stored_on}, {came} rows that count came and {went} went{also}. "
        "A stored vector is never changed"
    )
    return replace(explained, why=why)


def _moved(before: Sequence[Reading], now: Sequence[Reading]) -> tuple[int, int]:
    counted, counts = ([_identity(one) for one in rows if one.standing is Standing.COUNTS] for rows in (before, now))
    return sum(one not in counted for one in counts), sum(one not in counts for one in counted)


def _identity(reading: Reading) -> tuple[Any, ...]:
    return tuple(reading.row.get(name) for name in ("event_id", "subject_id", "event_version", "event_at", "known_at"))


def _stored(case: Case, name: str) -> Value:
    return None if case.stored is None else case.stored[name]


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other
