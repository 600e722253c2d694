"""Bronze assets: one a contract; a partition is what its agencies delivered that day."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import polars as pl

from pipelines import feed_checks, flows, glance, pictures, reporting
from pipelines.assets import DAILY, DEPLOYMENT, OWNERS, RETRY
from pipelines.deployment import Deployment
from pipelines.discretion import discreet
from pipelines.partitions import BACKFILL, days_of, days_of_delivery, first_day, partition_of
from pipelines.reporting import key_of
from warehouse.catalog import BRONZE, LEDGER, QUARANTINE
from warehouse.contracts import CONTRACTS, Contract
from warehouse.delivery import Delivery
from warehouse.errors import BorderlakeError
from warehouse.ledger import Account, unaccounted
from warehouse.terms import in_words

_ACCOUNTED = "every_row_accounted_for"
_AGREE = "rows_agree"
_REFUSED_SHARE = 0.05
"""A feed of which more than one row in twenty is refused has changed: someone should look."""


def _bronze(contract: Contract) -> dg.AssetsDefinition:
    table = BRONZE[contract.name]
    key = key_of(table)

    @dg.asset(
        key=key,
        description=(
            f"{table.description}\n\nLands what waits in the inbox; refused rows are in "
            f"`{QUARANTINE[contract.name].name}`. What came on a day, and what was refused of it, is under Partitions."
        ),
        group_name=contract.domain,
        owners=OWNERS[contract.domain],
        kinds={"deltalake", "polars", "bronze"},
        partitions_def=days_of_delivery,
        backfill_policy=BACKFILL,
        retry_policy=RETRY,
        freshness_policy=DAILY,
        code_version=str(contract.version),
        metadata={**reporting.describe(table), "contract": f"{contract.name} v{contract.version}"},
        required_resource_keys={DEPLOYMENT},
        check_specs=[*_check_specs(contract), *feed_checks.specs(key)],
    )
    @discreet
    def bronze(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        deployment: Deployment = getattr(context.resources, DEPLOYMENT)
        days = days_of(context)
        accounts = _land(context, deployment, contract, days)
        _report_partitions(context, deployment, contract, accounts)
        for event in landing_events(deployment, accounts, reported=contract):
            context.log_event(event)
        health = feed_checks.judged(deployment, contract, datetime.now(UTC))
        lost = unaccounted(deployment.lake, [account for account in accounts if account.contract is contract])
        return dg.MaterializeResult(
            data_version=reporting.data_version(deployment, table),
            check_results=[*_checks(deployment, contract, accounts, lost), *feed_checks.results(health, contract)],
        )

    return bronze


def _check_specs(contract: Contract) -> list[dg.AssetCheckSpec]:
    """What is checked of each landing, and what to do where it fails."""
    key = key_of(BRONZE[contract.name])
    dataset = contract.name.partition(".")[2]
    return [
        dg.AssetCheckSpec(
            _ACCOUNTED,
            asset=key,
            description=(
                "Rows in bronze and quarantine are those the ledger says were read. Where not: keep the files, and run "
                "`borderlake verify`, which names what is lost and how it is put back."
            ),
            blocking=True,
        ),
        dg.AssetCheckSpec(
            "ceiling_of_rows",
            asset=key,
            description=(
                f"No delivered day has more than {contract.ceiling:,} rows, far more than can be. Where one has, see "
                "whether its files hold other days or repeat them, and ask the agency."
            ),
        ),
        dg.AssetCheckSpec(_AGREE, asset=key, description=_consistencies(contract)),
        dg.AssetCheckSpec(
            "refused_share",
            asset=key,
            description=(
                "At most one row in twenty is refused. Where more are, the layout has changed or the sender's system "
                f"has a fault: `borderlake quarantine list --dataset AGENCY.{dataset}` tells by which rules."
            ),
        ),
        dg.AssetCheckSpec(
            "floor_of_rows",
            asset=key,
            description=(
                f"Each delivered day has {contract.floor:,} rows or more. Where one has fewer, ask the agency whether "
                "it is whole: a file may be missing, or cut before its sidecar was written."
            ),
        ),
    ]


def _land(
    context: dg.AssetExecutionContext, deployment: Deployment, contract: Contract, days: list[date]
) -> list[Account]:
    now = datetime.now(UTC)
    waiting = [item for item in flows.waiting_deliveries(deployment, now, contract) if _belongs(item, days)]
    context.log.info(f"{contract.name}: {len(waiting)} files wait")
    deployment.lake.ensure(BRONZE[contract.name])
    try:
        return flows.land_all(deployment, waiting, now)
    except BorderlakeError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _belongs(item: Delivery, days: list[date]) -> bool:
    return max(item.received_on, first_day()) in days


def _report_partitions(
    context: dg.AssetExecutionContext, deployment: Deployment, contract: Contract, accounts: list[Account]
) -> None:
    mine: dict[str, list[Account]] = defaultdict(list)
    for account in accounts:
        if account.contract is contract:
            mine[partition_of(account.delivery.received_on)].append(account)
    key = key_of(BRONZE[contract.name])
    for partition, of_day in mine.items():
        context.add_asset_metadata(landing_facts(of_day), key, partition)
    context.add_asset_metadata(landing_pictures(deployment, contract), key, max(context.partition_keys))


def landing_facts(accounts: list[Account]) -> dict[str, Any]:
    """Numbers of landing, and what was refused of each file."""
    new = sorted({name for account in accounts for name in account.columns_unmapped or ()})
    let_pass = sum((Counter(account.notes.let_pass) for account in accounts), Counter[str]())
    told = ", ".join(f"{rule} {count:,}" for rule, count in sorted(let_pass.items()))
    return {
        **reporting.account_facts(accounts),
        **reporting.refused_facts(accounts),
        **({"let pass, as the dialect asks": told} if told else {}),
        **({"columns not mapped": ", ".join(new)} if new else {}),
    }


def landing_pictures(deployment: Deployment, contract: Contract) -> dict[str, dg.MarkdownMetadataValue]:
    """Volumes by day and refusals by rule, over everything the contract has landed."""
    ledger = deployment.lake.scan(LEDGER).filter(pl.col("contract") == contract.name)
    by_day = ledger.group_by("received_on").agg(
        landed=pl.col("rows_landed").sum(), refused=pl.col("rows_refused").sum()
    )
    refused = deployment.lake.scan(QUARANTINE[contract.name]).select(rule=pl.col("rules").list.first())
    rules = {in_words(rule): count for rule, count in refused.group_by("rule").len().collect().iter_rows()}
    days = by_day.sort("received_on").collect()
    landed = days["landed"].to_list()
    shown = {
        "at a glance": glance.bars(landed, f"rows landed by day, at most {max(landed, default=0):,}"),
        "volumes by day": pictures.volumes(days, contract.title),
    }
    if rules:
        shown["refused so far by rule"] = pictures.refusals(rules, contract.title)
    return shown


def landing_events(
    deployment: Deployment, accounts: list[Account], *, reported: Contract | None = None
) -> Iterator[dg.AssetMaterialization]:
    """Materialisations of every table that landing these accounts wrote, but the bronze that is `reported` already."""
    if not accounts:
        return
    yield reporting.materialized(deployment, LEDGER, metadata=reporting.ledger_facts(deployment))
    for written in {account.contract.name: account.contract for account in accounts}.values():
        mine = [account for account in accounts if account.contract is written]
        quarantine = QUARANTINE[written.name]
        if any(account.rows_refused or account.reason for account in mine):
            yield reporting.materialized(deployment, quarantine, metadata=reporting.refused_facts(mine))
        if written is reported or deployment.lake.version(BRONZE[written.name]) is None:
            continue
        pictured = landing_pictures(deployment, written)
        for partition in sorted({partition_of(account.delivery.received_on) for account in mine}):
            of_day = [account for account in mine if partition_of(account.delivery.received_on) == partition]
            facts = {**landing_facts(of_day), **pictured}
            yield reporting.materialized(deployment, BRONZE[written.name], partition=partition, metadata=facts)


def check_events(
    deployment: Deployment, accounts: list[Account], lost: Mapping[str, int], now: datetime
) -> Iterator[dg.AssetCheckEvaluation]:
    """What a run would say of batches that landed outside of one, check by check; `lost` is `unaccounted`."""
    for contract in {account.contract.name: account.contract for account in accounts}.values():
        key = key_of(BRONZE[contract.name])
        for found in _checks(deployment, contract, accounts, lost):
            yield dg.AssetCheckEvaluation(
                key, str(found.check_name), found.passed, metadata=found.metadata, severity=found.severity
            )
        yield from feed_checks.evaluations(feed_checks.judged(deployment, contract, now), contract)


def _accounting_facts(accounts: list[Account], lost: Mapping[str, int]) -> dict[str, Any]:
    return {
        **reporting.account_facts(accounts),
        "rows unaccounted for": sum(lost.values()),
        "batches": ", ".join(lost) or "all accounted for",
    }


def _checks(
    deployment: Deployment, contract: Contract, accounts: list[Account], lost: Mapping[str, int]
) -> Iterator[dg.AssetCheckResult]:
    mine = [account for account in accounts if account.contract is contract]
    facts = reporting.account_facts(mine)
    of_mine = {batch: lost[batch] for batch in {account.batch_id for account in mine} if batch in lost}
    yield dg.AssetCheckResult(check_name=_ACCOUNTED, passed=not of_mine, metadata=_accounting_facts(mine, of_mine))
    share = facts["rows refused"] / max(facts["rows read"], 1)
    yield dg.AssetCheckResult(
        check_name="refused_share",
        passed=share <= _REFUSED_SHARE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"share refused, of 1": round(share, 4), "rows by rule": reporting.by_rule(mine)},
    )
    thin = sorted(day for day, rows in _rows_by_day(mine).items() if rows < contract.floor)
    yield dg.AssetCheckResult(
        check_name="floor_of_rows",
        passed=not thin,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"days below": ", ".join(thin) or "none", "floor": f"{contract.floor:,} rows a day"},
    )

    full = sorted(day for day, rows in _rows_by_day(mine).items() if rows > contract.ceiling)
    yield dg.AssetCheckResult(
        check_name="ceiling_of_rows",
        passed=not full,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"ceiling": f"{contract.ceiling:,} rows a day", "days above": ", ".join(full) or "none"},
    )
    yield _consistency_check(deployment, contract, mine)


def _consistencies(contract: Contract) -> str:
    told = " ".join(rule.description for rule in contract.consistencies)
    if not told:
        return "The contract has no rule across rows, beside the one that a record stands once in a file."
    return f"{told} Nothing is refused where they do not: ask the sender which of the rows is right."


def _consistency_check(deployment: Deployment, contract: Contract, mine: list[Account]) -> dg.AssetCheckResult:
    """Groups of rows of these deliveries that disagree, by rule; which is right only their sender can tell."""
    delivered = pl.col("received_on").is_in(list({account.delivery.received_on for account in mine}))
    rows = deployment.lake.scan(BRONZE[contract.name]).filter(
        delivered & pl.col("batch_id").is_in(list({account.batch_id for account in mine}))
    )
    groups = {one.name: one.broken(rows).select(pl.len()).collect().item() for one in contract.consistencies}
    return dg.AssetCheckResult(
        check_name=_AGREE,
        passed=not any(groups.values()),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={f"groups against {name}": count for name, count in groups.items()},
    )


def _rows_by_day(accounts: list[Account]) -> dict[str, int]:
    rows: dict[str, int] = defaultdict(int)
    for account in accounts:
        rows[account.delivery.received_on.isoformat()] += account.rows_landed
    return rows


bronze_assets = [_bronze(contract) for contract in CONTRACTS.values()]
