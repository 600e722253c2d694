"""Days that commits touched, as the commits say."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from benchmarks.leak_world import FIRST_DAY, draw_rows, frame_of
from warehouse.catalog import table_of
from warehouse.commits import commit_path
from warehouse.delta import Lake
from warehouse.touched import days_touched

SCORES, PLAIN = table_of("gold.shipment_scores"), table_of("gold.dispositions")
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(3)]


def append(lake: Lake, day: date, count: int = 2) -> int:
    rows = [row | {"event_date": day} for row in draw_rows(Random(0), SCORES, count, day)]
    return lake.append(SCORES, frame_of(rows, SCORES))


def test_days_are_told_that_rows_came_to_or_left(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    first = append(lake, DAYS[0])
    second = append(lake, DAYS[1])
    third = lake.replace_days(SCORES, SCORES.empty(), [DAYS[0]])
    assert days_touched(lake, SCORES, -1, first) == {DAYS[0]}
    assert days_touched(lake, SCORES, first, second) == {DAYS[1]}
    assert days_touched(lake, SCORES, second, third) == {DAYS[0]}
    assert days_touched(lake, SCORES, -1, third) == {DAYS[0], DAYS[1]}
    assert days_touched(lake, SCORES, third, third) == set()


def test_joining_files_touches_no_day(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    append(lake, DAYS[0])
    before = append(lake, DAYS[0])
    after = lake.compact(SCORES, datetime.now(UTC))
    assert after > before
    assert days_touched(lake, SCORES, before, after) == set()


def test_a_commit_that_was_cleared_away_is_read_in_the_manifest_and_else_nothing_is_told(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    version = append(lake, DAYS[2])
    manifest = lake.manifest(SCORES)
    lake.store.delete(commit_path(manifest.folder, version))
    assert days_touched(lake, SCORES, -1, version) == {DAYS[2]}
    lake.store.delete(manifest.path(version))
    assert days_touched(lake, SCORES, -1, version) is None


def test_a_table_without_partitions_is_touched_as_a_whole(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    version = lake.append(PLAIN, frame_of(draw_rows(Random(0), PLAIN, 2), PLAIN))
    assert days_touched(lake, PLAIN, -1, version) == {None}
    assert days_touched(lake, PLAIN, version, version) == set()
