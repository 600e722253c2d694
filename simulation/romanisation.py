"""Schemes by which agencies write names of other scripts in Latin letters. Text in, text out; no chance, no agency.

- `icao_9303`: ICAO Doc 9303-3, section 6 (machine readable zone): tables A (Latin), B (Cyrillic, with Ukrainian
  and Serbian letters) and C (Arabic, `X` as escape, teh marbuta XTA or, at the end, XAH). Doc 9303 has no Greek;
  Greece issues passports after ELOT 743 (ISO 843:1997 type 2), as here.
- `iso`: ISO 9:1995 (Cyrillic), ISO 843:1997 type 1 (Greek), ISO 233:1984 (Arabic, letter for letter: short vowels
  are not written). Latin letters keep their marks.
- `plain`: Latin letters without marks as section 6 A recommends (Ö is OE); `bare` drops the marks (Ö is O).
- `latin_1`: what ISO 8859-1 can hold; other Latin letters lose their marks.
"""

from __future__ import annotations

import unicodedata

_TABLE_A = str.maketrans({
    "Ä": "AE", "Ö": "OE", "Ü": "UE", "Å": "AA", "Æ": "AE", "Ø": "OE", "ß": "SS", "Ł": "L", "Đ": "D",
    "Þ": "TH", "Ð": "D",
    "ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "æ": "ae", "ø": "oe", "ł": "l", "đ": "d", "þ": "th", "ð": "d", "ı": "i",
})  # fmt: skip
_UNMARKED = str.maketrans({
    "Æ": "AE", "Ø": "O", "ß": "SS", "Ł": "L", "Đ": "D", "Þ": "TH", "Ð": "D",
    "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "ð": "d", "ı": "i",
})  # fmt: skip


def _pairs(text: str) -> dict[str, str]:
    """`Ж:ZH Щ:SHCH Ь:` as a mapping."""
    return dict(pair.split(":") for pair in text.split())


_TABLE_B = _pairs(
    "А:A Б:B В:V Г:G Д:D Е:E Ё:E Ж:ZH З:Z И:I І:I Й:I К:K Л:L М:M Н:N О:O П:P Р:R С:S Т:T У:U Ф:F Х:KH Ц:TS Ч:CH "
    "Ш:SH Щ:SHCH Ъ:IE Ы:Y Ь: Э:E Ю:IU Я:IA Є:IE Ї:I Ґ:G Ђ:D Ј:J Љ:LJ Њ:NJ Ћ:C Џ:DZ"
)
_TABLE_C = _pairs(
    "ء:XE آ:XAA أ:XAE إ:I ئ:XI ا:A ب:B ة:XTA ت:T ث:XTH ج:J ح:XH خ:XKH د:D ذ:XDH ر:R ز:Z س:S ش:XSH ص:XSS ض:XDZ "
    "ط:XTT ظ:XZZ ع:E غ:G ف:F ق:Q ك:K ل:L م:M ن:N ه:H و:W ى:XAY ي:Y"
)
_ELOT_743 = _pairs(
    "ΓΓ:NG ΓΞ:NX ΓΧ:NCH ΟΥ:OU ΑΥ:AV ΕΥ:EV Α:A Β:V Γ:G Δ:D Ε:E Ζ:Z Η:I Θ:TH Ι:I Κ:K Λ:L Μ:M Ν:N Ξ:X Ο:O Π:P Ρ:R "
    "Σ:S Τ:T Υ:Y Φ:F Χ:CH Ψ:PS Ω:O"
)
_ISO_9 = _pairs(
    "А:A Б:B В:V Г:G Д:D Е:E Ё:Ë Ж:Ž З:Z И:I І:Ì Й:J К:K Л:L М:M Н:N О:O П:P Р:R С:S Т:T У:U Ф:F Х:H Ц:C Ч:Č Ш:Š "
    "Щ:Ŝ Ъ:ʺ Ы:Y Ь:ʹ Э:È Ю:Û Я:Â Є:Ê Ї:Ï Ґ:G̀ Ђ:Đ Ј:J̌ Љ:L̂ Њ:N̂ Ћ:Ć Џ:D̂"
)
_ISO_843 = _pairs(
    "ΟΥ:OU Α:A Β:V Γ:G Δ:D Ε:E Ζ:Z Η:Ī Θ:TH Ι:I Κ:K Λ:L Μ:M Ν:N Ξ:X Ο:O Π:P Ρ:R Σ:S Τ:T Υ:Y Φ:F Χ:CH Ψ:PS Ω:Ō"
)
_ISO_233 = _pairs(
    "ء:ˌ آ:ʾÂ أ:ˈ إ:ˈ ئ:ˈ ا:ʾ ب:B ة:T̈ ت:T ث:Ṯ ج:Ǧ ح:Ḥ خ:H̱ د:D ذ:Ḏ ر:R ز:Z س:S ش:Š ص:Ṣ ض:Ḍ ط:Ṭ ظ:Ẓ ع:ʿ غ:Ġ ف:F "
    "ق:Q ك:K ل:L م:M ن:N ه:H و:W ى:Ỳ ي:Y"
)


def _written(text: str, *tables: dict[str, str]) -> str:
    """Each letter, or two together, as the first table that has it says; others stay."""
    found, i = [], 0
    while i < len(text):
        two, one = text[i : i + 2], text[i]
        for table in tables:
            if len(two) == 2 and two in table:
                found.append(table[two])
                i += 1
                break
            if one in table:
                found.append(table[one])
                break
        else:
            found.append(one)
        i += 1
    return "".join(found)


def capitals(text: str) -> str:
    """Upper case; Greek without accents, as capitals are written."""
    upper = text.upper()
    if any("\u0370" <= c < "\u0400" for c in upper):
        upper = "".join(c for c in unicodedata.normalize("NFD", upper) if not unicodedata.combining(c))
    return upper


def plain(text: str) -> str:
    """Latin letters without marks, as table A recommends; what is no Latin letter is left out."""
    if text.isascii():
        return text
    bare_text = unicodedata.normalize("NFKD", text.translate(_TABLE_A))
    return bare_text.encode("ascii", "ignore").decode("ascii")


def bare(text: str) -> str:
    """Latin letters with their marks dropped."""
    return unicodedata.normalize("NFKD", text.translate(_UNMARKED)).encode("ascii", "ignore").decode("ascii")


def icao_9303(text: str) -> str:
    """Capitals A to Z as in a machine readable zone; hyphens and spaces stay."""
    words = [w.removesuffix("ة") + "XAH" * w.endswith("ة") for w in capitals(text).split(" ")]
    return plain(_written(" ".join(words), _TABLE_B, _ELOT_743, _TABLE_C)).upper()


def iso(text: str) -> str:
    """Capitals with the marks of the ISO standard of the script."""
    return unicodedata.normalize("NFC", _written(capitals(text), _ISO_9, _ISO_843, _ISO_233))


def latin_1(text: str) -> str:
    """What ISO 8859-1 can hold."""
    return "".join(c if ord(c) < 256 else bare(c) for c in text)
