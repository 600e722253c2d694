"""Feed health: each feed (an agency's dataset) against its own history, from the ledger alone. No table is read here.

A day of a feed is what was delivered on it, each file as its standing reading has it: a file read again counts once,
on the day it first came. What is usual is `warehouse.usual`, the words of each finding `warehouse.feed_reasons`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import polars as pl

from warehouse import feed_reasons as reasons
from warehouse.contracts import CONTRACTS
from warehouse.ledger import LANDED, REFUSED
from warehouse.readers import Part
from warehouse.transmissions import lacking
from warehouse.usual import WINDOW_DAYS, bound_of_part, silence, volume_band

REPEATED = "repeated-in-file"
_JUDGED_DAYS = 90
_WEEK = 7
_REMEMBERED_DAYS = 7
"""A new column, or a file refused as a whole, stays a finding this long."""
_LIVE_WITHIN = timedelta(days=7)
"""Deliveries that landed later than this after their day are history that was brought in, not a feed at work."""
_FEW = 0.25
"""Less than this part of the least that is usual is no longer a thin day but a broken feed."""
_MOST = 0.5
_PARTS_WITHIN = timedelta(hours=2)
"""Parts of a report are sent at once; what has not landed so long after its file of parts is missing."""
_CONTENT = ["sha256", "source_agency", "dataset", "jurisdiction", "contract"]


class Measure(StrEnum):
    """What is measured of a feed."""

    FRESHNESS = "freshness"
    VOLUME = "volume"
    WEEK = "volume of a week"
    REFUSED = "refused share"
    REPEATED = "repeated share"
    COLUMNS = "new columns"
    FILES = "refused files"
    PARTS = "parts of reports"


class Verdict(StrEnum):
    """How a measure compares with the feed's own history."""

    USUAL = "usual"
    YOUNG = "too young"
    """Too little history to tell."""
    UNUSUAL = "unusual"
    BROKEN = "broken"


ALARMS = (Verdict.UNUSUAL, Verdict.BROKEN)

SCHEMA = pl.Schema(
    {
        "source_agency": pl.String,
        "dataset": pl.String,
        "day": pl.Date,
        "measure": pl.String,
        "value": pl.Float64,
        "usual_low": pl.Float64,
        "usual_high": pl.Float64,
        "verdict": pl.String,
        "reason": pl.String,
    }
)


@dataclass(frozen=True)
class Day:
    """What a feed delivered on one day."""

    day: date
    files: int
    rows_read: int
    rows_refused: int
    rows_repeated: int
    refused_by_rule: dict[str, int]
    """Rule -> files refused as a whole for it, and not read since."""
    columns: frozenset[str] | None
    """Columns that no dialect maps; None where that was not written down."""
    landed_at: datetime


@dataclass(frozen=True)
class Finding:
    """One measure of a feed on one day."""

    day: date
    measure: Measure
    value: float
    low: float | None
    high: float | None
    verdict: Verdict
    reason: str


def health(ledger: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Every feed's measures of the last days, judged as of a moment (`SCHEMA`); `value` and the band share a unit.

    Freshness is judged for the moment, in missed deliveries; the others for each day of delivery against the days
    before it. A day that is not over is not yet called thin.
    """
    today = (as_of.astimezone(UTC) - timedelta(microseconds=1)).date()
    found = [
        (agency, dataset, *_row(finding))
        for (agency, dataset), rows in sorted(
            standing(ledger).partition_by(["source_agency", "dataset"], as_dict=True).items()
        )
        for finding in _findings(reasons.Feed(str(agency), str(dataset)), rows, as_of, today)
    ]
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def current(judged: pl.DataFrame) -> pl.DataFrame:
    """The latest finding of each feed and measure."""
    keys = ["source_agency", "dataset", "measure"]
    return judged.sort("day").group_by(keys, maintain_order=True).last().select(SCHEMA.names()).sort(keys)


def standing(ledger: pl.DataFrame) -> pl.DataFrame:
    """Ledger rows that stand: one a file and contract, on the day it first came, as its latest landed reading says."""
    given_later = {"columns_unmapped", "parts"} - set(ledger.columns)
    ledger = ledger.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in sorted(given_later))
    is_landed = pl.col("status") == LANDED
    ordered = ledger.sort(is_landed, "landed_at", maintain_order=True)
    return ordered.group_by(_CONTENT, maintain_order=True).agg(
        pl.col("received_on").min(),
        pl.col("landed_at").min(),
        pl.col(
            "batch_id", "status", "rows_read", "rows_refused", "refused_by_rule", "columns_unmapped", "parts"
        ).last(),
    )


def days_of(rows: pl.DataFrame) -> list[Day]:
    """The days of one feed's standing ledger rows, in order."""
    return [_day(day, group) for (day,), group in sorted(rows.partition_by("received_on", as_dict=True).items())]


def _day(day: date, rows: pl.DataFrame) -> Day:
    refused = rows.filter(pl.col("status") == REFUSED).unique("batch_id")
    rules = [rule for text in refused["refused_by_rule"] for rule in json.loads(text)]
    repeated = [
        json.loads(text).get(REPEATED, 0) for text in rows.filter(pl.col("status") == LANDED)["refused_by_rule"]
    ]
    told = [names for names in map(_names, rows["columns_unmapped"]) if names is not None]
    return Day(
        day,
        rows["sha256"].n_unique(),
        int(rows["rows_read"].sum()),
        int(rows["rows_refused"].sum()),
        sum(repeated),
        {rule: rules.count(rule) for rule in dict.fromkeys(rules)},
        frozenset().union(*told) if told else None,
        rows["landed_at"].max(),  # type: ignore[arg-type]
    )


def _names(columns: object) -> frozenset[str] | None:
    """Names of columns from the ledger's text or list of them."""
    if columns is None:
        return None
    names = columns.split(",") if isinstance(columns, str) else columns
    return frozenset(name.strip() for name in names if name and name.strip())  # type: ignore[attr-defined]


def _findings(feed: reasons.Feed, rows: pl.DataFrame, as_of: datetime, today: date) -> Iterator[Finding]:
    days = days_of(rows.filter(pl.col("received_on") <= today))
    if not days:
        return
    cadence = max(
        (CONTRACTS[name].cadence for name in rows["contract"].unique() if name in CONTRACTS), default=_LIVE_WITHIN
    )
    yield _freshness(feed, days, as_of, today, cadence)
    yield from _parts(feed, rows, as_of, today)
    for index, day in enumerate(days):
        if (days[-1].day - day.day).days < _JUDGED_DAYS:
            past = [one for one in days[:index] if (day.day - one.day).days <= WINDOW_DAYS]
            is_over = day.day < today or as_of.astimezone(UTC).date() > today
            # More may come today; where as many files as ever have come, it has come.
            is_whole = is_over or day.files >= max((one.files for one in past), default=1)
            yield _volume(feed, Measure.VOLUME, past, [day], is_whole=is_whole)
            week = [one for one in days[: index + 1] if (day.day - one.day).days < _WEEK]
            before = [one for one in past if (day.day - one.day).days >= _WEEK]
            yield _volume(feed, Measure.WEEK, before, week, is_whole=is_whole)
            refused = [(one.rows_refused, one.rows_read) for one in past]
            yield _part(feed, Measure.REFUSED, refused, day, day.rows_refused)
            repeated = [(one.rows_repeated, one.rows_read) for one in past]
            yield _part(feed, Measure.REPEATED, repeated, day, day.rows_repeated)
            yield _columns(feed, past, day)
            yield _files(feed, past, day)


def _freshness(feed: reasons.Feed, days: Sequence[Day], as_of: datetime, today: date, cadence: timedelta) -> Finding:
    last = days[-1]
    until = today if as_of.astimezone(UTC).date() > today else today - timedelta(days=1)
    quiet = silence([one.day for one in days], last.day, max(until, last.day), cadence)
    measure, missed = Measure.FRESHNESS, float(quiet.missed if quiet else (today - last.day).days)
    if last.landed_at <= as_of and last.landed_at.date() - last.day > _LIVE_WITHIN:
        return Finding(today, measure, missed, 0, None, Verdict.YOUNG, reasons.is_history(last.day, last.landed_at))
    if quiet is None:
        return Finding(today, measure, missed, 0, None, Verdict.YOUNG, reasons.is_young(len(days)))
    verdict = Verdict.USUAL
    if quiet.missed > quiet.allowed:
        verdict = Verdict.BROKEN if quiet.missed > 2 * quiet.allowed + 1 else Verdict.UNUSUAL
    reason = reasons.freshness(feed, last.day, quiet, is_late=verdict in ALARMS)
    return Finding(today, measure, missed, 0, quiet.allowed, verdict, reason)


def _parts(feed: reasons.Feed, rows: pl.DataFrame, as_of: datetime, today: date) -> Iterator[Finding]:
    """Reports of the last days of which a part has not come; nothing of a feed whose reports come whole."""
    lately = pl.col("received_on").is_between(today - timedelta(days=_REMEMBERED_DAYS), today)
    told = rows.filter(lately & (pl.col("landed_at") <= as_of) & pl.col("parts").is_not_null())
    if told.is_empty():
        return
    # The files of a report that is still coming in are not yet judged.
    landed = {
        Part(*part): at for text, at in told.select("parts", "landed_at").iter_rows() for part in json.loads(text)
    }
    waits = {part.of for part, at in landed.items() if as_of - at < _PARTS_WITHIN}
    found = [one for one in lacking(list(landed)) if one.of not in waits]
    verdict = Verdict.BROKEN if found else Verdict.USUAL
    yield Finding(today, Measure.PARTS, len(found), 0, 0, verdict, reasons.parts(feed, found))


def _volume(
    feed: reasons.Feed, measure: Measure, past: Sequence[Day], days: Sequence[Day], *, is_whole: bool
) -> Finding:
    """Rows of a day, or of the days of a week, in which a feed that has thinned out for good shows sooner."""
    band = volume_band([(one.day, one.rows_read) for one in past], [one.day for one in days])
    rows, last = sum(one.rows_read for one in days), days[-1].day
    if band is None:
        reason = reasons.is_young(len(past), by_weekday=True)
        return Finding(last, measure, rows, None, None, Verdict.YOUNG, reason)
    is_odd = rows > band.high or (rows < band.low and is_whole)
    verdict = Verdict.USUAL
    if is_odd:
        verdict = Verdict.BROKEN if rows < _FEW * band.low else Verdict.UNUSUAL
    reason = reasons.volume(feed, days[0].day, last, rows, band, is_odd=is_odd)
    return Finding(last, measure, rows, band.low, band.high, verdict, reason)


def _part(feed: reasons.Feed, measure: Measure, past: Sequence[tuple[int, int]], day: Day, rows: int) -> Finding:
    """Refused or repeated rows as a share of those read."""
    share = rows / max(day.rows_read, 1)
    most = bound_of_part(past, day.rows_read)
    if most is None:
        return Finding(day.day, measure, share, 0, None, Verdict.YOUNG, reasons.is_young(len(past)))
    verdict = Verdict.USUAL
    if rows > most:
        verdict = Verdict.BROKEN if share > _MOST else Verdict.UNUSUAL
    high = most / max(day.rows_read, 1)
    reason = reasons.part(feed, measure, rows, day.rows_read, high, is_odd=verdict in ALARMS)
    return Finding(day.day, measure, share, 0, high, verdict, reason)


def _columns(feed: reasons.Feed, past: Sequence[Day], day: Day) -> Finding:
    """Columns that came up lately, and are still there, of a feed that did without them before."""
    known = [one for one in past if one.columns is not None]
    before = [one.columns for one in known if (day.day - one.day).days > _REMEMBERED_DAYS] or [
        one.columns for one in known[:1]
    ]
    if day.columns is None or not before:
        reason = reasons.columns_unknown()
        return Finding(day.day, Measure.COLUMNS, 0, 0, 0, Verdict.YOUNG, reason)
    new = sorted(day.columns - frozenset().union(*filter(None, before)))
    verdict = Verdict.UNUSUAL if new else Verdict.USUAL
    return Finding(day.day, Measure.COLUMNS, len(new), 0, 0, verdict, reasons.columns(feed, new))


def _files(feed: reasons.Feed, past: Sequence[Day], day: Day) -> Finding:
    """Files of the last days refused as a whole (a column vanished, the file was cut) and not read since."""
    lately = [one for one in past if (day.day - one.day).days < _REMEMBERED_DAYS]
    rules: dict[str, int] = {}
    for one in (*lately, day):
        for rule, count in one.refused_by_rule.items():
            rules[rule] = rules.get(rule, 0) + count
    verdict = Verdict.BROKEN if rules else Verdict.USUAL
    return Finding(day.day, Measure.FILES, sum(rules.values()), 0, 0, verdict, reasons.files(feed, rules))


def _row(finding: Finding) -> tuple[object, ...]:
    return (
        finding.day,
        finding.measure.value,
        float(finding.value),
        finding.low,
        finding.high,
        finding.verdict.value,
        finding.reason,
    )
