"""Paths of `bench canary` through what looks at a lake and keeps it: lists, return reports, verifying, erasing."""

import io
from unittest import mock

import polars as pl

from benchmarks.canary_breaks import fails
from benchmarks.canary_entries import command
from benchmarks.canary_values import Canary
from pipelines.deployment import Deployment


def command_fails(_: Deployment, one: Canary) -> None:
    """Commands that only look fail on a row."""
    with mock.patch("warehouse.delta.Lake.scan", fails(one, pl.exceptions.ComputeError)):
        command("quarantine", "list")
        command("tables")


def returned(deployment: Deployment, _: Canary) -> None:
    """Return reports without raw rows, and what the quarantine shows."""
    command("quarantine", "list", "--json", "-")
    for name in ("crossings.csv", "encoding.csv", "flights.edi", "sightings.parquet"):
        command("quarantine", "show", name, "--json", "-")
        command("quarantine", "export", name, "--out", str(deployment.settings.home / "returns" / name))


def verified(deployment: Deployment, _: Canary) -> None:
    """A damaged file of bronze, found, and repaired from the archive."""
    folder = deployment.settings.home / "lake/bronze/immigration__crossings"
    victim = max(folder.rglob("*.parquet"), key=lambda path: path.stat().st_mtime)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    command("verify", "--deep", "--json", "-")
    command("repair", "--deep", "--yes", "--json", "-")


def refused_erasure(_: Deployment, one: Canary) -> None:
    """An erasure that is not understood, and one that fails half way."""
    with mock.patch("sys.stdin", io.StringIO(f"{one.document}\nperson:{one.surname}\n")):
        command("erase", "--from", "-")
    with mock.patch("warehouse.erasure.look", fails(one)), mock.patch("sys.stdin", io.StringIO(one.subjects()[0])):
        command("erase", "--from", "-")
