"""Names of firms in their country's script, and how customs and Sudmark write them. Which firm trades is elsewhere."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulation.names import CUSTOMS, FIRM_KINDS, OWN_FORMS
from simulation.products import ORIGINS
from simulation.randomness import Ints
from simulation.romanisation import iso, latin_1

# Script and naming custom of sellers by country; what is not here is Latin and of any custom.
_SCRIPTS = {
    **dict.fromkeys(("BG", "RS", "UA"), ("cyrillic", "slavic")),
    **dict.fromkeys(("GR",), ("greek", "greek")),
    **dict.fromkeys(("AE", "DZ", "EG", "MA", "SA"), ("arabic", "arabic")),
    **dict.fromkeys(("CN", "HK", "TW", "VN", "JP", "KR", "TH", "MY"), ("latin", "asian")),
    **dict.fromkeys(("TR", "UZ", "KZ"), ("latin", "turkic")),
}
_FORMS = {
    "latin": ("Trading Co", "Export Ltd", "Industries", "& Co", "Foods", "Manufacturing"),
    "cyrillic": ("Експорт ООД", "Трейд", "Пром", "и синове"),
    "greek": ("ΕΞΑΓΩΓΙΚΗ ΑΕ", "ΕΠΕ", "ΚΑΙ ΥΙΟΙ"),
    "arabic": ("للتجارة", "للتصدير", "وشركاه"),
}
# Legal forms that Sudmark leaves out.
_LEGAL = {"AB", "AG", "AS", "GMBH", "KG", "LTD", "SA", "SARL", "LDA", "CO", "OOD", "AE", "EPE"}


def importer_names(rng: np.random.Generator, n: int) -> pl.Series:
    """Norvale's firms, in Latin letters with all their marks."""
    surnames = [name for custom in CUSTOMS.values() for name in custom.surnames]
    first = pl.Series(surnames).gather(rng.integers(0, len(surnames), n))
    return first + " " + pl.Series(FIRM_KINDS).gather(rng.integers(0, len(FIRM_KINDS), n))


def seller_names(rng: np.random.Generator, country: Ints) -> pl.Series:
    """Sellers' names in the script of their country (an index into ORIGINS)."""
    found, any_custom = [], [name for name in CUSTOMS if name not in ("greek", "arabic")]
    for code, dice in zip([ORIGINS[c] for c in country.tolist()], rng.random((len(country), 3)), strict=True):
        script, custom = _SCRIPTS.get(code, ("latin", any_custom[int(dice[0] * len(any_custom))]))
        pool, forms = CUSTOMS[custom].surnames, _FORMS[script]
        name = pool[int(dice[1] * len(pool))]
        found.append(f"{OWN_FORMS[script].get(name, name)} {forms[int(dice[2] * len(forms))]}")
    return pl.Series(found, dtype=pl.String)


def as_customs_write(names: pl.Series) -> pl.Series:
    """In ISO 8859-1."""
    return pl.Series([latin_1(name) for name in names])


def as_sudmark_writes(names: pl.Series) -> pl.Series:
    """Capitals after the ISO standard of the script, without legal form."""
    return pl.Series([_shortened(iso(name)) for name in names], dtype=pl.String)


def _shortened(name: str) -> str:
    words = name.split()
    while len(words) > 1 and (words[-1] in _LEGAL or words[-1] == "&"):
        words.pop()
    return " ".join(words)
