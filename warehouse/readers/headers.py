"""What is wrong with the first line of a delimited file, so that its sender can mend it.

Of the line itself nothing is told but how many columns it splits into: a file without a header has a person's data
there. Names that are told are the dialect's.
"""

import csv
from collections.abc import Sequence

_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_NAMED = 12
_OTHER_KINDS = {
    "pk\x03\x04": "a ZIP archive, as spreadsheets are saved (xlsx, ods)",
    "pk\x05\x06": "an empty ZIP archive",
    "\ufffd\ufffd\x11\u0871": "an old spreadsheet (xls)",
    "ðï\x11à": "an old spreadsheet (xls)",
    "%pdf": "a PDF",
    "<": "a page or XML (it begins with <)",
    "{": "JSON (it begins with a brace)",
    "par1": "Parquet",
}
"""First signs of files, in small letters, that are delivered by mistake, and what they are."""


def fault(wanted: frozenset[str], names: Sequence[str], header: str, delimiter: str) -> str | None:
    """What the `names` of a first line lack of those `wanted`, and the likely cause; None where nothing is lacking."""
    missing = sorted(wanted - set(names))
    if not missing:
        return None
    if other := other_kind(header):
        return other
    is_bare = len(missing) == len(wanted) > 1
    told = f"all {len(missing)} columns asked for, " if is_bare else ""
    told += ", ".join(missing[:_NAMED])
    told += f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    columns = f"{len(names):,} column{'' if len(names) == 1 else 's'} when split at {_told(delimiter)}"
    guess = _cause(wanted, names, header, delimiter) or (": it may be a line of data, or another file" * is_bare)
    return f"the header lacks {told} ({columns}){guess}"


def other_kind(header: str) -> str | None:
    """What the file is instead of lines of fields, where its first line shows that."""
    begins = header.lstrip().lower()
    for sign, kind in _OTHER_KINDS.items():
        if begins.startswith(sign):
            return f"the file is {kind}, and no delimited text"
    if "\0" in header:
        return "the first line holds zero bytes: the file is in UTF-16, or no text"
    if not begins:
        return "the first line is empty, where the header should be"
    if "\r" in header:
        return "the first line holds carriage returns: lines end in CR alone, and not in LF or CRLF"
    if begins.startswith("sep="):
        return "the first line is a note to a spreadsheet (sep=), where the header should be"
    return None


def _cause(wanted: frozenset[str], names: Sequence[str], header: str, delimiter: str) -> str:
    for other in _DELIMITERS.keys() - {delimiter}:
        if wanted <= _split(header, other):
            return f", but split at {_told(other)} it has them all: the file has another delimiter"
    if {name.casefold() for name in wanted} <= {name.casefold() for name in names}:
        return ", but has them in other capitals"
    return ""


def _split(header: str, delimiter: str) -> set[str]:
    try:
        return {name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])}
    except csv.Error:
        return set()


def _told(delimiter: str) -> str:
    return _DELIMITERS.get(delimiter, f"'{delimiter}'")
