"""What verifying can find, what each finding means, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of damage."""

    MANIFEST_CUT = "manifest-cut"
    MANIFEST_CHANGED = "manifest-changed"
    DAMAGED_ANCHOR = "damaged-anchor"
    MISSING_ANCHOR = "missing-anchor"
    ANCHOR_BEHIND = "anchor-behind"
    UNCOVERED = "uncovered-table"
    LOST_COMMIT = "lost-commit"
    EMPTY_COMMIT = "empty-commit"
    DAMAGED_COMMIT = "damaged-commit"
    UNLISTED_COMMIT = "unlisted-commit"
    REPEATED_COMMIT = "repeated-commit"
    FOREIGN_COMMIT = "foreign-commit"
    DAMAGED_CHECKPOINT = "damaged-checkpoint"
    MISSING_FILE = "missing-file"
    DAMAGED_FILE = "damaged-file"
    ORPHAN = "orphan"
    ORPHAN_ROWS = "orphan-rows"
    UNREADABLE = "unreadable-table"
    DRIFTED_ROWS = "drifted-rows"
    UNACCOUNTED = "unaccounted-batch"
    MISSING_ARCHIVE = "missing-archive"
    DAMAGED_ARCHIVE = "damaged-archive"
    DAMAGED_HOME = "damaged-home-name"
    LATE_SIDECAR = "late-sidecar"
    ERASED_VALUE = "erased-value"


_REPAIR = "`borderlake repair --yes` "
_SEND_AGAIN = (
    "or ask its agency for the same file and drop it into the inbox: landing knows it, lands nothing twice, and puts "
    "it back in its place"
)
_MEANING: dict[Kind, tuple[str, str]] = {
    Kind.MANIFEST_CUT: (
        "the manifest ends before the version that was last anchored: entries were removed",
        f"{_REPAIR}makes what the commits and the anchor prove again; where it refuses, restore the lake's _manifests "
        "folder from its backup; if the lake itself was removed on purpose, remove the home's anchors folder too",
    ),
    Kind.MANIFEST_CHANGED: (
        "the manifest's entry, or its neighbour, is not the one that was written: the chain of hashes breaks",
        f"{_REPAIR}makes it anew where the entries around it prove it; where it refuses, restore the lake's _manifests "
        "folder from its backup, then verify again; trust no other finding of this table until then",
    ),
    Kind.DAMAGED_ANCHOR: (
        "the home's memory of where the table's manifest ends cannot be read; nothing is written to the table until it "
        "is repaired",
        f"restore it from the home's backup, or {_REPAIR}writes it anew if nothing else is wrong with the table",
    ),
    Kind.MISSING_ANCHOR: (
        "the home does not remember where the table's manifest ends: its file was removed, or another home made the "
        "table",
        f"restore it from the home's backup, or {_REPAIR}writes it anew if nothing else is wrong with the table",
    ),
    Kind.ANCHOR_BEHIND: (
        "the manifest goes on after what the home remembers: a writer stopped, another home writes to the table, or an "
        "older copy was put back",
        f"{_REPAIR}moves it to the manifest's end if nothing else is wrong with the table; so does the next write",
    ),
    Kind.UNCOVERED: (
        "the table has no manifest: it was made by an earlier borderlake or by another tool",
        f"{_REPAIR}begins its manifest with the files as they are now; so does the next write",
    ),
    Kind.LOST_COMMIT: (
        "a commit that was made is not in the Delta log: readers silently miss its changes",
        f"{_REPAIR}puts it back, byte for byte, from the manifest",
    ),
    Kind.EMPTY_COMMIT: (
        "the commit file is empty: readers silently miss its changes",
        f"{_REPAIR}puts it back, byte for byte, from the manifest",
    ),
    Kind.DAMAGED_COMMIT: (
        "the commit file is not the one that was committed",
        f"{_REPAIR}puts it back, byte for byte, from the manifest, unless another commit has taken its place",
    ),
    Kind.UNLISTED_COMMIT: (
        "a commit of borderlake that its manifest lacks: the writer stopped in between; no row is lost",
        f"{_REPAIR}completes the manifest; so does the next write",
    ),
    Kind.REPEATED_COMMIT: (
        "the commit file is a copy of an earlier one under a later version",
        f"{_REPAIR}sets it aside, unless later commits build on it",
    ),
    Kind.FOREIGN_COMMIT: (
        "another tool than borderlake committed this version",
        "find out who did and why (`borderlake show --as-of` shows the table before); if it is to stand, `borderlake "
        "verify --accept TABLE@VERSION --reason WHY` says so for good; nothing is repaired by itself",
    ),
    Kind.DAMAGED_CHECKPOINT: (
        "the checkpoint, its note or the log's hint to it is cut or changed: the table cannot be read, or is read "
        "wrongly",
        f"{_REPAIR}writes a new one from the commits",
    ),
    Kind.MISSING_FILE: (
        "a data file of the table is not there: its rows cannot be read",
        f"{_REPAIR}takes it out of the table and lands its rows again from the archive, if that has the files; a share "
        "is cut anew from the lake",
    ),
    Kind.DAMAGED_FILE: (
        "a data file is not as it was committed: its values cannot be trusted",
        f"{_REPAIR}sets it aside and lands its rows again from the archive, if that has the files; a share is cut "
        "anew from the lake",
    ),
    Kind.ORPHAN: (
        "a file that no commit knows, of a writer that stopped; no reader sees it",
        f"{_REPAIR}removes it once it is 7 days old; so does `borderlake vacuum --yes`",
    ),
    Kind.ORPHAN_ROWS: (
        "rows of a rolling of features that stopped before its row in gold.tile_days, or has not come to it yet; no "
        "feature rests on them",
        f"{_REPAIR}removes them once they are 7 days old; so does the next rolling of those views and that day",
    ),
    Kind.UNREADABLE: ("the table cannot be opened", "repair the other findings of this table first"),
    Kind.DRIFTED_ROWS: (
        "the table does not hold the rows that were accounted for",
        f"{_REPAIR}lands what a batch lacks again from the archive, where that holds the delivery",
    ),
    Kind.UNACCOUNTED: (
        "rows of a batch that the ledger does not know: landing stopped before the ledger",
        "land the file again (it is still in the inbox): what is there is left out, the ledger completed",
    ),
    Kind.MISSING_ARCHIVE: (
        "a file that landed is neither in the archive nor in the inbox: what has landed is not touched by it, but "
        "could not be landed again, should it be damaged; where its row of the ledger names no home, see other homes",
        f"put it back from a backup, {_SEND_AGAIN}",
    ),
    Kind.DAMAGED_ARCHIVE: (
        "a file of the archive is not the one that landed there: rows could not be landed from it again",
        f"put the file back from a backup, {_SEND_AGAIN}; what has landed is not touched by it",
    ),
    Kind.DAMAGED_HOME: (
        "the home's name, by which the ledger says what its archive keeps, cannot be told: nothing lands until it can, "
        "and files that are missing from the archive are not looked for",
        f"{_REPAIR}writes the name under which the ledger knows what lies in this archive; where it refuses, restore "
        "the file from the home's backup",
    ),
    Kind.LATE_SIDECAR: (
        "a sidecar came after its file had landed, and declares another file than that",
        "ask the agency which of the two is right; send the file again with the sidecar, or remove the sidecar",
    ),
    Kind.ERASED_VALUE: (
        "a value of a subject that was erased stands here: the erasure was not complete, or the subject was delivered "
        "again since",
        "`borderlake erase` the subject again; where a new delivery is lawful, that is what the ground says",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was committed."""

    kind: Kind
    table: str
    version: int | None = None
    path: str | None = None
    """Within the table."""
    batch: str | None = None
    detail: str = ""

    @property
    def meaning(self) -> str:
        """What it means, for a person."""
        return _MEANING[self.kind][0] + (f" ({self.detail})" if self.detail else "")

    @property
    def repair(self) -> str:
        """What to do about it."""
        return _MEANING[self.kind][1]

    @property
    def where(self) -> str:
        """Version, file or batch."""
        version = None if self.version is None else f"version {self.version}"
        batch = None if self.batch is None else f"batch {self.batch}"
        return ", ".join(part for part in (version, batch, self.path) if part)
