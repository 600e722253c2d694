"""The run history that a command writes: Dagster's own SQLite files, their connections kept open while it runs.

Dagster opens its event log anew for each of a run's thousands of accesses, compiles each statement again, and has
SQLite fold its write-ahead log into the file at each close. Here that is done once a file. With each event it also
looks whether tables and columns that older histories lack are there; here they are looked for until they are. What is
stored, and where, is Dagster's; so is every process that Dagster starts itself.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine

_OPEN_FILES = 8
"""The index, the run being written, and a few that are read: a history has a file for each run."""
_BUSY_TIMEOUT_S = 60


class OpenEventLog(SqliteEventLogStorage):
    """Dagster's event log over engines that are kept, the least recently used closed first."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._found: set[str] = set()
        super().__init__(base_dir, inst_data)

    def has_table(self, table_name: str) -> bool:
        look = super().has_table
        return self._is_there(table_name, lambda: look(table_name))

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        look = super()._has_asset_key_col_on_connection
        return self._is_there(f"asset_keys.{column_name}", lambda: look(conn, column_name))

    def _is_there(self, name: str, look: Callable[[], bool]) -> bool:
        if name not in self._found and look():
            self._found.add(name)
        return name in self._found

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            self._engines[shard] = create_engine(
                self.conn_string_for_shard(shard), connect_args={"timeout": _BUSY_TIMEOUT_S}
            )
        self._engines.move_to_end(shard)
        while len(self._engines) > _OPEN_FILES:
            self._engines.popitem(last=False)[1].dispose()
        return self._engines[shard]

    def _close(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()

    def wipe(self) -> None:
        self._close()  # Dagster removes the files.
        self._found.clear()
        super().wipe()

    def dispose(self) -> None:
        self._close()
        super().dispose()


class OpenHistory(DagsterSqliteStorage):
    """Dagster's SQLite storage with the event log above."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = OpenEventLog(_event_logs_directory(base_dir))

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> "OpenHistory":
        return cls.from_local(inst_data=inst_data, **config_value)


def kept_open(instance: InstanceRef) -> InstanceRef:
    """The instance with its SQLite history kept open; one whose history is elsewhere, as in Postgres, as it is."""
    storage = instance.storage_data
    if storage is None or storage.class_name != DagsterSqliteStorage.__name__:
        return instance
    return instance._replace(
        storage_data=ConfigurableClassData(OpenHistory.__module__, OpenHistory.__name__, storage.config_yaml)
    )
