"""Tables that several steps write, which report them: quarantine, ledger, links, vault, features, decisions,
withdrawn scores, monitoring."""

import dagster as dg

from models.catalogue import MODELS
from pipelines import reporting
from pipelines.assets import OWNERS
from pipelines.assets.monitoring import monitoring_assets
from pipelines.assets.training import model_key
from pipelines.decisions import DECISIONS
from pipelines.flows import FEATURES, score_table
from pipelines.monitoring import MONITORING
from pipelines.reporting import key_of
from warehouse.catalog import BRONZE, ENTITY_LINKS, ERASURES, IDENTITIES, LEDGER, QUARANTINE, Table
from warehouse.contracts import CONTRACTS
from warehouse.recalls import RECALLS


def _reported(table: Table, group: str, deps: list[dg.AssetKey], more: str = "") -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(table),
        deps=deps,
        description=f"{table.description} {more}".strip(),
        group_name=group,
        owners=OWNERS[table.owner],
        kinds={"deltalake", table.layer},
        metadata=reporting.describe(table),
    )


_BRONZE_KEYS = [key_of(table) for table in BRONZE.values()]

platform_specs = [
    *(
        _reported(
            QUARANTINE[contract.name],
            contract.domain,
            [key_of(BRONZE[contract.name])],
            "`borderlake quarantine` lists and shows them, writes what to return to the sender, and reads files again.",
        )
        for contract in CONTRACTS.values()
    ),
    _reported(LEDGER, "platform", _BRONZE_KEYS),
    _reported(ERASURES, "platform", []),
    _reported(ENTITY_LINKS, "platform", _BRONZE_KEYS),
    _reported(IDENTITIES, "platform", _BRONZE_KEYS),
    _reported(FEATURES, "features", []),
    _reported(DECISIONS, "models", [model_key(spec) for spec in MODELS.values()]),
    _reported(RECALLS, "scores", [key_of(score_table(spec)) for spec in MODELS.values()]),
    _reported(MONITORING, "monitoring", [key for asset in monitoring_assets for key in asset.keys]),
]
