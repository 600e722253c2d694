"""Dagster assets, schedules, sensors and the command line: the only package that reads a clock."""
