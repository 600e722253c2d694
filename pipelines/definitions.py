"""Everything Dagster is told of: `dagster -m pipelines.definitions`."""

import dagster as dg

from pipelines import deployment
from pipelines.assets import DEPLOYMENT
from pipelines.assets.bronze import bronze_assets
from pipelines.assets.dispositions import disposition_assets
from pipelines.assets.features import feature_assets, view_check_assets, view_specs
from pipelines.assets.monitoring import monitoring_assets
from pipelines.assets.platform import platform_specs
from pipelines.assets.scores import score_assets
from pipelines.assets.shadow import shadow_assets
from pipelines.assets.shares import share_assets
from pipelines.assets.silver import silver_assets
from pipelines.assets.training import model_assets
from pipelines.jobs import jobs
from pipelines.schedules import schedules
from pipelines.sensors import sensors


def definitions(opened: deployment.Deployment) -> dg.Definitions:
    """The definitions over one deployment."""
    return dg.Definitions(
        assets=[
            *bronze_assets,
            *silver_assets,
            *view_specs,
            *feature_assets,
            *model_assets,
            *score_assets,
            *shadow_assets,
            *disposition_assets,
            *monitoring_assets,
            *platform_specs,
            *share_assets(opened),
        ],
        asset_checks=view_check_assets,
        jobs=jobs,
        schedules=schedules,
        sensors=sensors,
        resources={DEPLOYMENT: dg.ResourceDefinition.hardcoded_resource(opened)},
        # Steps are short and share imports that take seconds: one process a run beats one a step.
        executor=dg.in_process_executor,
    )


defs = definitions(deployment.from_environment())
