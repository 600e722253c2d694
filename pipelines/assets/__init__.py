"""The assets: shells that read, call one step of `pipelines.flows`, and report. One module a layer."""

import warnings
from datetime import timedelta

import dagster as dg

# Backfill policies are in use here for years; their label is no news at every start.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

OWNERS = {
    "customs": ["team:customs"],
    "immigration": ["team:immigration"],
    "surveillance": ["team:surveillance"],
    "platform": ["team:platform"],
    "models": ["team:risk-analytics"],
}

RETRY = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=26))
WEEKLY = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=15), warn_window=timedelta(days=8))

LAKE_WRITER = {"borderlake/writes": "lake"}
"""Runs with this tag queue behind each other."""

DEPLOYMENT = "deployment"
