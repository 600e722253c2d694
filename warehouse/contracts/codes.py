"""Code lists and forms of the field, from kept libraries or their standards; no codes of any one agency.

What is kept by no library that is light and permissively licensed is checked by its form: UN/LOCODE (over 100,000
places; the packages that hold them are years old), and of the Harmonized System the chapter alone (its 5,600
subheadings change every five years, and the one package that is up to date is under the LGPL).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_uppercase
from zoneinfo import available_timezones

import pycountry


@dataclass(frozen=True, eq=False)
class CodeList:
    """Codes with their meanings, in the order of the standard."""

    name: str
    meanings: Mapping[str, str]
    is_local: bool = False
    """Whether the machine's own copy counts: such a list is named, and never written out."""

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.meanings)


def _plain(name: str, *words: str) -> CodeList:
    """A list whose codes say what they mean."""
    return CodeList(name, {word: word.replace("_", " ") for word in words})


PRECISIONS = CodeList(
    "precision of a time", {"second": "to the second", "minute": "to the minute", "day": "the day alone"}
)
TIME_ZONES = CodeList("IANA time zone database", {zone: zone for zone in sorted(available_timezones())}, is_local=True)

TRANSPORT_MODES = CodeList(
    "UN/ECE Recommendation 19",
    {
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
    },
)
DECLARATION_TYPES = CodeList("SAD box 1", {"IM": "import", "EX": "export"})
TRADER_STATUSES = CodeList("WCO SAFE Framework", {"AEO": "authorised economic operator"})
INFRINGEMENTS = _plain(
    "kinds of infringement",
    "undervaluation",
    "misclassification",
    "false_origin",
    "concealment",
    "split_consignment",
    "other",
    "critical",
)
SELECTIONS = CodeList(
    "what made an office look",
    {
        "rule": "a risk rule or score",
        "random": "drawn at random",
        "intelligence": "a tip or an officer's own suspicion",
        "all": "everything is looked at",
    },
)

CROSSING_MODES = _plain("mode of crossing", "air", "sea", "land")
DIRECTIONS = _plain("direction of crossing", "entry", "exit")
SEXES = CodeList("ICAO Doc 9303-3, sex", {"F": "female", "M": "male", "X": "unspecified"})
TRAVELLER_ROLES = _plain("role of a traveller", "passenger", "crew", "transit")
FINDINGS = _plain(
    "findings about a crossing",
    "document_fraud",
    "impostor",
    "overstay",
    "refused_entry",
    "smuggling",
    "facilitation",
    "other",
)

SENSORS = _plain("kinds of sensor", "radar", "camera", "ground_sensor", "drone")
DETECTED = _plain("what a sensor notices", "person", "vehicle", "vessel", "animal", "steps", "unknown")

NAVIGATION = CodeList(
    "ITU-R M.1371-5, navigational status",
    {
        str(code): meaning
        for code, meaning in enumerate(
            (
                "under way using engine",
                "at anchor",
                "not under command",
                "restricted manoeuvrability",
                "constrained by her draught",
                "moored",
                "aground",
                "engaged in fishing",
                "under way sailing",
                "reserved (high-speed craft)",
                "reserved (wing in ground)",
                "towing astern",
                "pushing ahead or towing alongside",
                "reserved",
                "AIS-SART, MOB or EPIRB active",
                "not defined",
            )
        )
    },
)

# ICAO Doc 9303-3, section 5: codes for nationality that are no country.
ICAO_SPECIAL = {
    "D": "Germany",
    "EUE": "European Union (laissez-passer)",
    "GBD": "British overseas territories citizen",
    "GBN": "British national (overseas)",
    "GBO": "British overseas citizen",
    "GBP": "British protected person",
    "GBS": "British subject",
    "RKS": "Kosovo",
    "UNA": "specialized agency of the United Nations",
    "UNK": "resident of Kosovo (UNMIK)",
    "UNO": "United Nations",
    "XOM": "Sovereign Military Order of Malta",
    "XXA": "stateless person",
    "XXB": "refugee, 1951 Convention",
    "XXC": "refugee, other",
    "XXX": "unspecified nationality",
}

# ISO 3166-1 clause 8.1.3: user-assigned alpha-2 codes, here for places that are no country.
USER_ASSIGNED = "user-assigned"
USER_ASSIGNED_ALPHA_2 = ("AA", "ZZ", *(f"X{letter}" for letter in ascii_uppercase))
USER_ASSIGNED_ALPHA_3 = tuple(f"X{a}{b}" for a in ascii_uppercase for b in ascii_uppercase)

# Withdrawn or grouped codes that declarations still carry (ISO 3166-3, EU GEONOM).
TRANSITIONAL_ALPHA_2 = {
    "AN": "Netherlands Antilles",
    "CS": "Serbia and Montenegro",
    "EU": "European Union",
    "QU": "not specified",
    "TP": "East Timor",
    "YU": "Yugoslavia",
    "ZR": "Zaire",
}

COUNTRIES = CodeList(
    "ISO 3166-1 alpha-2, with user-assigned and transitional codes",
    dict.fromkeys(USER_ASSIGNED_ALPHA_2, USER_ASSIGNED)
    | TRANSITIONAL_ALPHA_2
    | {country.alpha_2: country.name for country in pycountry.countries},
)
NATIONALITIES = CodeList(
    "ICAO Doc 9303-3, ISO 3166-1 alpha-3 with those that are no country",
    dict.fromkeys(USER_ASSIGNED_ALPHA_3, USER_ASSIGNED)
    | ICAO_SPECIAL
    | {country.alpha_3: country.name for country in pycountry.countries},
)
CURRENCIES = CodeList("ISO 4217", {currency.alpha_3: currency.name for currency in pycountry.currencies})

# Chapters 01 to 97, of which 77 is reserved for the future; 98 and 99 are for national use.
HARMONIZED_SYSTEM = "WCO Harmonized System, subheading"
HS_SUBHEADING = r"^(0[1-9]|[1-68-9][0-9]|7[0-689])[0-9]{4}$"

UN_LOCODE = "UN/LOCODE"
LOCATION = r"^[A-Z]{2}[A-Z2-9]{3}$"
"""Two letters of the country, three of the place, in which neither 0 nor 1 occurs (UN/ECE Recommendation 16)."""

CARRIER_PORT = "IATA, ICAO or UN/LOCODE"
PORT = r"^([A-Z]{3,4}|[A-Z]{2}[A-Z2-9]{3})$"

IMO_NUMBER = r"^[0-9]{7}$"
IMO = "IMO ship identification number"

TRAVEL_DOCUMENT = "ICAO Doc 9303, document code"
DOCUMENT_CODE = r"^[A-Z][A-Z]?$"
"""P passport, V visa, A, C or I official travel document; others, and the second letter, at the issuer's discretion."""
