"""Every asset of the UI says what it is and whose; what is computed is checked."""

import dagster as dg
import pytest

from pipelines.definitions import defs

GRAPH = defs.resolve_asset_graph()
EVERY_ASSET = pytest.mark.parametrize(
    "key", sorted(GRAPH.get_all_asset_keys()), ids=[key.to_user_string() for key in sorted(GRAPH.get_all_asset_keys())]
)


@EVERY_ASSET
def test_an_asset_has_a_description_an_owner_and_where_it_is_computed_a_check(key: dg.AssetKey) -> None:
    asset = GRAPH.get(key)
    assert asset.description
    assert asset.owners
    assert asset.group_name != "default"
    checked = {check.asset_key for check in GRAPH.asset_check_keys}
    assert key in checked or not asset.is_executable


@pytest.mark.parametrize("check", sorted(GRAPH.asset_check_keys, key=str), ids=lambda check: check.to_user_string())
def test_a_check_says_what_it_holds(check: dg.AssetCheckKey) -> None:
    assert GRAPH.get_check_spec(check).description


def test_what_is_announced_is_known_before_it_happens_and_no_alarm() -> None:
    checked = {key.asset_key.path[-1] for key in GRAPH.asset_check_keys if key.name == "known_after_it_happened"}
    assert {"shipments", "crossings", "outcomes", "detections"} <= checked
    assert not {"manifests", "passengers", "bookings"} & checked
