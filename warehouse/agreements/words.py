"""An agreement in plain words, for those who sign it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from warehouse.agreements.dictionary import dictionary_name
from warehouse.agreements.model import Agreement, SharedTable


def terms_of(agreement: Agreement) -> Iterator[tuple[str, str]]:
    """An agreement's terms as (what, words), for people."""
    yield "agreement", f"{agreement}: {agreement.title}"
    yield "from", f"{agreement.provider.name} ({agreement.provider.code}, {agreement.provider.jurisdiction})"
    yield "to", f"{agreement.recipient.name} ({agreement.recipient.code}, {agreement.recipient.jurisdiction})"
    yield "legal basis", agreement.legal_basis
    yield "purposes", ", ".join(sorted(agreement.purposes))
    yield "holds", f"{agreement.starts_on} to {agreement.expires_on}, to be reviewed by {agreement.review_on}"
    if agreement.revoked_at is not None:
        yield "revoked", f"{agreement.revoked_at:%Y-%m-%d %H:%M} UTC"
    yield "recipient keeps it", f"{agreement.retention_days} days at most"
    yield dictionary_name(agreement), "what each shared column means, and what became of its values"
    for name, shared in agreement.tables.items():
        yield from _table_in_words(name, shared)


def in_hours(delay: timedelta) -> str:
    """A delay as agreements tell it: in hours."""
    hours = delay / timedelta(hours=1)
    return f"{hours:g} hour{'' if hours == 1 else 's'}"


def _table_in_words(name: str, shared: SharedTable) -> Iterator[tuple[str, str]]:
    yield name, ", ".join(f"{column} ({masking})" for column, masking in shared.columns.items())
    yield "rows", " and ".join(map(str, shared.rows)) or "all"
    owners: Sequence[str] = sorted(shared.reasons) if shared.reasons is not None else ()
    yield "reasons", "none" if shared.reasons is None else f"of {', '.join(owners) or 'nobody'}; others restricted"
    versions = [
        word for word, is_allowed in (("history", shared.has_history), ("changes", shared.has_changes)) if is_allowed
    ]
    yield "also", ", ".join([*versions, *([f"after {in_hours(shared.delay)}"] if shared.delay else [])]) or "-"
