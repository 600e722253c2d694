"""Paths of `bench canary` after landing: the steps of the road that fail on a row, and ticks of the daemon."""

from datetime import UTC, datetime
from types import SimpleNamespace
from unittest import mock

import polars as pl

from benchmarks.canary_breaks import fails
from benchmarks.canary_entries import job, tick
from benchmarks.canary_values import DAY, Canary
from pipelines.deployment import Deployment


def conform_fails(_: Deployment, one: Canary) -> None:
    """Conforming fails on a value."""
    with mock.patch("pipelines.assets.silver.conform", fails(one, pl.exceptions.ComputeError)):
        job("landing", ["silver.crossings"])


def features_fail(_: Deployment, one: Canary) -> None:
    """Computing features fails on a row."""
    with mock.patch("pipelines.flows.vectors.compute", fails(one, pl.exceptions.ComputeError)):
        job("features", ["gold.event_features__crossings"])


def scoring_fails(_: Deployment, one: Canary) -> None:
    """Scoring fails on a row."""
    with mock.patch("pipelines.flows.score_events", fails(one)):
        job("scoring", ["gold.crossing_scores", "gold.crossing_selections"])


def training_fails(_: Deployment, one: Canary) -> None:
    """Training fails on a row."""
    with mock.patch("pipelines.lifecycle.training.train", fails(one)):
        job("train_crossing_risk")


def logging_a_model_fails(_: Deployment, one: Canary) -> None:
    """A run is begun in MLflow, and what is logged cannot be."""
    from models.catalogue import MODELS

    trained = SimpleNamespace(spec=MODELS["crossing_risk"], figures={}, model=None, split=None)
    with (
        mock.patch("pipelines.lifecycle.training", mock.Mock(train=mock.Mock(return_value=trained))),
        mock.patch("pipelines.lifecycle.promotion.judge"),
        mock.patch("models.tracking.admission.vet"),
        mock.patch("models.run_figures.parameters", fails(one)),
    ):
        job("train_crossing_risk")


def monitoring_fails(_: Deployment, one: Canary) -> None:
    """A model's days cannot be judged."""
    with mock.patch("pipelines.monitoring.monitor_days", fails(one, pl.exceptions.ComputeError)):
        job("scoring", ["monitoring.crossing_risk"])


def sharing_fails(_: Deployment, one: Canary) -> None:
    """What other agencies get cannot be brought up to date."""
    with mock.patch("pipelines.assets.shares.withdraw_others", fails(one, pl.exceptions.ComputeError)):
        job("sharing")


def sensor_fails(deployment: Deployment, one: Canary) -> None:
    """The sensor's tick fails on a file."""
    import dagster as dg

    from pipelines.instance import open_instance
    from pipelines.sensors import inbox

    with open_instance(deployment.settings) as instance, mock.patch("pipelines.flows.waiting_deliveries", fails(one)):
        context = dg.build_sensor_context(instance=instance, resources={"deployment": deployment})
        tick(lambda: inbox.evaluate_tick(context))


def schedule_fails(deployment: Deployment, one: Canary) -> None:
    """The schedule's tick fails on a row."""
    import dagster as dg

    from pipelines.instance import open_instance
    from pipelines.schedules import hourly_scoring

    with open_instance(deployment.settings) as instance, mock.patch("pipelines.flows.days_to_score", fails(one)):
        at = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
        context = dg.build_schedule_context(instance, at, resources={"deployment": deployment})
        tick(lambda: hourly_scoring.evaluate_tick(context))
