"""`shipment_risk`: the probability that an inspection of a goods item finds something irregular.

More found at whoever is behind an item never lowers its risk, all else equal. Rates of what is declared (product,
origin, office) stay free: they move with the habits of officers, and held to rise as well they found less on the
simulated border (recall at 5 % -0.005 to -0.02; of the parties alone +0.005 to +0.01, within noise; six seeds).

An item that contradicts its own export declaration, or goes on a series such as split consignments are, is learnt from
where nobody looked at it, too (ADR 0018).

Trees are larger than those of crossings, and their leaves smaller: a false code and a split consignment take several
conditions to tell.
"""

import math

from features.series import SMALL
from features.views import Where
from models.spec import BASE_PARAMETERS, OPENING_PARAMETERS, ModelSpec, Sign
from warehouse.contracts.base import Purpose

SHIPMENT_RISK = ModelSpec(
    name="shipment_risk",
    title="Shipment risk: irregular goods item",
    subject="shipments",
    outcome="shipment",
    purpose=Purpose.CUSTOMS_RISK,
    history=("importer_age_days", "seller_age_days", "declarant_age_days", "vehicle_age_days"),
    rising=frozenset(
        {
            "importer_hit_rate",
            "declarant_hit_rate",
            "seller_hit_rate",
            "carrier_hit_rate",
            "vehicle_hit_rate",
            "vessel_hit_rate",
        }
    ),
    signs=(
        Sign(
            "contradicts_export",
            "the exporter declared the same item at more than a quarter above this value per kg, or of another origin",
            (
                # A fifth less than at export.
                (Where("export_value_gap", below=math.log(0.8)),),
                (Where("export_seen", at_least=1), Where("export_same_origin", below=1)),
            ),
        ),
        Sign(
            "split_among_declarants",
            "the importer declared the same product in small items through several declarants within three days, and "
            "this one, too, is worth 500 to 1,000 of its currency",
            (
                (
                    Where("log_value", at_least=math.log1p(SMALL / 2), below=math.log1p(SMALL)),
                    Where("importer_just_small_3d", at_least=1),
                    Where("importer_small_declarants_3d", at_least=2),
                ),
            ),
        ),
    ),
    parameters={
        **BASE_PARAMETERS,
        "num_leaves": 31,
        "min_data_in_leaf": 20,
        "lambda_l2": 3.0,
    },
    opening=OPENING_PARAMETERS,
)
