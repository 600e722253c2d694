"""Answers about one table: its version, what it is, its files, its changes.

Files are told as lines with signed URLs, some at a time, each written to the log before it is sent.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice

from starlette.responses import Response, StreamingResponse

from sharing.audit import Action, Entry
from sharing.server import wire
from sharing.server.call import CAPABILITIES, Call
from sharing.server.refusals import Refusal, forbidden, malformed, unknown
from sharing.server.urls import FileUrl
from sharing.server.wire import Link
from warehouse.snapshots import ChangedFile, Changes, LiveFile, Snapshot, versions_back

Part = tuple[Sequence[Entry], str]
"""Lines, and what the log is to say of them."""
_AT_ONCE = 200
_PARTS_AT_ONCE = 4
_VERSION = "Delta-Table-Version"


def version(call: Call) -> Response:
    """The latest version, or the first since a moment."""
    snapshot = call.access.current(call.grant)
    since = call.moment("startingTimestamp")
    found = snapshot.version
    if since is not None:
        if not (call.grant.shared.has_history or call.grant.shared.has_changes):
            raise _no_changes()
        commits = [one for one in _commits(call, snapshot) if one.at >= since]
        if not commits:
            raise malformed("there is no version since startingTimestamp")
        found = commits[-1].version
    call.house.audit.record(call.entry(Action.METADATA, call.grant, version=found, detail="version"))
    return Response(headers={_VERSION: str(found)})


def metadata(call: Call) -> Response:
    """What the table is."""
    snapshot = call.access.current(call.grant)
    call.house.audit.record(call.entry(Action.METADATA, call.grant, version=snapshot.version))
    return _lines(call, snapshot.version, iter(_heading(call, snapshot)))


def query(call: Call) -> Response:
    """The files of a version, or the changes since one."""
    if call.number("startingVersion", of_body=True) is not None:
        return _feed(call, of_body=True, with_metadata=True)
    asked, moment = call.number("version", of_body=True), call.moment("timestamp", of_body=True)
    if asked is not None and moment is not None:
        raise malformed("give version or timestamp, not both")
    limit = call.number("limitHint", of_body=True)
    snapshot = call.access.current(call.grant)
    if moment is not None:
        call.access.refuse_without_history(call.grant)
        asked = _last_until(call, snapshot, moment, "timestamp")
    if asked is not None:
        snapshot = call.access.earlier(call.grant, asked)
    files = _enough(snapshot.files, limit)
    heading = [wire.protocol_line(snapshot, call.is_delta)]
    heading.append(wire.metadata_line(snapshot, call.grant.name, call.is_delta, version=asked))
    rows = sum(file.rows for file in files)
    told = call.entry(Action.QUERY, call.grant, version=snapshot.version, rows=rows, detail=f"{len(files)} files")
    return _lines(call, snapshot.version, _told(call, told, heading, _file_lines(call, snapshot, files)))


def changes(call: Call) -> Response:
    """The change feed between two versions."""
    with_metadata = call.query.get("includeHistoricalMetadata", "").lower() == "true"
    return _feed(call, of_body=False, with_metadata=with_metadata)


def _feed(call: Call, *, of_body: bool, with_metadata: bool) -> Response:
    snapshot = call.access.current(call.grant)
    if not call.grant.shared.has_changes:
        raise _no_changes()
    first, last = _range(call, snapshot, of_body=of_body)
    call.access.refuse_changes_before_terms(call.grant, snapshot, first)
    heading = [wire.protocol_line(snapshot, call.is_delta)]
    heading.append(wire.metadata_line(snapshot, call.grant.name, call.is_delta, version=first))
    told = call.entry(Action.CHANGES, call.grant, version=last, detail=f"versions {first} to {last}")
    lines = _change_lines(call, snapshot, range(first, last + 1), with_metadata=with_metadata)
    return _lines(call, first, _told(call, told, heading, lines))


def _range(call: Call, snapshot: Snapshot, *, of_body: bool) -> tuple[int, int]:
    """The first and last version that are asked for."""
    first, last = call.number("startingVersion", of_body=of_body), call.number("endingVersion", of_body=of_body)
    since, until = call.moment("startingTimestamp", of_body=of_body), call.moment("endingTimestamp", of_body=of_body)
    if (first is None) == (since is None):
        raise malformed("give one of startingVersion and startingTimestamp")
    if last is not None and until is not None:
        raise malformed("give one of endingVersion and endingTimestamp, or none")
    if since is not None:
        found = [one.version for one in _commits(call, snapshot) if one.at >= since]
        if not found:
            raise malformed("there is no version since startingTimestamp")
        first = found[-1]
    if until is not None:
        last = _last_until(call, snapshot, until, "endingTimestamp")
    last = snapshot.version if last is None else min(last, snapshot.version)
    if first is None or first > last:
        raise malformed(f"the changes asked for begin after they end; the latest version is {snapshot.version}")
    return first, last


def _last_until(call: Call, snapshot: Snapshot, until: datetime, name: str) -> int:
    for commit in _commits(call, snapshot):
        if commit.at <= until:
            return commit.version
    raise malformed(f"there is no version until {name}")


def _commits(call: Call, snapshot: Snapshot) -> Iterator[Changes]:
    """Commits up to a version, newest first."""
    return versions_back(call.house.lake.store, snapshot.folder, snapshot.version)


def _heading(call: Call, snapshot: Snapshot) -> list[str]:
    return [
        wire.protocol_line(snapshot, call.is_delta),
        wire.metadata_line(snapshot, call.grant.name, call.is_delta),
    ]


def _enough(files: tuple[LiveFile, ...], limit: int | None) -> tuple[LiveFile, ...]:
    """The first files that hold as many rows as are asked for."""
    if limit is None:
        return files
    taken: list[LiveFile] = []
    rows = 0
    for file in files:
        if rows >= limit:
            break
        taken.append(file)
        rows += file.rows
    return tuple(taken)


def _told(call: Call, told: Entry, heading: Iterable[str], parts: Iterator[Part]) -> Iterator[str]:
    """Heading and lines, some at a time, in the log before they are sent: `told` in one write with the first."""
    entries, lines = next(parts, ((), ""))
    call.house.audit.record(told, *entries)
    yield "".join(heading) + lines
    for entries, lines in parts:
        call.house.audit.record(*entries)
        yield lines


def _file_lines(call: Call, snapshot: Snapshot, files: tuple[LiveFile, ...]) -> Iterator[Part]:
    waiting = iter(files)
    while batch := list(islice(waiting, _AT_ONCE)):
        links = [_link(call, snapshot, file, snapshot.version, is_change=False) for file in batch]
        entries = [_url_entry(call, link, file, snapshot.version) for link, file in _pairs(links, batch)]
        yield entries, "".join(wire.file_line(file, link, call.is_delta) for link, file in _pairs(links, batch))


def _change_lines(call: Call, snapshot: Snapshot, versions: range, *, with_metadata: bool) -> Iterator[Part]:
    for version in versions:
        commit = call.house.snapshots.changes(snapshot, version)
        if commit is None:
            raise unknown(f"the commit of version {version} is no longer in the log")
        if with_metadata and commit.schema is not None and version > versions.start:
            name = call.grant.name
            yield (), wire.metadata_line(snapshot, name, call.is_delta, version=version, schema=commit.schema)
        waiting: Iterator[ChangedFile] = iter(commit.files)
        while batch := list(islice(waiting, _AT_ONCE)):
            files = [change.file for change in batch]
            links = [_link(call, snapshot, file, version, is_change=True) for file in files]
            lines = (
                wire.change_line(change, commit, link, call.is_delta) for link, change in zip(links, batch, strict=True)
            )
            yield [_url_entry(call, link, file, version) for link, file in _pairs(links, files)], "".join(lines)


def _pairs(links: list[Link], files: list[LiveFile]) -> list[tuple[Link, LiveFile]]:
    return list(zip(links, files, strict=True))


def _link(call: Call, snapshot: Snapshot, file: LiveFile, version: int, *, is_change: bool) -> Link:
    signer = call.house.signer
    file_id = signer.file_id(snapshot.table_id, file.path)
    expires_at = call.at + call.house.limits.url_life
    url = FileUrl(file_id, call.grant.table, version, is_change, call.recipient.credential_id, expires_at)
    return Link(file_id, call.base_url + signer.signed(url), int(expires_at.timestamp() * 1000))


def _url_entry(call: Call, link: Link, file: LiveFile, version: int) -> Entry:
    return call.entry(Action.URL, call.grant, version=version, rows=file.rows, file_id=link.file_id, size=file.size)


def _no_changes() -> Refusal:
    return forbidden("the agreement does not share the changes of this table", "the change feed is not granted")


def _lines(call: Call, version: int, lines: Iterator[str]) -> Response:
    headers = {
        _VERSION: str(version),
        CAPABILITIES: f"responseformat={'delta' if call.is_delta else 'parquet'}",
    }
    begun = list(islice(lines, _PARTS_AT_ONCE))
    further = next(lines, None)
    if further is None:  # Most answers: no stream is kept open for them.
        return Response("".join(begun), media_type=wire.NDJSON, headers=headers)
    return StreamingResponse(chain(begun, [further], lines), media_type=wire.NDJSON, headers=headers)
