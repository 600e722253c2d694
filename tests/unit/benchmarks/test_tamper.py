"""Tampering: every kind changes something and is refused even where hash and seal are right."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import tamper
from benchmarks.tamper_kinds import BYTES, MEANT, PLACES
from models import admission, model_text
from models.training import Model, fingerprint, train
from pipelines.cli import bench
from warehouse.errors import BorderlakeError

runner = CliRunner()
SPEC = replace(tamper._SPEC, opening_rounds=12)
MAY_BE_A_MODEL = ("bit_", "hole_")
"""Kinds that may leave a model that is one, which who holds the key may register."""


@pytest.fixture(scope="module")
def model() -> Model:
    return train(SPEC, tamper._labelled(3)).model


@pytest.fixture(scope="module")
def whole(model: Model) -> tuple[bytes, bytes]:
    return model.text.encode(), model.bundle.to_json().encode()


def test_the_whole_model_is_admitted_as_it_was_trained(model: Model, whole: tuple[bytes, bytes]) -> None:
    assert admission.admit(*whole, model.sha256, lambda _: True, "model") == model


@pytest.mark.parametrize("kind", [kind for kind in [*BYTES, *MEANT] if not kind.startswith(MAY_BE_A_MODEL)])
def test_what_training_would_not_write_is_refused_under_its_own_hash_and_seal(
    whole: tuple[bytes, bytes], kind: str
) -> None:
    files = tamper._changed(kind, whole, random.Random(5))
    assert files != whole
    with pytest.raises(BorderlakeError, match="none that training writes"):
        admission.admit(*files, fingerprint(*files), lambda _: True, "model")


@pytest.mark.parametrize("kind", [*BYTES, *MEANT])
def test_a_change_without_its_hash_is_refused_before_anything_is_parsed(
    model: Model, whole: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def parsed(*_: bytes) -> Model:
        raise AssertionError("parsed before it was verified")

    monkeypatch.setattr(admission, "_parsed", parsed)
    files = tamper._changed(kind, whole, random.Random(6))
    with pytest.raises(BorderlakeError, match="hash differs"):
        admission.admit(*files, model.sha256, lambda _: True, "model")


def test_a_hash_that_was_not_sealed_here_is_refused(model: Model, whole: tuple[bytes, bytes]) -> None:
    with pytest.raises(BorderlakeError, match="was not registered by this deployment"):
        admission.admit(*whole, model.sha256, lambda _: False, "model")


def test_a_seal_is_of_one_version_one_model_one_hash_and_one_key() -> None:
    key = admission.sealing_key(b"a")
    seals = {
        admission.seal(key, "shipment_risk", 1, "00"),
        admission.seal(key, "shipment_risk", 2, "00"),
        admission.seal(key, "crossing_risk", 1, "00"),
        admission.seal(key, "shipment_risk", 1, "01"),
        admission.seal(admission.sealing_key(b"b"), "shipment_risk", 1, "00"),
    }
    assert len(seals) == 5


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_plain_file_is_not_read(tmp_path: Path, place: str) -> None:
    path = tmp_path / "model.lgb"
    path.write_bytes(b"tree\n")
    PLACES[place](path)
    with pytest.raises(BorderlakeError, match=r"missing|no plain file"):
        admission.read_file(path, model_text.MOST_BYTES, "model")


def test_tamper_at_its_smallest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the peer hangs on spins until it is ended, and nothing is asked of the peer here.
    monkeypatch.setattr(tamper, "_PEER_LIMIT_S", 1.0)
    monkeypatch.setattr(tamper, "_SPEC", SPEC)
    out = tmp_path / "tamper.json"
    done = runner.invoke(bench.app, ["tamper", "--files", "8", "--seed", "1", "--json", str(out)])
    assert done.exit_code == 0, done.output
    figures = json.loads(out.read_text())["figures"]
    assert all(figures[fault] == 0 for fault in tamper.FAULTS)
    assert [figures[f"files_by_{hand}"] for hand in tamper.HANDS] == [2, 2, 2, 2]
