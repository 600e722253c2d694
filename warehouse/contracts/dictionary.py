"""The data dictionary: contracts as Markdown that an analyst reads. Where it is kept is not known here."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

import dataframely as dy

from warehouse.contracts.base import Contract
from warehouse.contracts.codes import CodeList

_HEAD = """# Data dictionary

Every dataset that an agency may deliver, as its contract declares it. This page is written by `borderlake dictionary`
from the contracts in `warehouse/contracts/`, and a test holds that it says what they say; do not change it by hand.

A row that breaks a rule is refused, kept in quarantine with its reasons, and told to its sender. Beside the rules below
one holds everywhere: the very same record stands once in a file. A later record of the same key is a correction: both
are kept, and the latest known counts.

**Sensitivity.** *open* may travel where the purposes allow; *commercial* is business information; *personal* values
stay in bronze, quarantine, archive and vault. A value that gives an identity away leaves them only as a keyed id.
"""
_COLUMNS = ("column", "type", "unit", "range or codes", "missing?", "personal?", "sensitivity", "meaning")
_CODES_SHOWN = 12


def dictionary(contracts: Iterable[Contract]) -> str:
    """The page of several datasets, with the code lists that they name."""
    chosen = list(contracts)
    listed = [f"- [{one.title}](#{_anchor(one)}): {_first_sentence(one)}" for one in chosen]
    lists = {kept.name: kept for one in chosen for kept in _long_lists(one)}
    parts = [_HEAD, "\n".join(listed), *(entry(one) for one in chosen)]
    if lists:
        parts += ["## Code lists", *(_code_list(kept) for kept in lists.values())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def entry(contract: Contract) -> str:
    """One dataset: what it is, whose, for what, how often, how long; and its columns."""
    days = contract.cadence.total_seconds() / 86_400
    told = {
        "dataset": f"`{contract.name}`, version {contract.version}",
        "one row is": f"one {contract.subject}",
        "key": ", ".join(f"`{name}`" for name in contract.key) + ", within an agency",
        "owner": contract.owner,
        "purposes": ", ".join(sorted(purpose.value for purpose in contract.purposes)),
        "cadence": "every day" if days == 1 else f"every {days:g} days",
        "rows a day": f"at least {contract.floor:,}, at most {contract.ceiling:,}; else an alarm",
        "retention": f"{contract.retention_days:,} days",
    }
    lines = [
        f"## {contract.title}",
        "",
        " ".join((contract.schema.__doc__ or "").split()),
        "",
        *_table(("", ""), told.items()),
        "",
        *_rules(contract),
        *_table(_COLUMNS, (_column(contract, name, column) for name, column in contract.columns().items())),
    ]
    return "\n".join(lines)


def _rules(contract: Contract) -> Iterator[str]:
    rules = contract.row_rules()
    if rules:
        yield from ("Rules of a row:", "", *(f"- `{name}`: {text}" for name, text in rules.items()), "")
    if contract.consistencies:
        yield from ("Rules across rows, reported and never a reason to refuse:", "")
        yield from (f"- `{one.name}`: {one.description}" for one in contract.consistencies)
        yield ""


def _column(contract: Contract, name: str, column: dy.Column) -> tuple[str, ...]:
    facts = contract.facts_of(name)
    identity = facts["identifies"]
    is_personal = name in contract.personal()
    personal = f"{'yes' if is_personal else 'no'}{f'; identifies: {identity}' if identity else ''}"
    return (
        f"`{name}`",
        kind(column),
        facts["unit"] or "",
        bounds(column, facts["code_list"], facts["standard"]),
        "may be" if column.nullable else "never",
        personal,
        facts["sensitivity"].value,
        column.description or "",
    )


def kind(column: dy.Column) -> str:
    """What values of a column are, in a word for a person."""
    words = {
        "String": "text",
        "Bool": "yes or no",
        "Int32": "whole number",
        "Int64": "whole number",
        "Float64": "number",
        "Date": "day",
        "Datetime": "time",
    }
    if isinstance(column, dy.Decimal):
        return f"decimal, {column.precision} digits, {column.scale} after the point"
    return words[type(column).__name__]


def bounds(column: dy.Column, code_list: CodeList | None, standard: str | None) -> str:
    """What a value may be: its range, length or form, then its codes or the standard that it follows."""
    low, high = getattr(column, "min", None), getattr(column, "max", None)
    said = [f"{_bound(low)} to {_bound(high)}"] if low is not None and high is not None else []
    length = (getattr(column, "min_length", None), getattr(column, "max_length", None))
    if length[1] is not None:
        said.append(f"{length[0] or 0} to {length[1]} characters")
    if pattern := getattr(column, "regex", None):
        said.append(f"`{pattern}`")
    if code_list is not None:
        said.append(_codes(code_list))
    elif standard:
        said.append(standard)
    return "; ".join(said)


def _bound(bound: object) -> str:
    return str(bound).replace(" 00:00:00+00:00", "") if not isinstance(bound, int | Decimal) else f"{bound:,}"


def _codes(code_list: CodeList) -> str:
    if len(code_list.codes) > _CODES_SHOWN or code_list.is_local:
        return code_list.name
    return ", ".join(
        f"{code} ({meaning})" if meaning != code.replace("_", " ") else code
        for code, meaning in code_list.meanings.items()
    )


def _long_lists(contract: Contract) -> list[CodeList]:
    kept = (contract.facts_of(name)["code_list"] for name in contract.columns())
    return [one for one in kept if one is not None and len(one.codes) > _CODES_SHOWN]


def _code_list(kept: CodeList) -> str:
    """A long list; one that the machine has its own copy of is named only."""
    if kept.is_local:
        return f"### {kept.name}\n\nAs the machine's own copy has it; it changes several times a year."
    # Codes that mean the same, such as those that are free for own use, stand together.
    by_meaning: dict[str, list[str]] = {}
    for code, meaning in kept.meanings.items():
        by_meaning.setdefault(meaning, []).append(code)
    rows = [(_span(codes), meaning) for meaning, codes in by_meaning.items()]
    return "\n".join([f"### {kept.name}", "", *_table(("code", "meaning"), rows)])


def _span(codes: list[str]) -> str:
    if len(codes) > _CODES_SHOWN:
        return f"{codes[0]}, {codes[1]} ... {codes[-1]} ({len(codes)} codes)"
    return ", ".join(codes)


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _anchor(contract: Contract) -> str:
    """The title as GitHub links to it."""
    return "".join(char for char in contract.title.lower().replace(" ", "-") if char.isalnum() or char == "-")


def _first_sentence(contract: Contract) -> str:
    return " ".join((contract.schema.__doc__ or "").split()).split(". ")[0].rstrip(".") + "."
