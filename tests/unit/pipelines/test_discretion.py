"""Failures say no value: in steps, ticks, writes and commands."""

import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from pipelines import cli
from pipelines.discretion import discreet
from warehouse.catalog import LEDGER
from warehouse.delta import Lake
from warehouse.errors import BorderlakeError, DiskFull, StepFailed, where_it_rose

SECRET = "P7731908"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Panic(BaseException):
    """What a library of Rust raises is no Exception."""


def broken(*_: object, **__: object) -> None:
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        raise ValueError(f"cannot convert '{SECRET}'") from error


def events_of(step: dg.AssetsDefinition) -> str:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([step], instance=instance, raise_on_error=False, run_config=QUIET)
        assert not result.success
        return repr(instance.all_logs(result.run_id))


def test_an_asset_that_fails_tells_kind_and_place_and_no_value() -> None:
    @dg.asset
    @discreet
    def step(context: dg.AssetExecutionContext) -> None:
        broken()

    told = events_of(step)
    assert SECRET not in told
    assert "ValueError" in told


def test_the_same_asset_without_discretion_tells_it() -> None:
    @dg.asset
    def step(context: dg.AssetExecutionContext) -> None:
        broken()

    assert SECRET in events_of(step)


def test_an_asset_that_streams_is_discreet_too() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec("one"), dg.AssetSpec("two")])
    @discreet
    def step(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        yield dg.MaterializeResult("one")
        broken()

    assert SECRET not in events_of(step)


def test_our_own_errors_pass_without_what_they_came_from() -> None:
    @discreet
    def step() -> None:
        try:
            broken()
        except ValueError as error:
            raise BorderlakeError("a fact and the next step") from error

    with pytest.raises(BorderlakeError, match="a fact and the next step") as raised:
        step()
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_panic_is_silenced_and_a_break_is_not() -> None:
    def raising(error: BaseException) -> None:
        raise error

    step = discreet(raising)
    with pytest.raises(StepFailed) as raised:
        step(Panic(SECRET))
    assert SECRET not in str(raised.value)
    with pytest.raises(KeyboardInterrupt):
        step(KeyboardInterrupt())


@pytest.mark.parametrize("error", [DeltaError(f"row {SECRET} breaks it"), Panic(SECRET)], ids=["delta", "panic"])
def test_a_write_that_fails_does_not_print_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    lake = Lake(str(tmp_path / "lake"))
    monkeypatch.setattr(DeltaTable, "create_write_transaction", fails)
    with pytest.raises(StepFailed, match=r"writing to ledger\.landings failed") as raised:
        lake.append(LEDGER, LEDGER.empty())
    assert SECRET not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_full_disk_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    lake = Lake(str(tmp_path / "lake"))
    monkeypatch.setattr(DeltaTable, "create_write_transaction", full)
    with pytest.raises(DiskFull, match="free space"):
        lake.append(LEDGER, LEDGER.empty())


def test_a_command_that_fails_shows_frames_and_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> pl.LazyFrame:
        raise pl.exceptions.ComputeError(f"could not parse '{SECRET}'")

    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path))
    (tmp_path / "lake").mkdir()
    monkeypatch.setattr(Lake, "scan", fails)
    monkeypatch.setattr(sys, "argv", ["borderlake", "quarantine", "list"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    said = "".join(capfd.readouterr())
    assert SECRET not in said
    assert "ComputeError" in said
    assert "pipelines/cli/quarantine.py" in said


def test_where_an_error_rose_is_our_line_and_not_its_text() -> None:
    try:
        Lake("nowhere").vacuum(LEDGER, 1)
    except BorderlakeError as error:
        told = where_it_rose(error)
    assert told.startswith("BorderlakeError at warehouse/delta/keeping.py:")
    assert told.endswith("in vacuum")
