"""The shares of a recipient as a catalogue in DCAT 3, the W3C's vocabulary for data sets, written as JSON-LD.

https://www.w3.org/TR/vocab-dcat-3/. Access rights and media types are those of the EU's and IANA's lists.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sharing.contract import PROTOCOL, name_of
from sharing.dictionary import Dictionary
from sharing.shares import Share
from warehouse.agreements.model import Agreement, Party

Node = dict[str, Any]
_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_NON_PUBLIC = "http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC"
_PARQUET = "https://www.iana.org/assignments/media-types/application/vnd.apache.parquet"
_CONTRACT_STANDARD = "https://bitol-io.github.io/open-data-contract-standard/v3.1.0/"


@dataclass(frozen=True)
class Held:
    """What a share holds now: when it last changed, and the first and last day that its rows speak of."""

    modified_at: datetime | None = None
    first_day: date | None = None
    last_day: date | None = None


def catalogue(shares: Sequence[tuple[Share | Dictionary, Held]], endpoint: str) -> Node:
    """The catalogue of one recipient, whose server is at `endpoint`."""
    service = {
        "@id": endpoint,
        "@type": "dcat:DataService",
        "dct:title": "Delta Sharing server",
        "dcat:endpointURL": {"@id": endpoint},
        "dct:conformsTo": {"@id": PROTOCOL},
        "dcat:servesDataset": [{"@id": _id(made)} for made, _ in shares],
    }
    return {
        "@context": _CONTEXT,
        "@id": f"urn:borderlake:catalogue:{shares[0][0].agreement.recipient.code}",
        "@type": "dcat:Catalog",
        "dct:title": f"Shared with {shares[0][0].agreement.recipient.name}",
        "dct:publisher": _agency(shares[0][0].agreement.provider),
        "dcat:service": [service],
        "dcat:dataset": [entry(made, held, endpoint) for made, held in shares],
    }


def entry(made: Share | Dictionary, held: Held, endpoint: str) -> Node:
    """One share as a data set."""
    agreement = made.agreement
    node: Node = {
        "@id": _id(made),
        "@type": "dcat:Dataset",
        "dct:identifier": name_of(made),
        "dct:title": f"{name_of(made).split('.', 1)[1]}: {agreement.title}",
        "dct:description": made.table.description,
        "dct:publisher": _agency(agreement.provider),
        "dct:accessRights": {"@id": _NON_PUBLIC},
        "dct:rights": _rights(agreement),
        "dct:conformsTo": [{"@id": _CONTRACT_STANDARD}],
        "dcat:version": str(agreement.version),
        "dcat:contactPoint": [
            {"@type": "vcard:Kind", "vcard:fn": one.role, "vcard:hasEmail": {"@id": f"mailto:{one.email}"}}
            for one in agreement.contacts
        ],
        "dct:issued": _day(agreement.starts_on),
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution",
                "dct:title": "Parquet files over the Delta Sharing protocol",
                "dcat:accessURL": {"@id": endpoint},
                "dcat:accessService": {"@id": endpoint},
                "dcat:mediaType": {"@id": _PARQUET},
                "dct:conformsTo": {"@id": PROTOCOL},
            }
        ],
    }
    if held.modified_at is not None:
        node["dct:modified"] = {"@type": "xsd:dateTime", "@value": held.modified_at.isoformat()}
    if held.first_day is not None and held.last_day is not None:
        node["dct:temporal"] = {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _day(held.first_day),
            "dcat:endDate": _day(held.last_day),
        }
    return node


def contracts_are_at(node: Node, names: Iterable[str]) -> Node:
    """The catalogue with each data set's contract, by the name of the file beside it."""
    datasets = [
        one | {"dct:conformsTo": [*one["dct:conformsTo"], {"@id": name}]}
        for one, name in zip(node["dcat:dataset"], names, strict=True)
    ]
    return node | {"dcat:dataset": datasets}


def _id(made: Share | Dictionary) -> str:
    return f"urn:borderlake:share:{name_of(made)}"


def _agency(party: Party) -> Node:
    return {
        "@type": "foaf:Agent",
        "dct:identifier": party.code,
        "foaf:name": party.name,
        "dct:spatial": {"@type": "dct:Location", "dct:identifier": party.jurisdiction},
    }


def _rights(agreement: Agreement) -> Node:
    told = (
        f"{agreement}: {agreement.legal_basis}. For {', '.join(sorted(agreement.purposes))} alone; kept for "
        f"{agreement.retention_days} days at most; until {agreement.expires_on}."
    )
    return {"@type": "dct:RightsStatement", "dct:description": told}


def _day(day: date) -> Node:
    return {"@type": "xsd:date", "@value": day.isoformat()}
