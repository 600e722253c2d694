"""Errors of borderlake: each holds facts and the next step, never a value of a row."""


class BorderlakeError(Exception):
    """Something a user can mend. The message says what happened and what to do next."""


class UnknownName(BorderlakeError):
    """A table, dataset, dialect, agency or model that is not declared anywhere."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        listed = ", ".join(sorted(known)) or "none"
        super().__init__(f"unknown {kind} '{name}'. Known: {listed}")


class DialectError(BorderlakeError):
    """A dialect file that does not say what landing needs to know."""


class FileRefused(BorderlakeError):
    """A whole file that cannot be read under its dialect; `rule` names why, for the quarantine."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class WriteConflict(BorderlakeError):
    """Another writer kept committing to the same part of a table."""


class TableDamaged(BorderlakeError):
    """A table, or its manifest, is not what was committed; nothing more is written to it until it is repaired."""


class DiskFull(BorderlakeError):
    """The disk of the lake or of the home has no space left; nothing that is half written is seen by a reader."""


class NotReady(BorderlakeError):
    """A step whose input does not exist yet; the message names the command that makes it."""
