"""Share assets: what each agreement lets go, as one asset a share; and a register of all agreements and their shares.

Which assets there are is read from the agreements when the definitions are loaded, what they do from the agreements as
they are when they run: one that was revoked meanwhile is emptied at the next run. The register has no share of its
own: it writes each agreement's dictionary, empties the shares that no agreement speaks of any more, and fails where an
agreement cannot be read.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from pipelines import reporting
from pipelines.assets import DEPLOYMENT, OWNERS, RETRY
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.reporting import key_of
from sharing.dictionary import dictionaries_of
from sharing.materialise import Refreshed, refresh, refresh_dictionary, withdraw, withdraw_others
from sharing.progress import standing
from sharing.shares import LAYER, Share, shares_of
from warehouse import agreements
from warehouse.agreements import Agreement
from warehouse.errors import BorderlakeError

GROUP = "sharing"
NOTICE_DAYS = 30
"""So many days before its review or its end an agreement asks for attention."""
REGISTER = dg.AssetKey([LAYER, "register"])


def share_assets(deployment: Deployment) -> list[dg.AssetsDefinition]:
    """The register, and an asset for each share; of agreements that cannot be read there are none, and it says why."""
    try:
        found = shares_of(deployment.agreements, datetime.now(UTC))
    except BorderlakeError:
        found = ()
    return [_register, *(_asset(share) for share in found)]


def _asset(share: Share) -> dg.AssetsDefinition:
    key = key_of(share.table)

    @dg.asset(
        key=key,
        deps=[key_of(share.source), REGISTER],
        group_name=GROUP,
        description=f"What {share.agreement.recipient.name} gets of {share.source.name}: {share.agreement.title}.",
        owners=OWNERS[share.source.owner],
        kinds={"deltalake", LAYER},
        metadata=reporting.describe(share.table),
        retry_policy=RETRY,
        required_resource_keys={DEPLOYMENT},
        check_specs=[
            dg.AssetCheckSpec(
                "agreement_stands",
                asset=key,
                description=f"The agreement is in force, and neither review nor end is within {NOTICE_DAYS} days.",
            ),
            dg.AssetCheckSpec(
                "columns_are_the_agreements",
                asset=key,
                description="The table has the columns that the agreement names, of the types they are masked to.",
            ),
        ],
    )
    @discreet
    def refreshed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        deployment: Deployment = getattr(context.resources, DEPLOYMENT)
        at = datetime.now(UTC)
        now = {one.name: one for one in shares_of(_agreements(deployment), at)}.get(share.name)
        if now is None:
            done = withdraw(deployment.lake, share.name, at)
        else:
            keys = deployment.pseudonym_keys
            done = refresh(deployment.lake, now.agreement, now.shared, keys, at)
        return dg.MaterializeResult(
            metadata=_facts(deployment, now, done, at),
            data_version=dg.DataVersion(f"{share.name}@{done.version}"),
            check_results=[_agreement_stands(now, at), _columns_are_the_agreements(deployment, now)],
        )

    return refreshed


@dg.asset(
    key=REGISTER,
    group_name=GROUP,
    description="Every data-sharing agreement of this home, and where its shares stand. The dictionary of each, which "
    "tells its recipient what the columns mean, is written here; a share that no agreement speaks of is emptied.",
    owners=OWNERS["platform"],
    kinds={LAYER},
    retry_policy=RETRY,
    required_resource_keys={DEPLOYMENT},
    check_specs=[
        dg.AssetCheckSpec(
            "no_share_without_an_agreement",
            asset=REGISTER,
            description="No share had rows that no agreement speaks of; this run has emptied those that did.",
        )
    ],
)
@discreet
def _register(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    deployment: Deployment = getattr(context.resources, DEPLOYMENT)
    at, known = datetime.now(UTC), _agreements(deployment)
    shares, dictionaries = shares_of(known, at), dictionaries_of(known, at)
    told = [refresh_dictionary(deployment.lake, one, at) for one in dictionaries]
    emptied = [one for one in withdraw_others(deployment.lake, [*shares, *dictionaries], at) if one.rows_retracted]
    return dg.MaterializeResult(
        metadata={
            "shares": dg.MetadataValue.md(_table(shares, at)),
            "agreements": len(known),
            "dictionaries": ", ".join(f"{one.table}@{one.version}" for one in told) or "none",
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="no_share_without_an_agreement",
                passed=not emptied,
                metadata={"emptied": ", ".join(one.table for one in emptied) or "none"},
            )
        ],
    )


def _agreements(deployment: Deployment) -> tuple[Agreement, ...]:
    """The agreements as their files say now; a wrong one stops the run and is told with its line."""
    try:
        return agreements.read_all(deployment.settings.agreements)
    except BorderlakeError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _facts(deployment: Deployment, share: Share | None, done: Refreshed, at: datetime) -> dict[str, Any]:
    if share is None:
        return {"agreement": "none any more", "rows taken back": done.rows_retracted}
    told = standing(deployment.lake, share.table).progress
    agreement = share.agreement
    return {
        "agreement": str(agreement),
        "recipient": f"{agreement.recipient.name} ({agreement.recipient.code})",
        "dagster/row_count": 0 if told is None else told.rows,
        "rows added": done.rows_added,
        "rows taken back": done.rows_retracted,
        "rows taken back in all": 0 if told is None else told.retracted,
        "last refresh": dg.MetadataValue.timestamp(at),
        "days to review": (agreement.review_on - at.date()).days,
        "days to expiry": (agreement.expires_on - at.date()).days,
    }


def _agreement_stands(share: Share | None, at: datetime) -> dg.AssetCheckResult:
    said = "no agreement speaks of it any more; its rows are gone" if share is None else warning(share.agreement, at)
    return dg.AssetCheckResult(
        check_name="agreement_stands",
        passed=said is None,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"what to do": said or "nothing"},
    )


def warning(agreement: Agreement, at: datetime) -> str | None:
    """What an agreement asks for; None while it asks for nothing."""
    today = at.date()
    if today < agreement.starts_on:
        return f"begins on {agreement.starts_on}; nothing flows until then"
    if not agreement.is_in_force(at):
        return "is over, and its shares are empty; sign a new version, or remove its file"
    if (agreement.expires_on - today).days <= NOTICE_DAYS:
        return f"ends on {agreement.expires_on}; sign a new version, or tell the recipient"
    if (agreement.review_on - today).days <= NOTICE_DAYS:
        return f"is to be reviewed by {agreement.review_on}; review it, and sign a version with the next day of review"
    return None


def _columns_are_the_agreements(deployment: Deployment, share: Share | None) -> dg.AssetCheckResult:
    exists = share is not None and deployment.lake.version(share.table) is not None
    return dg.AssetCheckResult(
        check_name="columns_are_the_agreements",
        passed=share is None or not exists or deployment.lake.is_as_declared(share.table),
        metadata={"columns": ", ".join(share.table.columns) if share is not None else "none"},
    )


def _table(shares: Sequence[Share], at: datetime) -> str:
    lines = ["| share | agreement | to | |", "|---|---|---|---|"]
    for share in shares:
        agreement = share.agreement
        said = warning(agreement, at) or "in force"
        lines.append(
            f"| {share.name} | {agreement} | {reporting.cell(agreement.recipient.name)} | {reporting.cell(said)} |"
        )
    return "\n".join(lines) if shares else "no agreement yet: `borderlake agreement new`"
