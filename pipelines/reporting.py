"""What Dagster is told of tables: keys, schemas, and materialisations whose data version is `table@version`."""

import re
from collections.abc import Mapping
from typing import Any

import dagster as dg
import dataframely as dy
import polars as pl

from pipelines.deployment import Deployment
from warehouse.catalog import LEDGER, Table
from warehouse.contracts import dictionary
from warehouse.contracts.base import Sensitivity
from warehouse.ledger import REFUSED, Account
from warehouse.terms import in_words

DATA_VERSION = "dagster/data_version"
_FILES_SHOWN, _RULES_SHOWN = 50, 4
_SPECIAL = re.compile(r"[|\\`*_<>\[\]]")


def key_of(table: Table) -> dg.AssetKey:
    """`layer/table`."""
    return dg.AssetKey(table.name.split("."))


def data_version(deployment: Deployment, table: Table) -> dg.DataVersion:
    """`table@version` of the table's latest version."""
    return dg.DataVersion(f"{table.name}@{deployment.lake.version(table)}")


def schema_of(table: Table) -> dg.TableSchema:
    """The table's columns for the UI."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=_type(column.dtype),
                description=_described(column),
                constraints=dg.TableColumnConstraints(nullable=column.nullable, other=_bounded(column)),
                tags=_tags(column),
            )
            for name, column in table.columns.items()
        ]
    )


def _type(dtype: pl.DataType) -> str:
    """The type as a person reads it: a moment's zone matters, its resolution does not."""
    if isinstance(dtype, pl.Datetime):
        return f"Datetime, {dtype.time_zone}" if dtype.time_zone else "Datetime"
    return str(dtype)


def _described(column: dy.Column) -> str:
    unit = (column.metadata or {}).get("unit")
    return f"{column.description or ''}{f' Unit: {unit}.' if unit else ''}"


def _bounded(column: dy.Column) -> list[str]:
    """What a value of a contract may be, as the data dictionary says it."""
    known = column.metadata or {}
    told = dictionary.bounds(column, known.get("code_list"), known.get("standard"))
    return [told] if told else []


def _tags(column: dy.Column) -> dict[str, str]:
    known = column.metadata or {}
    tags = {"sensitivity": str(known.get("sensitivity", "")), "identifies": known.get("identifies") or ""}
    return {name: value for name, value in tags.items() if value and value != Sensitivity.OPEN}


def describe(table: Table) -> dict[str, Any]:
    """Definition metadata of a table's asset."""
    facts: dict[str, Any] = {
        "dagster/column_schema": schema_of(table),
        "dagster/table_name": table.name,
        "key": ", ".join(table.key),
        "partitioned by": ", ".join(table.partition_by) or "nothing",
    }
    if table.retention_days is not None:
        facts["retention"] = f"{table.retention_days} days"
    return facts


def materialized(
    deployment: Deployment, table: Table, *, partition: str | None = None, metadata: Mapping[str, Any] | None = None
) -> dg.AssetMaterialization:
    """The event that says a table stands at its latest version."""
    return dg.AssetMaterialization(
        asset_key=key_of(table),
        partition=partition,
        metadata=dict(metadata or {}),
        tags={DATA_VERSION: data_version(deployment, table).value},
    )


def account_facts(accounts: list[Account]) -> dict[str, Any]:
    """Numbers of landing for a partition or a run, and that they add up."""
    read = sum(account.rows_read for account in accounts)
    landed = sum(account.rows_landed for account in accounts)
    refused = sum(account.rows_refused for account in accounts)
    return {
        "rows": f"{read:,} read = {landed:,} landed + {refused:,} refused",
        "rows read": read,
        "dagster/partition_row_count": landed,
        "rows refused": refused,
        "files": len({account.delivery.path for account in accounts}),
    }


def ledger_facts(deployment: Deployment) -> dict[str, Any]:
    """What each feed has delivered so far: files, rows, and what was refused of them."""
    so_far = (
        deployment.lake.scan(LEDGER)
        .group_by("source_agency", "contract")
        .agg(
            files=pl.col("sha256").n_unique(),
            read=pl.col("rows_read").sum(),
            landed=pl.col("rows_landed").sum(),
            refused=pl.col("rows_refused").sum(),
            whole=(pl.col("status") == REFUSED).sum(),
            last=pl.col("received_on").max(),
        )
        .sort("source_agency", "contract")
        .collect()
    )
    lines = [
        f"| {row['source_agency']} | {row['contract']} | {row['files']:,} | {row['read']:,} = {row['landed']:,} + "
        f"{row['refused']:,} | {row['whole']:,} | {row['last']} |"
        for row in so_far.iter_rows(named=True)
    ]
    head = (
        "| agency | read as | files | rows read = landed + refused | refused whole | last |\n|---|---|--:|--:|--:|---|"
    )
    return {
        "delivered so far": dg.MetadataValue.md("\n".join([head, *lines])),
        "file by file": dg.MetadataValue.md(
            "`borderlake show ledger.landings`; what was refused: `borderlake quarantine list`"
        ),
    }


def refused_facts(accounts: list[Account]) -> dict[str, Any]:
    """What was refused, by rule and by file, and what to do about it; nothing where all has landed."""
    by_file = refused_by_file(accounts)
    if by_file is None:
        return {}
    whole = by_rule([account for account in accounts if account.reason is not None])
    rows = by_rule([account for account in accounts if account.reason is None])
    counted = [(rule, f"{count:,} whole {'file' if count == 1 else 'files'}") for rule, count in whole.items()]
    counted += [(rule, f"{count:,}") for rule, count in sorted(rows.items(), key=lambda pair: -pair[1])]
    lines = [f"| {cell(in_words(rule))} | {count} |" for rule, count in counted]
    table = "\n".join(["| rule | rows |", "|---|--:|", *lines])
    return {
        "refused of this delivery by rule": dg.MetadataValue.md(table),
        "refused by file": by_file,
        "what to do next": _next_steps(accounts),
    }


def _next_steps(accounts: list[Account]) -> dg.MarkdownMetadataValue:
    """Commands to copy, with the batch of which most was refused."""
    concerned = [account for account in accounts if account.rows_refused or account.reason]
    feeds = sorted({f"{account.delivery.agency}.{account.delivery.dataset}" for account in concerned})
    batch = max(concerned, key=lambda account: account.rows_refused).batch_id[:8]
    lists = ", ".join(f"`borderlake quarantine list --dataset {feed}`" for feed in feeds)
    return dg.MetadataValue.md(
        f"1. What is still refused: {lists}\n"
        f"2. Its lines, each with what it asks for: `borderlake quarantine show {batch}`, or another batch\n"
        "3. Is the layout to blame? Mend the dialect, raise its version, `borderlake quarantine redrive`\n"
        f"4. Is the sender? `borderlake quarantine export {batch} --out report/` writes what to return"
    )


def refused_by_file(accounts: list[Account]) -> dg.MarkdownMetadataValue | None:
    """A table of the files of which something was refused, with the command that shows it; never a value of a row."""
    concerned = [account for account in accounts if account.rows_refused or account.reason]
    if not concerned:
        return None
    # The page is narrow: a fourth column would stand outside it.
    lines = ["| file, batch | read = landed + refused | why |", "|---|---|---|"]
    for account in concerned[:_FILES_SHOWN]:
        rules = ", ".join(
            f"{in_words(rule)}: {count:,}" for rule, count in list(account.by_rule.items())[:_RULES_SHOWN]
        )
        counts = f"{account.rows_read:,} = {account.rows_landed:,} + {account.rows_refused:,}"
        name, told = cell(account.delivery.file_name), cell(account.reason or rules)
        counted = counts if account.reason is None else "whole file"
        lines.append(f"| {name} `{account.batch_id[:8]}` | {counted} | {told} |")
    if len(concerned) > _FILES_SHOWN:
        lines.append(f"\n{len(concerned) - _FILES_SHOWN:,} more files: `borderlake quarantine list`")
    return dg.MetadataValue.md("\n".join(lines))


def cell(text: str) -> str:
    """Text that stays within its cell of a Markdown table."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def by_rule(accounts: list[Account]) -> dict[str, int]:
    """Refused rows by rule over accounts."""
    total: dict[str, int] = {}
    for account in accounts:
        for rule, count in account.by_rule.items():
            total[rule] = total.get(rule, 0) + count
    return total
