"""Jobs: selections of the asset graph that are run together."""

from collections.abc import Collection

import dagster as dg

from models.catalogue import MODELS
from models.spec import ModelSpec
from pipelines import flows, shadowing
from pipelines.assets import LAKE_WRITER
from pipelines.assets.bronze import bronze_assets
from pipelines.assets.dispositions import disposition_assets
from pipelines.assets.features import feature_assets
from pipelines.assets.monitoring import monitoring_assets, monitoring_key
from pipelines.assets.scores import score_assets
from pipelines.assets.shadow import shadow_assets
from pipelines.assets.shares import GROUP
from pipelines.assets.silver import silver_assets
from pipelines.assets.training import model_assets, model_key
from pipelines.reporting import key_of

_bronze = dg.AssetSelection.assets(*bronze_assets)
_silver = dg.AssetSelection.assets(*silver_assets)
_features = dg.AssetSelection.assets(*feature_assets)
_models = dg.AssetSelection.assets(*model_assets)
_scores = dg.AssetSelection.assets(*score_assets, *shadow_assets)
_decisions = dg.AssetSelection.assets(*disposition_assets)
_monitoring = dg.AssetSelection.assets(*monitoring_assets)

landing_job = dg.define_asset_job(
    "landing",
    _bronze | _silver,
    description="Land what waits in the inbox and conform it.",
    tags=LAKE_WRITER,
)
scoring_job = dg.define_asset_job(
    "scoring",
    _bronze | _silver | _features | _scores | _decisions | _monitoring,
    description="Land, conform, compute features, score with the champions (in shadow with the challengers), monitor.",
    tags=LAKE_WRITER,
)
features_job = dg.define_asset_job(
    "features", _silver | _features, description="Conform and compute features.", tags=LAKE_WRITER
)
road_job = dg.define_asset_job(
    "road",
    _bronze | _silver | _features | _models | _scores | _decisions | _monitoring,
    description="The whole road: land, conform, compute features, train, score, monitor.",
    tags=LAKE_WRITER,
)
training_jobs = {
    spec.name: dg.define_asset_job(
        f"train_{spec.name}",
        dg.AssetSelection.assets(model_key(spec)),
        description=f"Train {spec.name} on what is known.",
    )
    for spec in MODELS.values()
}
decisions_job = dg.define_asset_job(
    "decisions", _decisions, description="Check what officers decided, and show overrides and what lanes miss."
)
sharing_job = dg.define_asset_job(
    "sharing",
    dg.AssetSelection.groups(GROUP),
    description="Bring what other agencies get up to their agreements and to what is new.",
    tags=LAKE_WRITER,
)
retraining_job = dg.define_asset_job("retraining", _models, description="Train every model on what is known.")


def scoring_assets(trained: Collection[ModelSpec]) -> list[dg.AssetKey]:
    """The assets of the scoring job that can run: scores, and their monitoring, only of models that have a champion."""
    tables = (flows.score_table, flows.selection_table, shadowing.shadow_table)
    scored = [key for spec in trained for key in (*(key_of(of(spec)) for of in tables), monitoring_key(spec))]
    whole = (*bronze_assets, *silver_assets, *feature_assets, *disposition_assets)
    others = [key for asset in whole for key in asset.keys]
    return sorted([*others, *scored])


jobs = [
    landing_job,
    scoring_job,
    features_job,
    road_job,
    decisions_job,
    sharing_job,
    retraining_job,
    *training_jobs.values(),
]
