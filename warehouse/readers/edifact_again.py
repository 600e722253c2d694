"""A message that was refused whole, read once more for whom or what it names; nothing of this lands.

Its interchange is not kept with it: the separators are told from its header, and its own references mean nothing.
"""

import io
import re

import polars as pl

from warehouse.errors import FileRefused
from warehouse.readers import edifact_table
from warehouse.readers.edifact_table import Layout

_BEGINS = (
    r"UNH(?P<element>[^A-Za-z0-9]).{{1,80}}?{kind}(?P<component>[^A-Za-z0-9]).*?(?P<ends>[^A-Za-z0-9])\s*(?:BGM|MSG)"
)


def rows_of(layout: Layout, raw: str) -> pl.DataFrame:
    """The rows that a refused message would give, as the reader's columns; none where too little of it is left."""
    nothing = pl.DataFrame(schema=layout.schema)
    found = re.match(_BEGINS.format(kind=layout.kind), raw, re.DOTALL)
    if found is None:
        return nothing
    element, component, ends = found["element"], found["component"], found["ends"]
    body = raw if raw.rstrip().endswith(ends) else raw + ends
    if not re.search(rf"{re.escape(ends)}\s*UNT{re.escape(element)}[^{re.escape(ends)}]*{re.escape(ends)}\s*$", body):
        body += f"UNT{element}0{element}0{ends}"
    whole = (
        f"UNA{component}{element}.? {ends}",
        element.join(("UNB", f"UNOY{component}4", "A", "B", f"250101{component}0000", "0")) + ends,
        body,
        element.join(("UNZ", "1", "0")) + ends,
    )
    try:
        chunks = list(edifact_table.lenient(layout, io.BytesIO("".join(whole).encode())))
    except FileRefused:
        return nothing
    return pl.concat([nothing, *(chunk.rows for chunk in chunks)])
