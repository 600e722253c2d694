"""Agreements from YAML files: their form is that of `agreement.schema.json`, their sense that of the catalog.

Every error says the file, the line and what to do.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from warehouse.agreements import form
from warehouse.agreements.cutting import KNOWN_AT
from warehouse.agreements.lines import Document, Place, parse
from warehouse.agreements.model import (
    REASONS,
    Agreement,
    Contact,
    Mask,
    Masking,
    Operator,
    Party,
    RowCondition,
    SharedTable,
    Value,
)
from warehouse.catalog import TABLES, Table
from warehouse.contracts.base import Purpose
from warehouse.contracts.codes import COUNTRIES
from warehouse.errors import BorderlakeError

SUFFIX = ".yaml"
NEVER = frozenset({"vector", "row_hash", "batch_id"})
"""Columns that serve the house alone, and would tell more than any other."""
_LAYERS = ("gold.", "silver.")
_T = TypeVar("_T")


def read_all(folder: Path) -> tuple[Agreement, ...]:
    """Every agreement of a folder; raises `BorderlakeError` where one is wrong, or two contradict each other."""
    files = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    found = tuple(read(path) for path in files)
    refuse_contradictions(found)
    return found


def refuse_contradictions(agreements: Iterable[Agreement]) -> None:
    """Raises where two agreements contradict each other."""
    for one, other in combinations(agreements, 2):
        _refuse_contradiction(one, other)


def read(path: Path) -> Agreement:
    """The agreement of one file; raises `BorderlakeError` with file, line and what to do."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise BorderlakeError(f"{path.name}: not in UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise BorderlakeError(f"{path.name} cannot be read: {error.strerror}") from None
    return agreement_of(parse(text, path.name))


def agreement_of(document: Document) -> Agreement:
    """The agreement that a document describes."""
    form.refuse(document)
    told = document.content
    agreement = Agreement(
        agreement_id=told["agreement"],
        version=told["version"],
        title=told["title"],
        regime=told["regime"],
        provider=_party(document, "provider"),
        recipient=_party(document, "recipient"),
        legal_basis=told["legal_basis"],
        purposes=frozenset(map(Purpose, told["purposes"])),
        tables=dict(zip(told["tables"], _all(partial(_table, document, one) for one in told["tables"]), strict=True)),
        retention_days=told["retention_days"],
        contacts=tuple(Contact(one["role"], one["email"]) for one in told["contacts"]),
        signed_on=_day(document, "signed"),
        starts_on=_day(document, "starts"),
        review_on=_day(document, "review"),
        expires_on=_day(document, "expires"),
        revoked_at=_moment(document) if "revoked" in told["dates"] else None,
    )
    _refuse_dates(document, agreement)
    if agreement.provider.code == agreement.recipient.code:
        raise document.error(("recipient", "code"), "the recipient is the provider itself; name another agency")
    return agreement


def _all(makers: Iterable[Callable[[], _T]]) -> list[_T]:
    """What each makes; raises everything that is wrong with any of them, a line each, in the order of the file."""
    made, wrong = [], []
    for make in makers:
        try:
            made.append(make())
        except BorderlakeError as error:
            wrong.append(str(error))
    if wrong:
        raise BorderlakeError("\n".join(wrong))
    return made


def shareable() -> tuple[Table, ...]:
    """The tables that an agreement may name."""
    return tuple(table for name, table in TABLES.items() if name.startswith(_LAYERS))


def choices(table: Table, name: str) -> tuple[Mask, ...]:
    """What may become of a column on its way out; nothing of one that never leaves the house, or by owner alone."""
    if name in NEVER or name in table.personal or name == REASONS:
        return ()
    kept = (mask for mask in Mask if _fits(mask, table.dtypes[name]))
    return tuple(mask for mask in kept if mask is Mask.PSEUDONYM or name not in table.keyed)


def _party(document: Document, role: str) -> Party:
    told = document.content[role]
    if told["jurisdiction"] not in COUNTRIES.meanings:
        raise document.error((role, "jurisdiction"), "no country of ISO 3166-1, nor a user-assigned code; mend it")
    return Party(told["code"], told["name"], told["jurisdiction"])


def _table(document: Document, name: str) -> SharedTable:
    place: Place = ("tables", name)
    table = TABLES.get(name)
    if table is None:
        offered = ", ".join(one.name for one in shareable())
        raise document.error(place, f"the lake has no such table; it has {offered}")
    told = document.content["tables"][name]
    maskings = _all(partial(_masking, document, table, column) for column in told["columns"])
    if REASONS in told and REASONS not in table.columns:
        raise document.error((*place, REASONS), "the table has no reasons; leave this out")
    if told.get("delay_hours") and not any(column in table.columns for column in KNOWN_AT):
        raise document.error((*place, "delay_hours"), "the table does not say when its rows were known; leave it out")
    return SharedTable(
        table=name,
        columns=dict(zip(told["columns"], maskings, strict=True)),
        rows=tuple(_all(partial(_condition, document, table, at) for at in range(len(told.get("rows", ()))))),
        reasons=frozenset(told[REASONS]) if REASONS in told else None,
        has_history=told.get("history", False),
        has_changes=told.get("changes", False),
        delay=timedelta(hours=told.get("delay_hours", 0)),
    )


def _masking(document: Document, table: Table, name: str) -> Masking:
    place: Place = ("tables", table.name, "columns", name)
    if name not in table.columns:
        raise document.error(place, f"{table.name} has no such column; it has {', '.join(table.columns)}")
    if name == REASONS:
        raise document.error(place, "reasons flow by owner: write 'reasons: [customs, ...]' beside 'columns'")
    if name in NEVER or name in table.personal:
        raise document.error(place, "the column never leaves the house; leave it out")
    told = document.content["tables"][table.name]["columns"][name]
    key, parameter = (told, None) if isinstance(told, str) else next(iter(told.items()))
    masking = Masking(Mask(key), None if key == Mask.PLACE else parameter)
    if masking.mask is not Mask.PSEUDONYM and name in table.keyed:
        raise document.error(place, "the column holds a keyed id, the same for all recipients; make it a pseudonym")
    if masking.mask not in choices(table, name):
        raise document.error(place, f"a column of {kind(table.dtypes[name])} cannot become a {masking.mask}")
    return masking


def kind(dtype: pl.DataType) -> str:
    """What a column holds, in words."""
    if dtype.is_nested():
        return "lists or records"
    if dtype.is_numeric():
        return "numbers"
    return {pl.String: "text", pl.Boolean: "true or false", pl.Date: "days"}.get(dtype.base_type(), "times")


def _fits(mask: Mask, dtype: pl.DataType) -> bool:
    match mask:
        case Mask.PSEUDONYM | Mask.PLACE:
            return dtype == pl.String
        case Mask.DATE:
            return dtype == pl.Date or isinstance(dtype, pl.Datetime)
        case Mask.BAND | Mask.ROUND:
            return dtype.is_numeric()
    return not dtype.is_nested()


def _condition(document: Document, table: Table, at: int) -> RowCondition:
    place: Place = ("tables", table.name, "rows", at)
    told = document.content["tables"][table.name]["rows"][at]
    name = told["column"]
    if name not in table.columns:
        raise document.error(place, f"{table.name} has no column '{name}'; it has {', '.join(table.columns)}")
    operator, value = next((Operator(key), value) for key, value in told.items() if key != "column")
    dtype = table.dtypes[name]
    if isinstance(value, list):
        return RowCondition(name, operator, tuple(_value(document, place, one, dtype) for one in value))
    return RowCondition(name, operator, _value(document, place, value, dtype))


def _value(document: Document, place: Place, value: Any, dtype: pl.DataType) -> Value:
    """A condition's value as one of the column's type."""
    is_bool = isinstance(value, bool)
    if dtype == pl.Boolean and is_bool:
        return bool(value)
    if dtype == pl.String and isinstance(value, str):
        return value
    if dtype.is_numeric() and not dtype.is_decimal() and isinstance(value, int | float) and not is_bool:
        return value
    if dtype == pl.Date and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise document.error(place, f"the value is none of a column of {kind(dtype)}; mend it, or choose another column")


def _day(document: Document, name: str) -> date:
    text = document.content["dates"][name]
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise document.error(("dates", name), "no day; write it as 2026-01-31") from None


def _moment(document: Document) -> datetime:
    try:
        moment = datetime.fromisoformat(document.content["dates"]["revoked"])
    except ValueError:
        raise document.error(("dates", "revoked"), "no time; write it as 2026-01-31T12:00:00Z") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _refuse_dates(document: Document, agreement: Agreement) -> None:
    order = (
        ("signed", agreement.signed_on, "starts", agreement.starts_on),
        ("starts", agreement.starts_on, "review", agreement.review_on),
        ("review", agreement.review_on, "expires", agreement.expires_on),
    )
    for first, earlier, then, later in order:
        if later < earlier:
            raise document.error(("dates", then), f"lies before '{first}'; mend one of them")


def _refuse_contradiction(one: Agreement, other: Agreement) -> None:
    """Two agreements that would let different things of one table flow to one recipient on the same day."""
    if one.agreement_id == other.agreement_id and one.version == other.version:
        raise BorderlakeError(f"{one.agreement_id} version {one.version} stands in two files; keep one of them")
    overlap = one.starts_on <= _last_day(other) and other.starts_on <= _last_day(one)
    shared = sorted(set(one.tables) & set(other.tables))
    if one.recipient.code == other.recipient.code and overlap and shared:
        raise BorderlakeError(
            f"{one} and {other} both share {', '.join(shared)} with {one.recipient.code} on the same "
            "days; let one end before the other begins, or put both into one"
        )


def _last_day(agreement: Agreement) -> date:
    revoked = agreement.revoked_at
    return agreement.expires_on if revoked is None else min(agreement.expires_on, revoked.date() - timedelta(days=1))
