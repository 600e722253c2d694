"""Shares: after whatever happens to the source, the served files hold what a slow twin lets go, and nothing else."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.leak_twin import Cells, cells_of, live, rows_in, served
from benchmarks.leak_world import (
    BEGAN,
    FIRST_DAY,
    TABLES,
    Rows,
    changed,
    draw_rows,
    draw_shared,
)
from sharing import materialise
from sharing.materialise import Refreshed, withdraw
from sharing.progress import standing
from sharing.shares import Share
from tests.unit.sharing.house import (
    KEEP,
    PLAIN,
    PSEUDONYM,
    SCORES,
    House,
    a_house,
    agreed,
    feed,
    refresh_all,
    refreshed,
)
from warehouse.agreements import Agreement
from warehouse.catalog import table_of
from warehouse.delta import Lake


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, random.Random(0))


STEPS = st.lists(st.sampled_from(["append", "change", "refresh", "wait", "compact"]), min_size=2, max_size=7)


# Each example writes tables: shrinking one would take longer than reading it.
@settings(max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), name=st.sampled_from(TABLES), steps=STEPS)
def test_after_any_changes_a_share_is_what_a_twin_lets_go(seed: int, name: str, steps: list[str]) -> None:
    with a_house(seed) as house:
        table, at = table_of(name), BEGAN
        share = agreed(draw_shared(house.draw, table))
        house.append(name, draw_rows(house.draw, table, 8))
        for step in [*steps, "refresh"]:
            match step:
                case "append":
                    house.append(name, draw_rows(house.draw, table, 3))
                case "change":
                    house.replace(name, *changed(house.draw, house.rows[name], table))
                case "compact":
                    house.lake.compact(table, at)
                case "wait":
                    at += timedelta(hours=20)
                case "refresh":
                    refreshed(house, share, at)
                    assert served(house.folder(share)) == house.due(share, at)
                    _is_idle(house, share, at)
        _nothing_else_is_there(house, share)


def _is_idle(house: House, share: Share, at: datetime) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in house.home.rglob("*") if path.is_file())
    again = refreshed(house, share, at)
    assert (again.rows_added, again.rows_retracted) == (0, 0)
    assert sorted((path, path.stat().st_mtime_ns) for path in house.home.rglob("*") if path.is_file()) == before


def _nothing_else_is_there(house: House, share: Share) -> None:
    folder = house.folder(share)
    if not (share.shared.has_changes or share.shared.has_history):
        assert {path.relative_to(folder).as_posix() for path in house.files(share)} == live(folder)
        return
    told = {kind: cells_of(rows.drop("_change_type").to_dicts()) for (kind,), rows in _fed(house, share)}
    assert told.get("insert", Cells()) - told.get("delete", Cells()) == served(folder)


def _fed(house: House, share: Share) -> Any:
    return feed(house, share).drop("_commit_version", "_commit_timestamp").group_by("_change_type")


def some_scores(count: int = 6, day: date = FIRST_DAY) -> Rows:
    rows = draw_rows(random.Random(count), SCORES, count, day)
    for number, row in enumerate(rows):
        row |= {"score_id": f"s{number}", "event_date": day, "probability": 0.5 + number / 100, "location": "XNPRT"}
    return rows


def test_one_row_taken_back_is_one_row_in_the_change_feed(house: House) -> None:
    share, rows = agreed(), some_scores()
    house.append(SCORES.name, rows)
    first = refreshed(house, share)
    house.replace(SCORES.name, rows[1:], [FIRST_DAY])
    done = refreshed(house, share, BEGAN + timedelta(hours=1))
    assert (done.rows_added, done.rows_retracted) == (0, 1)
    told = feed(house, share, (first.version or 0) + 1)
    assert told["_change_type"].to_list() == ["delete"]
    assert served(house.folder(share)) == house.due(share, BEGAN)


def test_of_equal_rows_as_many_are_taken_back_as_no_longer_stand(house: House) -> None:
    share = agreed(replace(PLAIN, columns={"location": KEEP}))
    rows = some_scores(5)
    house.append(SCORES.name, rows)
    refreshed(house, share)
    house.replace(SCORES.name, rows[:2], [FIRST_DAY])
    assert refreshed(house, share, BEGAN + timedelta(hours=1)).rows_retracted == 3
    assert served(house.folder(share)).total() == 2


@pytest.mark.parametrize("days", [1, 12])
def test_one_more_day_costs_that_day_and_not_the_days_before(house: House, days: int) -> None:
    """Of those no file can even be read, neither of the source nor of the share; what is written is one file."""
    share = agreed()
    for day in range(days):
        house.append(SCORES.name, some_scores(6, FIRST_DAY + timedelta(days=day)))
    refreshed(house, share)
    before = dict.fromkeys(house.home.rglob("*.parquet"), b"no Parquet")
    for path, content in before.items():
        path.write_bytes(content)
    house.append(SCORES.name, some_scores(4, FIRST_DAY + timedelta(days=days)))
    done = refreshed(house, share, BEGAN + timedelta(hours=1))
    assert (done.rows_added, done.rows_retracted) == (4, 0)
    assert {path: path.read_bytes() for path in before} == before
    written = set(house.files(share)) - set(before)
    assert [pl.read_parquet(path).height for path in written] == [4]


def test_a_day_of_many_small_refreshes_is_put_into_one_file(house: House) -> None:
    share = agreed(replace(PLAIN, has_changes=False))
    for number in range(10):
        house.append(SCORES.name, some_scores(1 + number))
        refreshed(house, share, BEGAN + timedelta(hours=number))
    assert len(house.files(share)) < 5
    assert served(house.folder(share)) == house.due(share, BEGAN)


STOPS: dict[str, tuple[type | Any, str]] = {
    "before-rows-are-moved": (Lake, "exchange"),
    "between-moving-and-taking-back": (Lake, "exchange"),
    "before-old-files-go": (materialise, "_purge"),
    "before-the-note": (materialise, "note"),
}


@pytest.mark.parametrize("has_changes", [True, False], ids=["with-change-feed", "without"])
@pytest.mark.parametrize("stop", STOPS)
def test_a_refresh_that_was_killed_and_is_done_again_gives_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch, stop: str, has_changes: bool
) -> None:
    share, rows = agreed(replace(PLAIN, has_changes=has_changes)), some_scores()
    house.append(SCORES.name, rows)
    first = refreshed(house, share)
    corrected = [rows[0] | {"probability": 0.9}, *rows[2:]]
    house.replace(SCORES.name, corrected, [FIRST_DAY])
    place, name = STOPS[stop]
    with monkeypatch.context() as patch:
        patch.setattr(place, name, _killed(getattr(place, name), 1 if stop.startswith("between") else 0))
        with pytest.raises(KeyboardInterrupt):
            refreshed(house, share, BEGAN + timedelta(hours=1))
    refreshed(house, share, BEGAN + timedelta(hours=1))
    assert served(house.folder(share)) == house.due(share, BEGAN)
    _is_idle(house, share, BEGAN + timedelta(hours=1))
    _nothing_else_is_there(house, share)
    if has_changes:
        told = feed(house, share, (first.version or 0) + 1)
        assert sorted(told["_change_type"]) == ["delete", "delete", "insert"]


def _killed(call: Callable[..., Any], after: int) -> Callable[..., Any]:
    left = [after]

    def stopped(*args: Any, **named: Any) -> Any:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return call(*args, **named)

    return stopped


def test_a_note_that_is_lost_costs_no_cell(house: House) -> None:
    share, rows = agreed(), some_scores()
    house.append(SCORES.name, rows)
    refreshed(house, share)
    (house.home / "lake" / "_shares" / f"{share.name}.json").unlink()
    assert refreshed(house, share, BEGAN + timedelta(hours=1)).rows_added == 0
    house.replace(SCORES.name, rows[1:], [FIRST_DAY])
    (house.home / "lake" / "_shares" / f"{share.name}.json").write_text("{")
    assert refreshed(house, share, BEGAN + timedelta(hours=2)).rows_retracted == 1
    assert served(house.folder(share)) == house.due(share, BEGAN)


def test_a_narrower_version_leaves_no_file_with_the_column_that_is_no_longer_shared(house: House) -> None:
    share = agreed()
    house.append(SCORES.name, some_scores())
    refreshed(house, share)
    narrower = replace(PLAIN, columns={"location": KEEP})
    after = Share(replace(share.agreement, version=2, tables={SCORES.name: narrower}), narrower)
    done = refreshed(house, after, BEGAN + timedelta(hours=1))
    assert (done.rows_added, done.rows_retracted) == (6, 6)
    assert rows_in(house.files(after)) == house.due(after, BEGAN)
    told = standing(house.lake, after.table).progress
    assert told is not None
    assert (told.since, told.agreement_version) == (done.version, 2), "earlier versions are not readable any more"


def test_a_wider_row_condition_adds_the_rows_that_it_admits_and_no_other(house: House) -> None:
    share, rows = agreed(), [*some_scores(4), *({**row, "probability": 0.1} for row in some_scores(2))]
    house.append(SCORES.name, rows)
    refreshed(house, share)
    wider = replace(PLAIN, rows=())
    after = Share(replace(share.agreement, version=2, tables={SCORES.name: wider}), wider)
    done = refreshed(house, after, BEGAN + timedelta(hours=1))
    assert (done.rows_added, done.rows_retracted) == (2, 0)


@pytest.mark.parametrize("has_changes", [True, False], ids=["with-change-feed", "without"])
def test_of_a_revoked_or_expired_agreement_no_row_is_left_anywhere(house: House, has_changes: bool) -> None:
    share = agreed(replace(PLAIN, has_changes=has_changes, has_history=has_changes))
    house.append(SCORES.name, some_scores())
    refreshed(house, share)
    over = Share(replace(share.agreement, revoked_at=BEGAN + timedelta(hours=1)), share.shared)
    done = refreshed(house, over, BEGAN + timedelta(hours=1))
    assert done.rows_retracted == 6
    assert house.files(share) == []
    _is_idle(house, over, BEGAN + timedelta(hours=2))
    back = refreshed(house, share, BEGAN + timedelta(hours=3))
    assert back.rows_added == 6
    late = datetime(2040, 1, 1, tzinfo=BEGAN.tzinfo)
    assert refreshed(house, share, late).rows_retracted == 6
    assert house.files(share) == []


def test_an_agreement_that_has_not_begun_makes_no_table(house: House) -> None:
    share = agreed(starts_on=BEGAN.date() + timedelta(days=1))
    house.append(SCORES.name, some_scores())
    assert refreshed(house, share) == Refreshed(share.name, None)
    assert not house.folder(share).exists()


def test_a_share_of_a_table_that_does_not_exist_yet_is_an_empty_table(house: House) -> None:
    share = agreed()
    assert refreshed(house, share).version == 0
    house.append(SCORES.name, some_scores())
    assert refreshed(house, share, BEGAN + timedelta(hours=1)).rows_added == 6


def test_all_shares_follow_the_agreement_in_force_and_one_that_is_gone_is_emptied(house: House) -> None:
    old = agreed(expires_on=BEGAN.date())
    new = agreed(replace(PLAIN, rows=()), agreement_id="the-next", starts_on=BEGAN.date() + timedelta(days=1))
    house.append(SCORES.name, [*some_scores(3), *({**row, "probability": 0.1} for row in some_scores(2))])

    def rows(agreements: list[Agreement], at: datetime) -> int:
        refresh_all(house.lake, agreements, house.keys, at)
        return served(house.folder(old)).total()

    both = [new.agreement, old.agreement]
    assert rows(both, BEGAN) == 3
    assert rows(both, BEGAN + timedelta(days=1)) == 5
    assert rows([old.agreement], BEGAN + timedelta(days=2)) == 0
    assert rows(both, BEGAN + timedelta(days=2)) == 5
    assert rows([], BEGAN + timedelta(days=2)) == 0
    assert house.files(old) == []


def test_a_row_flows_once_it_is_old_enough_although_its_source_stands_still(house: House) -> None:
    share, rows = agreed(replace(PLAIN, delay=timedelta(hours=24))), some_scores(2)
    rows[0]["scored_at"], rows[1]["scored_at"] = BEGAN - timedelta(hours=30), BEGAN - timedelta(hours=3)
    house.append(SCORES.name, rows)
    counts = [refreshed(house, share, BEGAN + timedelta(hours=hours)).rows_added for hours in (0, 20, 21, 22)]
    assert counts == [1, 0, 1, 0]


def test_a_new_key_gives_every_pseudonym_anew(house: House) -> None:
    share = agreed(replace(PLAIN, columns={"score_id": PSEUDONYM}))
    house.append(SCORES.name, some_scores())
    refreshed(house, share)
    before = set(rows_in(house.files(share)))
    house.keys.rotate("xs-customs")
    assert refreshed(house, share, BEGAN + timedelta(hours=1)).rows_added == 6
    folder = house.folder(share)
    assert served(folder) == house.due(share, BEGAN)
    assert not set(served(folder)) & before


def test_two_recipients_have_no_pseudonym_in_common(house: House) -> None:
    only_ids = replace(PLAIN, columns={"score_id": PSEUDONYM})
    house.append(SCORES.name, some_scores())
    one, other = (agreed(only_ids, recipient) for recipient in ("xs-customs", "xa-police"))
    refreshed(house, one)
    refreshed(house, other)
    assert len(served(house.folder(one)) + served(house.folder(other))) == 12


def test_old_files_go_once_nobody_may_read_their_versions(house: House) -> None:
    share, rows = agreed(), some_scores()
    house.append(SCORES.name, rows)
    refreshed(house, share)
    house.replace(SCORES.name, rows[1:], [FIRST_DAY])
    refreshed(house, share, BEGAN + timedelta(hours=1))
    assert len(house.files(share)) > len(live(house.folder(share)))
    house.replace(SCORES.name, rows[2:], [FIRST_DAY])
    done = refreshed(house, share, BEGAN + timedelta(days=40))
    told = standing(house.lake, share.table).progress
    assert told is not None
    assert told.since is not None
    assert told.since <= (done.version or 0)
    assert feed(house, share, told.since + 1)["_change_type"].to_list() == ["delete"]
    assert rows_in(house.files(share)).total() < 6 + 5 + 5


def test_the_log_of_a_share_says_nothing_of_its_rows_or_its_source(house: House) -> None:
    share = agreed(replace(PLAIN, columns={**PLAIN.columns, "event_at": KEEP}))
    rows = some_scores()
    house.append(SCORES.name, rows)
    refreshed(house, share)
    house.replace(SCORES.name, rows[1:], [FIRST_DAY])
    refreshed(house, share, BEGAN + timedelta(hours=1))
    log = "\n".join(path.read_text("utf-8") for path in (house.folder(share) / "_delta_log").glob("*.json"))
    assert "numRecords" in log
    said = {str(row[name]) for row in rows for name in ("score_id", "location", "event_id")}
    said |= {row["event_at"].date().isoformat() for row in rows} | {FIRST_DAY.isoformat()}
    assert [one for one in said if one in log.replace("_change_", "")] == []


def test_withdrawing_what_never_was_does_nothing(house: House) -> None:
    assert withdraw(house.lake, "shares.nobody__scores", BEGAN) == Refreshed("shares.nobody__scores", None)
