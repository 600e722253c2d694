"""What goes with shares: contracts that the standard takes, a catalogue, and a dictionary of the very columns."""

import json
import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema
import polars as pl
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from benchmarks.leak_world import BEGAN, TABLES, draw_agreement
from sharing.contract import document, name_of
from sharing.dcat import catalogue
from sharing.dictionary import Dictionary, dictionaries_of
from sharing.materialise import refresh_dictionary
from sharing.papers import CATALOGUE, held, papers_of, write
from sharing.progress import standing
from sharing.pseudonyms import Keys
from sharing.shares import Share, shares_of
from tests.unit.sharing.house import refresh_all
from warehouse.agreements.model import Mask, Masking, SharedTable
from warehouse.catalog import table_of
from warehouse.contracts.odcs import as_yaml, types_of
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError

STANDARD = json.loads(OpenDataContractStandard.json_schema())
ENDPOINT = "https://share.example/delta-sharing"
DRAWN = [draw_agreement(random.Random(seed), "xs-customs", most_tables=len(TABLES)) for seed in range(8)]
SCORES = table_of("gold.shipment_scores")
KEPT = {"score_id": Masking(Mask.PSEUDONYM), "event_at": Masking(Mask.DATE, "month"), "probability": Masking(Mask.KEEP)}
AGREED = replace(DRAWN[0], tables={SCORES.name: SharedTable(SCORES.name, KEPT)})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"), anchors=tmp_path / "anchors")


@pytest.mark.parametrize("agreement", DRAWN, ids=lambda one: one.agreement_id)
def test_the_standards_own_schema_takes_the_contract_of_every_share(agreement) -> None:
    for made in (*shares_of([agreement], BEGAN), Dictionary(agreement)):
        text = as_yaml(document(made))
        validator = jsonschema.validators.validator_for(STANDARD)(STANDARD)
        assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []
        (table,) = OpenDataContractStandard.from_string(text).schema_
        assert [one.name for one in table.properties] == list(made.table.columns)


def test_a_contract_says_what_binds_the_recipient() -> None:
    told = document(Share(AGREED, AGREED.tables[SCORES.name]))
    service = {one["property"]: one["value"] for one in told["slaProperties"]}
    assert service["retention"] == AGREED.retention_days
    assert service["endOfLife"] == AGREED.expires_on.isoformat()
    terms = {one["property"]: one["value"] for one in told["customProperties"]}
    assert terms["legalBasis"] == AGREED.legal_basis
    columns = {one["name"]: one for one in told["schema"][0]["properties"]}
    assert columns["score_id"]["classification"] == "pseudonymous"
    assert columns["probability"]["logicalTypeOptions"] == {"minimum": 0, "maximum": 1}
    assert columns["event_at"]["customProperties"] == [
        {"property": "masking", "value": "date month"},
        {"property": "unit", "value": "first day of the month"},
    ]


@pytest.mark.parametrize("agreement", DRAWN, ids=lambda one: one.agreement_id)
def test_the_dictionary_has_a_row_for_each_column_that_is_shared(agreement) -> None:
    told = Dictionary(agreement).rows
    columns = {
        (share.source.name, name, types_of(column.dtype)[1], share.masked_as(name))
        for share in shares_of([agreement], BEGAN)
        for name, column in share.table.columns.items()
    }
    assert set(told.select("table", "column", "type", "masking").rows()) == columns
    assert told.height == len(columns)
    assert set(told["sensitivity"]) <= {"open", "commercial", "pseudonymous"}
    assert told["meaning"].str.len_chars().min() > 0


def test_a_dictionary_is_written_when_something_in_it_changes_and_goes_with_its_agreement(lake: Lake) -> None:
    first = refresh_dictionary(lake, Dictionary(AGREED), BEGAN)
    assert refresh_dictionary(lake, Dictionary(AGREED), BEGAN) == replace(first, rows_added=0)
    wider = SharedTable(SCORES.name, KEPT | {"location": Masking(Mask.PLACE)})
    again = Dictionary(replace(AGREED, version=2, tables={SCORES.name: wider}))
    refresh_dictionary(lake, again, BEGAN)
    assert lake.scan(again.table).collect().equals(again.rows)
    assert len(lake.files(again.table)) == 1
    assert lake.unneeded(again.table) == []
    progress = standing(lake, again.table).progress
    assert progress is not None
    assert progress.since == lake.version(again.table)
    over = Dictionary(replace(again.agreement, revoked_at=BEGAN))
    assert refresh_dictionary(lake, over, BEGAN).rows_retracted == again.rows.height
    assert lake.scan(over.table).collect().is_empty()


def test_of_an_agreements_versions_the_one_in_force_has_the_dictionary() -> None:
    later = replace(
        AGREED, version=2, starts_on=date(2999, 1, 1), review_on=date(2999, 2, 1), expires_on=date(2999, 3, 1)
    )
    (found,) = dictionaries_of([later, AGREED], BEGAN)
    assert found.agreement.version == 1


def test_an_entry_tells_publisher_period_rights_and_where_to_read(lake: Lake, tmp_path: Path) -> None:
    rows = pl.DataFrame({"event_at": [date(2026, 1, 5), date(2026, 3, 9)], "probability": [0.1, 0.9]})
    made = Share(AGREED, SharedTable(SCORES.name, {name: Masking(Mask.KEEP) for name in rows.columns}))
    lake.append(made.table, made.table.shape(rows.with_columns(pl.col("event_at").cast(pl.Datetime("us", "UTC")))))
    (told,) = catalogue([(made, held(lake, made))], ENDPOINT)["dcat:dataset"]
    assert told["dct:publisher"]["foaf:name"] == AGREED.provider.name
    assert told["dct:accessRights"]["@id"].endswith("NON_PUBLIC")
    assert AGREED.legal_basis in told["dct:rights"]["dct:description"]
    assert told["dct:temporal"]["dcat:startDate"]["@value"] == "2026-01-05"
    assert told["dct:temporal"]["dcat:endDate"]["@value"] == "2026-03-09"
    assert told["dcat:distribution"][0]["dcat:accessURL"]["@id"] == ENDPOINT


def test_papers_are_of_the_recipients_agreements_in_force(lake: Lake, tmp_path: Path) -> None:
    other = replace(AGREED, agreement_id="other", recipient=replace(AGREED.recipient, code="xt-customs"))
    refresh_all(lake, [AGREED, other], Keys(tmp_path / "keys"), BEGAN)
    papers = papers_of(lake, [AGREED, other], "xs-customs", ENDPOINT, BEGAN)
    paths = list(write(papers, tmp_path / "out"))
    names = {name_of(Share(AGREED, AGREED.tables[SCORES.name])), name_of(Dictionary(AGREED))}
    assert {path.name.removesuffix(".odcs.yaml") for path in paths if path.suffix == ".yaml"} == names
    told = json.loads((tmp_path / "out" / CATALOGUE).read_text())
    assert {one["dct:identifier"] for one in told["dcat:dataset"]} == names
    for one in told["dcat:dataset"]:
        assert (tmp_path / "out" / one["dct:conformsTo"][-1]["@id"]).exists()
    with pytest.raises(BorderlakeError, match="xx"):
        papers_of(lake, [AGREED], "xx", ENDPOINT, BEGAN)
