"""Code lists of the field, from kept libraries or their standards; no codes of any one agency."""

from functools import cache
from string import ascii_uppercase

import pycountry

# UN/ECE Recommendation 19, mode of transport at the border.
TRANSPORT_MODES = {
    "0": "not specified",
    "1": "sea",
    "2": "rail",
    "3": "road",
    "4": "air",
    "5": "mail",
    "6": "multimodal",
    "7": "fixed installation",
    "8": "inland waterway",
    "9": "mode unknown",
}

CROSSING_MODES = ("air", "sea", "land")
DIRECTIONS = ("entry", "exit")
SEXES = ("F", "M", "X")

# ICAO Doc 9303-3, section 5: codes for nationality that are no country.
ICAO_SPECIAL = (
    "D",
    "EUE",
    "GBD",
    "GBN",
    "GBO",
    "GBP",
    "GBS",
    "RKS",
    "UNA",
    "UNK",
    "UNO",
    "XOM",
    "XXA",
    "XXB",
    "XXC",
    "XXX",
)

# ISO 3166-1 clause 8.1.3: user-assigned alpha-2 codes, here for places that are no country.
USER_ASSIGNED_ALPHA_2 = ("AA", "ZZ", *(f"X{letter}" for letter in ascii_uppercase))
USER_ASSIGNED_ALPHA_3 = tuple(f"X{a}{b}" for a in ascii_uppercase for b in ascii_uppercase)

# Withdrawn or grouped codes that declarations still carry (ISO 3166-3, EU GEONOM).
TRANSITIONAL_ALPHA_2 = ("AN", "CS", "EU", "QU", "TP", "YU", "ZR")


@cache
def countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes, with user-assigned and transitional ones."""
    official = {country.alpha_2 for country in pycountry.countries}
    return frozenset(official | set(USER_ASSIGNED_ALPHA_2) | set(TRANSITIONAL_ALPHA_2))


@cache
def nationalities() -> frozenset[str]:
    """ICAO 9303 three-letter nationality codes."""
    official = {country.alpha_3 for country in pycountry.countries}
    return frozenset(official | set(ICAO_SPECIAL) | set(USER_ASSIGNED_ALPHA_3))


@cache
def currencies() -> frozenset[str]:
    """ISO 4217 alphabetic codes."""
    return frozenset(currency.alpha_3 for currency in pycountry.currencies)
