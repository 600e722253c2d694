"""What a share is: its name, its columns, and the agreement that it stands under."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import polars as pl

from benchmarks.leak_world import BEGAN, FIRST_DAY, TABLES, draw_agreement
from sharing.shares import Share, shares_of
from warehouse.agreements.cutting import cut
from warehouse.agreements.model import Mask, Masking, SharedTable
from warehouse.catalog import TABLES as EVERY_TABLE
from warehouse.catalog import table_of

BASE = draw_agreement(random.Random(0), "xs-customs")


def test_no_two_tables_that_may_be_shared_give_a_share_of_the_same_name() -> None:
    names = Counter(name.split(".")[1] for name in EVERY_TABLE if name.startswith(("gold.", "silver.")))
    assert [name for name, count in names.items() if count > 1] == []


def test_a_share_is_named_by_recipient_and_table_and_declares_what_flows() -> None:
    source = table_of("gold.shipment_scores")
    columns = {
        "score_id": Masking(Mask.PSEUDONYM),
        "event_at": Masking(Mask.DATE, "month"),
        "location": Masking(Mask.PLACE),
        "probability": Masking(Mask.ROUND, 0.05),
    }
    share = Share(BASE, SharedTable(source.name, columns, reasons=frozenset()))
    assert share.name == "shares.xs_customs__shipment_scores"
    assert list(share.table.columns) == [*columns, "reasons"]
    assert share.table.bounded == []
    assert share.table.dtypes["event_at"] == pl.Date()
    assert "Only the month" in (share.table.columns["event_at"].description or "")
    assert "pseudonym" in (share.table.columns["score_id"].description or "")
    assert "pseudonym" not in (source.columns["score_id"].description or ""), "the source's declaration stays"


def test_a_share_declares_the_types_that_flow() -> None:
    draw = random.Random(7)
    for _ in range(30):
        agreement = draw_agreement(draw, "xs-customs", most_tables=len(TABLES))
        for shared in agreement.tables.values():
            share = Share(agreement, shared)
            flows = cut(share.source.empty().lazy(), share.source, shared, b"k" * 32, BEGAN)
            assert share.table.dtypes == flows.collect_schema()


def test_each_share_stands_under_the_agreement_in_force_or_the_latest_there_was() -> None:
    table = "gold.dispositions"
    shared = {table: SharedTable(table, {"action": Masking(Mask.KEEP)})}
    day = timedelta(days=1)
    old = replace(BASE, agreement_id="old", tables=shared, expires_on=FIRST_DAY + 10 * day)
    new = replace(old, agreement_id="new", starts_on=FIRST_DAY + 20 * day, expires_on=FIRST_DAY + 30 * day)

    def stands(days: int) -> list[str]:
        return [share.agreement.agreement_id for share in shares_of([new, old], BEGAN + days * day)]

    assert [stands(0), stands(15), stands(20), stands(50)] == [["old"], ["new"], ["new"], ["new"]]
