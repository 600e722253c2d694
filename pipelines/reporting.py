"""What Dagster is told of tables: keys, schemas, and materialisations whose data version is `table@version`."""

import re
from collections.abc import Mapping
from typing import Any

import dagster as dg
import dataframely as dy

from pipelines.deployment import Deployment
from warehouse.catalog import Table
from warehouse.contracts import dictionary
from warehouse.contracts.base import Sensitivity
from warehouse.ledger import Account

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
                type=str(column.dtype),
                description=_described(column),
                constraints=dg.TableColumnConstraints(nullable=column.nullable, other=_bounded(column)),
                tags=_tags(column),
            )
            for name, column in table.columns.items()
        ]
    )


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
    """Numbers of landing for a partition or a run."""
    return {
        "rows read": sum(account.rows_read for account in accounts),
        "dagster/partition_row_count": sum(account.rows_landed for account in accounts),
        "rows refused": sum(account.rows_refused for account in accounts),
        "files": len({account.delivery.path for account in accounts}),
    }


def refused_by_file(accounts: list[Account]) -> dg.MarkdownMetadataValue | None:
    """A table of the files of which something was refused, with the command that shows it; never a value of a row."""
    concerned = [account for account in accounts if account.rows_refused or account.reason]
    if not concerned:
        return None
    lines = ["| file | received | read | landed | refused | by rule | see |", "|---|---|--:|--:|--:|---|---|"]
    for account in concerned[:_FILES_SHOWN]:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in list(account.by_rule.items())[:_RULES_SHOWN])
        refused = f"{account.rows_refused:,}" if account.reason is None else "whole file"
        cells = (
            account.delivery.file_name,
            account.delivery.received_on.isoformat(),
            f"{account.rows_read:,}",
            f"{account.rows_landed:,}",
            refused,
            rules or account.reason or "",
        )
        command = f"`borderlake quarantine show {account.batch_id[:8]}`"
        lines.append(f"| {' | '.join(map(_cell, cells))} | {command} |")
    if len(concerned) > _FILES_SHOWN:
        lines.append(f"\n{len(concerned) - _FILES_SHOWN:,} more files: `borderlake quarantine list`")
    return dg.MetadataValue.md("\n".join(lines))


def _cell(text: str) -> str:
    """Text that stays within its cell of a Markdown table."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def by_rule(accounts: list[Account]) -> dict[str, int]:
    """Refused rows by rule over accounts."""
    total: dict[str, int] = {}
    for account in accounts:
        for rule, count in account.by_rule.items():
            total[rule] = total.get(rule, 0) + count
    return total
