"""A history kept open holds what Dagster's own holds, in the same files, and leaves nothing open behind it."""

from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from pipelines import history
from pipelines.history import OpenEventLog, OpenHistory, kept_open
from pipelines.instance import open_instance
from warehouse.settings import Settings


@dg.asset
def extract() -> None:
    """Something to materialise."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("BORDERLAKE_HOME", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "set again by the instance")
    return Settings(tmp_path, str(tmp_path / "lake"))


def events_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [record.event_log_entry.message for record in instance.get_records_for_run(run_id).records]


def test_dagsters_own_reads_what_was_written_through_open_files(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_OPEN_FILES", 2)  # Less than the index and three runs.
    job = dg.Definitions(assets=[extract], jobs=[dg.define_asset_job("land")]).resolve_job_def("land")
    with open_instance(settings) as instance:
        assert isinstance(instance.event_log_storage, OpenEventLog)
        runs = [job.execute_in_process(instance=instance).run_id for _ in range(3)]
        written = {run_id: events_of(instance, run_id) for run_id in runs}
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(settings.dagster_home))) as theirs:
        assert not isinstance(theirs.event_log_storage, OpenEventLog)
        assert {run_id: events_of(theirs, run_id) for run_id in runs} == written
        assert theirs.get_latest_materialization_event(extract.key).run_id == runs[-1]
    assert all(len(messages) > 5 for messages in written.values())


def test_what_is_closed_lies_in_the_files_themselves(settings: Settings) -> None:
    """A write-ahead log left beside a file would be lost where the file alone is copied."""
    with open_instance(settings) as instance:
        dg.materialize([extract], instance=instance)
        assert list(settings.dagster_home.rglob("*.db-wal"))
    assert not list((settings.dagster_home / "history" / "runs").rglob("*.db-wal"))


def test_a_wiped_history_is_begun_anew(settings: Settings) -> None:
    with open_instance(settings) as instance:
        first = dg.materialize([extract], instance=instance).run_id
        instance.wipe()
        assert events_of(instance, first) == []
        second = dg.materialize([extract], instance=instance).run_id
        assert events_of(instance, second)


def test_tables_are_looked_for_until_they_are_there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    look = SqliteEventLogStorage.has_table

    def counted(log: SqliteEventLogStorage, name: str) -> bool:
        asked[name] += 1
        return look(log, name)

    monkeypatch.setattr(SqliteEventLogStorage, "has_table", counted)
    with open_instance(settings) as instance:
        for _ in range(2):
            dg.materialize([extract], instance=instance)
            assert not instance.event_log_storage.has_table("of_a_later_dagster")
    assert asked.pop("of_a_later_dagster") == 2
    assert set(asked.values()) == {1}


def test_a_history_elsewhere_is_left_as_it_is(tmp_path: Path) -> None:
    at_home = InstanceRef.from_dir(str(tmp_path))
    assert at_home.storage_data.class_name == DagsterSqliteStorage.__name__
    opened = kept_open(at_home)
    assert opened.storage_data.class_name == OpenHistory.__name__
    (tmp_path / "dagster.yaml").write_text("storage:\n  postgres:\n    postgres_url: postgresql://history/dagster\n")
    elsewhere = InstanceRef.from_dir(str(tmp_path))
    assert kept_open(elsewhere) == elsewhere
