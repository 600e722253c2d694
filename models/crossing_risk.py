"""`crossing_risk`: the probability that looking into a border crossing has an adverse outcome.

More found at whoever or whatever crosses never lowers its risk, all else equal; on the simulated border that costs
nothing (AUC +0.0004, AP -0.002, recall at 5 % 0.000, each within two standard errors over six seeds).

An entry on a document whose own past says that its holder is elsewhere is learnt from where nobody looked at it, too
(ADR 0018).
"""

from features.views import Where
from models.spec import BASE_PARAMETERS, OPENING_PARAMETERS, ModelSpec, Record, Sign
from warehouse.contracts.base import Purpose

_STRANGE_VEHICLE = (
    Where("direction", among=("entry",)),
    Where("mode", among=("land",)),
    # Who goes out and comes home does so in one vehicle; a document first seen on the way in has no past to contradict.
    Where("document_count", at_least=3),
    Where("document_vehicle_count", below=1),
)

CROSSING_RISK = ModelSpec(
    name="crossing_risk",
    title="Crossing risk: adverse outcome",
    subject="crossings",
    outcome="crossing",
    purpose=Purpose.BORDER_CHECK,
    history=("traveller_age_days", "document_gap_days", "document_abroad_gap_days"),
    rising=frozenset(
        {
            "traveller_adverse_rate",
            "traveller_entry_adverse_rate",
            "document_adverse_rate",
            "vehicle_traveller_adverse_rate",
            "vehicle_goods_hit_rate",
        }
    ),
    signs=(
        Sign(
            "holder_elsewhere",
            "a document of a national or resident enters by land in a vehicle it never crossed in, at a crossing point "
            "it was never shown at, or (a national's) though it entered last and has not left since",
            (
                # Drivers by trade change vehicles, and residents who work across the border ride with each other.
                (
                    *_STRANGE_VEHICLE,
                    Where("visa_class", among=("NA", "RP")),
                    Where("document_port_count", below=1),
                ),
                (
                    *_STRANGE_VEHICLE,
                    Where("visa_class", among=("NA",)),
                    Where("document_last_direction", among=("entry",)),
                ),
            ),
            # Residents are looked at by lot alone, one in a hundred: in a year three bear it, two of them adverse.
            least=0.2,
            share=0.25,
        ),
    ),
    # Nationals and residents come again and again, and what they do alone nothing tells but what was found on them.
    # Crews and visitors are left out: what is found on them is their cargo's or their journey's.
    record=Record(
        "traveller_entry_adverse_rate",
        (Where("direction", among=("entry",)), Where("visa_class", among=("NA", "RP"))),
    ),
    # Sex is kept for measuring fairness between groups; it is no ground for suspicion.
    without=frozenset({"sex"}),
    parameters=BASE_PARAMETERS,
    opening=OPENING_PARAMETERS,
)
