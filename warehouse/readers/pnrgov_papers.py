"""Travel documents in a booking: DOCS and INFT entries, and to which traveller of the booking each belongs."""

import json
import re
from collections.abc import Sequence

from warehouse.readers.edifact_segment import Segment
from warehouse.readers.edifact_values import alpha_3, birth_day_of_docs, flight_moment
from warehouse.readers.pnrgov_booking import INFANT, Booking, Traveller

# IATA Resolution 830d, DOCS: /type/state/number/nationality/birth/sex/expiry/surname/given names/further names.
_DOCS = (
    "document_type",
    "issuing_state",
    "document_number",
    "nationality",
    "birth_date",
    "sex",
    "document_expires",
    "document_surname",
)
_DAY = r"\d\d[A-Z]{3}\d\d(?:\d\d)?"
_BIRTH = re.compile(_DAY)
_INFANT_BIRTH = re.compile(rf"[/ ]({_DAY})(?![A-Z0-9])")
# Behind an entry there may stand whose it is, as AIRIMP telegrams write it: -1BERG/ANNA MRS.
_NAME_FIELD = re.compile(r"-\d{1,3}[A-Z].*")


def papers_of(booking: Booking, told_on: str) -> tuple[list[dict[str, str]], list[Segment]]:
    """What DOCS and INFT entries say about each traveller, in their order; and the entries that cannot be read, or of
    which it cannot be told whose they are."""
    travellers = booking.travellers
    found: list[dict[str, str]] = [{} for _ in travellers]
    infants: list[list[dict[str, str]]] = [[] for _ in travellers]
    indexes = {id(traveller): at for at, traveller in enumerate(travellers)}
    unread: list[Segment] = []
    for person, request in booking.every_request():
        kind = request.value(1)
        if kind not in _READ or not any(_text(request)):
            continue
        behind, entry = indexes.get(id(person)), _READ[kind](request, told_on)
        is_infant = bool(entry.pop("is_infant", "")) or kind == "INFT"
        if not is_infant:
            at, adult = _owner(travellers, behind, request, entry), None
        else:
            at, adult = _infant(travellers, entry, kind), _adult(travellers, behind, request)
        if at is not None:
            _fill(found[at], entry if kind == "DOCS" else {"birth_date": entry.get("birth_date", "")})
        if adult is not None and entry and (kind == "INFT" or at is None):
            _among(infants[adult], entry)
        if not entry or (at is None and adult is None):
            unread.append(request)
    for own, theirs in zip(found, infants, strict=True):
        if theirs:
            own["infants"] = json.dumps(theirs)
    return found, unread


def _owner(travellers: Sequence[Traveller], behind: int | None, request: Segment, entry: dict[str, str]) -> int | None:
    """Whose document it is: whom its reference, its place or its names tell."""
    return _first_known(_referred(travellers, request), behind, _alone(travellers), _named(travellers, entry))


def _infant(travellers: Sequence[Traveller], entry: dict[str, str], kind: str) -> int | None:
    """The infant of its own name whom an entry means that stands behind its adult; DOCS may also mean the only one."""
    at_hand = [at for at, traveller in enumerate(travellers) if traveller.kind == INFANT]
    by_name = _named(travellers, entry)
    if by_name in at_hand:
        return by_name
    return at_hand[0] if len(at_hand) == 1 and kind == "DOCS" else None


def _adult(travellers: Sequence[Traveller], behind: int | None, request: Segment) -> int | None:
    """Whose infant it is."""
    return _first_known(_referred(travellers, request), behind, _alone(travellers))


def _alone(travellers: Sequence[Traveller]) -> int | None:
    return 0 if len(travellers) == 1 else None


def _first_known(*found: int | None) -> int | None:
    return next((at for at in found if at is not None), None)


def _fill(own: dict[str, str], entry: dict[str, str]) -> None:
    """Of several entries the first counts, of each thing that it tells."""
    for name, value in entry.items():
        if value:
            own.setdefault(name, value)


def _among(infants: list[dict[str, str]], entry: dict[str, str]) -> None:
    """Add what an entry tells of an infant: to the one that is called alike, or as another one."""
    names = ("document_surname", "document_given_names")
    alike = next((one for one in infants if all(one.get(name) == entry.get(name) for name in names)), None)
    if alike is None:
        infants.append(dict(entry))
    else:
        _fill(alike, entry)


def _referred(travellers: Sequence[Traveller], request: Segment) -> int | None:
    """The traveller whose number the entry gives in its last element (`+::2`)."""
    references = {request.value(element, 2) for element in range(2, len(request.elements))} - {""}
    found = [at for at, traveller in enumerate(travellers) if traveller.reference in references]
    return found[0] if len(found) == 1 else None


def _named(travellers: Sequence[Traveller], entry: dict[str, str]) -> int | None:
    """The one traveller who has the names of the entry."""
    surname, given = entry.get("document_surname", ""), entry.get("document_given_names", "")
    found = [at for at, traveller in enumerate(travellers) if traveller.is_called(surname, given)]
    return found[0] if len(found) == 1 else None


def _text(request: Segment) -> list[str]:
    """The parts between slashes of an entry's free text."""
    return [part.strip() for part in ":".join(request.composite(1)[8:]).split("/")]


def _without_name_field(names: list[str]) -> list[str]:
    """The names that are told, surname first; one is there, if empty."""
    surname, *given = _NAME_FIELD.sub("", "/".join(names)).split("/")
    return [surname, *(name for name in given if name)]


def _from_type(parts: list[str]) -> list[str]:
    """The parts of a DOCS entry from the document's type on; some leave out the slash before it, or double it."""
    birth = _DOCS.index("birth_date")
    starts = (at for at in (1, 0, 2) if at + birth < len(parts) and _BIRTH.fullmatch(parts[at + birth]))
    return parts[next(starts, 1) :]


def _docs(request: Segment, told_on: str) -> dict[str, str]:
    parts = _from_type(_text(request))
    names_at = _DOCS.index("document_surname")
    surname, *given = _without_name_field(parts[names_at:])
    if given and given[-1] == "H":
        given.pop()  # The holder of a document that several travel on.
    entry = dict(zip(_DOCS, [*parts[:names_at], surname], strict=False))
    entry["document_given_names"] = " ".join(given)
    for country in ("issuing_state", "nationality"):
        entry[country] = alpha_3(entry.get(country, ""))
    entry["birth_date"] = birth_day_of_docs(entry.get("birth_date", ""), told_on)
    entry["document_expires"] = flight_moment(entry.get("document_expires", ""), "")
    sex = entry.get("sex", "")
    if len(sex) == 2 and sex.endswith("I"):
        entry |= {"sex": sex[0], "is_infant": "yes"}
    return {name: value for name, value in entry.items() if value}


def _inft(request: Segment, told_on: str) -> dict[str, str]:
    """An infant's names and birth, as its adult's entry gives them: a slash or a blank is before the day."""
    text = "/".join(_without_name_field([part for part in _text(request) if part]))
    birth = _INFANT_BIRTH.search(text)
    surname, *given = (text[: birth.start()] if birth else text).split("/")
    entry = {
        "document_surname": surname,
        "document_given_names": " ".join(given),
        "birth_date": birth_day_of_docs(birth[1], told_on) if birth else "",
    }
    return {name: value for name, value in entry.items() if value}


_READ = {"DOCS": _docs, "INFT": _inft}
