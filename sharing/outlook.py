"""What a refresh would do to the shares, told before it is done. Nothing is written, and no row is read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sharing.dictionary import Dictionary, dictionaries_of
from sharing.files import Reach
from sharing.materialise import days_to_cut, is_cut_to
from sharing.progress import Standing, noted, standing
from sharing.pseudonyms import Keys
from sharing.shares import Share, by_name, share_prefix, shares_of
from warehouse.agreements import Agreement
from warehouse.delta import Lake


@dataclass(frozen=True)
class Outlook:
    """What is to come of one share; `is_anew`: what its recipient has of it does not fit what will come."""

    table: str
    what: str
    is_change: bool = True
    is_anew: bool = False


def outlooks(
    lake: Lake, agreements: Iterable[Agreement], keys: Keys, at: datetime, recipient: str | None = None
) -> Iterator[Outlook]:
    """What a refresh at `at` would do to each share, of one recipient or of all."""
    known = tuple(agreements)
    made: list[Share | Dictionary] = [*shares_of(known, at), *dictionaries_of(known, at)]
    for one in made:
        if recipient is None or one.agreement.recipient.code == recipient:
            yield _outlook(lake, one, keys, at)
    names = {one.name for one in made}
    for name in noted(lake):
        if name not in names and (recipient is None or name.startswith(share_prefix(recipient))):
            yield _ended(lake, name, "no agreement speaks of it any more")


def _outlook(lake: Lake, made: Share | Dictionary, keys: Keys, at: datetime) -> Outlook:
    if not made.agreement.is_in_force(at):
        return _ended(lake, made.name, f"{made.agreement} is not in force")
    last = standing(lake, made.table)
    if last.version is None or last.progress is None or last.progress.is_withdrawn:
        return Outlook(made.name, "made for the first time" if last.version is None else "made anew", is_anew=True)
    if not last.progress.is_under(made):
        return Outlook(made.name, f"made anew: {made.agreement} has other terms", is_anew=True)
    return (
        Outlook(made.name, "up to date", False) if isinstance(made, Dictionary) else _of_source(lake, made, last, keys)
    )


def _of_source(lake: Lake, share: Share, last: Standing, keys: Keys) -> Outlook:
    assert last.progress is not None
    key = keys.current(share.agreement.recipient.code)
    if not is_cut_to(share, key, last.progress):
        return Outlook(share.name, f"made anew: its pseudonyms are under key {key.key_id} now", is_anew=True)
    days = days_to_cut(lake, share, last.progress, Reach.of(lake, share.source))
    if days is None:
        return Outlook(share.name, f"compared with all of {share.source.name}")
    if not days:
        return Outlook(share.name, "up to date", not last.is_settled)
    return Outlook(share.name, f"brought up to {len(days)} days of {share.source.name} that have changed")


def _ended(lake: Lake, name: str, why: str) -> Outlook:
    last = standing(lake, by_name(name))
    is_empty = last.version is None or (last.progress is not None and last.progress.is_withdrawn)
    return Outlook(name, f"{'empty' if is_empty else 'emptied'}: {why}", not is_empty, not is_empty)
