"""Every dataset an agency may deliver, by name."""

from warehouse.contracts.base import Contract
from warehouse.contracts.customs import DECLARATIONS, INSPECTIONS, MANIFESTS, WITHDRAWALS
from warehouse.contracts.immigration import API_MESSAGES, CROSSINGS, OUTCOMES, PNR_MESSAGES
from warehouse.contracts.surveillance import DETECTIONS, VEHICLE_SIGHTINGS, VESSEL_POSITIONS
from warehouse.errors import UnknownName

CONTRACTS: dict[str, Contract] = {
    contract.name: contract
    for contract in (
        DECLARATIONS,
        INSPECTIONS,
        WITHDRAWALS,
        MANIFESTS,
        CROSSINGS,
        OUTCOMES,
        API_MESSAGES,
        PNR_MESSAGES,
        VEHICLE_SIGHTINGS,
        VESSEL_POSITIONS,
        DETECTIONS,
    )
}


def contract_of(name: str) -> Contract:
    """The contract called `domain.dataset`; raises `UnknownName`."""
    if name not in CONTRACTS:
        raise UnknownName("dataset", name, list(CONTRACTS))
    return CONTRACTS[name]


__all__ = ["CONTRACTS", "Contract", "contract_of"]
