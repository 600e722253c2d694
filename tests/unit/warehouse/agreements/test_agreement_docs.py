"""What docs/writing-agreements.md says is what is read."""

import re
from pathlib import Path

import pytest

from warehouse.agreements.form import schema
from warehouse.agreements.lines import parse
from warehouse.agreements.model import Mask, Operator, Period
from warehouse.agreements.reading import NEVER, agreement_of
from warehouse.contracts.base import Purpose
from warehouse.errors import BorderlakeError

TEXT = (Path(__file__).parents[4] / "docs" / "writing-agreements.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_is_an_agreement_and_shows_every_key_and_mask() -> None:
    agreement = agreement_of(parse(EXAMPLE, "example.yaml"))
    (shared,) = agreement.tables.values()
    assert {one.mask for one in shared.columns.values()} == set(Mask)
    properties = schema()["properties"]
    keys = {*properties, *properties["dates"]["properties"], *schema()["$defs"]["table"]["properties"]}
    assert {key for key in keys if f"{key}:" not in TEXT} == set()


def test_every_word_that_may_be_written_is_named() -> None:
    words = [*Mask, *Period, *Operator, *NEVER, *schema()["properties"]["regime"]["enum"]]
    words += [*Purpose, *schema()["$defs"]["table"]["properties"]["reasons"]["items"]["enum"]]
    assert [word for word in words if not re.search(rf"\b{re.escape(word)}\b", TEXT)] == []


def test_an_example_that_is_cut_short_is_refused_with_its_line() -> None:
    with pytest.raises(BorderlakeError, match=r"example\.yaml"):
        agreement_of(parse(EXAMPLE.replace("retention_days: 365", "retention_dys: 365"), "example.yaml"))
