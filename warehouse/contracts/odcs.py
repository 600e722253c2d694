"""A contract as a document of the Open Data Contract Standard 3.1 (Bitol, Linux Foundation). No file is written here.

What the standard has a place for stands there; unit, standard and kind of identity are custom properties. Servers are
left out: where a deployment keeps its tables is its own affair.
"""

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import dataframely as dy
import polars as pl
import yaml
from polars.datatypes import DataTypeClass

from warehouse.contracts.base import Consistency, Contract, Sensitivity
from warehouse.contracts.codes import CodeList

API_VERSION = "v3.1.0"
REPEATED = "repeated_in_file"
_REPEATED_TEXT = "The very same record stands once in a file: the first counts, the others are refused."
_OPTIONS = {"min": "minimum", "max": "maximum", "min_length": "minLength", "max_length": "maxLength"}

Document = dict[str, Any]


def document(contract: Contract) -> Document:
    """The contract in the standard's terms."""
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": contract.name,
        "name": contract.title,
        "version": str(contract.version),
        "status": "active",
        "domain": contract.domain,
        "dataProduct": contract.dataset,
        "description": {
            "purpose": (contract.schema.__doc__ or "").strip(),
            "usage": f"For {', '.join(_purposes(contract))}, and nothing else.",
            "limitations": "Columns classified as personal stay in bronze, quarantine, archive and vault.",
        },
        "schema": [_object(contract)],
        "team": {"name": contract.owner, "description": "Owns the data and decides on its use."},
        "roles": [
            {"role": purpose, "access": "read", "description": "Use of the data for this purpose alone."}
            for purpose in _purposes(contract)
        ],
        "slaDefaultElement": f"{contract.table_suffix}.event_at",
        "slaProperties": [
            {"property": "frequency", "value": contract.cadence.total_seconds() / 86_400, "unit": "d"},
            {"property": "retention", "value": contract.retention_days, "unit": "d", "driver": "regulatory"},
        ],
    }


def as_yaml(made: Document) -> str:
    """The document as text; a code list that several columns share is written once."""
    text: str = yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=120)
    return text


def _purposes(contract: Contract) -> list[str]:
    return sorted(purpose.value for purpose in contract.purposes)


def _object(contract: Contract) -> Document:
    return {
        "name": contract.table_suffix,
        "physicalType": "table",
        "logicalType": "object",
        "businessName": contract.title,
        "description": (contract.schema.__doc__ or "").strip(),
        "dataGranularityDescription": f"One row is one {contract.subject}; a correction is a further row of its key.",
        "properties": [_property(contract, name, column) for name, column in contract.columns().items()],
        "quality": [
            *(_text(name, text, "consistency") for name, text in contract.row_rules().items()),
            _text(REPEATED, _REPEATED_TEXT, "uniqueness"),
            *(_consistency(one) for one in contract.consistencies),
            {
                "name": "rows_a_day",
                "type": "library",
                "metric": "rowCount",
                "mustBeBetween": [contract.floor, contract.ceiling],
                "unit": "rows",
                "severity": "warning",
                "dimension": "coverage",
                "description": "Rows of a day of delivery; fewer or more raise an alarm.",
            },
        ],
    }


def _property(contract: Contract, name: str, column: dy.Column) -> Document:
    facts = contract.facts_of(name)
    logical, physical = types_of(column.dtype)
    made: Document = {
        "name": name,
        "logicalType": logical,
        "physicalType": physical,
        "required": not column.nullable,
        "description": column.description,
        "classification": facts["sensitivity"].value,
    }
    if name in contract.key:
        made |= {"primaryKey": True, "primaryKeyPosition": contract.key.index(name) + 1}
    if options := options_of(column, logical):
        made["logicalTypeOptions"] = options
    if facts["sensitivity"] is Sensitivity.PERSONAL:
        made["tags"] = ["personal"]
    if facts["code_list"] is not None:
        made["quality"] = [_codes(facts["code_list"], logical)]
    custom = {fact: facts[fact] for fact in ("unit", "standard", "identifies") if facts[fact]}
    if custom:
        made["customProperties"] = [{"property": fact, "value": value} for fact, value in custom.items()]
    return made


def types_of(dtype: pl.DataType | DataTypeClass) -> tuple[str, str]:
    """Logical type, and physical type in Delta."""
    match dtype:
        case pl.Decimal():
            return "number", f"decimal({dtype.precision},{dtype.scale})"
        case pl.Datetime():
            return "timestamp", "timestamp"
        case pl.Date():
            return "date", "date"
        case pl.Boolean():
            return "boolean", "boolean"
        case pl.Float64():
            return "number", "double"
        case pl.Int32():
            return "integer", "integer"
        case pl.Int64():
            return "integer", "long"
        case pl.Float32():
            return "number", "float"
        case pl.List():
            return "array", f"array<{types_of(dtype.inner)[1]}>"
        case pl.Struct():
            return "object", f"struct<{','.join(f'{one.name}:{types_of(one.dtype)[1]}' for one in dtype.fields)}>"
        case _:
            return "string", "string"


def options_of(column: dy.Column, logical: str) -> Document:
    """Bounds and patterns of a column's values."""
    found = {theirs: getattr(column, ours, None) for ours, theirs in _OPTIONS.items()}
    options = {name: _plain(bound) for name, bound in found.items() if bound is not None}
    if pattern := getattr(column, "regex", None):
        options["pattern"] = pattern
    if logical == "timestamp":
        options |= {"timezone": True, "defaultTimezone": "Etc/UTC"}
    return options


def _plain(bound: object) -> object:
    """A bound as YAML has it."""
    if isinstance(bound, datetime | date):
        return bound.isoformat()
    if isinstance(bound, Decimal | float):
        return int(bound) if bound == int(bound) else float(bound)
    return bound


def _codes(code_list: CodeList, logical: str) -> Document:
    if code_list.is_local:
        return _text("code_list", f"Values are of the {code_list.name}.", "conformity")
    return {
        "name": "code_list",
        "type": "library",
        "metric": "invalidValues",
        "arguments": {"validValues": _values(code_list, logical)},
        "mustBe": 0,
        "dimension": "conformity",
        "severity": "error",
        "description": f"Values are of {code_list.name}.",
    }


@cache
def _values(code_list: CodeList, logical: str) -> list[str | int]:
    """The same list for each column that has it, so that it is written once."""
    return [int(code) if logical == "integer" else code for code in code_list.codes]


def _text(name: str, text: str, dimension: str) -> Document:
    return {"name": name, "type": "text", "description": text, "dimension": dimension, "severity": "error"}


def _consistency(rule: Consistency) -> Document:
    told = f"{rule.description} Rows alike in {', '.join(rule.by)} agree in {', '.join(rule.agree)}."
    return {**_text(rule.name, told, "consistency"), "severity": "warning"}
