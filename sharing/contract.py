"""A share as a document of the Open Data Contract Standard 3.1: what its recipient may rely on, and is bound to.

No file is written here. What the standard has no place for (masking, unit, legal basis) stands in custom properties.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dataframely as dy
import polars as pl
from polars.datatypes import DataTypeClass

from sharing.dictionary import PSEUDONYMOUS, Dictionary, column_facts
from sharing.shares import Share
from warehouse.agreements.dictionary import dictionary_name
from warehouse.agreements.model import Agreement, Mask
from warehouse.contracts.odcs import API_VERSION, Document, options_of, types_of

PROTOCOL = "https://github.com/delta-io/delta-sharing/blob/main/PROTOCOL.md"


def name_of(made: Share | Dictionary) -> str:
    """What the recipient calls the table: share.schema.table."""
    table = made.source.name if isinstance(made, Share) else dictionary_name(made.agreement)
    return f"{made.agreement.recipient.code}.{table}"


def document(made: Share | Dictionary) -> Document:
    """The share in the standard's terms."""
    agreement = made.agreement
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": name_of(made),
        "name": f"{made.table.description.rstrip('.')}, for {agreement.recipient.name}",
        "version": str(agreement.version),
        "status": "active" if agreement.revoked_at is None else "retired",
        "domain": made.table.owner,
        "dataProduct": agreement.agreement_id,
        "tenant": agreement.provider.code,
        "description": {
            "purpose": made.table.description,
            "usage": f"For {', '.join(sorted(agreement.purposes))}, and nothing else.",
            "limitations": f"Kept for {agreement.retention_days} days at most. Only these rows: {_rows(made)}.",
        },
        "schema": [_object(made)],
        "team": {"name": agreement.provider.name, "description": "Gives the data, and answers for it."},
        "roles": [
            {"role": purpose.value, "access": "read", "description": "Use of the data for this purpose alone."}
            for purpose in sorted(agreement.purposes)
        ],
        "support": [
            {"channel": contact.role, "url": f"mailto:{contact.email}", "tool": "email"}
            for contact in agreement.contacts
        ],
        "slaProperties": list(_service(made)),
        "customProperties": [{"property": name, "value": value} for name, value in _terms(agreement).items()],
    }


def _object(made: Share | Dictionary) -> Document:
    table = made.table
    return {
        "name": name_of(made).rsplit(".", 1)[1],
        "physicalName": name_of(made),
        "physicalType": "table",
        "logicalType": "object",
        "description": table.description,
        "properties": [_property(made, name, column) for name, column in table.columns.items()],
    }


def _property(made: Share | Dictionary, name: str, column: dy.Column) -> Document:
    told = column_facts(made, name) if isinstance(made, Share) else {"sensitivity": "open"}
    masking = made.masked_as(name) if isinstance(made, Share) else Mask.KEEP.value
    typed = _typed(column.dtype)
    property_: Document = {
        "name": name,
        **typed,
        "required": not column.nullable,
        "description": column.description,
        "classification": told["sensitivity"],
    }
    # Bounds are those of the source; a value that was rounded may lie beyond them.
    if masking == Mask.KEEP and (options := options_of(column, typed["logicalType"])):
        property_["logicalTypeOptions"] = options
    if told["sensitivity"] == PSEUDONYMOUS:
        property_["tags"] = [PSEUDONYMOUS]
    custom = {"masking": masking, "unit": told.get("unit"), "standard": told.get("standard")}
    property_["customProperties"] = [{"property": key, "value": value} for key, value in custom.items() if value]
    return property_


def _typed(dtype: pl.DataType | DataTypeClass) -> Document:
    logical, physical = types_of(dtype)
    typed: Document = {"logicalType": logical, "physicalType": physical}
    if isinstance(dtype, pl.List):
        typed["items"] = _typed(dtype.inner)
    if isinstance(dtype, pl.Struct):
        typed["properties"] = [{"name": one.name, **_typed(one.dtype)} for one in dtype.fields]
    return typed


def _rows(made: Share | Dictionary) -> str:
    conditions = made.shared.rows if isinstance(made, Share) else ()
    return " and ".join(map(str, conditions)) or "all"


def _service(made: Share | Dictionary) -> Iterator[Mapping[str, Any]]:
    agreement = made.agreement
    yield {"property": "retention", "value": agreement.retention_days, "unit": "d", "driver": "regulatory"}
    yield {"property": "generalAvailability", "value": agreement.starts_on.isoformat(), "driver": "regulatory"}
    yield {"property": "endOfLife", "value": agreement.expires_on.isoformat(), "driver": "regulatory"}
    if isinstance(made, Share) and made.shared.delay:
        yield {"property": "latency", "value": made.shared.delay.total_seconds() / 3600, "unit": "h"}


def _terms(agreement: Agreement) -> dict[str, Any]:
    return {
        "agreement": str(agreement),
        "regime": agreement.regime,
        "legalBasis": agreement.legal_basis,
        "provider": agreement.provider.code,
        "recipient": agreement.recipient.code,
        "reviewOn": agreement.review_on.isoformat(),
        "protocol": PROTOCOL,
    }
