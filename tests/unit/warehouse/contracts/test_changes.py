"""Versions of contracts: what breaks is told from what does not, and no version is rewritten in silence."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from warehouse.contracts import CONTRACTS, history
from warehouse.contracts.changes import Change, changes
from warehouse.errors import BorderlakeError

DECLARATIONS = CONTRACTS["customs.declarations"]
Document = dict[str, Any]


def column(made: Document, name: str) -> Document:
    return next(one for one in made["schema"][0]["properties"] if one["name"] == name)


def codes(made: Document, name: str) -> list[str]:
    values: list[str] = column(made, name)["quality"][0]["arguments"]["validValues"]
    return values


def changed(change: Callable[[Document], object]) -> list[Change]:
    """What is told of the contract after a change of its document."""
    old = history.present(DECLARATIONS)
    new = copy.deepcopy(old)
    change(new)
    return changes(old, new)


def properties(made: Document) -> list[Document]:
    found: list[Document] = made["schema"][0]["properties"]
    return found


NEW = {"name": "seals", "physicalType": "integer", "description": "Seals.", "classification": "open"}


@pytest.mark.parametrize(
    ("change", "place", "is_breaking"),
    [
        pytest.param(lambda d: properties(d).remove(column(d, "office")), "office", True, id="column-removed"),
        pytest.param(lambda d: properties(d).append(NEW | {"required": False}), "seals", False, id="nullable-added"),
        pytest.param(lambda d: properties(d).append(NEW | {"required": True}), "seals", True, id="required-added"),
        pytest.param(
            lambda d: column(d, "net_mass_kg").update(physicalType="decimal(12,3)"), "net_mass_kg", True, id="narrower"
        ),
        pytest.param(
            lambda d: column(d, "net_mass_kg").update(physicalType="decimal(18,4)"), "net_mass_kg", False, id="wider"
        ),
        pytest.param(
            lambda d: column(d, "net_mass_kg").update(physicalType="decimal(16,4)"),
            "net_mass_kg",
            True,
            id="finer-but-with-less-room-before-the-point",
        ),
        pytest.param(lambda d: column(d, "packages").update(physicalType="long"), "packages", False, id="long"),
        pytest.param(
            lambda d: column(d, "packages")["logicalTypeOptions"].update(maximum=10), "packages", True, id="tighter"
        ),
        pytest.param(
            lambda d: column(d, "packages")["logicalTypeOptions"].update(maximum=10**7), "packages", False, id="looser"
        ),
        pytest.param(
            lambda d: column(d, "event_at")["logicalTypeOptions"].update(minimum="2000-01-01T00:00:00+00:00"),
            "event_at",
            True,
            id="later-beginning",
        ),
        pytest.param(
            lambda d: column(d, "hs_code")["logicalTypeOptions"].update(pattern="^[0-9]{8}$"),
            "hs_code",
            True,
            id="another-form",
        ),
        pytest.param(
            lambda d: column(d, "hs_code")["logicalTypeOptions"].pop("pattern"), "hs_code", False, id="any-form"
        ),
        pytest.param(lambda d: column(d, "packages").update(required=True), "packages", True, id="now-required"),
        pytest.param(lambda d: column(d, "office").update(required=False), "office", False, id="no-longer-required"),
        pytest.param(lambda d: codes(d, "transport_mode").remove("7"), "transport_mode", True, id="code-removed"),
        pytest.param(lambda d: codes(d, "transport_mode").append("A"), "transport_mode", False, id="code-added"),
        pytest.param(
            lambda d: column(d, "net_mass_kg")["customProperties"][0].update(value="g"),
            "net_mass_kg",
            True,
            id="another-unit",
        ),
        pytest.param(
            lambda d: column(d, "seller_id").update(classification="personal"), "seller_id", True, id="sensitivity"
        ),
        pytest.param(lambda d: column(d, "office").update(description="Office."), "office", False, id="text"),
        pytest.param(lambda d: column(d, "goods_item_number").pop("primaryKey"), "key", True, id="another-key"),
        pytest.param(
            lambda d: d["schema"][0]["quality"].append({"name": "x", "description": "Y.", "severity": "error"}),
            "x",
            True,
            id="rule-added",
        ),
        pytest.param(lambda d: d["schema"][0]["quality"].pop(0), "gross_mass_not_below_net", False, id="rule-removed"),
        pytest.param(lambda d: d["roles"].pop(0), "purposes", True, id="purpose-withdrawn"),
        pytest.param(lambda d: d["slaProperties"][1].update(value=365), "retention", True, id="kept-for-less-long"),
    ],
)
def test_a_change_is_told_with_whether_it_breaks(
    change: Callable[[Document], object], place: str, is_breaking: bool
) -> None:
    assert [(one.place, one.is_breaking) for one in changed(change)] == [(place, is_breaking)]


def test_nothing_changed_is_nothing_told_and_what_breaks_comes_first() -> None:
    assert changed(lambda _: None) == []

    def both(made: Document) -> None:
        column(made, "office")["description"] = "Office."
        column(made, "packages")["required"] = True

    assert [one.place for one in changed(both)] == ["packages", "office"]


def test_a_changed_contract_needs_a_higher_version_and_no_snapshot_is_rewritten(tmp_path: Path) -> None:
    written = history.record(tmp_path)
    assert len(written) == len(CONTRACTS)
    assert history.record(tmp_path) == []
    path = tmp_path / history.file_of(DECLARATIONS, DECLARATIONS.version)
    path.write_text(path.read_text("utf-8").replace("decimal(16,3)", "decimal(18,3)"), encoding="utf-8")
    told = history.unrecorded(DECLARATIONS, tmp_path)
    assert told is not None
    assert f"raise its version to {DECLARATIONS.version + 1}, then run borderlake contract snapshot" in told
    assert "net_mass_kg" in told
    with pytest.raises(BorderlakeError, match="is not what version"):
        history.record(tmp_path)


def test_versions_are_compared_by_number_and_an_unknown_one_is_told_with_those_kept(tmp_path: Path) -> None:
    history.record(tmp_path)
    present = tmp_path / history.file_of(DECLARATIONS, DECLARATIONS.version)
    (tmp_path / history.file_of(DECLARATIONS, 1)).write_text(
        present.read_text("utf-8").replace("version: '3'", "version: '1'").replace("maximum: 99999", "maximum: 999999")
    )
    since, to, found = history.compared(DECLARATIONS, None, None, tmp_path)
    assert (since, to) == (1, DECLARATIONS.version)
    assert [(one.place, one.is_breaking) for one in found] == [("goods_item_number", True)]
    with pytest.raises(BorderlakeError, match="no snapshot of version 99; kept: 1, 3"):
        history.version_of(DECLARATIONS, 99, tmp_path)
