"""Explanation: the strongest reasons for a score, and what all else adds. How they are worded is `models.wording`.

Contributions are TreeSHAP values in log-odds (Lundberg et al., 2020), as LightGBM's `pred_contrib` gives them: with the
expected value they sum to the raw score. They are added up by what the features speak of and whose data they rest on:
a reason is of one owner, so that it can be left out where its reader may not see it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.views import Feature
from models import prediction
from models.datasets import Floats
from models.training import Model
from models.usual import Usual
from models.wording import in_words
from warehouse.contracts.base import Sensitivity

TOP = 3
ALL_ELSE = "all else"
"""Theme of the last entry: what is not among the reasons, of either sign."""

REASONS = pl.List(
    pl.Struct(
        {
            "theme": pl.String(),
            "feature": pl.String(),
            "text": pl.String(),
            "contribution": pl.Float64(),
            "owners": pl.List(pl.String()),
            "sensitivity": pl.String(),
        }
    )
)

Rows = NDArray[np.int64]

_RISING = (Sensitivity.OPEN, Sensitivity.COMMERCIAL, Sensitivity.PERSONAL)


@dataclass(frozen=True)
class Group:
    """Columns of the model that speak of one thing and rest on the data of one owner."""

    theme: str
    owners: tuple[str, ...]
    sensitivity: str
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Explained:
    """The reasons of rows, as numbers: a row of each array is a row explained."""

    groups: Sequence[Group]
    expected: float
    """The score of a row of which nothing is known: what contributions start from."""
    chosen: Rows
    """Groups that raise the score most, strongest first; -1 where fewer than `TOP` raise it."""
    leading: Rows
    """The column that raises it most in each of them; -1 likewise."""
    contributions: Floats
    """Of each of them; 0 likewise."""
    rest: Floats
    """What all other groups add."""

    @property
    def totals(self) -> Floats:
        """The raw scores again, from the expected value and all entries."""
        totals: Floats = self.expected + self.contributions.sum(axis=1) + self.rest
        return totals


def groups_of(columns: Sequence[str], features: Mapping[str, Feature]) -> list[Group]:
    """The groups of a model's columns, in the order in which they first come."""
    found: dict[tuple[str, str], list[int]] = {}
    for at, name in enumerate(columns):
        found.setdefault((features[name].theme, features[name].owner), []).append(at)
    return [
        Group(theme, (owner,), _highest(features[columns[at]] for at in members), tuple(members))
        for (theme, owner), members in found.items()
    ]


def explain(model: Model, features: Mapping[str, Feature], matrix: Floats | NDArray[np.float32]) -> Explained:
    """Contributions of each row, by group. A row's are the same, to the bit, whatever rows are beside it."""
    contributions = prediction.contributions(model.booster(), matrix)
    groups = groups_of(model.bundle.encoder.columns, features)
    # Column by column: a sum along a row may add in another order for another number of rows.
    by_group = np.stack([_added(contributions, group.columns) for group in groups], axis=1)
    chosen = np.argsort(-by_group, axis=1, kind="stable")[:, :TOP]
    raised = np.take_along_axis(by_group, chosen, axis=1)
    strongest = np.stack(
        [np.array(group.columns)[contributions[:, group.columns].argmax(axis=1)] for group in groups], axis=1
    )
    leading = np.take_along_axis(strongest, chosen, axis=1)
    np.put_along_axis(by_group, chosen, np.where(raised > 0, 0.0, raised), axis=1)
    return Explained(
        groups=groups,
        expected=float(contributions[0, -1]),
        chosen=np.where(raised > 0, chosen, -1),
        leading=np.where(raised > 0, leading, -1),
        contributions=np.where(raised > 0, raised, 0.0),
        rest=_added(by_group, range(len(groups))),
    )


def reasons(
    model: Model, features: Mapping[str, Feature], vectors: pl.DataFrame, matrix: Floats | NDArray[np.float32]
) -> pl.Series:
    """The `TOP` groups that raise each row's score most, strongest first, then all else; a list of structs a row.

    `vectors` hold the values as they were before they became the `matrix`, and what tells the kind of an event. A
    reason is told by the feature that raises the score most in its group; one that holds a value of the event against
    others tells that value, too.
    """
    if vectors.is_empty():
        return pl.Series("reasons", [], dtype=REASONS)
    explained = explain(model, features, matrix)
    columns = model.bundle.encoder.columns
    rows, places = np.nonzero(explained.chosen >= 0)
    told = pl.DataFrame(
        {
            "row": rows,
            "group": explained.chosen[rows, places],
            "column": explained.leading[rows, places],
            "contribution": explained.contributions[rows, places],
        }
    )
    named = told.select(
        "row",
        "contribution",
        _of_group(explained.groups),
        feature=pl.col("column").replace_strict(dict(enumerate(columns)), return_dtype=pl.String),
        text=_words(told, columns, features, vectors, model.bundle.usual),
    )
    others = pl.DataFrame({"row": np.arange(len(matrix)), "contribution": explained.rest}).with_columns(
        **_all_else(explained.groups)
    )
    fields = [field.name for field in REASONS.inner.fields]  # type: ignore[union-attr]
    entries = pl.concat([named.unnest("group"), others], how="diagonal").select("row", *fields)
    listed = entries.sort("row", maintain_order=True).group_by("row", maintain_order=True)
    return listed.agg(reasons=pl.struct(fields))["reasons"].cast(REASONS)


def spoken(given: Iterable[Mapping[str, object]]) -> list[str]:
    """The words of an event's reasons, strongest first; what all else adds has none."""
    return [str(reason["text"]) for reason in given if reason["theme"] != ALL_ELSE]


def _words(
    told: pl.DataFrame,
    columns: Sequence[str],
    features: Mapping[str, Feature],
    vectors: pl.DataFrame,
    usual: Usual,
) -> pl.Series:
    """The words of each reason: all those that one feature tells are worded together."""
    words = np.empty(told.height, dtype=object)
    rows, leading = told["row"].to_numpy(), told["column"].to_numpy()
    for column in np.unique(leading):
        at = np.flatnonzero(leading == column)
        events = vectors[rows[at]]
        feature = features[columns[column]]
        said = in_words(feature, events[feature.name], usual.ranges(feature.name, events))
        own = features.get(feature.measures)
        if own is not None and own.name in columns and _may_be_told_beside(feature, own):
            # What is usual of all events is a poor measure of this one, which is already held against a better.
            itself = in_words(own, events[own.name], usual.ranges(own.name, events).of_kinds())
            said = [f"{one} ({value})" for one, value in zip(said, itself, strict=True)]
        words[at] = said
    return pl.Series("text", words.tolist(), dtype=pl.String)


def _may_be_told_beside(feature: Feature, own: Feature) -> bool:
    """Whoever may see a reason may see what the event itself says of the value: it is of the same owner, and tells no
    more of anybody."""
    return own.owner == feature.owner and _RISING.index(own.sensitivity) <= _RISING.index(feature.sensitivity)


def _of_group(groups: Sequence[Group]) -> pl.Expr:
    """Theme, owners and sensitivity of the column `group`."""
    facts = [{"theme": one.theme, "owners": list(one.owners), "sensitivity": one.sensitivity} for one in groups]
    dtype = pl.Struct({"theme": pl.String, "owners": pl.List(pl.String), "sensitivity": pl.String})
    return pl.lit(pl.Series(facts, dtype=dtype)).gather(pl.col("group")).alias("group")


def _all_else(groups: Sequence[Group]) -> dict[str, pl.Expr]:
    """The entry of what is not among the reasons: it may rest on the data of any owner."""
    owners = sorted({owner for group in groups for owner in group.owners})
    highest = max((Sensitivity(group.sensitivity) for group in groups), key=_RISING.index)
    return {
        "theme": pl.lit(ALL_ELSE),
        "feature": pl.lit(ALL_ELSE),
        "text": pl.lit(ALL_ELSE),
        "owners": pl.lit(pl.Series([owners], dtype=pl.List(pl.String))).first(),
        "sensitivity": pl.lit(str(highest)),
    }


def _highest(features: Iterable[Feature]) -> str:
    return str(max((feature.sensitivity for feature in features), key=_RISING.index))


def _added(contributions: Floats, columns: Iterable[int]) -> Floats:
    """The sum of some columns, added in their order."""
    total = np.zeros(len(contributions))
    for column in columns:
        total += contributions[:, column]
    return total
