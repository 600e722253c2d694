"""Refused rows on the terminal, for whoever shows them: a dry run of a landing, and `borderlake quarantine show`."""

import polars as pl

from pipelines.cli.output import printable, table


def refused_table(title: str, rows: pl.DataFrame, *, with_raw: bool = False) -> object:
    """Refused rows as quarantine holds them: line, rules, what each asks for; as received only where that is asked."""
    columns = ("line", "rules", "messages", *(("as received",) if with_raw else ()))
    told = rows.select("source_line", "rules", "messages", *(["raw"] if with_raw else []))
    shown = [
        (
            str(line or "whole file"),
            *("\n".join(map(printable, texts)) for texts in (rules, messages)),
            *(printable(str(one or "")) for one in raw),
        )
        for line, rules, messages, *raw in told.iter_rows()
    ]
    return table(title, columns, shown)
