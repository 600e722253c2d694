"""Views of habits: the origins, products, rates of duty and prices that are usual for a seller, an importer, a product.

Who declares another origin, another code or a lower price than the true one falls out of them: the seller never sent
goods of that origin, or his goods never bore so little duty.
"""

from functools import partial

from features.views import Aggregation, FeatureView, Kind
from warehouse.contracts.base import Purpose


def habits(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """How the item compares with what the parties and such goods did before."""
    return *_novel(purposes), *_duties(purposes), *_prices(purposes)


def _novel(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    return (
        _view(
            purposes,
            "seller_origin_novelty",
            ("seller_id", "country_of_origin"),
            "Whether the seller has sent goods of this origin before.",
            Aggregation("seller_origin_count", Kind.COUNT, "items of this origin from the seller so far", "items"),
        ),
        _view(
            purposes,
            "seller_product_novelty",
            ("seller_id", "hs_code"),
            "Whether the seller has sent this product before.",
            Aggregation("seller_product_count", Kind.COUNT, "items of this HS code from the seller so far", "items"),
        ),
    )


def _duties(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    """In percentage points; goods of any origin count, so that one that is free of duty stands out."""

    def duty(name: str, entity: tuple[str, ...], whose: str, mean: str) -> FeatureView:
        gap = Aggregation(
            f"{name}_gap", Kind.GAP, f"rate of duty against the mean of {mean}", "percentage points", "duty_rate_pct"
        )
        return _view(purposes, name, entity, f"What rate of duty is usual for {whose}.", gap)

    return (
        duty("seller_duty", ("seller_id",), "the seller's goods", "the seller's items"),
        duty("importer_duty", ("importer_id",), "the importer's goods", "the importer's items"),
        duty("product_duty", ("jurisdiction", "hs_code"), "this product of any origin", "this product of any origin"),
    )


def _prices(purposes: frozenset[Purpose]) -> tuple[FeatureView, ...]:
    view = partial(_view, purposes)
    return (
        view(
            "seller_price",
            ("seller_id", "hs_code", "currency"),
            "What price is usual for this product from this seller.",
            _price_gap("seller_value_gap", "this product from this seller"),
        ),
        view(
            "importer_product_price",
            ("importer_id", "hs_code", "currency"),
            "What price is usual for this product of this importer.",
            _price_gap("importer_value_gap", "this product of this importer"),
        ),
        view(
            "product_price_of_any_origin",
            ("jurisdiction", "hs_code", "currency"),
            "What price is usual for this product, wherever it comes from.",
            Aggregation(
                "product_any_origin_deviation",
                Kind.DEVIATION,
                "value per kg against what is usual for this product of any origin",
                "standard deviations",
                "ln_value_per_kg",
            ),
        ),
    )


def _price_gap(name: str, mean: str) -> Aggregation:
    return Aggregation(name, Kind.GAP, f"value per kg against the mean of {mean}", "log ratio", "ln_value_per_kg")


def _view(
    purposes: frozenset[Purpose], name: str, entity: tuple[str, ...], description: str, *aggregations: Aggregation
) -> FeatureView:
    return FeatureView(name, entity, "shipments", aggregations, "customs", purposes, description)
