"""Data from contracts: what a contract would take lands, whole, in every format; what it would not is told why."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from warehouse import mapping
from warehouse.catalog import BRONZE
from warehouse.contracts import CONTRACTS, Contract
from warehouse.contracts.samples import sample
from warehouse.delivery import delivery
from warehouse.delta import Lake
from warehouse.dialect import Dialect, parse
from warehouse.landing import land
from warehouse.readers import LINE

ROWS = 40
EVERY_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))


def plain(contract: Contract, form: str) -> Dialect:
    """A dialect in which the source calls everything as the contract does."""
    is_text = form != "parquet"
    columns = "\n".join(
        f'{name} = {{ column = "{name}"{_time(dtype) if is_text else ""} }}'
        for name, dtype in contract.dtypes().items()
    )
    head = f'name = "plain"\nversion = 1\ntitle = "Plain"\n[[extract]]\ndataset = "{contract.name}"\nformat = "{form}"'
    output = f'[[extract.output]]\ncontract = "{contract.name}"\n[extract.output.columns]\n{columns}'
    return parse(f"{head}\n{output}", "plain.toml")


def _time(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime):
        return ', time = "iso"'
    return ', time = "%Y-%m-%d"' if dtype == pl.Date else ""


def write(rows: pl.DataFrame, path: Path, form: str) -> Path:
    if form == "parquet":
        rows.write_parquet(path)
        return path
    times = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")
    text = rows.with_columns(times).cast(pl.String)
    text.write_csv(path) if form == "delimited" else text.write_ndjson(path)
    return path


@EVERY_CONTRACT
@pytest.mark.parametrize("form", ["delimited", "ndjson", "parquet"])
def test_a_sample_of_a_contract_lands_whole(contract: Contract, form: str, tmp_path: Path) -> None:
    rows = sample(contract, ROWS, seed=7)
    # A reader trims blanks, and what is empty is nothing.
    text = pl.selectors.string()
    rows = rows.with_columns(text.str.replace_all(r"[^0-9A-Za-z/_+-]", "x")).filter(
        pl.all_horizontal(text.ne_missing(""))
    )
    item = delivery(
        write(rows, tmp_path / "extract", form),
        agency="a",
        domain=contract.domain,
        dataset=contract.dataset,
        jurisdiction="XN",
        dialect=plain(contract, form),
        arrived_on=date(2025, 3, 3),
    )
    lake = Lake(str(tmp_path / "lake"))
    ((account,),) = land(lake, [item], datetime(2025, 3, 3, tzinfo=UTC))
    assert (account.rows_landed, account.by_rule) == (rows.height, {})
    landed = lake.scan(BRONZE[contract.name]).sort(LINE).select(*contract.columns()).collect()
    assert landed.equals(rows)


def test_the_same_seed_draws_the_same_rows_and_another_others() -> None:
    contract = CONTRACTS["customs.declarations"]
    assert sample(contract, ROWS, 1).equals(sample(contract, ROWS, 1))
    assert not sample(contract, ROWS, 1).equals(sample(contract, ROWS, 2))


def broken(contract: str, **changes: object) -> list[str]:
    """The rules that a sound row breaks once some of its values are others."""
    made = CONTRACTS[contract]
    row = sample(made, 1, seed=3).with_columns(
        pl.lit(value, dtype=made.dtypes()[name]).alias(name) for name, value in changes.items()
    )
    counts = made.schema.filter(row)[1].counts()
    return sorted(counts)


AT = datetime(2025, 3, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("contract", "changes", "rules"),
    [
        pytest.param("customs.withdrawals", {"event_at": AT, "known_at": AT}, [], id="sound"),
        pytest.param(
            "customs.withdrawals",
            {"event_at": datetime(1899, 12, 30, tzinfo=UTC), "known_at": AT},
            ["event_at|min"],
            id="a-day-zero-of-a-spreadsheet",
        ),
        pytest.param(
            "customs.withdrawals",
            {"event_at": datetime(1970, 1, 1, tzinfo=UTC), "known_at": AT},
            ["event_at|min"],
            id="a-second-zero-of-a-computer",
        ),
        pytest.param(
            "customs.withdrawals",
            {"event_at": AT, "known_at": datetime(2199, 1, 1, tzinfo=UTC)},
            ["known_at|max"],
            id="a-time-of-the-far-future",
        ),
        pytest.param(
            "customs.withdrawals",
            {"event_at": AT, "known_at": AT - timedelta(days=1)},
            ["known_not_before_event"],
            id="known-before-it-happened",
        ),
        pytest.param(
            "customs.withdrawals",
            {"event_at": AT, "known_at": AT - timedelta(minutes=5)},
            [],
            id="clocks-that-differ-a-little",
        ),
        pytest.param("customs.declarations", {"hs_code": "770100"}, ["hs_code|regex"], id="reserved-chapter"),
        pytest.param("customs.declarations", {"hs_code": "000100"}, ["hs_code|regex"], id="no-such-chapter"),
        pytest.param(
            "customs.declarations",
            {"item_value": Decimal(10**15 + 1)},
            ["item_value|max"],
            id="more-money-than-there-is",
        ),
        pytest.param("customs.declarations", {"event_tz": "Europe/Wien"}, ["event_tz|check"], id="no-such-zone"),
        pytest.param("customs.manifests", {"office": "DE1AM"}, ["office|regex"], id="no-form-of-a-locode"),
        pytest.param(
            "customs.inspections",
            {"is_irregular": False, "infringement": "concealment"},
            ["infringement_only_where_irregular"],
            id="an-infringement-of-nothing",
        ),
        pytest.param(
            "customs.inspections",
            {"additional_duty": Decimal(5), "currency": None},
            ["duty_has_currency"],
            id="an-amount-without-a-currency",
        ),
        pytest.param(
            "immigration.outcomes",
            {"is_adverse": False, "finding": "overstay"},
            ["finding_only_where_adverse"],
            id="a-finding-without-an-outcome",
        ),
        pytest.param(
            "immigration.crossings",
            {"event_at": AT, "known_at": AT, "birth_date": None, "birth_year": 2026},
            ["birth_year_before_crossing"],
            id="born-next-year",
        ),
        pytest.param(
            "surveillance.vehicle_sightings",
            {"latitude": None, "longitude": 1.0},
            ["position_is_whole"],
            id="half-a-place",
        ),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_name(contract: str, changes: dict[str, object], rules: list[str]) -> None:
    assert broken(contract, **changes) == rules
    for rule in rules:
        told = mapping.message_for(CONTRACTS[contract], rule)
        assert told.endswith(".")


def test_rows_that_disagree_are_found_and_a_correction_is_no_disagreement() -> None:
    contract = CONTRACTS["customs.declarations"]
    (rule,) = contract.consistencies
    rows = sample(contract, 4, seed=5).with_columns(
        declaration_id=pl.Series(["A", "A", "B", "B"]),
        office=pl.Series(["X", "Y", "X", "X"]),
        declaration_type=pl.lit("IM"),
        transport_mode=pl.lit("1"),
        known_at=pl.lit(AT),
        jurisdiction=pl.lit("XN"),
        source_agency=pl.lit("a"),
    )
    assert rule.broken(rows.lazy()).collect()["declaration_id"].to_list() == ["A"]
    later = rows.with_columns(known_at=pl.Series([AT, AT + timedelta(days=1), AT, AT]))
    assert rule.broken(later.lazy()).collect().is_empty()
