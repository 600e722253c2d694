"""Answers that list what there is: shares, schemas, tables; a page at a time."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse, Response

from sharing.audit import Action
from sharing.server.access import Grant
from sharing.server.call import Call
from sharing.server.refusals import malformed, unknown

_LARGEST_PAGE = (1 << 31) - 1


def shares(call: Call) -> Response:
    """The recipient's share, if anything is in it."""
    return _page(call, [{"name": call.recipient.code}] if call.access.grants() else [], "shares")


def share(call: Call) -> Response:
    """One share."""
    _own(call)
    call.house.audit.record(call.entry(Action.LIST, detail="share"))
    return JSONResponse({"share": {"name": call.recipient.code}})


def schemas(call: Call) -> Response:
    """Layers of which something is shared."""
    names = dict.fromkeys(one.schema for one in _own(call))
    return _page(call, [{"name": name, "share": call.recipient.code} for name in names], "schemas")


def tables(call: Call) -> Response:
    """Tables of one layer."""
    found = [one for one in _own(call) if one.schema == call.path["schema"].lower()]
    if not found:
        raise unknown("nothing of that schema is shared")
    return _page(call, [_table(call, one) for one in found], "tables")


def all_tables(call: Call) -> Response:
    """Tables of every layer."""
    return _page(call, [_table(call, one) for one in _own(call)], "all-tables")


def _own(call: Call) -> list[Grant]:
    """What is in the share that the path names."""
    found = call.access.grants() if call.path["share"].lower() == call.recipient.code else []
    if not found:
        raise unknown("the share is another's, or nobody's, or empty")
    return found


def _table(call: Call, grant: Grant) -> dict[str, Any]:
    snapshot = call.house.snapshots.latest(grant.source)
    told = {"name": grant.name, "schema": grant.schema, "share": grant.share}
    return told if snapshot is None else told | {"id": snapshot.table_id}


def _page(call: Call, items: Sequence[dict[str, Any]], what: str) -> Response:
    asked = call.number("maxResults")
    if asked is not None and asked > _LARGEST_PAGE:
        raise malformed("maxResults is to be a whole number of 32 bits")
    begin = call.number("pageToken") if call.query.get("pageToken") else 0
    begin = min(begin or 0, len(items))
    end = begin + min(call.house.limits.page_size if asked is None else asked, call.house.limits.page_size)
    page: dict[str, Any] = {"items": list(items[begin:end])}
    if end < len(items):
        page["nextPageToken"] = str(end)
    call.house.audit.record(call.entry(Action.LIST, detail=f"{what}: {len(page['items'])}"))
    return JSONResponse(page, media_type="application/json; charset=utf-8")
