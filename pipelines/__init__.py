"""Dagster assets, schedules, sensors and the command line: the only package that reads a clock."""

import warehouse  # noqa: F401  # Before any module imports Polars: see there.
