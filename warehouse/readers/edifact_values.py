"""Values of EDIFACT messages as the rest of the house writes them: dates in ISO 8601, countries in three letters.

What is no date is given back as it was sent, so that the contract refuses it and no value is lost.
"""

import re
from datetime import date, datetime, timedelta
from functools import cache, lru_cache

import pycountry

# UN code list 2379: how a date is written. A code that is not here, or none, is told by the number of digits.
_LAYOUTS = {
    "101": "YYMMDD",
    "102": "CCYYMMDD",
    "201": "YYMMDDHHMM",
    "202": "YYMMDDHHMMSS",
    "203": "CCYYMMDDHHMM",
    "204": "CCYYMMDDHHMMSS",
}
_BY_DIGITS = {6: "101", 8: "102", 10: "201", 12: "203", 14: "204"}
_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTHS = {name: f"{at:02}" for at, name in enumerate(_MONTH_NAMES, start=1)}
_DAY_MONTH_YEAR = re.compile(r"(\d\d)(\d\d|[A-Z]{3})(\d\d|\d{4})", re.ASCII | re.IGNORECASE)
_FIRST_YEAR = 1980  # EDIFACT is younger: a flight or message of "85" was in 1985, one of "75" will be in 2075.


@lru_cache(4096)
def moment(text: str, layout: str = "") -> str:
    """A date and time of code list 2379 as `2025-01-31T23:59`, a date alone as `2025-01-31`."""
    digits = _digits(text, layout)
    if digits is None:
        return text
    day, clock = digits
    return _written(_full_year(day), clock) or text


@lru_cache(4096)
def day(text: str, layout: str = "") -> str:
    """The day of a date of code list 2379: `2025-01-31`."""
    return moment(text, layout)[:10] if moment(text, layout) != text else text


@lru_cache(65_536)
def birth_day(text: str, told_on: str, layout: str = "") -> str:
    """The day of birth in a date of two or four digits of the year; empty where month or day are told as unknown.

    Of two centuries it is the later one that is not after `told_on`, an ISO date: a traveller of more than a
    hundred years comes out a child.
    """
    digits = _digits(text, layout)
    if digits is None:
        return text
    if digits[0].endswith("00"):
        return ""  # ICAO Doc 9303-3, 4.9: an unknown part of a date of birth is written as zeros.
    return _born(digits[0], told_on) or text


@lru_cache(4096)
def flight_moment(text: str, clock: str) -> str:
    """The airlines' `310125` or `31JAN25` and `2359` as `2025-01-31T23:59`; without a time the day alone."""
    match = _DAY_MONTH_YEAR.fullmatch(text)
    if match is None:
        return f"{text} {clock}".strip()
    return _written(_full_year(_year_first(match)), _clock(clock)) or f"{text} {clock}".strip()


@lru_cache(65_536)
def birth_day_of_docs(text: str, told_on: str) -> str:
    """The `12JUL64` of an airline's DOCS entry; see `birth_day` for the century."""
    match = _DAY_MONTH_YEAR.fullmatch(text)
    return (_born(_year_first(match), told_on) if match else "") or text


@lru_cache(4096)
def precision(iso: str) -> str:
    """How exact a moment of this module is: minute or day."""
    return "minute" if "T" in iso else "day"


@cache
def alpha_3(code: str) -> str:
    """A country in ISO 3166 alpha-3; other codes as they are (ICAO's D is Germany, XXA is a stateless person)."""
    country = pycountry.countries.get(alpha_2=code) if len(code) == 2 else None
    found: str = country.alpha_3 if country else code
    return found


def _digits(text: str, layout: str) -> tuple[str, str] | None:
    """Day (YYMMDD or CCYYMMDD) and time (HHMM) of a date; None where it is not written so."""
    if not (text.isascii() and text.isdigit()):
        return None
    written = _LAYOUTS.get(layout) or _LAYOUTS.get(_BY_DIGITS.get(len(text), ""))
    if written is None or len(written) != len(text):
        return None
    days = written.index("DD") + 2
    return text[:days], text[days:]


def _year_first(match: re.Match[str]) -> str:
    day, month, year = match.groups()
    return f"{year}{_MONTHS.get(month.upper(), month)}{day}"


def _clock(text: str) -> str:
    """HHMM of a time with or without seconds, or with a colon; empty where there is none."""
    digits = text.replace(":", "")
    return digits[:4] if len(digits) in (4, 6) else digits


def _full_year(digits: str) -> str:
    if len(digits) == 8:
        return digits
    return ("20" if 2000 + int(digits[:2]) < _FIRST_YEAR + 100 else "19") + digits


def _born(digits: str, told_on: str) -> str:
    if len(digits) == 8:
        return _written(digits, "")
    try:
        latest = date.fromisoformat(told_on[:10])
    except ValueError:
        return ""
    later = _written(f"20{digits}", "")
    return later if later and date.fromisoformat(later) <= latest else _written(f"19{digits}", "")


def _written(digits: str, clock: str) -> str:
    """CCYYMMDD and HHMM (or HHMMSS) in ISO 8601; empty where there is no such day or time."""
    try:
        at = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
        if not clock:
            return at.isoformat()
        # Midnight may be written as the end of a day.
        late = clock[:4] == "2400"
        hours, minutes = (0, 0) if late else (int(clock[:2]), int(clock[2:4]))
        moment_of = datetime(at.year, at.month, at.day, hours, minutes) + timedelta(days=int(late))
    except (ValueError, OverflowError):
        return ""
    return moment_of.isoformat(timespec="minutes")
