"""`borderlake share` and `borderlake audit`: from an agreement to a token, and what the log tells."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.cli.share import audit_of, house_of
from pipelines.deployment import from_environment
from sharing.audit import Action, Entry
from sharing.server.serving import listening
from warehouse.errors import BorderlakeError

runner = CliRunner()


def run(*words: str) -> Result:
    return runner.invoke(app, list(words))


def told(*words: str) -> dict[str, list[dict[str, object]]]:
    result = run(*words, "--json", "-")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout[result.stdout.index("\n{") :])


def refusal(*words: str) -> str:
    result = run(*words)
    assert isinstance(result.exception, BorderlakeError)
    return str(result.exception)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BORDERLAKE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "home" / "agreements" / "neighbours.yaml"
    assert run("agreement", "new", "bilateral-land-border", "--out", str(path)).exit_code == 0
    # In force whenever the tests run: commands take the time of the machine.
    ends = str(datetime.now(UTC).date() + timedelta(days=365))
    path.write_text(path.read_text("utf-8").replace("2027-01-31", ends).replace("2028-01-31", ends), "utf-8")
    return tmp_path


def test_a_recipient_of_an_agreement_gets_a_profile_and_loses_it(home: Path) -> None:
    assert run("share", "recipient", "add", "xs-customs", "--network", "192.0.2.0/24").exit_code == 0
    profile = json.loads((home / "xs-customs.share").read_text())
    assert profile["endpoint"].endswith("/delta-sharing")
    (first,) = told("share", "recipient", "list")["tokens"]
    assert (first["state"], first["networks"]) == ("counts", "192.0.2.0/24")
    assert first["purpose"] == "customs-risk-management"
    assert run("share", "recipient", "rotate", "xs-customs", "--out", "new.share").exit_code == 0
    assert json.loads((home / "new.share").read_text())["bearerToken"] != profile["bearerToken"]
    assert len(told("share", "recipient", "revoke", "xs-customs")["revoked"]) == 2
    assert {one["state"] for one in told("share", "recipient", "list")["tokens"]} == {"revoked"}


def test_a_token_is_made_for_nobody_and_nothing_that_no_agreement_names(home: Path) -> None:
    assert "no agreement of this home names xx" in refusal("share", "recipient", "add", "xx")
    wrong = refusal("share", "recipient", "add", "xs-customs", "--purpose", "border-surveillance")
    assert "customs-risk-management" in wrong
    assert not (home / "home" / "sharing").exists()


def test_a_profile_that_is_there_is_kept_and_no_token_made(home: Path) -> None:
    (home / "xs-customs.share").write_text("{}")
    assert "--out" in refusal("share", "recipient", "add", "xs-customs")
    assert told("share", "recipient", "list")["tokens"] == []


def test_what_goes_with_the_shares_is_written_for_the_recipient(home: Path) -> None:
    assert run("share", "export", "xs-customs", "--out", "papers", "--endpoint", "https://share.example").exit_code == 0
    assert {path.name for path in (home / "papers").iterdir()} == {
        "catalogue.jsonld",
        "xs-customs.dictionary.norvale_sudmark_land_border.csv",
        "xs-customs.dictionary.norvale_sudmark_land_border.odcs.yaml",
        "xs-customs.gold.shipment_scores.odcs.yaml",
    }
    told = json.loads((home / "papers" / "catalogue.jsonld").read_text())
    assert told["dcat:service"][0]["dcat:endpointURL"] == {"@id": "https://share.example"}
    assert "no agreement with xx" in refusal("share", "export", "xx", "--out", "papers")


def test_tokens_do_not_travel_in_the_clear(tmp_path: Path) -> None:
    async def nothing(*_: object) -> None: ...

    with pytest.raises(BorderlakeError, match="--tls-cert"):
        listening(nothing, host="0.0.0.0", port=0)
    with pytest.raises(BorderlakeError, match="--tls-key"):
        listening(nothing, host="127.0.0.1", port=0, tls_cert=tmp_path)
    assert listening(nothing, host="127.0.0.1", port=0).proxy_headers is False


def test_agreements_are_as_their_files_are_now(home: Path) -> None:
    house = house_of(from_environment())
    (one,) = house.agreements()
    assert one.version == 1
    path = home / "home" / "agreements" / "neighbours.yaml"
    path.write_text(path.read_text().replace("version: 1", "version: 2"))
    assert [one.version for one in house.agreements()] == [2]
    path.write_text("no: agreement")
    with pytest.raises(BorderlakeError):
        house.agreements()
    with pytest.raises(BorderlakeError):
        house.agreements()
    path.unlink()
    assert house.agreements() == ()


@pytest.fixture
def logged(home: Path) -> Path:
    """A log of a query with two fetches of one file, and of a refusal."""
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    theirs = {"recipient": "xs-customs", "agreement_id": "norvale version 1", "table": "gold.shipment_scores"}
    audit_of(from_environment()).record(
        Entry(at, Action.QUERY, **theirs, version=3, rows=10),
        Entry(at, Action.FILE, **theirs, version=3, rows=10, file_id="f1", size=100),
        Entry(at, Action.FILE, **theirs, version=3, rows=10, file_id="f1", size=50),
        Entry(at + timedelta(hours=1), Action.REFUSED, table="[red]", detail="an unknown token"),
    )
    return home


def test_a_report_counts_the_rows_of_a_file_once(logged: Path) -> None:
    refused, flow = told("audit", "report")["flows"]
    assert (flow["agreement"], flow["queries"], flow["files"], flow["rows"], flow["bytes"]) == (
        "norvale version 1",
        1,
        1,
        10,
        150,
    )
    assert (refused["recipient"], refused["refused"], refused["table"]) == ("(nobody known)", 1, "")
    assert len(told("audit", "report", "--agreement", "norvale")["flows"]) == 1
    assert told("audit", "report", "--since", "2026-06-02")["flows"] == []


def test_entries_are_exported_for_an_auditor(logged: Path) -> None:
    assert "it is .csv or .jsonl" in refusal("audit", "export", "out.txt")
    assert run("audit", "export", "out.csv", "--recipient", "xs-customs").exit_code == 0
    with (logged / "out.csv").open() as stream:
        assert [row["action"] for row in csv.DictReader(stream)] == ["query", "file", "file"]
    lines = run("audit", "export", "-", "--until", "2026-06-01T12:30:00").stdout.splitlines()
    assert [json.loads(line)["file_id"] for line in lines] == ["", "f1", "f1"]


def test_a_log_that_was_tampered_with_has_its_own_exit_code(logged: Path) -> None:
    head = told("audit", "verify")["head"]
    assert run("audit", "verify", "--noted", str(head)).exit_code == 0
    assert run("audit", "verify", "--noted", f"4:{'0' * 64}").exit_code == 3
    assert "audit-000000000004.jsonl" in run("audit", "rotate").stdout.replace("\n", "")
    assert run("audit", "verify", "--noted", str(head)).exit_code == 0
    audit_of(from_environment()).record(Entry(datetime(2026, 6, 2, tzinfo=UTC), Action.LIST))
    log = logged / "home" / "sharing" / "audit.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    result = run("audit", "verify")
    assert result.exit_code == 3
    assert "cut-end" in result.stdout
