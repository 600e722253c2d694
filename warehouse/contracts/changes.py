"""What a contract's new version changes, and whom that breaks: two documents in, the changes out. No file is read here.

A change breaks where an extract that was sound before may be refused after, or a reader of the data finds less, or
something else under the same name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from warehouse.contracts.odcs import Document

_WIDER = {("integer", "long"), ("integer", "double"), ("date", "timestamp")}
_LOWER, _UPPER = ("minimum", "minLength"), ("maximum", "maxLength")
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


@dataclass(frozen=True)
class Change:
    """One difference: where, what, and whether it breaks."""

    place: str
    what: str
    is_breaking: bool


def changes(old: Document, new: Document) -> list[Change]:
    """The differences of two versions of a contract, those that break first; the version itself is none."""
    before, after = old["schema"][0], new["schema"][0]
    found = [
        *_columns(_named(before["properties"]), _named(after["properties"])),
        *_key(before["properties"], after["properties"]),
        *_rules(_named(before["quality"]), _named(after["quality"])),
        *_purposes(old, new),
        *_service(old, new),
        *_texts(old, new),
    ]
    return sorted(found, key=lambda change: not change.is_breaking)


def _named(entries: list[Document]) -> dict[str, Document]:
    return {entry["name"]: entry for entry in entries}


def _columns(before: Mapping[str, Document], after: Mapping[str, Document]) -> Iterator[Change]:
    for name in before.keys() - after.keys():
        yield Change(name, "column removed", True)
    for name in [name for name in after if name not in before]:
        is_needed = after[name]["required"]
        yield Change(name, f"{'required' if is_needed else 'nullable'} column added", is_needed)
    for name in [name for name in after if name in before]:
        yield from _column(name, before[name], after[name])


def _column(name: str, old: Document, new: Document) -> Iterator[Change]:
    if old["physicalType"] != new["physicalType"]:
        is_wider = _is_wider(old["physicalType"], new["physicalType"])
        yield Change(name, f"type {old['physicalType']} is now {new['physicalType']}", not is_wider)
    if old["required"] != new["required"]:
        yield Change(name, "is now required" if new["required"] else "may now be missing", new["required"])
    yield from _ranges(name, old.get("logicalTypeOptions", {}), new.get("logicalTypeOptions", {}))
    yield from _code_list(name, _codes_of(old), _codes_of(new))
    if old["classification"] != new["classification"]:
        yield Change(name, f"sensitivity {old['classification']} is now {new['classification']}", True)
    before, after = _custom(old), _custom(new)
    for fact in sorted(before.keys() | after.keys()):
        if before.get(fact) != after.get(fact):
            told = f"{fact} {before.get(fact, 'of none')} is now {after.get(fact, 'of none')}"
            # A unit that is told for the first time was no other before.
            is_breaking = fact == "identifies" or (fact == "unit" and fact in before)
            yield Change(name, told, is_breaking)
    if old["description"] != new["description"]:
        yield Change(name, "description", False)


def _is_wider(old: str, new: str) -> bool:
    before, after = _DECIMAL.fullmatch(old), _DECIMAL.fullmatch(new)
    if before and after:
        (digits, scale), (more, further) = (map(int, found.groups()) for found in (before, after))
        return further >= scale and more - further >= digits - scale
    return (old, new) in _WIDER


def _ranges(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for option in sorted(old.keys() | new.keys()):
        before, after = old.get(option), new.get(option)
        if before == after:
            continue
        if after is None:
            yield Change(name, f"{option} {before} no longer holds", False)
        elif before is None:
            yield Change(name, f"{option} {after} is new", True)
        else:
            is_wider = (option in _LOWER and after < before) or (option in _UPPER and after > before)
            yield Change(name, f"{option} {before} is now {after}", not is_wider)


def _codes_of(column: Document) -> list[Any] | None:
    lists = [check["arguments"]["validValues"] for check in column.get("quality", []) if "arguments" in check]
    return lists[0] if lists else None


def _code_list(name: str, old: list[Any] | None, new: list[Any] | None) -> Iterator[Change]:
    if old is None and new is not None:
        yield Change(name, f"only {len(new):,} codes are taken now", True)
    elif old is not None and new is None:
        yield Change(name, "the code list no longer holds", False)
    elif old is not None and new is not None:
        for told, codes, is_breaking in (
            ("no longer taken", sorted(set(old) - set(new)), True),
            ("taken now", sorted(set(new) - set(old)), False),
        ):
            if codes:
                yield Change(name, f"codes {told}: {', '.join(map(str, codes))}", is_breaking)


def _custom(column: Document) -> dict[str, Any]:
    return {one["property"]: one["value"] for one in column.get("customProperties", [])}


def _key(old: list[Document], new: list[Document]) -> Iterator[Change]:
    before, after = (
        [
            one["name"]
            for one in sorted(columns, key=lambda one: one.get("primaryKeyPosition", 0))
            if "primaryKey" in one
        ]
        for columns in (old, new)
    )
    if before != after:
        yield Change("key", f"{', '.join(before)} is now {', '.join(after)}", True)


def _rules(before: Mapping[str, Document], after: Mapping[str, Document]) -> Iterator[Change]:
    for name in [name for name in before if name not in after]:
        yield Change(name, "rule removed", False)
    for name in [name for name in after if name not in before]:
        yield Change(name, f"rule added: {after[name]['description']}", after[name]["severity"] == "error")
    for name in [name for name in after if name in before and before[name] != after[name]]:
        yield Change(name, "rule changed", after[name]["severity"] == "error")


def _purposes(old: Document, new: Document) -> Iterator[Change]:
    before, after = ({role["role"] for role in made["roles"]} for made in (old, new))
    for purpose in sorted(before - after):
        yield Change("purposes", f"no longer for {purpose}", True)
    for purpose in sorted(after - before):
        yield Change("purposes", f"also for {purpose}", False)


def _service(old: Document, new: Document) -> Iterator[Change]:
    before, after = ({one["property"]: one["value"] for one in made["slaProperties"]} for made in (old, new))
    for name in sorted(after):
        if before.get(name) != after[name]:
            # Shorter: a reader finds fewer days, a sender has to send more often.
            is_shorter = name not in before or after[name] < before[name]
            yield Change(name, f"{before.get(name, 'none')} is now {after[name]} days", is_shorter)


def _texts(old: Document, new: Document) -> Iterator[Change]:
    for name in ("name", "description", "team"):
        if old[name] != new[name]:
            yield Change(name, "text", False)
