"""Every dataset an agency may deliver, by name."""

from warehouse.contracts.base import Contract
from warehouse.contracts.customs import DECLARATIONS, INSPECTIONS
from warehouse.contracts.immigration import CROSSINGS, OUTCOMES
from warehouse.contracts.surveillance import VEHICLE_SIGHTINGS, VESSEL_POSITIONS
from warehouse.errors import UnknownName

CONTRACTS: dict[str, Contract] = {
    contract.name: contract
    for contract in (DECLARATIONS, INSPECTIONS, CROSSINGS, OUTCOMES, VEHICLE_SIGHTINGS, VESSEL_POSITIONS)
}


def contract_of(name: str) -> Contract:
    """The contract called `domain.dataset`; raises `UnknownName`."""
    if name not in CONTRACTS:
        raise UnknownName("dataset", name, list(CONTRACTS))
    return CONTRACTS[name]


__all__ = ["CONTRACTS", "Contract", "contract_of"]
