"""Feeds as Dagster and the command line tell of them: from files in the inbox to a check, a picture, an exit code."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipelines import feed_checks, sensors
from pipelines.assets import DEPLOYMENT
from pipelines.cli import app
from pipelines.cli.output import Exit, console
from pipelines.definitions import definitions
from pipelines.deployment import Deployment, from_environment
from warehouse.catalog import LEDGER
from warehouse.contracts import CONTRACTS
from warehouse.errors import BorderlakeError
from warehouse.settings import Settings

FIRST, DAYS = date(2025, 1, 6), 35
LAST = FIRST + timedelta(days=DAYS - 1)
CONTRACT = CONTRACTS["customs.declarations"]
runner = CliRunner()


def entry(day: date, rows: int, refused: int = 0) -> dict[str, object]:
    return dict.fromkeys(LEDGER.columns) | {
        "batch_id": f"B{day}",
        "contract": CONTRACT.name,
        "contract_version": 2,
        "source_agency": "customs",
        "jurisdiction": "XN",
        "dataset": "declarations",
        "dialect": "norvale",
        "dialect_version": 1,
        "file_name": f"{day}.csv",
        "file_bytes": 1,
        "sha256": str(day),
        "rows_read": rows,
        "rows_landed": rows - refused,
        "rows_refused": refused,
        "rows_set_aside": 0,
        "refused_by_rule": "{}",
        "status": "landed",
        "received_on": day,
        "landed_at": datetime.combine(day, time(6), UTC),
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment whose customs delivered 400 rows a day, and half of that on the last."""
    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path))
    monkeypatch.setattr(console, "width", 80)
    rows = [entry(FIRST + timedelta(days=offset), 400 if offset < DAYS - 1 else 200) for offset in range(DAYS)]
    ledger = pl.DataFrame(rows, schema=LEDGER.dtypes)
    from_environment().lake.append(LEDGER, ledger, batches=sorted(ledger["batch_id"]))
    return tmp_path


def ask(*arguments: str) -> Result:
    return runner.invoke(app, ["feeds", *arguments])


def evaluated(as_of: datetime) -> dict[str, dg.AssetCheckResult]:
    health = feed_checks.judged(from_environment(), CONTRACT, as_of)
    return {str(result.check_name): result for result in feed_checks.results(health, CONTRACT)}


@pytest.mark.usefixtures("home")
def test_a_thin_day_fails_the_check_of_volumes_with_a_picture_and_the_next_step() -> None:
    checks = evaluated(datetime.combine(LAST + timedelta(days=1), time(), UTC))
    assert {name for name, check in checks.items() if not check.passed} == {"feed_volume"}
    failed = checks["feed_volume"]
    assert failed.severity is dg.AssetCheckSeverity.WARN
    assert "200 rows on Sun 2025-02-09" in str(failed.description)
    assert "Ask customs" in str(failed.description)
    assert "data:image/png;base64," in str(failed.metadata["rows by day and agency"].value)
    assert "| customs | volume | unusual |" in str(failed.metadata["feeds"].value)


@pytest.mark.usefixtures("home")
def test_a_dead_feed_is_an_error() -> None:
    check = evaluated(datetime.combine(LAST + timedelta(days=7), time(), UTC))["feed_is_fresh"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)


@pytest.mark.usefixtures("home")
def test_every_bronze_asset_has_its_feeds_checked(tmp_path: Path) -> None:
    empty = Deployment(Settings(tmp_path / "empty", str(tmp_path / "empty" / "lake")))
    graph = definitions(empty).resolve_asset_graph()
    for contract in CONTRACTS.values():
        for spec in feed_checks.specs(dg.AssetKey(["bronze", contract.table_suffix])):
            assert spec.key in graph.asset_check_keys
            assert spec.description
    nobody = feed_checks.judged(empty, CONTRACT, datetime(2025, 1, 1, tzinfo=UTC))
    assert all(check.passed for check in feed_checks.results(nobody, CONTRACT))


@pytest.mark.usefixtures("home")
def test_the_watch_tells_of_a_feed_once_and_again_when_it_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        moment = datetime.combine(LAST, time(7), UTC)

        @classmethod
        def now(cls, _tz: object = None) -> datetime:  # type: ignore[override]
            return cls.moment

    monkeypatch.setattr(sensors, "datetime", Clock)
    deployment = from_environment()

    def watch(cursor: str | None) -> tuple[set[str], str]:
        with dg.build_sensor_context(cursor=cursor, resources={DEPLOYMENT: deployment}) as context:
            told = sensors.feed_watch.evaluate_tick(context)
        failed = {event.check_name for event in told.asset_events if not event.passed}  # type: ignore[union-attr]
        return failed, str(told.cursor)

    failed, cursor = watch(None)
    assert failed == {"feed_volume"}
    assert watch(cursor)[0] == set()
    Clock.moment += timedelta(days=3)
    assert watch(cursor)[0] == {"feed_volume", "feed_is_fresh"}


@pytest.mark.usefixtures("home")
def test_feeds_are_listed_at_80_columns_and_what_is_unusual_is_said(tmp_path: Path) -> None:
    out = tmp_path / "feeds.json"
    result = ask("list", "--as-of", str(LAST), "--json", str(out))
    assert result.exit_code == Exit.PARTLY
    table = [line for line in result.output.splitlines() if "│" in line]
    assert max(map(len, table)) <= 80
    assert "customs.declarations, volume unusual: 200 rows" in result.output
    told = {row["measure"]: row["verdict"] for row in json.loads(out.read_text())["feeds"]}
    assert (told["volume"], told["freshness"]) == ("unusual", "usual")
    assert ask("list", "--as-of", str(LAST - timedelta(days=1))).exit_code == Exit.DONE


@pytest.mark.usefixtures("home")
def test_one_feed_is_shown_by_the_day() -> None:
    result = ask("show", "customs", "declarations", "--as-of", str(LAST), "--days", "2")
    assert result.exit_code == Exit.PARTLY
    assert "Sun 2025-02-09" in result.output
    assert "Sat 2025-02-08" in result.output
    assert "Fri 2025-02-07" not in result.output
    for asked in (("customs", "inspections"), ("customs", "nothing"), ("nobody", "declarations")):
        assert isinstance(ask("show", *asked).exception, BorderlakeError)


def test_an_empty_lake_has_no_feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path))
    assert ask("list").exit_code == Exit.NOTHING
