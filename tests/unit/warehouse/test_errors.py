"""What a name that is not known is answered with."""

import pytest

from warehouse.errors import UnknownName


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gold.shipment_score", "unknown table 'gold.shipment_score'. Did you mean gold.shipment_scores? Known: "),
        ("zzz", "unknown table 'zzz'. Known: gold.crossing_scores, gold.shipment_scores"),
        ("gold.x", "unknown table 'gold.x'. Known: gold.crossing_scores, gold.shipment_scores"),
    ],
)
def test_the_nearest_name_comes_first_where_one_is_near(name: str, said: str) -> None:
    assert str(UnknownName("table", name, ["gold.shipment_scores", "gold.crossing_scores"])).startswith(said)


def test_it_says_how_a_new_one_is_declared() -> None:
    assert str(UnknownName("agency", "pt", ["customs"], "Name it in agencies.toml")).endswith(
        "Known: customs. Name it in agencies.toml"
    )
