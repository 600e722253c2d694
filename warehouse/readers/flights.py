"""Flight designators: a carrier's code and the number of its flight, however a message writes them."""

import re
from functools import cache

# IATA Resolution 762: two characters with a letter (ICAO: three letters), one to four digits, a suffix letter.
_DESIGNATOR = re.compile(r"([A-Z]{3}|[A-Z][A-Z0-9]|[0-9][A-Z]) ?(\d{1,4}[A-Z]?)")


@cache
def carrier_of(conveyance: str) -> str:
    """The carrier in a designator: `AF` of `AF343`; empty where it is no designator (a ship's voyage)."""
    match = _DESIGNATOR.fullmatch(conveyance)
    return match[1] if match else ""


@cache
def designator(carrier: str, number: str) -> str:
    """Carrier and number without leading zeros: `UA989` of `UA` and `UA0989`, or of `UA` and `989`."""
    match = _DESIGNATOR.fullmatch(number)
    digits = match[2] if match and match[1] == carrier else number
    if not re.fullmatch(r"\d{1,4}[A-Z]?", digits):
        return number
    return f"{carrier}{digits.lstrip('0') or '0'}" if carrier else digits.lstrip("0") or "0"
