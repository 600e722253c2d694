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


def papers_of(booking: Booking, told_on: str) -> list[dict[str, str]]:
    """What DOCS and INFT entries say about each traveller, in their order; of several entries the first counts."""
    travellers = booking.travellers
    found: list[dict[str, str]] = [{} for _ in travellers]
    infants: list[list[dict[str, str]]] = [[] for _ in travellers]
    indexes = {id(traveller): at for at, traveller in enumerate(travellers)}
    for person, request in booking.every_request():
        behind = indexes.get(id(person))
        match request.value(1):
            case "DOCS":
                entry = _docs(request, told_on)
                if (at := _owner(travellers, behind, request, entry)) is not None:
                    for name, value in entry.items():
                        found[at].setdefault(name, value)
            case "INFT":
                infant = _inft(request, told_on)
                at = _named(travellers, infant)
                if at is not None and travellers[at].kind == INFANT:
                    found[at].setdefault("birth_date", infant.get("birth_date", ""))
                adult = _referred(travellers, request)
                adult = behind if adult is None else adult
                if adult is not None and infant not in infants[adult]:
                    infants[adult].append(infant)
    for own, theirs in zip(found, infants, strict=True):
        if theirs:
            own["infants"] = json.dumps(theirs)
    return found


def _owner(travellers: Sequence[Traveller], behind: int | None, request: Segment, entry: dict[str, str]) -> int | None:
    """Whose document it is. An infant's stands behind its adult, with I behind the sex: FI, MI."""
    by_name = _named(travellers, entry)
    if entry.pop("is_infant", ""):
        at_hand = [at for at, traveller in enumerate(travellers) if traveller.kind == INFANT]
        if by_name in at_hand:
            return by_name
        return at_hand[0] if len(at_hand) == 1 else None
    referred = _referred(travellers, request)
    if referred is not None:
        return referred
    if behind is not None:
        return behind
    return 0 if len(travellers) == 1 else by_name


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
