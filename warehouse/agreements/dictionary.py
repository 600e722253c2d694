"""The dictionary of an agreement: a table, shared with those it names, that says of each of their columns what it is.

Here is what the table looks like and that it is granted; what stands in it is `sharing.dictionary`.
"""

import dataframely as dy

from warehouse.agreements.model import Agreement, Mask, Masking, SharedTable

LAYER = "dictionary"


class DictionaryColumns(dy.Schema):
    """One column of a shared table."""

    table = dy.String(description="The shared table, as layer.table.")
    position = dy.Int64(description="Place of the column in its table, from 1.")
    column = dy.String(description="Name of the column.")
    type = dy.String(description="Its type in Delta.")
    is_nullable = dy.Bool(description="Whether it may be empty.")
    meaning = dy.String(description="What it says.")
    masking = dy.String(description="What became of its values on their way out; keep: nothing.")
    unit = dy.String(nullable=True, description="What its numbers count or measure, or its times are told in.")
    standard = dy.String(nullable=True, description="Standard or list of codes that its values follow.")
    sensitivity = dy.String(
        description="open; commercial; pseudonymous: a name of its own for each recipient, of what the house can name."
    )


_GRANTED = {name: Masking(Mask.KEEP) for name in DictionaryColumns.columns()}


def dictionary_name(agreement: Agreement) -> str:
    """The dictionary's name among the tables that the recipient sees."""
    return f"{LAYER}.{agreement.agreement_id.replace('-', '_')}"


def granted(agreement: Agreement, table: str) -> SharedTable | None:
    """What an agreement lets flow of a table: of one that it names, or of the dictionary that comes with them."""
    named = agreement.tables.get(table)
    if named is not None or table != dictionary_name(agreement):
        return named
    return SharedTable(table, _GRANTED)
