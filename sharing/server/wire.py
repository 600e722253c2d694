"""Lines of answers, in the protocol's two response formats.

`parquet` says of a table what any reader of Parquet needs; `delta` wraps the actions of a Delta log.
https://github.com/delta-io/delta-sharing/blob/main/PROTOCOL.md#api-response-format
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from warehouse.snapshots import ChangedFile, ChangeKind, Changes, LiveFile, Snapshot

NDJSON = "application/x-ndjson; charset=utf-8"
FEED = "enableChangeDataFeed"
_READER_VERSION = 1
_ACTIONS = {ChangeKind.ADD: "add", ChangeKind.REMOVE: "remove", ChangeKind.CHANGES: "cdc"}


@dataclass(frozen=True)
class Link:
    """Where a file is to be had, and until when."""

    file_id: str
    url: str
    expires_ms: int


def protocol_line(snapshot: Snapshot, is_delta: bool) -> str:
    """What a client must understand."""
    if not is_delta:
        return _line({"protocol": {"minReaderVersion": _READER_VERSION}})
    told = {"minReaderVersion": snapshot.reader_version, "minWriterVersion": snapshot.writer_version}
    return _line({"protocol": {"deltaProtocol": told}})


def metadata_line(
    snapshot: Snapshot, name: str, is_delta: bool, *, version: int | None = None, schema: str | None = None
) -> str:
    """What the table is: its columns, and how much there is of it."""
    about: dict[str, Any] = {
        "id": snapshot.table_id,
        "name": name,
        "format": {"provider": "parquet"},
        "schemaString": schema or snapshot.schema,
        "partitionColumns": list(snapshot.partition_by),
    }
    size = {"size": snapshot.size, "numFiles": len(snapshot.files)}
    told_version = {} if version is None else {"version": version}
    has_feed = snapshot.configuration.get(f"delta.{FEED}") == "true"
    if not is_delta:
        return _line({"metaData": about | {"configuration": {FEED: "true"} if has_feed else {}} | size | told_version})
    delta = about | {
        "format": {"provider": "parquet", "options": {}},
        "configuration": {f"delta.{FEED}": "true"} if has_feed else {},
        "createdTime": snapshot.created_ms,
    }
    return _line({"metaData": {"deltaMetadata": delta} | size | told_version})


def file_line(file: LiveFile, link: Link, is_delta: bool) -> str:
    """A file of a version."""
    stats = json.dumps({"numRecords": file.rows})
    if not is_delta:
        return _line({"file": _plain(file, link) | {"stats": stats}})
    add = {
        "path": link.url,
        "partitionValues": dict(file.partition),
        "size": file.size,
        "modificationTime": file.modified_ms,
        "dataChange": True,
        "stats": stats,
    }
    return _line({"file": _wrapped(link, {"add": add})})


def change_line(change: ChangedFile, commit: Changes, link: Link, is_delta: bool) -> str:
    """A file of the change feed."""
    when = {"timestamp": commit.at_ms, "version": commit.version}
    if not is_delta:
        return _line({str(change.kind): _plain(change.file, link) | when})
    action: dict[str, Any] = {
        "path": link.url,
        "partitionValues": dict(change.file.partition),
        "size": change.file.size,
        "dataChange": change.kind is not ChangeKind.CHANGES,
    }
    if change.kind is ChangeKind.ADD:
        action |= {"modificationTime": change.file.modified_ms}
    if change.kind is ChangeKind.REMOVE:
        action |= {"deletionTimestamp": commit.at_ms, "extendedFileMetadata": True}
    return _line({"file": _wrapped(link, {_ACTIONS[change.kind]: action}) | when})


def _plain(file: LiveFile, link: Link) -> dict[str, Any]:
    return {
        "url": link.url,
        "id": link.file_id,
        "partitionValues": {name: value or "" for name, value in file.partition.items()},
        "size": file.size,
        "expirationTimestamp": link.expires_ms,
    }


def _wrapped(link: Link, action: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": link.file_id, "deltaSingleAction": dict(action), "expirationTimestamp": link.expires_ms}


def _line(told: Mapping[str, Any]) -> str:
    return json.dumps(told, separators=(",", ":")) + "\n"
