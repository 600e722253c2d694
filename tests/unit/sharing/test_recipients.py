"""Recipients' tokens: whom they let in, from where, until when; and what is kept of them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from delta_sharing.protocol import DeltaSharingProfile
from hypothesis import given
from hypothesis import strategies as st

from sharing.recipients import LONGEST, Recipients, write_profile
from warehouse.contracts.base import Purpose
from warehouse.errors import BorderlakeError

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
PURPOSE = Purpose.CUSTOMS_RISK
HERE = "192.0.2.7"


def test_a_token_lets_its_recipient_in_until_it_expires(tmp_path: Path) -> None:
    recipients = Recipients(tmp_path)
    issued = recipients.add("xs-customs", PURPOSE, AT, life=timedelta(days=30))
    admitted = recipients.authenticate(issued.token, HERE, AT + timedelta(days=30) - timedelta(seconds=1))
    assert admitted is not None
    assert (admitted.code, admitted.purpose) == ("xs-customs", PURPOSE)
    assert recipients.authenticate(issued.token, HERE, AT + timedelta(days=30)) is None
    assert recipients.authenticate(issued.token, HERE, AT - timedelta(seconds=1)) is None


@pytest.mark.parametrize("token", ["", "bls_", "x" * 1000, "\udc80", "é"])
def test_what_is_no_token_lets_nobody_in(tmp_path: Path, token: str) -> None:
    recipients = Recipients(tmp_path)
    recipients.add("xs-customs", PURPOSE, AT)
    assert recipients.authenticate(token, HERE, AT) is None


def test_a_token_is_kept_as_a_hash_in_a_file_of_its_owner(tmp_path: Path) -> None:
    issued = Recipients(tmp_path).add("xs-customs", PURPOSE, AT)
    kept = tmp_path / "recipients.json"
    assert issued.token not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_token_lives_for_ninety_days_at_most(tmp_path: Path) -> None:
    recipients = Recipients(tmp_path)
    assert recipients.add("xs-customs", PURPOSE, AT).credential.expires_at == AT + LONGEST == AT + timedelta(days=90)
    for life in (timedelta(0), timedelta(days=91)):
        with pytest.raises(BorderlakeError, match="90 days"):
            recipients.add("xt-customs", PURPOSE, AT, life=life)


def test_a_rotated_token_lives_on_for_the_overlap(tmp_path: Path) -> None:
    recipients = Recipients(tmp_path)
    old = recipients.add("xs-customs", PURPOSE, AT, networks=["192.0.2.0/24"])
    new = recipients.rotate("xs-customs", PURPOSE, AT + timedelta(days=1), overlap=timedelta(hours=6))
    during, after = AT + timedelta(days=1, hours=5), AT + timedelta(days=1, hours=6)
    assert recipients.authenticate(old.token, HERE, during)
    assert recipients.authenticate(new.token, HERE, during)
    assert recipients.authenticate(old.token, HERE, after) is None
    assert recipients.authenticate(new.token, HERE, after)
    assert new.credential.networks == ("192.0.2.0/24",)


def test_a_revocation_counts_at_once_in_another_process_view(tmp_path: Path) -> None:
    server, operator = Recipients(tmp_path), Recipients(tmp_path)
    issued = operator.add("xs-customs", PURPOSE, AT)
    assert server.authenticate(issued.token, HERE, AT)
    assert server.holder(issued.credential.credential_id, HERE, AT)
    (ended,) = operator.revoke("xs-customs", AT)
    assert ended.revoked_at == AT
    assert server.authenticate(issued.token, HERE, AT) is None
    assert server.holder(issued.credential.credential_id, HERE, AT) is None


def test_tokens_of_other_purposes_and_recipients_are_not_touched(tmp_path: Path) -> None:
    recipients = Recipients(tmp_path)
    kept = [recipients.add("xs-customs", Purpose.BORDER_CHECK, AT), recipients.add("xt-customs", PURPOSE, AT)]
    recipients.add("xs-customs", PURPOSE, AT)
    recipients.revoke("xs-customs", AT, purpose=PURPOSE)
    assert all(recipients.authenticate(one.token, HERE, AT) for one in kept)


def test_a_second_token_is_a_rotation_and_a_rotation_needs_a_first(tmp_path: Path) -> None:
    recipients = Recipients(tmp_path)
    with pytest.raises(BorderlakeError, match="recipient add xs-customs"):
        recipients.rotate("xs-customs", PURPOSE, AT)
    recipients.add("xs-customs", PURPOSE, AT)
    with pytest.raises(BorderlakeError, match="rotate xs-customs"):
        recipients.add("xs-customs", PURPOSE, AT)
    with pytest.raises(BorderlakeError, match="Known: xs-customs"):
        recipients.revoke("xx", AT)


@pytest.mark.parametrize(
    ("networks", "address", "is_let_in"),
    [
        pytest.param([], "203.0.113.9", True, id="from-anywhere-where-no-network-is-named"),
        pytest.param(["192.0.2.0/24"], "192.0.2.255", True, id="from-within"),
        pytest.param(["192.0.2.0/24"], "192.0.3.0", False, id="not-from-beside"),
        pytest.param(["192.0.2.0/24"], "::ffff:192.0.2.1", True, id="an-address-mapped-into-six-is-the-same"),
        pytest.param(["2001:db8::/32", "192.0.2.1/32"], "2001:db8::1", True, id="from-one-of-several"),
        pytest.param(["192.0.2.0/24"], "", False, id="not-from-nowhere"),
    ],
)
def test_a_token_counts_from_its_networks(tmp_path: Path, networks: list[str], address: str, is_let_in: bool) -> None:
    recipients = Recipients(tmp_path)
    issued = recipients.add("xs-customs", PURPOSE, AT, networks=networks)
    assert (recipients.authenticate(issued.token, address, AT) is not None) == is_let_in


def test_a_network_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BorderlakeError, match=r"192\.0\.2\.0/24"):
        Recipients(tmp_path).add("xs-customs", PURPOSE, AT, networks=["192.0.2.1/24"])


@given(content=st.binary(max_size=60))
def test_a_damaged_file_lets_nobody_in(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("recipients")
    (folder / "recipients.json").write_bytes(content)
    with pytest.raises(BorderlakeError, match="backup"):
        Recipients(folder).authenticate("token", HERE, AT)


def test_a_profile_is_what_the_official_client_reads_written_once_for_its_owner(tmp_path: Path) -> None:
    issued = Recipients(tmp_path).add("xs-customs", PURPOSE, AT)
    path = tmp_path / "profile.share"
    write_profile(path, issued.profile("https://share.example/delta-sharing/"))
    assert path.stat().st_mode & 0o777 == 0o600
    read = DeltaSharingProfile.read_from_file(path)
    assert (read.endpoint, read.bearer_token) == ("https://share.example/delta-sharing", issued.token)
    assert datetime.fromisoformat(json.loads(path.read_text())["expirationTime"]) == issued.credential.expires_at
    with pytest.raises(BorderlakeError, match="written once"):
        write_profile(path, {})
