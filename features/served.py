"""Stored vectors in bulk: the numbers of many events as one matrix, for what reads every feature of every row.

One column a feature, which is what most code reads, is `features.vectors.unpack`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.errors import BorderlakeError

Floats = NDArray[np.float64]

PACKED = ("numbers", "categories")
"""Columns of a stored vector: its features as two lists, in the order of their set."""


@dataclass(frozen=True)
class Served:
    """Vectors of some events: a row of each part is an event."""

    events: pl.DataFrame
    """What is known of the events beside their features: key, location, context."""
    names: tuple[str, ...]
    """Of the numbers, in their order."""
    numbers: Floats
    """(events, names), row by row; missing is NaN."""
    categories: pl.DataFrame
    """A column of texts each category."""

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Features and their types."""
        return {**dict.fromkeys(self.names, pl.Float64()), **self.categories.schema}

    def numbers_of(self, names: Sequence[str]) -> Floats:
        """The numbers called `names`, in that order; no copy where all are asked for."""
        if tuple(names) == self.names:
            return self.numbers
        places = {name: place for place, name in enumerate(self.names)}
        return self.numbers[:, [places[name] for name in names]]

    def by_feature(self, rows: NDArray[np.int64]) -> pl.DataFrame:
        """Some rows with one column a feature, missing as null."""
        numbers = pl.DataFrame(self.numbers[rows], schema=list(self.names), orient="row").fill_nan(None)
        return pl.concat([self.events[rows], numbers, self.categories[rows]], how="horizontal")


def of_columns(rows: pl.DataFrame, numbers: Sequence[str], categories: Sequence[str]) -> Served:
    """Rows with one column a feature; what are no features of these are the events'."""
    matrix = rows.select(pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in numbers).to_numpy()
    return Served(
        events=rows.drop(*numbers, *categories),
        names=tuple(numbers),
        numbers=matrix.reshape(rows.height, len(numbers)),
        categories=rows.select(categories),
    )


def of_packed(events: pl.DataFrame, packed: pl.DataFrame, numbers: Sequence[str], categories: Sequence[str]) -> Served:
    """Stored vectors of `events`, the columns `PACKED` row by row. Raises `BorderlakeError` where one is not whole."""
    lengths = zip(PACKED, (len(numbers), len(categories)), strict=True)
    broken = packed.select(pl.any_horizontal(pl.col(name).list.len() != n for name, n in lengths).sum()).item()
    if broken:
        raise BorderlakeError(
            f"{broken:,} stored vectors do not hold {len(numbers)} numbers and {len(categories)} categories; they are "
            "damaged: run `borderlake verify`"
        )
    flat = packed["numbers"].explode(empty_as_null=False).fill_null(float("nan"))
    return Served(
        events=events,
        names=tuple(numbers),
        numbers=flat.to_numpy().reshape(packed.height, len(numbers)),
        categories=packed.select(
            pl.col("categories").list.get(place).alias(name) for place, name in enumerate(categories)
        ),
    )
