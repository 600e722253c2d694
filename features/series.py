"""Views of series: small items of one product that follow each other within days, as parts of a split consignment do.

Couriers' honest series look much the same. Of these fewer stand close below the value from which offices look closer,
and fewer go through several declarants.
"""

import math
from functools import partial

from features.views import Aggregation, FeatureView, Kind, Where
from warehouse.contracts.base import Purpose

SMALL = 1_000
"""Of its currency: what an item is worth from which the EU counts it in statistics and offices ask for more papers."""
_IS_SMALL = Where("log_value", below=math.log1p(SMALL))
_IS_JUST_SMALL = Where("log_value", at_least=math.log1p(SMALL / 2), below=math.log1p(SMALL))
_DAYS = 3


def small_series(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """What the importer declared of the same product in the last days, in items of little worth."""
    recent = partial(Aggregation, window_days=_DAYS)
    lately = f"in the last {_DAYS} days"
    small = f"the importer's items of this HS code {lately} that are worth less than {SMALL:,} of their currency"
    return (
        FeatureView(
            "importer_series",
            ("importer_id", "hs_code"),
            "shipments",
            (
                recent(
                    "importer_just_small_3d",
                    Kind.COUNT,
                    f"items of this HS code by the importer {lately} that are worth {SMALL // 2} to {SMALL:,} of their "
                    "currency (several: a consignment may be split)",
                    "items",
                    where=(_IS_JUST_SMALL,),
                ),
                recent(
                    "importer_small_declarants_3d",
                    Kind.DISTINCT,
                    f"declarants of {small}",
                    "declarants",
                    "declarant_id",
                    where=(_IS_SMALL,),
                ),
                recent(
                    "importer_small_value_3d",
                    Kind.MEAN,
                    f"mean value of {small}",
                    "log currency",
                    "log_value",
                    where=(_IS_SMALL,),
                ),
            ),
            "customs",
            purposes,
            "Small items of one product that the importer declared one after the other.",
        ),
    )
