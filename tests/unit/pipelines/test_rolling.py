"""Views rolled on in a lake: what one pass gives, whatever is killed, repeated, changed or backfilled on the way."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features import tiles, windows
from features.views import Aggregation, FeatureView, Kind
from features.windows import USABLE_AT
from pipelines import rolling
from pipelines.rolling import Rolling
from warehouse.contracts.base import Purpose
from warehouse.delta import Lake
from warehouse.errors import NotReady
from warehouse.findings import Finding
from warehouse.findings import Kind as Found
from warehouse.repair import Workshop
from warehouse.verify import verify

FIRST, DAYS, DAY = date(2024, 2, 26), 7, timedelta(days=1)
START = datetime(2024, 2, 26, tzinfo=UTC)
MOMENT = pl.Datetime("us", "UTC")


def _one(kind: Kind, column: str | None = None, days: int | None = None) -> Aggregation:
    return Aggregation(f"{kind}_{days}", kind, "d", "u", column, days, 3.0)


IMPORTER = FeatureView(
    "importer",
    ("importer",),
    "goods",
    (
        _one(Kind.COUNT, None, 2),
        _one(Kind.RATE, "is_adverse", 3),
        _one(Kind.MEAN, "value"),
        _one(Kind.DEVIATION, "value", 5),
        _one(Kind.DISTINCT, "product"),
        _one(Kind.DAYS_SINCE_LAST),
        _one(Kind.DAYS_SINCE_FIRST),
    ),
    "customs",
    frozenset({Purpose.CUSTOMS_RISK}),
    "d",
)
PAIR = replace(
    IMPORTER,
    name="pair",
    entity=("importer", "product"),
    aggregations=(Aggregation("pair_since", Kind.DAYS_SINCE_LAST, "d", "u"),),
)
VIEWS = (IMPORTER, PAIR)


def moments(generator: np.random.Generator, count: int) -> list[datetime]:
    return [START + timedelta(hours=int(hour)) for hour in generator.integers(0, DAYS * 24, count)]


def history(seed: int, count: int = 80) -> pl.DataFrame:
    """Rows late and corrected, with nulls and ties."""
    generator = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for at in moments(generator, count):
        begins = at + timedelta(hours=int(generator.choice([0, 0, 7, 40])))
        row = {
            "importer": generator.choice(["a", "b", None]), "jurisdiction": "XN", "event_at": at, "began_at": begins,
            "value": float(generator.integers(0, 90)) / 8, "is_adverse": int(generator.integers(0, 2)),
            "product": generator.choice(["shoes", "soap", None]),
        }  # fmt: skip
        rows.append({**row, "usable_at": begins, "sign": 1})
        if generator.random() < 0.3:
            rows.append({**row, "usable_at": begins + timedelta(hours=int(generator.integers(0, 60))), "sign": -1})
    schema = {
        "importer": pl.String, "jurisdiction": pl.String, "event_at": MOMENT, "began_at": MOMENT, "value": pl.Float64,
        "is_adverse": pl.Int8, "product": pl.String, "usable_at": MOMENT, "sign": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def events(seed: int) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    at = sorted(moments(generator, 60))
    own = {"importer": generator.choice(["a", "b", "c"], 60), "product": generator.choice(["shoes", "soap"], 60)}
    made = pl.DataFrame({"event_at": at, **own}, schema_overrides={"event_at": MOMENT})
    return made.with_columns(jurisdiction=pl.lit("XN"), value=pl.lit(3.5))


def of_day(rows: pl.DataFrame, column: str, day: date) -> pl.DataFrame:
    return rows.filter(pl.col(column).dt.date() == day)


class Replay:
    """One lake, rolled over a history."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.rolling = Rolling(Lake(str(folder)), VIEWS)
        self.events, self.history = events(seed), history(seed)

    def day(self, number: int) -> pl.DataFrame:
        day = FIRST + number * DAY
        rows = {"goods": of_day(self.history, USABLE_AT, day)}
        return self.rolling.advance(day, of_day(self.events, "event_at", day), rows)

    def days(self, *numbers: int) -> pl.DataFrame:
        return pl.concat([self.day(number) for number in numbers])

    def one_pass(self, numbers: range) -> pl.DataFrame:
        asked = pl.col("event_at").dt.date().is_in([FIRST + number * DAY for number in numbers])
        some = self.events.filter(asked)
        return pl.concat([windows.compute(view, some, self.history) for view in VIEWS], how="horizontal")


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose first three days are rolled, to be copied."""
    folder = tmp_path_factory.mktemp("rolled")
    Replay(folder).days(0, 1, 2)
    return folder


@pytest.fixture
def three_days(rolled: Path, tmp_path: Path) -> Replay:
    """A lake of a test's own, whose first three days are rolled."""
    return Replay(Path(shutil.copytree(rolled, tmp_path / "lake")))


def killed_on(day: int, table: Any, replay: Replay, patch: pytest.MonkeyPatch) -> None:
    """The rolling of a day, killed as it comes to write a table."""
    append = Lake.append

    def killed(lake: Lake, to: Any, *rows: Any, **named: Any) -> int:
        if to is table:
            raise KeyboardInterrupt
        return append(lake, to, *rows, **named)

    with patch.context() as fault:
        fault.setattr(Lake, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            replay.day(day)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_days_through_the_lake_are_one_pass_to_the_last_bit(tmp_path: Path, seed: int) -> None:
    replay = Replay(tmp_path, seed)
    assert_frame_equal(replay.days(*range(DAYS)), replay.one_pass(range(DAYS)), check_exact=True)


def test_a_repeated_day_gives_the_same_and_writes_nothing(three_days: Replay) -> None:
    replay = three_days
    before = [replay.rolling.lake.version(table) for table in (rolling.TILES, rolling.STATES, rolling.LEDGER)]
    again = replay.day(2)
    assert before == [replay.rolling.lake.version(table) for table in (rolling.TILES, rolling.STATES, rolling.LEDGER)]
    assert_frame_equal(again, replay.one_pass(range(2, 3)), check_exact=True)
    assert_frame_equal(replay.days(*range(3, DAYS)), replay.one_pass(range(3, DAYS)), check_exact=True)


@pytest.mark.parametrize("table", [rolling.STATES, rolling.MARKS, rolling.LEDGER], ids=lambda table: table.name)
def test_a_day_that_was_killed_before_it_ended_is_rolled_again(
    three_days: Replay, monkeypatch: pytest.MonkeyPatch, table: Any
) -> None:
    replay = three_days
    killed_on(3, table, replay, monkeypatch)
    assert_frame_equal(replay.days(*range(3, DAYS)), replay.one_pass(range(3, DAYS)), check_exact=True)


def test_a_day_with_other_rows_goes_on_from_the_state_before_it(tmp_path: Path) -> None:
    """The third day is rolled too early, and with it the fourth; then the rest of its rows comes."""
    replay = Replay(tmp_path)
    replay.days(0, 1)
    whole, standing = replay.history, pl.col("sign") > 0
    replay.history = whole.filter(standing | (pl.col(USABLE_AT) < START + 2 * DAY)).gather_every(2)
    replay.days(2, 3)
    replay.history = whole
    assert_frame_equal(replay.days(*range(2, DAYS)), replay.one_pass(range(2, DAYS)), check_exact=True)


def test_tiles_of_voided_rollings_are_gone_and_no_others(tmp_path: Path) -> None:
    replay = Replay(tmp_path)
    replay.days(0, 1)
    whole = replay.history
    replay.history = whole.filter((pl.col("sign") > 0) | (pl.col(USABLE_AT) < START + 2 * DAY)).gather_every(2)
    replay.days(2, 3)
    replay.history = whole
    replay.day(2)
    lake = replay.rolling.lake
    chain, _, _ = replay.rolling._chain()
    held = lake.scan(rolling.TILES).select(pl.col("batch_id").unique()).collect()["batch_id"]
    assert [rolled.day for rolled in chain] == [FIRST, FIRST + DAY, FIRST + 2 * DAY]
    assert set(held) == {rolled.batch_id for rolled in chain}
    past = replay.history.filter(pl.col(USABLE_AT) < tiles.midnight(FIRST + 4 * DAY))
    replay.rolling.backfill(FIRST + 4 * DAY, [{"goods": past}])
    assert lake.scan(rolling.TILES).select(pl.col("batch_id").n_unique()).collect().item() == 1
    assert_frame_equal(replay.days(*range(4, DAYS)), replay.one_pass(range(4, DAYS)), check_exact=True)


def test_a_sweep_that_was_killed_is_done_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay = Replay(tmp_path)
    replay.days(0, 1)
    day = FIRST + 2 * DAY
    past = replay.history.filter(pl.col(USABLE_AT) < tiles.midnight(day))

    def killed(*_: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "remove_batches", killed)
        with pytest.raises(KeyboardInterrupt):
            replay.rolling.backfill(day, [{"goods": past}])
    count = pl.col("batch_id").n_unique()
    assert replay.rolling.lake.scan(rolling.TILES).select(count).collect().item() == 3
    assert_frame_equal(replay.day(2), replay.one_pass(range(2, 3)), check_exact=True)
    replay.rolling.backfill(day, [{"goods": past}])
    assert replay.rolling.lake.scan(rolling.TILES).select(count).collect().item() == 1
    assert_frame_equal(replay.day(2), replay.one_pass(range(2, 3)), check_exact=True)


def test_a_day_is_not_skipped_and_not_rolled_again_after_its_state_is_gone(tmp_path: Path) -> None:
    replay = Replay(tmp_path)
    replay.days(0, 1, 2, 3, 4)
    with pytest.raises(NotReady, match="no state of its midnight; the last is of 2024-03-02"):
        replay.day(6)
    with pytest.raises(NotReady, match="states are kept from 2024-02-29 on"):
        replay.day(2)
    kept = replay.rolling.lake.scan(rolling.STATES).select(pl.col("day").unique()).collect()["day"]
    assert kept.sort().to_list() == [FIRST + number * DAY for number in (3, 4, 5)]


def test_days_after_a_backfill_in_any_cut_are_one_pass(tmp_path: Path) -> None:
    replay = Replay(tmp_path)
    replay.days(0, 1)
    day = FIRST + 4 * DAY
    past = replay.history.filter(pl.col(USABLE_AT) < tiles.midnight(day))
    replay.rolling.backfill(day, [{"goods": past.head(11)}, {"goods": past.slice(11)}])
    assert_frame_equal(replay.days(*range(4, DAYS)), replay.one_pass(range(4, DAYS)), check_exact=True)


def test_a_backfill_that_was_killed_counts_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay = Replay(tmp_path)
    day = FIRST + 4 * DAY
    past = replay.history.filter(pl.col(USABLE_AT) < tiles.midnight(day))
    append = Lake.append

    def killed(lake: Lake, to: Any, *rows: Any, **named: Any) -> int:
        if to is rolling.MARKS:
            raise KeyboardInterrupt
        return append(lake, to, *rows, **named)

    monkeypatch.setattr(Lake, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        replay.rolling.backfill(day, [{"goods": past.head(30)}])
    monkeypatch.setattr(Lake, "append", append)
    replay.rolling.backfill(day, [{"goods": past}])
    assert_frame_equal(replay.days(*range(4, DAYS)), replay.one_pass(range(4, DAYS)), check_exact=True)


def test_a_lake_without_history_begins_on_any_day(tmp_path: Path) -> None:
    replay = Replay(tmp_path)
    replay.history = replay.history.clear()
    assert_frame_equal(replay.days(2, 3), replay.one_pass(range(2, 4)), check_exact=True)


ROLLED = (rolling.TILES, rolling.STATES, rolling.MARKS)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


def orphans(lake: Lake, now: datetime) -> list[Finding]:
    return [one for one in verify(lake, (*ROLLED, rolling.LEDGER), now) if one.kind is Found.ORPHAN_ROWS]


@pytest.mark.parametrize(
    ("table", "left"),
    [
        pytest.param(rolling.STATES, 1, id="killed-after-its-tiles"),
        pytest.param(rolling.MARKS, 2, id="killed-after-its-states"),
        pytest.param(rolling.LEDGER, 3, id="killed-before-its-row-in-the-ledger"),
    ],
)
def test_what_a_rolling_that_was_never_repeated_left_is_found_and_repaired(
    three_days: Replay, monkeypatch: pytest.MonkeyPatch, table: Any, left: int
) -> None:
    replay, now = three_days, datetime.now(UTC)
    lake = replay.rolling.lake
    assert orphans(lake, now + HOUR) == []
    killed_on(3, table, replay, monkeypatch)
    found = orphans(lake, now + HOUR)
    assert [one.table for one in found] == [one.name for one in ROLLED[:left]]
    assert "borderlake repair --yes" in found[0].repair
    assert orphans(lake, now) == [], "a rolling may be under way"
    young = list(Workshop(lake, now + HOUR, {}).plan(found))
    assert [step.is_safe for step in young] == [False] * left
    assert "younger than 7 days" in young[0].what
    for step in Workshop(lake, now + WEEK + HOUR, {}).plan(found):
        assert step.run is not None
        step.run()
    assert orphans(lake, now + HOUR) == []
    assert_frame_equal(replay.days(*range(3, DAYS)), replay.one_pass(range(3, DAYS)), check_exact=True)


def test_the_next_rolling_of_the_day_sweeps_what_the_killed_one_left(
    three_days: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay, now = three_days, datetime.now(UTC)
    killed_on(3, rolling.STATES, replay, monkeypatch)
    killed_on(3, rolling.STATES, replay, monkeypatch)
    assert len(orphans(replay.rolling.lake, now + HOUR)) == 2
    replay.day(3)
    assert orphans(replay.rolling.lake, now + HOUR) == []


def test_a_rolling_sweeps_nothing_of_other_views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay, now = Replay(tmp_path), datetime.now(UTC)
    other = Replay(tmp_path)
    other.rolling = Rolling(other.rolling.lake, (PAIR,))
    killed_on(0, rolling.STATES, other, monkeypatch)
    replay.days(0, 1)
    assert len(orphans(replay.rolling.lake, now + HOUR)) == 1
