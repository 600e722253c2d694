"""A broken rule in the sender's own terms: which of its columns, what is wrong there, what would mend it.

The dialect is read backwards, from the contract's column to the columns of the source. No value of a row is known here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from warehouse.contracts import Contract
from warehouse.contracts.codes import CodeList
from warehouse.dialect import ColumnRule, Dialect, Extract, Output, columns_named_by
from warehouse.readers import WORDINGS, Wording

_EXTRACTED = "extracted_at"
_WHOLE_AGAIN = "send the file again as it is on your side, with its sidecar if there is one"
_MESSAGE_AGAIN = "send the message again, whole"
_COUNT_OF_UNT = f"{_MESSAGE_AGAIN}; UNT counts its segments from UNH to UNT, both of them with it"
_TOTAL_OF_MESSAGE = "say whether the message is whole, and send it again if not"
_BOUND_BY_NAME = "send the file with the columns, the delimiter and the encoding that were agreed"
_TO_SENDER = {
    "header": _BOUND_BY_NAME,
    "hash": _WHOLE_AGAIN,
    "row-count": _WHOLE_AGAIN,
    "truncated": _WHOLE_AGAIN,
    "empty": "say that there was nothing to report, or send the file again",
    "edifact-no-interchange": "send the file in the format that was agreed",
    "edifact-unt-count": _COUNT_OF_UNT,
    "edifact-unt-reference": f"{_MESSAGE_AGAIN}; UNT repeats the reference of its UNH",
    "edifact-une-count": "send the group again, whole; UNE counts its messages",
    "edifact-une-reference": "send the group again, whole; UNE repeats the reference of its UNG",
    "edifact-unz-count": "send what is missing; UNZ counts the interchange's messages, or its groups where it has any",
    "edifact-unz-reference": "send what is missing; UNZ repeats the reference of its UNB",
    "edifact-cnt-count": f"{_TOTAL_OF_MESSAGE}; CNT counts its passengers (42), its crew (41), its consignments (10)",
    "edifact-eqn-count": f"{_TOTAL_OF_MESSAGE}; EQN before the first booking counts the bookings of its message",
}
"""What mends a reader's refusal, said to its sender, where that is not what its receiver is told."""
_TURNED = (("ask the sender whether", "say whether"), ("ask the sender for", "send"), ("ask for", "send"))
"""What a receiver is told to do, turned to the sender."""
_CODES_SHOWN = 12
_UNREADABLE, _MISSING = "the value cannot be read", "a value is missing"
_NOT_AGREED = "the code is none of those that were agreed"
_EXAMPLE = datetime(2025, 12, 31, 23, 59, 58)


@dataclass(frozen=True)
class Complaint:
    """One broken rule, as the sender can act on it."""

    columns: tuple[str, ...]
    """The source's own names; empty where the rule concerns the whole line or file."""
    problem: str
    mend: str
    rule: str = ""
    """As quarantine and the ledger call it."""

    @property
    def is_unreadable(self) -> bool:
        return self.problem in (_UNREADABLE, _NOT_AGREED)

    @property
    def is_missing(self) -> bool:
        return self.problem.startswith(_MISSING)


@dataclass(frozen=True)
class Terms:
    """How one file's layout names what a contract asks for; without a dialect, the contract's own names stand."""

    contract: Contract
    extract: Extract | None = None

    @property
    def output(self) -> Output | None:
        outputs = self.extract.outputs if self.extract else ()
        return next((output for output in outputs if output.contract is self.contract), None)

    def complaint(self, rule: str, message: str) -> Complaint:
        """What to tell the sender of a rule, whose message is in the contract's words."""
        return replace(self._complaint(rule, message), rule=rule)

    def _complaint(self, rule: str, message: str) -> Complaint:
        name, _, check = rule.partition("|")
        if name not in self.contract.columns():
            return self._complaint_of_line(name, message)
        column = self.contract.columns()[name]
        meaning = (column.description or name).rstrip(".")
        mapped = self._rule(name)
        if check == "nullability":
            unread = " or cannot be read" if mapped is not None and mapped.source == "sql" else ""
            return Complaint(self._called(name), f"{_MISSING}{unread}", f"give a value: {meaning}")
        if check == "unreadable":
            read_by = self._read_by(mapped)
            problem = _NOT_AGREED if read_by is not None and read_by.codes else _UNREADABLE
            form = _readable_form(read_by, column.dtype, self._wording)
            return Complaint(self._called(name), problem, f"write {form}: {meaning}")
        code_list = self.contract.facts_of(name)["code_list"]
        return Complaint(self._called(name), *broken_check(check, getattr(column, check, None), meaning, code_list))

    def _complaint_of_line(self, rule: str, message: str) -> Complaint:
        """Of a reader's rule, whose message says what was found; what to do. Of a contract's, what has to hold."""
        columns = self._columns_of_row_rule(rule)
        if columns:
            return Complaint(columns, f"against the rule: {_words(rule)}", message.partition(": ")[2] or message)
        found, _, mend = message.partition("; ")
        if not mend:
            return Complaint((), _words(rule), message)
        return Complaint((), found, _TO_SENDER.get(rule) or _turned(mend))

    def columns_of(self, target: str) -> tuple[str, ...]:
        """The source's columns that a contract column comes from, in the order of their names."""
        if self.output is None:
            return (target,)
        return tuple(sorted(set(self._sources(self._rule(target))))) or (f"{target} (set by the dialect)",)

    def _called(self, target: str) -> tuple[str, ...]:
        """The same as the sender finds them in its own format."""
        named = self.columns_of(target)
        return named if self._wording is None else tuple(map(self._wording.called, named))

    @property
    def _wording(self) -> Wording | None:
        return WORDINGS.get(self.extract.format) if self.extract else None

    def _rule(self, target: str) -> ColumnRule | None:
        rules = self.output.rules if self.output else ()
        return next((rule for rule in rules if rule.target == target), None)

    def _sources(self, rule: ColumnRule | None) -> Iterator[str]:
        if rule is None:
            return
        if rule.source == "manifest":
            yield f"{rule.argument} of the sidecar"
        elif rule.source == "after":
            yield from self._sources(self._rule(rule.argument))
        elif rule.source in ("column", "sql"):
            named = {rule.argument} if rule.source == "column" else columns_named_by(rule.argument)
            if rule.source == "sql" and _EXTRACTED in rule.argument:
                yield f"{_EXTRACTED} of the sidecar"
            for name in named:
                if name in self._derived:
                    yield from self._sources(self._derived[name])
                else:
                    yield name

    @property
    def _derived(self) -> dict[str, ColumnRule]:
        return {made.rule.target: made.rule for made in self.extract.derived} if self.extract else {}

    def _read_by(self, rule: ColumnRule | None) -> ColumnRule | None:
        """The rule that reads the source's text: an expression's is that of the derived column it names."""
        if rule is not None and rule.source == "after":
            return self._read_by(self._rule(rule.argument))
        named = columns_named_by(rule.argument) if rule is not None and rule.source == "sql" else frozenset()
        return next((self._derived[name] for name in sorted(named) if name in self._derived), rule)

    def _columns_of_row_rule(self, name: str) -> tuple[str, ...]:
        made = getattr(self.contract.schema, name, None)
        if made is None or not hasattr(made, "validation_fn"):
            return ()  # A rule of the reader.
        concerned: pl.Expr = made.validation_fn(self.contract.schema)
        targets = dict.fromkeys(concerned.meta.root_names())
        return tuple(dict.fromkeys(column for target in targets for column in self._called(target)))


def once(complaints: Sequence[Complaint]) -> list[Complaint]:
    """Complaints of one line without those that repeat another.

    Where several of the contract's columns come from one column of the source that cannot be read, that is said once,
    and that they have no value for it goes without saying.
    """
    unread = {name for told in complaints if told.is_unreadable for name in told.columns}
    kept: list[Complaint] = []
    for told in complaints:
        is_told = told.is_unreadable and any(one.is_unreadable and one.columns == told.columns for one in kept)
        if not is_told and not (told.is_missing and not unread.isdisjoint(told.columns)):
            kept.append(told)
    return kept


def terms(contract: Contract, dataset: str, dialect: Dialect | None) -> Terms:
    """The terms of a file that was read as `dataset` under a dialect; None where that dialect is gone."""
    extracts = dialect.extracts if dialect else ()
    return Terms(contract, next((one for one in extracts if one.dataset.split(".")[1] == dataset), None))


_CHECKS = {
    "nullability": "is missing",
    "unreadable": "cannot be read",
    "check": "is not in its code list",
    "regex": "has another form",
    "min": "is too small",
    "max": "is too great",
    "scale": "has too many decimals",
    "min_length": "is too short",
    "max_length": "is too long",
    "nan": "is no finite number",
    "inf": "is no finite number",
}


def in_words(rule: str) -> str:
    """A rule that was broken, in a few plain words: `hs_code|nullability` is "hs_code is missing".

    >>> in_words("repeated-in-file")
    'repeated in file'
    """
    name, _, check = rule.partition("|")
    return f"{name} {_CHECKS.get(check, f'breaks {check}')}" if check else _words(rule)


def _words(rule: str) -> str:
    return rule.replace("-", " ").replace("_", " ")


def _turned(mend: str) -> str:
    for told_receiver, told_sender in _TURNED:
        mend = mend.replace(told_receiver, told_sender)
    return mend


def _readable_form(rule: ColumnRule | None, dtype: pl.DataType, wording: Wording | None) -> str:
    """The form in which the dialect reads a column's values, or which the format has for them."""
    if rule is not None and rule.codes:
        codes = sorted(rule.codes)
        more = f" and {len(codes) - _CODES_SHOWN} more" if len(codes) > _CODES_SHOWN else ""
        return f"one of the agreed codes ({', '.join(codes[:_CODES_SHOWN])}{more})"
    if isinstance(dtype, pl.Datetime) or dtype == pl.Date:
        return f"one that exists, as {wording.days}" if wording else _time_form(rule.time if rule else None)
    if dtype == pl.Boolean:
        return "true or false, 1 or 0, yes or no"
    if dtype.is_integer():
        return "a whole number, digits only"
    if dtype.is_numeric():
        mark = (rule.decimal if rule else None) or "."
        return f"a plain number with '{mark}' as the decimal mark and nothing between thousands, such as 1234{mark}5"
    return "it as agreed"


def _time_form(form: str | None) -> str:
    match form:
        case None | "day":
            return "a day that exists, such as 2025-12-31"
        case "iso":
            return f"a time that exists, with its offset, such as {_EXAMPLE.isoformat()}+01:00"
        case "sas-days":
            return "a whole number of days since 1960-01-01"
        case _:
            return f"a time that exists, such as {_EXAMPLE.strftime(form)}"


def broken_check(check: str, bound: object, meaning: str, code_list: CodeList | None = None) -> tuple[str, str]:
    """What a bound that is not kept means of a value, and what would keep it; never the value."""
    match check:
        case "min":
            return f"the value is below {bound}", f"give a value of at least {bound}: {meaning}"
        case "max":
            return f"the value is above {bound}", f"give a value of at most {bound}: {meaning}"
        case "scale":
            return f"the number has more than {bound} decimals", f"give at most {bound} decimals: {meaning}"
        case "min_length":
            return "the text is too short", f"give at least {bound} characters: {meaning}"
        case "max_length":
            return "the text is too long", f"give at most {bound} characters: {meaning}"
        case "regex":
            return "the value has another form", f"give it as described (pattern {bound}): {meaning}"
        case "nan" | "inf":
            return "the value is no finite number", f"give a finite number, or leave it out: {meaning}"
        case _:
            return "the value is not in its code list", f"give {_of_list(code_list)}: {meaning}"


def _of_list(code_list: CodeList | None) -> str:
    """The codes of a short list, each with what it means; of a long one its name."""
    if code_list is None:
        return "a value of the list"
    if len(code_list.codes) > _CODES_SHOWN:
        return f"a code of {code_list.name}"
    told = (f"{code} {word}" if word != code.replace("_", " ") else code for code, word in code_list.meanings.items())
    return f"one of {', '.join(told)}"
