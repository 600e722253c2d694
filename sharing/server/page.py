"""The page for recipients: what is shared with them, under what, how fresh it is, how to connect.

Plain HTML, no script and nothing from elsewhere; the token is sent in a form and kept nowhere.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, Response

from sharing.audit import Action
from sharing.dictionary import Dictionary
from sharing.server.access import Grant
from sharing.server.call import Call
from sharing.server.refusals import Refusal
from sharing.server.urls import PREFIX
from sharing.shares import Share
from warehouse.agreements.words import in_hours
from warehouse.snapshots import Snapshot

_CODE = re.compile(r"`([^`]+)`")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #d5dbe3; padding-bottom: .3rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .8rem .3rem 0;
vertical-align: top; border-bottom: 1px solid #e6eaef; } th { font-weight: 600; }
pre { background: #f3f5f8; padding: .8rem; overflow-x: auto; } code { font-size: .95em; }
input { font: inherit; padding: .4rem; width: 30rem; max-width: 100%; } button { font: inherit; padding: .4rem 1rem; }
.warning { background: #fff4d6; padding: .5rem .8rem; } dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
h1, h3, dd { overflow-wrap: anywhere; }
@media (max-width: 40rem) {
thead { display: none; } tr { display: block; padding: .4rem 0; border-bottom: 1px solid #e6eaef; }
td { display: inline-block; border: 0; padding: 0 .6rem 0 0; } td:first-child, td:last-child { display: block; }
}
"""


def token_of(body: bytes) -> str:
    """The token that the form sent; empty where there is none."""
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=10).get("token", [""])[0].strip()
    except ValueError:  # More fields than the form has.
        return ""


def asking(problem: str = "") -> Response:
    """The form that asks for the token. It is no answer to anybody: its status says that a token is missing."""
    told = f'<p class="warning" role="alert">{escape(problem)}</p>' if problem else ""
    body = f"""<h1>Shared tables</h1>{told}
<form method="post" action="/"><p><label for="token">Token (in your profile file: <code>bearerToken</code>)</label></p>
<p><input id="token" name="token" type="password" autocomplete="off" required> <button>Show what is shared</button></p>
</form>"""
    return _html("Shared tables", body, 401)


def shown(call: Call) -> Response:
    """What is shared with the one who asks."""
    grants = call.access.grants()
    call.house.audit.record(call.entry(Action.LIST, detail=f"page: {len(grants)} tables"))
    credential = next(
        one for one in call.house.recipients.credentials() if one.credential_id == call.recipient.credential_id
    )
    parts = [
        f"<h1>Shared with {escape(call.recipient.code)}</h1>",
        f"<p>For {escape(call.recipient.purpose)}. Your token counts until "
        f"<strong>{_moment(credential.expires_at)}</strong>.</p>",
    ]
    if not grants:
        parts.append(
            '<p class="warning">Nothing is shared with you now: no agreement is in force for this purpose, '
            "or its tables are not made yet. Ask your contact at the providing agency.</p>"
        )
    for agreement in {str(one.agreement): one.agreement for one in grants}.values():
        parts.append(
            f"<h2>{escape(agreement.title)}</h2><dl><dt>Agreement</dt><dd>{escape(str(agreement))}, with "
            f"{escape(agreement.provider.name)}</dd><dt>Legal basis</dt><dd>{escape(agreement.legal_basis)}</dd>"
            f"<dt>Holds until</dt><dd>{agreement.expires_on}, to be reviewed by {agreement.review_on}</dd>"
            f"<dt>You may keep rows for</dt><dd>{agreement.retention_days} days</dd>"
            f"<dt>Contacts</dt><dd>{escape('; '.join(f'{one.role}: {one.email}' for one in agreement.contacts))}</dd>"
            "</dl>"
        )
        parts.extend(_table(call, one) for one in grants if one.agreement is agreement)
    ready = [one for one in grants if _ready(call, one) is not None]
    parts.extend(_connecting(call, one) for one in ready[:1])
    return _html(f"Shared with {call.recipient.code}", "".join(parts), 200)


def _table(call: Call, grant: Grant) -> str:
    name = f"{grant.share}.{grant.schema}.{grant.name}"
    snapshot = _ready(call, grant)
    if snapshot is None:
        return f'<h3><code>{escape(name)}</code></h3><p class="warning">It is being made anew; ask again later.</p>'
    made_of = call.access.made_of(grant)
    if isinstance(made_of, Dictionary):
        return (
            f"<h3><code>{escape(name)}</code></h3><p>What each of these columns means, as a table: a row a column.</p>"
        )
    also = [
        word
        for word, is_shared in (("earlier versions", grant.shared.has_history), ("changes", grant.shared.has_changes))
        if is_shared
    ]
    delay = f"; rows flow {in_hours(grant.shared.delay)} after they are known" if grant.shared.delay else ""
    facts = f"{snapshot.rows:,} rows, version {snapshot.version}, last changed {_last_change(snapshot)}{delay}"
    rows = (
        (
            f"<code>{escape(column)}</code>",
            escape(kind),
            escape(as_what),
            _CODE.sub(r"<code>\1</code>", escape(meaning)),
        )
        for column, kind, as_what, meaning in _columns(made_of, snapshot)
    )
    columns = "".join(f"<tr><td>{'</td><td>'.join(cells)}</td></tr>" for cells in rows)
    return (
        f"<h3><code>{escape(name)}</code></h3>"
        f"<p>{escape(facts)}. Also shared: {escape(', '.join(also) or 'nothing')}.</p>"
        f"<table><thead><tr><th>column</th><th>type</th><th>as</th><th>meaning</th></tr></thead><tbody>{columns}</tbody></table>"
    )


def _ready(call: Call, grant: Grant) -> Snapshot | None:
    """The table's latest version, if it may be served now."""
    try:
        return call.access.current(grant)
    except Refusal:
        return None


def _connecting(call: Call, grant: Grant) -> str:
    endpoint = f"{call.base_url}{PREFIX}"
    name = f"{grant.share}.{grant.schema}.{grant.name}"
    pandas = (
        f'import delta_sharing  # pip install delta-sharing\n\nurl = "profile.share#{name}"\n'
        "rows = delta_sharing.load_as_pandas(url)"
    )
    if grant.shared.has_changes:
        since = call.access.first_change(grant, call.access.current(grant))
        pandas += f"\nchanges = delta_sharing.load_table_changes_as_pandas(url, starting_version={since})"
    spark = (
        "# spark-submit --packages io.delta:delta-sharing-spark_2.12:3.3.2\n"
        f'rows = spark.read.format("deltaSharing").load("profile.share#{name}")'
    )
    return f"""<h2>How to connect</h2>
<p>You need the profile file that you were given; the endpoint in it is <code>{escape(endpoint)}</code>.</p>
<h3>pandas</h3><pre>{escape(pandas)}</pre>
<h3>Spark</h3><pre>{escape(spark)}</pre>
<h3>Power BI</h3><p>Get Data, Delta Sharing. Server URL: <code>{escape(endpoint)}</code>; then enter the token as Bearer
token and choose the tables.</p>
<h3>Excel</h3><p>Excel reads a share through a connector for Delta Sharing, if your agency has one, or as a file:
<code>rows.to_excel("rows.xlsx")</code> after the lines for pandas. Times with a zone are to be made plain first:
<code>rows[c] = rows[c].dt.tz_localize(None)</code>.</p>"""


def _columns(share: Share, snapshot: Snapshot) -> Iterable[tuple[str, str, str, str]]:
    """Name, type, masking and meaning of each column."""
    told = share.table.columns
    for one in json.loads(snapshot.schema)["fields"]:
        name, kind = one["name"], one["type"]
        meaning = told[name].description if name in told else None
        yield name, kind if isinstance(kind, str) else str(kind["type"]), share.masked_as(name), meaning or ""


def _last_change(snapshot: Snapshot) -> str:
    latest = max((file.modified_ms for file in snapshot.files), default=snapshot.created_ms)
    return _moment(datetime.fromtimestamp(latest / 1000, UTC))


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _html(title: str, body: str, status: int) -> Response:
    content = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>'
    )
    headers = {"content-security-policy": _POLICY, "x-frame-options": "DENY"}
    return HTMLResponse(content, status, headers=headers)
