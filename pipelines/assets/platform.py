"""Tables that several steps write: quarantine, ledger, links, vault, features, monitoring. Those steps report them."""

import dagster as dg

from pipelines import reporting
from pipelines.assets import OWNERS
from pipelines.assets.monitoring import monitoring_assets
from pipelines.flows import FEATURES
from pipelines.monitoring import MONITORING
from pipelines.reporting import key_of
from warehouse.catalog import BRONZE, ENTITY_LINKS, ERASURES, IDENTITIES, LEDGER, QUARANTINE, Table
from warehouse.contracts import CONTRACTS


def _reported(table: Table, group: str, deps: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(table),
        deps=deps,
        description=table.description,
        group_name=group,
        owners=OWNERS[table.owner],
        kinds={"deltalake", table.layer},
        metadata=reporting.describe(table),
    )


_BRONZE_KEYS = [key_of(table) for table in BRONZE.values()]

platform_specs = [
    *(
        _reported(QUARANTINE[contract.name], contract.domain, [key_of(BRONZE[contract.name])])
        for contract in CONTRACTS.values()
    ),
    _reported(LEDGER, "platform", _BRONZE_KEYS),
    _reported(ERASURES, "platform", []),
    _reported(ENTITY_LINKS, "platform", _BRONZE_KEYS),
    _reported(IDENTITIES, "platform", _BRONZE_KEYS),
    _reported(FEATURES, "features", []),
    _reported(MONITORING, "monitoring", [key for asset in monitoring_assets for key in asset.keys]),
]
