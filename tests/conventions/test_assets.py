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
