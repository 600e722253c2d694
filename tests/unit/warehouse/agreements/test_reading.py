"""Agreements from files: what is right is read, and what is wrong is refused with its line and what to do."""

import re
from datetime import date, timedelta
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import crossings, shipments
from warehouse.agreements import read, read_all
from warehouse.agreements.form import schema
from warehouse.agreements.lines import parse
from warehouse.agreements.model import Mask, Masking, Operator, RowCondition
from warehouse.agreements.reading import agreement_of
from warehouse.agreements.templates import regimes, template
from warehouse.agreements.words import terms_of
from warehouse.contracts.base import Purpose
from warehouse.errors import BorderlakeError

LAND_BORDER = template("bilateral-land-border")


def refused(text: str) -> str:
    with pytest.raises(BorderlakeError) as error:
        agreement_of(parse(text, "one.yaml"))
    return str(error.value)


@pytest.mark.parametrize("regime", regimes())
def test_every_template_is_an_agreement(regime: str) -> None:
    agreement = agreement_of(parse(template(regime), f"{regime}.yaml"))
    assert agreement.regime == regime
    assert {what for what, _ in terms_of(agreement)} >= {"from", "to", "legal basis", *agreement.tables}


def test_an_agreement_says_what_its_file_says() -> None:
    agreement = agreement_of(parse(LAND_BORDER, "one.yaml"))
    shared = agreement.tables["gold.shipment_scores"]
    assert agreement.purposes == {Purpose.CUSTOMS_RISK}
    assert (agreement.starts_on, agreement.expires_on) == (date(2026, 2, 1), date(2028, 1, 31))
    assert shared.columns["event_at"] == Masking(Mask.DATE, "day")
    assert shared.columns["score_id"] == Masking(Mask.PSEUDONYM)
    assert shared.rows == (
        RowCondition("jurisdiction", Operator.IS, "XN"),
        RowCondition("probability", Operator.AT_LEAST, 0.1),
    )
    assert (shared.reasons, shared.has_changes, shared.has_history) == (frozenset({"customs"}), True, False)
    assert shared.delay == timedelta(days=1)


def test_the_published_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("was", "becomes", "line_of", "says"),
    [
        ("version: 1", "version: one", "version: one", "to be a whole number"),
        ("title: ", "titel: ", None, "titel"),
        ("regime: bilateral", "regime: lateral", "regime", "is none of: bilateral-land-border, free-movement-area"),
        ("{code: xs-customs", "{code: XS Customs", "recipient", "lower case, digits, hyphens"),
        ("retention_days: 365", "retention_days: 0", "retention_days", "at least 1"),
        ("changes: true", "changes: yes", "changes", "true or false"),
        ("reasons: [customs]", "reasons: [police]", "reasons", "is none of: customs, immigration, surveillance"),
        ("probability, at_least: 0.1", "probability, at_least: 0.1, at_most: 1", "at_least", "and one of is, one_of"),
        ("purposes: [customs-risk-management]", "purposes: [curiosity]", "purposes", "curiosity"),
        ("expires: 2028-01-31", "expires: 2028-02-31", "expires", "no day"),
        ("review: 2027-01-31", "review: 2029-01-31", "expires", "before 'review'"),
        ("gold.shipment_scores:", "gold.shipment_score:", "gold.shipment_score", "the lake has no such table"),
        ("gold.shipment_scores:", "bronze.customs__declarations:", None, "bronze.customs__declarations"),
        ("      location: keep", "      locatoin: keep", "locatoin", "no such column"),
        ("      location: keep", "      vector: keep", "vector", "never leaves the house"),
        ("      location: keep", "      reasons: keep", "reasons: keep", "flow by owner"),
        ("      location: keep", "      location: {date: day}", "location", "cannot become a date"),
        ("      location: keep", "      location: {round: 0}", "location", "location"),
        ("probability, at_least: 0.1", "probability, at_least: high", "at_least", "none of a column of numbers"),
        ("{column: jurisdiction, is: XN}", "{column: country, is: XN}", "country", "no column 'country'"),
        ("code: xs-customs,", "code: customs,", "recipient", "the provider itself"),
        ("jurisdiction: XS}", "jurisdiction: QQQ}", "recipient", "QQQ"),
        ("version: 1", "version: 1\nversion: 2", "version: 2", "stands twice"),
        ("version: 1", "version: &a 1", "version", "anchors"),
        ("version: 1", "version: [1", None, "no YAML"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(was: str, becomes: str, line_of: str | None, says: str) -> None:
    assert was in LAND_BORDER
    text = LAND_BORDER.replace(was, becomes, 1)
    message = refused(text)
    assert says in message
    at = re.match(r"one\.yaml, line (\d+)", message)
    assert at is not None
    if line_of is not None:
        assert line_of in text.splitlines()[int(at[1]) - 1]


def test_all_that_is_wrong_is_told_at_once() -> None:
    of_form = LAND_BORDER.replace("version: 1", "version: one").replace("changes: true", "changes: yes")
    told = refused(of_form.replace("retention_days: 365", "retention_days: 0")).splitlines()
    assert [line.split(", ")[2].split(":")[0].rpartition(".")[2] for line in told] == [
        "version",
        "retention_days",
        "changes",
    ]
    of_sense = LAND_BORDER.replace("      location:", "      locatoin:").replace("score_id: p", "score_idd: p")
    told = refused(of_sense).splitlines()
    assert ["score_idd" in told[0], "locatoin" in told[1], len(told)] == [True, True, 2]


def test_reasons_may_speak_of_the_data_of_every_owner_that_features_have() -> None:
    known = set(schema()["$defs"]["table"]["properties"]["reasons"]["items"]["enum"])
    features = [one for subject in (shipments, crossings) for one in subject.registry().features.values()]
    assert known >= {one.owner for one in features}


def test_a_keyed_id_leaves_only_as_a_pseudonym() -> None:
    text = template("regional-economic-community").replace("      hs_code: keep", "      importer_id: keep", 1)
    assert "make it a pseudonym" in refused(text)


def test_norway_is_no_boolean_and_a_quoted_number_is_text() -> None:
    document = parse("a: NO\nb: '1'\nc: 1\nd: 1.5\ne: true\nf: 2026-01-01\ng: 0x1\nh: 1_000", "x.yaml")
    assert document.content == {
        "a": "NO", "b": "1", "c": 1, "d": 1.5, "e": True, "f": "2026-01-01", "g": "0x1", "h": "1_000",
    }  # fmt: skip


def two(tmp_path: Path, other: str) -> None:
    (tmp_path / "a.yaml").write_text(LAND_BORDER)
    (tmp_path / "b.yaml").write_text(other)


def test_two_agreements_may_not_share_a_table_with_one_recipient_at_once(tmp_path: Path) -> None:
    two(tmp_path, LAND_BORDER.replace("agreement: norvale", "agreement: another"))
    with pytest.raises(BorderlakeError, match=r"both share gold\.shipment_scores with xs-customs"):
        read_all(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        LAND_BORDER.replace("version: 1", "version: 2").replace("code: xs-customs", "code: xs-police"),
        LAND_BORDER.replace("version: 1", "version: 2")
        .replace("starts: 2026-02-01", "starts: 2028-02-01")
        .replace("review: 2027-01-31", "review: 2028-06-01")
        .replace("expires: 2028-01-31", "expires: 2029-01-31"),
        LAND_BORDER.replace("version: 1", "version: 2").replace(
            "expires: 2028-01-31", "expires: 2028-01-31\n  revoked: 2026-02-01T00:00:00Z"
        ),
    ],
    ids=["another recipient", "one after the other", "revoked before it began"],
)
def test_agreements_beside_each_other_are_read(tmp_path: Path, other: str) -> None:
    two(tmp_path, other)
    assert [one.version for one in read_all(tmp_path)] == [1, 2]


def test_no_folder_is_no_agreement(tmp_path: Path) -> None:
    assert read_all(tmp_path / "agreements") == ()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BorderlakeError, match="UTF-8"):
        read(tmp_path / "a.yaml")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_file_raises_anything_else(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(LAND_BORDER)))
    length = data.draw(st.integers(0, 30))
    piece = data.draw(
        st.one_of(st.text(max_size=12), st.sampled_from(["- ", "{", "}", ": ", "\t", "!!python/x ", "? "]))
    )
    told = ""
    try:
        agreement_of(parse(LAND_BORDER[:at] + piece + LAND_BORDER[at + length :], "one.yaml"))
    except BorderlakeError as error:
        told = str(error)
    assert told == "" or told.startswith("one.yaml")
