"""Keys of pseudonyms: one a recipient, kept where only the house can read them, and none following from another."""

import stat
from pathlib import Path

import pytest

from sharing.pseudonyms import Key, Keys
from warehouse.errors import BorderlakeError


def test_a_recipient_keeps_its_key_and_no_other_has_it(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "pseudonyms")
    one, other = keys.current("xs-customs"), keys.current("xa-police")
    assert keys.current("xs-customs") == one
    assert one.secret != other.secret
    assert len(one.secret) == 32
    for path in (tmp_path / "pseudonyms").rglob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_rotated_key_is_another_and_the_earlier_one_stays(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    first = keys.current("xs-customs")
    second = keys.rotate("xs-customs")
    assert (first.key_id, second.key_id) == ("1", "2")
    assert keys.current("xs-customs") == second != first
    assert bytes.fromhex((tmp_path / "xs-customs" / "1.key").read_text()) == first.secret
    assert keys.rotate("never-asked-before").key_id == "1"


def test_many_rotations_are_counted_as_numbers(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    assert [keys.rotate("a").key_id for _ in range(11)][-1] == keys.current("a").key_id == "11"


def test_a_key_of_the_environment_comes_first_and_its_name_tells_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BORDERLAKE_PSEUDONYM_KEY_XS_CUSTOMS", "ab" * 32)
    key = Keys(tmp_path).current("xs-customs")
    assert key.secret == b"\xab" * 32
    assert "ab" * 4 not in key.key_id
    assert not list(tmp_path.iterdir())


def test_a_key_that_is_none_is_refused_without_being_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BORDERLAKE_PSEUDONYM_KEY_A", "tooshort")
    with pytest.raises(BorderlakeError, match="restore it from its backup") as error:
        Keys(tmp_path).current("a")
    assert "tooshort" not in str(error.value)


def test_a_key_is_not_shown_where_it_is_printed() -> None:
    assert "secret" not in repr(Key("1", b"secret" * 4))
