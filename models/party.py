"""Who arrives together: the same flight, the same party, the same port, on the same day.

Counts and shares over all arrivals of the day, also those that will never have an outcome; no outcome is used. A
flight's manifest is there before it lands (API, ICAO Doc 9944); where a crossing is scored before its day is
over, these columns must come from manifests.
"""

from collections.abc import Sequence

import polars as pl

_FLIGHT = ("day", "carrier", "flight", "port")
_PARTY = (*_FLIGHT, "nationality_code", "residence", "destination", "days_granted", "admission_code")
_SHORT_STAY_DAYS = 90
"""The stay that visa waivers grant, in the US as in the Schengen area."""
_ADULT = 18

_COUNTS: dict[str, tuple[str, ...]] = {
    "on_flight": _FLIGHT,
    "on_flight_of_nationality": (*_FLIGHT, "nationality_code"),
    "on_flight_to_destination": (*_FLIGHT, "destination"),
    "on_flight_of_visa_class": (*_FLIGHT, "visa_class"),
    "on_flight_of_stay": (*_FLIGHT, "days_granted"),
    "on_flight_of_admission": (*_FLIGHT, "admission_code"),
    "on_flight_alike": (*_FLIGHT, "nationality_code", "age_years", "sex"),
    "in_party": _PARTY,
    "in_party_of_visa_class": (*_PARTY, "visa_class"),
    "at_port": ("day", "port"),
    "at_port_of_nationality": ("day", "port", "nationality_code"),
    "at_port_alike": ("day", "port", "nationality_code", "age_years", "sex", "destination"),
    "of_nationality_and_residence": ("day", "nationality_code", "residence"),
}
_SHARES = {
    "share_of_nationality": "on_flight_of_nationality",
    "share_to_destination": "on_flight_to_destination",
    "share_of_visa_class": "on_flight_of_visa_class",
    "share_of_stay": "on_flight_of_stay",
    "share_of_admission": "on_flight_of_admission",
}

COLUMNS = (
    *_COUNTS,
    *_SHARES,
    "party_age_low",
    "party_age_high",
    "party_age_mean",
    "party_age_off",
    "party_women",
    "party_children",
    "flight_age_mean",
    "flight_age_off",
    "flight_pleasure",
    "flight_short_stays",
    "flight_limited_stays",
    "flight_sex_missing",
    "lives_at_home",
    "weekday",
)


def with_party(entry: pl.DataFrame) -> pl.DataFrame:
    """Rows of `models.entry.entry_columns` with `COLUMNS` beside them."""
    age = pl.col("age_years")
    counted = entry.with_columns(
        *(pl.len().over(keys).cast(pl.Int32).alias(name) for name, keys in _COUNTS.items()),
        _over(_PARTY, age.min(), "party_age_low"),
        _over(_PARTY, age.max(), "party_age_high"),
        _over(_PARTY, age.mean(), "party_age_mean"),
        _over(_PARTY, (pl.col("sex") == "F").mean(), "party_women"),
        _over(_PARTY, (age < _ADULT).fill_null(False).sum(), "party_children"),
        _over(_FLIGHT, age.mean(), "flight_age_mean"),
        _over(_FLIGHT, (pl.col("purpose") == "pleasure").mean(), "flight_pleasure"),
        _over(_FLIGHT, pl.col("days_granted").is_between(0, _SHORT_STAY_DAYS).mean(), "flight_short_stays"),
        _over(_FLIGHT, (pl.col("days_granted") >= 0).mean(), "flight_limited_stays"),
        _over(_FLIGHT, pl.col("sex").is_in(["M", "F"]).not_().mean(), "flight_sex_missing"),
        lives_at_home=(pl.col("nationality_code") == pl.col("residence")).cast(pl.Int8),
    )
    return counted.with_columns(
        *((pl.col(part) / pl.col("on_flight")).cast(pl.Float32).alias(name) for name, part in _SHARES.items()),
        party_age_off=age - pl.col("party_age_mean"),
        flight_age_off=age - pl.col("flight_age_mean"),
    )


def _over(keys: Sequence[str], value: pl.Expr, name: str) -> pl.Expr:
    return value.cast(pl.Float32).over(keys).alias(name)
