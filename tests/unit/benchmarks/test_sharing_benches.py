"""The benches of sharing find nothing where nothing is wrong, and what is wrong where something is."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from benchmarks import decisions, leak
from sharing import files, pseudonyms


def quiet(step: str) -> None:
    assert step


def test_what_is_served_is_what_is_allowed() -> None:
    result = leak.run(6, 3, quiet)
    assert result.faults == []
    assert result.figures["cells_served"] > 0
    assert result.figures["rows_retracted"] > 0


def test_a_row_too_many_in_a_file_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = files.cut

    def wider(rows: pl.LazyFrame, table: Any, shared: Any, key: bytes, at: Any) -> pl.LazyFrame:
        return cut(rows, table, replace(shared, rows=()), key, at)

    monkeypatch.setattr(files, "cut", wider)
    assert "cells_extra" in leak.run(6, 3, quiet).faults


def test_a_key_that_two_recipients_have_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonyms.vault, "load_key", lambda *_: b"k" * 32)
    assert "joinable" in leak.run(6, 3, quiet).faults


def test_each_question_is_answered_as_the_twin_answers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    result = decisions.run(3_000, 1, quiet)
    assert result.faults == []
    assert 0 < result.figures["allowed"] < 3_000
    monkeypatch.setattr(decisions, "twin", lambda *_: True)
    assert decisions.run(3_000, 1, quiet).faults == ["wrong"]
