"""Subjects of an erasure: whom a data protection officer names, and what of them stands in rows and in text.

A subject is a kind and a value, `document:DEU/P1234567`, or the keyed id that silver has in its place. No table and no
file is touched here, and no error says a value.

Values are compared as the vault does it: upper case, without spaces and hyphens. In text a value is found where no
letter or digit stands beside it, whatever spaces, hyphens, line ends or release characters stand in it.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import polars as pl

from warehouse import vault
from warehouse.contracts import Contract
from warehouse.errors import BorderlakeError

_FORMS = {
    "document": "document:NUMBER or document:ISSUING STATE/NUMBER",
    "person": "person:SURNAME/GIVEN NAMES/YYYY-MM-DD, with /NATIONALITY where it is known",
    "vehicle": "vehicle:PLATE",
    "organisation": "organisation:ID or organisation:JURISDICTION/ID",
    "officer": "officer:ID",
    "text": "text:ANYTHING THAT GIVES SOMEBODY AWAY (a phone number, an address)",
}
KINDS = tuple(_FORMS)
ERASED = "[erased]"
_SEPARATOR = "\x1f"
_SHORTEST_IN_TEXT = 5
"""A shorter value is too common a text: it is looked for where the contract says that it identifies."""
_SHORTEST = 3
_KEYED = re.compile(r"[0-9a-f]{32}")
_NAMES = ("surname", "given_names", "birth_date")
_COMPANIONS = {"importer_id": ("importer_name",)}
"""Personal columns that say whose an identifying column is."""
_WHOSE_ROW = ("document", "person")
"""Kinds whose row is about them as a whole."""


@dataclass(frozen=True)
class Subject:
    """Whom to erase. `parts` are normalised; they never stand in a message or a table."""

    kind: str
    parts: tuple[str, ...] = field(repr=False)
    scope: str | None = field(default=None, repr=False)
    """Issuing state, nationality or jurisdiction, where it was given."""

    def digest(self, key: bytes) -> str:
        """What an erasure's record holds of the subject: keyed, and no id that any table has."""
        return digest(_SEPARATOR.join(map(bare, self.parts)), key)

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """Regular expressions that must all be found in a text for it to speak of the subject."""
        if self.kind != "person":
            return (_pattern(_spelled(self.parts[0])),)
        surname, given, born = self.parts
        return _pattern(_spelled(surname)), _pattern(_spelled(given)), _pattern(_days(date.fromisoformat(_iso(born))))

    @property
    def is_sought_in_text(self) -> bool:
        """Whether its value is long enough to be looked for anywhere."""
        return all(len(part) >= _SHORTEST_IN_TEXT for part in self.parts) or self.kind in ("person", "text")

    def speaks_of(self, text: pl.Expr) -> pl.Expr:
        """Whether a text speaks of the subject; false where there is none."""
        found = [text.str.contains(pattern) for pattern in self.patterns]
        return pl.all_horizontal(found).fill_null(False)

    def blotted(self, text: pl.Expr) -> pl.Expr:
        """The text without the subject's values; two that share a separator take two rounds."""
        for pattern in (*self.patterns, *self.patterns):
            text = text.str.replace_all(pattern, f"${{1}}{ERASED}${{2}}")
        return text

    def identified_by(self, contract: Contract) -> dict[str, pl.Expr]:
        """Identifying column of a contract -> whether a row's value there is the subject's."""
        names = set(contract.columns())
        if self.kind == "person":
            if not names.issuperset(_NAMES):
                return {}
            same = [_plain(name) == part for name, part in zip(_NAMES, self.parts, strict=True)]
            return {_NAMES[0]: self._in_scope(pl.all_horizontal(same), "nationality", names)}
        scope = {"document": "issuing_state", "organisation": "jurisdiction"}.get(self.kind, "")
        held = names | {"jurisdiction"}
        return {
            name: self._in_scope(_plain(name) == self.parts[0], scope, held).fill_null(False)
            for name, kind in contract.identifying().items()
            if kind == self.kind
        }

    def _in_scope(self, same: pl.Expr, column: str, names: set[str]) -> pl.Expr:
        if self.scope is None or column not in names:
            return same.fill_null(False)
        return (same & (_plain(column) == self.scope).fill_null(True)).fill_null(False)

    @property
    def is_whole_row(self) -> bool:
        """Whether a row that names the subject is about the subject as a whole."""
        return self.kind in _WHOSE_ROW

    def goes_beside(self, contract: Contract) -> frozenset[str]:
        """Columns that go beside the value itself, wherever in a record that stands."""
        if self.is_whole_row:
            return self.goes_with(contract, "")
        return frozenset(name for column in self.identified_by(contract) for name in _COMPANIONS.get(column, ()))

    def goes_with(self, contract: Contract, column: str) -> frozenset[str]:
        """Columns of a row that go where the subject stands in an identifying column of it."""
        if self.is_whole_row:
            locator = {"record_locator"} & set(contract.columns())
            return contract.personal() | locator
        return frozenset({column, *_COMPANIONS.get(column, ())})


def parse(text: str) -> Subject | tuple[str, str]:
    """The subject that a text names; or kind and keyed id, whose value the vault has. Raises without saying the text.

    >>> parse("vehicle:KX 12-AB").kind
    'vehicle'
    """
    kind, colon, value = text.strip().partition(":")
    if kind not in KINDS or not colon:
        raise BorderlakeError(f"a subject is one of: {'; '.join(_FORMS.values())}; or KIND:KEYED ID")
    if kind != "text" and _KEYED.fullmatch(value.strip()):
        return kind, value.strip()
    return of(kind, [value] if kind in ("text", "vehicle", "officer") else value.split("/"))


def of(kind: str, given: list[str]) -> Subject:
    """A subject of values as they were given."""
    parts = [normalised(one) for one in given]
    malformed = BorderlakeError(f"a subject of kind {kind} is written {_FORMS[kind]}; nothing was looked for")
    scope: str | None = None
    if kind == "person":
        if len(parts) == 4:
            scope = parts.pop()
        if len(parts) != 3:
            raise malformed
        try:
            date.fromisoformat(_iso(parts[2]))
        except ValueError:
            raise malformed from None
    elif len(parts) == 2 and kind in ("document", "organisation"):
        scope, parts = parts[0], parts[1:]
    if not all(parts) or (kind != "person" and (len(parts) != 1 or len(parts[0]) < _SHORTEST)):
        raise malformed
    return Subject(kind, tuple(parts), scope or None)


def of_identity(kind: str, identity: str) -> Subject:
    """The subject of an identity as the vault holds it."""
    parts = identity.split(_SEPARATOR)
    return of(kind, [*parts] if kind != "document" or len(parts) == 2 else parts[-1:])


def normalised(text: str) -> str:
    """The same text that `vault.normalised` makes of one part."""
    return re.sub(r"[\s\-]", "", text.upper())


def bare(text: str) -> str:
    """Letters and digits alone, in upper case: what a digest is of, so that no mark between them matters."""
    return re.sub(r"[\W_]", "", text.upper())


def digest(text: str, key: bytes) -> str:
    """Keyed digest of a normalised value, in a domain of its own: no keyed id of any table is equal to it."""
    return hmac.new(key, f"erased{_SEPARATOR}{text}".encode(), hashlib.sha256).hexdigest()[:32]


def free_texts(contract: Contract) -> list[str]:
    """Text columns of a contract: a value may stand in any of them, wherever it should."""
    return [name for name, dtype in contract.dtypes().items() if dtype == pl.String]


def _plain(column: str) -> pl.Expr:
    return vault.normalised([pl.col(column)])


def _spelled(value: str) -> str:
    return r"[\s\-?]*".join(re.escape(character) for character in value)


def _pattern(body: str) -> str:
    return rf"(?i)(^|[^\pL\pN])(?:{body})($|[^\pL\pN])"


def _iso(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def _days(born: date) -> str:
    """A day in the forms in which agencies and messages write it."""
    short = f"{born:%d%b%y}".upper(), f"{born:%d%b%Y}".upper()
    marked = (form for form in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d"))
    plain = (f"{born:{form}}" for form in ("%Y%m%d", "%y%m%d"))
    forms = "|".join(re.escape(form) for form in (*(f"{born:{one}}" for one in marked), *plain, *short))
    return rf"(?:{forms})(?:T[\d:.]+Z?)?"
