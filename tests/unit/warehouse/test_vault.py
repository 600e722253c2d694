"""The vault: one key, made once and for its owner's eyes; one value, one keyed id."""

import hashlib
import hmac
import multiprocessing
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from warehouse import vault
from warehouse.errors import BorderlakeError

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def _no_key_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(vault.KEY_VARIABLE, raising=False)


def keyed(kind: str, *values: str | None, key: bytes = KEY) -> list[str | None]:
    frame = pl.DataFrame({"value": values}, schema={"value": pl.String})
    made = frame.select(id=vault.keyed_id(kind, vault.normalised([pl.col("value")]), key))
    return made["id"].to_list()


def test_a_keyed_id_is_the_documented_hmac() -> None:
    expected = hmac.new(KEY.hex().encode(), b"vehicle\x1fKX12AB", hashlib.sha256).hexdigest()[:32]
    assert keyed("vehicle", "kx 12-ab") == [expected]


def test_one_value_however_written_is_one_id() -> None:
    ids = keyed("vehicle", "KX 12-AB", "kx12ab", "KX-12 AB", "KX\t12AB")
    assert len(set(ids)) == 1
    assert len(str(ids[0])) == 32


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        pytest.param("vehicle", "KX12AC", KEY, id="another-value"),
        pytest.param("document", "KX12AB", KEY, id="another-kind"),
        pytest.param("vehicle", "KX12AB", bytes(32), id="another-key"),
    ],
)
def test_another_value_kind_or_key_is_another_id(kind: str, value: str, key: bytes) -> None:
    assert keyed(kind, value, key=key) != keyed("vehicle", "KX12AB")


def test_null_stays_null_and_parts_do_not_run_together() -> None:
    assert keyed("person", None) == [None]
    frame = pl.DataFrame({"a": ["AB", "A", None], "b": ["C", "BC", "C"]})
    joined = frame.select(vault.normalised([pl.col("a"), pl.col("b")])).to_series()
    assert joined[0] != joined[1]
    assert joined[2] is None


def test_a_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "vault.key"
    key = vault.load_key(path)
    assert len(key) == 32
    assert vault.load_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path], "no draft is left"


def test_many_threads_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(vault.load_key, [path] * 40))) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_two_processes_at_once_get_one_key(tmp_path: Path) -> None:
    # An executor waits for its processes to end; a Pool sends them SIGTERM, which they may have been told to ignore.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert len(set(pool.map(vault.load_key, [tmp_path / "vault.key"] * 4))) == 1


def test_the_environment_may_hold_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(vault.KEY_VARIABLE, KEY.hex())
    assert vault.load_key(tmp_path / "vault.key") == KEY
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "not hex", "00" * 8], ids=["empty", "no-hex", "short"])
def test_a_key_that_protects_nothing_is_refused_and_not_printed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "vault.key"
    path.write_text(text)
    with pytest.raises(BorderlakeError, match=r"vault\.key holds no key") as caught:
        vault.load_key(path)
    assert text not in str(caught.value) or not text
