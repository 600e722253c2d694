"""Shares as tables: exactly the rows and columns that an agreement lets go, and of the source only what is new.

A share's files hold rows of one day of its source each, in a folder named by a keyed token of the day. A refresh cuts
the days that the source's commits touched, compares them with what their files hold (`sharing.files`), adds what is
new, and takes back what no longer stands: a *retraction*, which the change feed tells row by row. Since it compares
with what is there, one that was stopped anywhere and is done again gives the same. What a recipient may not read any
more is removed from the store before the refresh ends.
"""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sharing.dictionary import Dictionary
from sharing.files import Cutter, Reach, Turn
from sharing.progress import Progress, Standing, note, noted, progress_of, standing
from sharing.pseudonyms import Key, Keys
from sharing.shares import Share, by_name
from warehouse import datafiles
from warehouse.agreements import Agreement, SharedTable
from warehouse.catalog import Table
from warehouse.commits import commit_path, parse_commit
from warehouse.delta import Lake
from warehouse.recalls import days_recalled
from warehouse.touched import Day, days_touched
from warehouse.writers import Writers

KEPT = timedelta(days=30)
"""How long earlier versions and the change feed of a share can be read, where its agreement allows them."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did to a share."""

    table: str
    version: int | None
    """Latest version; None where nothing was ever shared."""
    rows_added: int = 0
    rows_retracted: int = 0


def refresh(lake: Lake, agreement: Agreement, shared: SharedTable, keys: Keys, at: datetime) -> Refreshed:
    """Bring a share up to its source and its agreement as they are at `at`; of one not in force nothing is left.

    Of several agreements that ever shared the table with the recipient, `agreement` is the one of `shares_of`. `at`
    never goes back from one refresh to the next.
    """
    share = Share(agreement, shared)
    if not agreement.is_in_force(at):
        return withdraw(lake, share.name, at)
    with alone_with(lake, share.name), lake.writers.among():
        return _follow(lake, share, keys.current(agreement.recipient.code), at)


def refresh_dictionary(lake: Lake, dictionary: Dictionary, at: datetime) -> Refreshed:
    """Bring a dictionary up to its agreement, written anew whenever anything in it changes."""
    agreement, table = dictionary.agreement, dictionary.table
    if not agreement.is_in_force(at):
        return withdraw(lake, dictionary.name, at)
    with alone_with(lake, dictionary.name), lake.writers.among():
        last = standing(lake, table)
        if last.is_settled and last.progress is not None and last.progress.is_under(dictionary):
            return Refreshed(table.name, last.version)
        before = sum(one.rows or 0 for one in lake.files(table))
        progress = Progress(
            agreement_id=agreement.agreement_id,
            agreement_version=agreement.version,
            agreed=dictionary.agreed,
            terms=dictionary.agreed,
            key_id="",
            source_version=None,
            young=(),
            since=None,
            rows=dictionary.rows.height,
            retracted=(last.progress.retracted if last.progress else 0) + before,
            at=at,
        )
        lake.ensure(table)
        files = datafiles.write(lake.store, lake.manifest(table).folder, table, iter([dictionary.rows]))
        version = lake.renew(table, files, facts=progress.facts)
        _purge(lake, table, version, frozenset())
        note(lake, table, version, replace(progress, since=version))
    return Refreshed(table.name, version, dictionary.rows.height, before)


def withdraw_others(lake: Lake, shares: Iterable[Share | Dictionary], at: datetime) -> tuple[Refreshed, ...]:
    """Empty every share and dictionary but these."""
    known = {share.name for share in shares}
    return tuple(withdraw(lake, name, at) for name in noted(lake) if name not in known)


def withdraw(lake: Lake, name: str, at: datetime) -> Refreshed:
    """Empty a share: no row, no earlier version and no change of it can be read any more."""
    table = by_name(name)
    with alone_with(lake, name):
        last = standing(lake, table)
        before = last.progress
        if last.version is None or (last.is_settled and before is not None and before.is_withdrawn):
            return Refreshed(name, last.version)
        files = lake.files(table)
        rows = sum(one.rows or 0 for one in files)
        ended = Progress.ended(before, rows, at)
        version = lake.exchange(table, [], files, at, facts=ended.facts) if files else last.version
        _purge(lake, table, version, frozenset())
        note(lake, table, version, replace(ended, since=version))
    return Refreshed(name, version, rows_retracted=rows)


def _follow(lake: Lake, share: Share, key: Key, at: datetime) -> Refreshed:
    last = standing(lake, share.table)
    before = last.progress
    reach = Reach.of(lake, share.source)
    known = before if before is not None and is_cut_to(share, key, before) else None
    days = None if known is None else days_to_cut(lake, share, known, reach)
    has_nothing_new = known is not None and (known.source_version, known.recalls) == (reach.source, reach.recalls)
    if last.is_settled and has_nothing_new and days == set():
        return Refreshed(share.name, last.version)
    cutter = Cutter(lake, share, key, at, reach)
    turn = cutter.turn(days)
    progress = Progress(
        agreement_id=share.agreement.agreement_id,
        agreement_version=share.agreement.version,
        agreed=share.agreed,
        terms=share.terms(key),
        key_id=key.key_id,
        source_version=reach.source,
        recalls=reach.recalls,
        young=tuple(sorted(day.isoformat() if day else "" for day in turn.young)),
        since=_since(share, key, last, cutter.rows),
        rows=cutter.rows + turn.rows_added - turn.rows_retracted,
        retracted=(before.retracted if before else 0) + turn.rows_retracted,
        at=at,
    )
    if last.is_settled and known is not None and replace(known, at=at) == progress:
        return Refreshed(share.name, last.version)
    version = _write(lake, share, turn, before, progress, at)
    has_past = share.shared.has_history or share.shared.has_changes
    since, needed = needed_by_readers(lake, share.table, version, progress, at) if has_past else (version, frozenset())
    _purge(lake, share.table, version, needed)
    note(lake, share.table, version, replace(progress, since=since))
    return Refreshed(share.name, version, turn.rows_added, turn.rows_retracted)


def is_cut_to(share: Share, key: Key, before: Progress) -> bool:
    """Whether the share was last refreshed under these very terms."""
    return before.is_under(share) and before.terms == share.terms(key)


def _since(share: Share, key: Key, last: Standing, rows: int) -> int | None:
    """The earliest version to be read: what was written under other terms is not, nor does the feed tell of it."""
    if last.progress is not None and last.progress.terms == share.terms(key):
        return last.progress.since
    return None if rows else last.version or 0


def days_to_cut(lake: Lake, share: Share, before: Progress, reach: Reach) -> set[Day] | None:
    """Days to look at: those that the source's commits touched, those of withdrawn scores, and those with rows held
    back; None: all."""
    seen = -1 if before.source_version is None else before.source_version
    latest = -1 if reach.source is None else reach.source
    if latest < seen or not lake.is_as_declared(share.table):
        return None
    touched = days_touched(lake, share.source, seen, latest)
    young = {date.fromisoformat(day) if day else None for day in before.young}
    recalled = days_recalled(lake, share.source, before.recalls, reach.recalls)
    return None if touched is None else touched | recalled | young


def _write(lake: Lake, share: Share, turn: Turn, before: Progress | None, after: Progress, at: datetime) -> int:
    """Commit a turn, first what only moves rows from file to file; returns the version."""
    table = share.table
    lake.ensure(table)
    if turn.is_anew:
        return lake.renew(table, turn.added, facts=after.facts)
    if turn.moved:
        facts = replace(before, at=at).facts if before else None
        lake.exchange(table, turn.kept, turn.moved, at, is_change=False, facts=facts)
    if turn.added or turn.gone:
        return lake.exchange(table, turn.added, turn.gone, at, facts=after.facts)
    return lake.version(table) or 0


def needed_by_readers(
    lake: Lake, table: Table, version: int, progress: Progress, at: datetime
) -> tuple[int, frozenset[str]]:
    """The earliest version of a share that may be read, its past being shared, and the old files that this takes."""
    folder = lake.manifest(table).folder
    first = version if progress.since is None else progress.since
    since, needed, removed_after = version, set[str](), set[str]()
    for one in range(version, first - 1, -1):
        commit = parse_commit(lake.store.read(commit_path(folder, one)) or b"")
        told = progress_of(commit) if commit else None
        if commit is None:
            break
        since, needed = one, set(removed_after)
        removed_after.update(commit.removed)
        if told is not None and told.at < at - KEPT:  # What stood when the time began that is kept.
            break
    return since, frozenset(needed)


def give_up_past(lake: Lake, table: Table, last: Standing) -> None:
    """Remove every file of a share but those of its latest version, which is the first to be read from now on."""
    _purge(lake, table, last.version, frozenset())
    if last.progress is not None:
        note(lake, table, last.version, replace(last.progress, since=last.version))


def _purge(lake: Lake, table: Table, version: int | None, needed: frozenset[str]) -> None:
    """Remove what neither the latest version needs nor a reader of an earlier one; what a killed refresh left, too."""
    manifest = lake.manifest(table)
    gone = [path for path in lake.unneeded(table) if path.removeprefix(f"{manifest.folder}/") not in needed]
    if gone and version is not None:
        manifest.note_purge(version)
    for path in gone:
        lake.store.delete(path)


@contextlib.contextmanager
def alone_with(lake: Lake, name: str) -> Iterator[None]:
    """One refresh of a share at a time: what is not in its table is then nobody's."""
    with Writers(None if lake.anchors is None else lake.anchors / "shares" / name).alone():
        yield
