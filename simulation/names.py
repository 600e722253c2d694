"""Names of people, firms and vessels, and the countries travellers come from.

People's names follow the naming custom of a country (`tables/names.toml`, `tables/countries.csv`) and are written in
its script (`tables/scripts.toml`). Who bears which name is drawn elsewhere, how agencies write it in `spelling`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

import polars as pl

from simulation.randomness import Bools, Floats, Ints
from simulation.romanisation import capitals

_TABLES = files("simulation").joinpath("tables")


@dataclass(frozen=True)
class Custom:
    """A pool of surnames and of given names by sex."""

    surnames: pl.Series
    male: pl.Series
    female: pl.Series


def _customs() -> dict[str, Custom]:
    pools = tomllib.loads(_TABLES.joinpath("names.toml").read_text(encoding="utf-8"))
    return {
        name: Custom(*(pl.Series(pool[part].split()) for part in ("surnames", "male", "female")))
        for name, pool in pools.items()
    }


CUSTOMS = _customs()
SCRIPTS = ("latin", "cyrillic", "greek", "arabic")


def _own_forms() -> dict[str, dict[str, str]]:
    """By script: from a name in Latin letters to its own form; none for Latin."""
    tables = tomllib.loads(_TABLES.joinpath("scripts.toml").read_text(encoding="utf-8"))
    pairs = {script: [(a, b) for a, b in map(str.split, text.strip().splitlines())] for script, text in tables.items()}
    return {"latin": {}} | {script: dict(found) for script, found in pairs.items()}


OWN_FORMS = _own_forms()


def own_pool(part: str) -> pl.Series:
    """Capitals of all customs' names of `part`, once in each of SCRIPTS; who has no own form is in Latin letters."""
    names = [name for custom in CUSTOMS.values() for name in getattr(custom, part).to_list()]
    return pl.Series([capitals(OWN_FORMS[script].get(name, name)) for script in SCRIPTS for name in names])


# From a name in its own script to the Latin letters its bearer uses abroad.
IN_LATIN = {capitals(own): name for forms in OWN_FORMS.values() for name, own in reversed(forms.items())}
OWN_NAMES = sorted({name for part in ("surnames", "male", "female") for name in own_pool(part)})
_COUNTRIES = pl.read_csv(_TABLES.joinpath("countries.csv").read_bytes(), separator=";")
ALPHA3: tuple[str, ...] = tuple(_COUNTRIES["alpha3"])
HOME_NATION = ALPHA3.index("XNV")
CUSTOM_OF: Ints = _COUNTRIES["custom"].replace_strict({name: i for i, name in enumerate(CUSTOMS)}).to_numpy()
SCRIPT_OF: Ints = _COUNTRIES["script"].replace_strict({name: i for i, name in enumerate(SCRIPTS)}).to_numpy()
VISITOR_SHARES: Floats = _COUNTRIES["share"].cast(pl.Float64).to_numpy()
NEEDS_VISA: Bools = _COUNTRIES["needs_visa"].to_numpy()

FIRM_KINDS = (
    *("Handels AB", "Import GmbH", "& Söhne KG", "Trading Ltd", "Spedition AG", "Großhandel", "Négoce SA"),
    *("Comércio Lda", "Import-Export", "Logistik", "Møbler AS", "Technik GmbH", "Textil AG", "Frères SARL"),
    *("Électronique SA", "Mode AB"),
)
VESSEL_WORDS = (
    *("Aurora", "Borea", "Calypso", "Delfin", "Estrella", "Fortuna", "Galatea", "Hesper", "Iris", "Juno"),
    *("Kestrel", "Lyra", "Meridian", "Nereid", "Orion", "Pelagia", "Quetzal", "Regulus", "Siren", "Triton"),
    *("Umbra", "Vega", "Westwind", "Xanthe", "Zephyr"),
)
VESSEL_SUFFIXES = (
    "Star",
    "Trader",
    "Express",
    "Spirit",
    "Glory",
    "Wave",
    "Bay",
    "Carrier",
    "Pioneer",
    "Line",
)
