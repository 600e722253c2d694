"""A withdrawn score leaves every share, by a retraction in its change feed, and stays in the lake."""

import random
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.leak_twin import allowed, served
from benchmarks.leak_world import BEGAN, draw_rows, draw_shared
from sharing.outlook import outlooks
from sharing.progress import standing
from tests.unit.sharing.house import PLAIN, SCORES, House, a_house, agreed, feed, refreshed, scores
from warehouse.agreements.model import Mask, Masking, SharedTable
from warehouse.catalog import Table, table_of
from warehouse.delta import Lake
from warehouse.recalls import RECALLS, days_recalled, recall, version_for

NAMED = ["score_id", "model_name", "model_version", "event_id", "event_version", "event_date"]
DECISIONS = table_of("gold.dispositions")


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path, random.Random(0))
    made.append(SCORES.name, scores(made.draw, 40))
    return made


def withdrawn(lake: Lake, ids: list[str]) -> int:
    chosen = lake.scan(SCORES).filter(pl.col("score_id").is_in(ids)).select(NAMED).collect()
    return recall(lake, chosen, reason="a wrong feed", by="officer", at=BEGAN)


def ids_of(house: House, table: Table = SCORES) -> list[str]:
    return sorted({row["score_id"] for row in house.rows[table.name]})


def due(house: House, share, ids: list[str], at) -> object:
    """What a twin lets go of rows that rest on none of these scores."""
    rows = [row for row in house.rows[share.source.name] if row["score_id"] not in ids]
    secret = house.keys.current(share.agreement.recipient.code).secret
    return allowed(rows, share.agreement, share.source.name, secret, at)


@settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), counts=st.lists(st.integers(0, 5), min_size=1, max_size=3))
def test_whatever_is_withdrawn_between_refreshes_is_in_no_share(seed: int, counts: list[int]) -> None:
    with a_house(seed) as house:
        house.append(SCORES.name, scores(house.draw, 25))
        share = agreed(draw_shared(house.draw, SCORES))
        refreshed(house, share)
        gone: list[str] = []
        for turn, count in enumerate(counts, start=1):
            gone += house.draw.sample(ids_of(house), min(count, len(ids_of(house))))
            withdrawn(house.lake, gone)
            house.append(SCORES.name, scores(house.draw, 5))
            at = BEGAN + timedelta(hours=turn)
            refreshed(house, share, at)
            assert served(house.folder(share)) == due(house, share, gone, at)
        assert house.lake.scan(SCORES).collect().height == len(house.rows[SCORES.name])


def test_a_recipient_is_told_of_each_row_that_is_taken_back_and_of_no_other(house: House) -> None:
    share = agreed(PLAIN)
    refreshed(house, share)
    before, since = served(house.folder(share)), house.lake.version(share.table)
    assert since is not None
    gone = ids_of(house)[:6]
    withdrawn(house.lake, gone)
    done = refreshed(house, share, BEGAN + timedelta(hours=1))
    told = feed(house, share, since + 1)
    lost = before - served(house.folder(share))
    assert done.rows_added == 0
    assert done.rows_retracted == lost.total() == told.filter(pl.col("_change_type") == "delete").height
    assert told.filter(pl.col("_change_type") == "insert").is_empty()
    progress = standing(house.lake, share.table).progress
    assert progress is not None
    assert progress.recalls == house.lake.version(RECALLS)


def test_a_score_is_withdrawn_once(house: House) -> None:
    gone = ids_of(house)[:3]
    assert (withdrawn(house.lake, gone), withdrawn(house.lake, gone)) == (3, 0)
    assert house.lake.scan(RECALLS).collect().height == 3


def test_decisions_that_rest_on_a_withdrawn_score_go_with_it(house: House) -> None:
    rows = [row | {"score_id": ids_of(house)[at]} for at, row in enumerate(draw_rows(house.draw, DECISIONS, 4))]
    house.append(DECISIONS.name, rows)
    share = agreed(SharedTable(DECISIONS.name, {name: Masking(Mask.KEEP) for name in ("score_id", "action")}))
    refreshed(house, share)
    withdrawn(house.lake, ids_of(house)[:1])
    refreshed(house, share, BEGAN + timedelta(hours=1))
    assert served(house.folder(share)) == due(house, share, ids_of(house)[:1], BEGAN)
    assert served(house.folder(share)).total() == 3


def test_only_the_days_of_withdrawn_scores_are_looked_at(house: House) -> None:
    gone = ids_of(house)[:2]
    days = {row["event_date"] for row in house.rows[SCORES.name] if row["score_id"] in gone}
    share = agreed(PLAIN)
    refreshed(house, share)
    withdrawn(house.lake, gone)
    upto = version_for(house.lake, SCORES)
    assert days_recalled(house.lake, SCORES, None, upto) == days
    assert days_recalled(house.lake, SCORES, upto, upto) == set()
    assert days_recalled(house.lake, DECISIONS, None, upto) == {None}
    assert version_for(house.lake, table_of("silver.shipments")) is None
    (told, *_) = outlooks(house.lake, [share.agreement], house.keys, BEGAN)
    assert f"{len(days)} days" in told.what
