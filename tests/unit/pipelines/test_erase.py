"""`borderlake erase` as a data protection officer meets it, and that the proof of it can fail."""

import gzip
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines import erasing, flows
from pipelines.cli import app, output
from pipelines.cli.output import Exit
from pipelines.cli.share import audit_of
from pipelines.deployment import Deployment
from sharing.audit import Action, Entry
from warehouse import erasure, erasure_files
from warehouse.catalog import BRONZE, CROSSINGS_TABLE, ERASURES, IDENTITIES, LEDGER, QUARANTINE, TABLES
from warehouse.conform import conform
from warehouse.contracts.immigration import CROSSINGS as IMMIGRATION_CROSSINGS
from warehouse.decoding import texts
from warehouse.dialect import dialect_of
from warehouse.errors import BorderlakeError
from warehouse.routes import ROUTES
from warehouse.settings import Settings
from warehouse.subjects import parse
from warehouse.vault import content_id
from warehouse.verify import verify

runner = CliRunner()
NOW = datetime(2025, 3, 4, tzinfo=UTC)
HEADER = (
    "crossing_id,crossed_at,recorded_at,port,lane,direction,mode,document_type,document_number,issuing_state,"
    "nationality,surname,given_names,birth_date,sex,residence,visa_category,purpose,vehicle_plate,carrier,"
    "flight_number,party_size,admitted_until,phone"
)
ROW = (
    "{id},2025-03-03T10:15:00+01:00,2025-03-03T10:16:00+01:00,XNROAD1,2,{direction},land,P,{number},DEU,DEU,{name},"
    "ZENOBIA,1971-11-23,F,DEU,,pleasure,QZ 77-XY,,,2,2025-06-01,+49 555 {id}"
)
WHO = {"number": "Q7731908", "name": "WUNDERLICHT"}
OTHER = {"number": "R5550001", "name": "ANDERSON"}
VALUES = ("Q7731908", "WUNDERLICHT", "+49 555 K1")
CROSSINGS = BRONZE["immigration.crossings"]


def delivered(deployment: Deployment, name: str, lines: Sequence[str], *, zipped: bool = False) -> Path:
    folder = deployment.settings.inbox / "immigration" / "crossings"
    folder.mkdir(parents=True, exist_ok=True)
    content = "".join(f"{line}\n" for line in (HEADER, *lines)).encode()
    (folder / name).write_bytes(gzip.compress(content) if zipped else content)
    return folder / name


def lines() -> list[str]:
    return [
        ROW.format(id="K1", direction="entry", **WHO),
        ROW.format(id="K2", direction="entry", **OTHER),
        ROW.format(id="K3", direction="sideways", **WHO),
    ]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of two persons in one landed and conformed file, one of them refused a second time; the same zipped."""
    home = tmp_path_factory.mktemp("two") / "home"
    made = Deployment(Settings(home, str(home / "lake")))
    delivered(made, "crossings.csv", lines())
    later = [line.replace(",2025-03-03T10", ",2025-03-03T11") for line in lines()]
    delivered(made, "more.csv.gz", later, zipped=True)
    flows.land_all(made, flows.waiting_deliveries(made, NOW), NOW)
    for target in {route.target.name: route.target for route in ROUTES}.values():
        conform(made.lake, target, [NOW.date()], made.vault_key)
    return home


@pytest.fixture
def lake_of_two(deployment: Deployment, two: Path) -> Deployment:
    """A copy of that home to do with as one likes."""
    shutil.copytree(two, deployment.settings.home)
    return deployment


def run(*arguments: str, given: str | None = None) -> tuple[int, str]:
    result = runner.invoke(app, list(arguments), input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, result.output


def erase(*more: str, subject: str = "document:DEU/Q7731908") -> tuple[int, str]:
    return run("erase", "--from", "-", "--yes", "--by", "dpo", "--reason", "request 17", *more, given=f"{subject}\n")


def held(deployment: Deployment, *values: str) -> list[str]:
    """Files of the home that still show one of the values, however packed."""
    home = deployment.settings.home
    files = [path for path in home.rglob("*") if path.is_file()]
    return [
        str(path.relative_to(home))
        for path in files
        if any(value in text for text in texts(path.read_bytes()) for value in values)
    ]


def test_a_dry_run_says_what_would_go_and_changes_nothing(lake_of_two: Deployment, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in lake_of_two.settings.home.rglob("*") if path.is_file()}
    code, said = run("erase", "--from", "-", "--json", str(tmp_path / "out.json"), given="document:Q7731908\n")
    assert code == Exit.DONE
    assert "Q7731908" not in said
    assert "A dry run" in said
    stores = json.loads((tmp_path / "out.json").read_text())["stores"]
    assert stores["bronze.immigration__crossings"]["rows"] == 2
    assert stores["quarantine.immigration__crossings"]["rows"] == 2
    assert stores["archive"] == {"rows": 4, "files": 2}
    assert {path: path.read_bytes() for path in before} == before


def test_in_a_pipe_long_work_tells_what_it_is_at(
    lake_of_two: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BORDERLAKE_HOME", str(lake_of_two.settings.home))
    monkeypatch.setattr(output, "TOLD_EVERY_S", 0.0)
    request = tmp_path / "request.txt"
    request.write_text("document:DEU/Q7731908\n")
    request.chmod(0o600)
    told = {}
    for command in (
        ["erase", "--from", str(request)],
        ["erase", "--from", str(request), "--yes", "--by", "dpo", "--reason", "17"],
        ["verify", "--erased"],
        ["verify"],
    ):
        result = runner.invoke(app, command)
        assert result.exit_code == Exit.DONE, result.output
        told[" ".join(command[:2])] = result.stderr
        assert not any(value in result.stderr for value in VALUES)
    assert "erasing: bronze.immigration__crossings, 2025-03-04, after" in told["erase --from"]
    assert "looking for what was erased: file 2, " in told["verify --erased"]
    assert re.search(r"bronze\.\w+: \d+ of \d+, after", told["verify"])


def test_it_reaches_every_store_and_leaves_the_others(lake_of_two: Deployment) -> None:
    assert len(held(lake_of_two, *VALUES)) == 5, "the search itself must be able to find"
    code, said = erase()
    assert code == Exit.DONE
    assert not any(value in said for value in VALUES)
    assert held(lake_of_two, *VALUES) == []
    assert held(lake_of_two, OTHER["name"])
    rows = lake_of_two.lake.scan(CROSSINGS).sort("crossing_id", "event_at").collect()
    assert rows["surname"].to_list() == [None, None, "ANDERSON", "ANDERSON"]
    assert rows["nationality"].to_list() == ["DEU"] * 4, "what gives nobody away stays"
    silver = lake_of_two.lake.scan(CROSSINGS_TABLE).collect()
    assert silver["document_id"].null_count() == silver["traveller_id"].null_count() == 2
    said = rows.select(content_id(rows, IMMIGRATION_CROSSINGS.content(), lake_of_two.vault_key)).to_series()
    assert set(silver["row_hash"]) == set(said)
    vault = lake_of_two.lake.scan(IDENTITIES).collect()
    assert sorted(vault["entity_kind"]) == ["document", "person", "vehicle"]


def test_every_batch_still_has_its_counts_and_the_lake_is_sound(lake_of_two: Deployment) -> None:
    erase()
    assert verify(lake_of_two.lake, list(TABLES.values()), datetime(2030, 1, 1, tzinfo=UTC), deep=True) == []
    code, said = run("verify", "--deep")
    assert code == Exit.DONE, said


def test_a_second_time_there_is_nothing_and_that_is_recorded_too(lake_of_two: Deployment) -> None:
    erase()
    code, said = erase()
    assert code == Exit.DONE
    assert "Nothing of the subject" in said
    told = lake_of_two.lake.scan(ERASURES).collect()
    assert told["erasure_id"].n_unique() == 2
    assert set(told["requested_by"]) == {"dpo"}
    assert told.filter(pl.col("store") == "nowhere").height == 1
    assert told["subject_digest"].n_unique() == 1


def test_the_archived_file_reads_as_the_same_batch_again(lake_of_two: Deployment) -> None:
    erase()
    lost = next((Path(lake_of_two.lake.root) / "bronze/immigration__crossings").rglob("*.parquet"))
    lost.unlink()
    code, said = run("repair", "--yes")
    assert code == Exit.DONE, said
    rows = lake_of_two.lake.scan(CROSSINGS).collect()
    assert rows.height == 4
    assert rows["surname"].null_count() == 2
    assert run("verify", "--deep")[0] == Exit.DONE


def test_the_same_file_sent_again_is_not_kept(lake_of_two: Deployment) -> None:
    erase()
    path = delivered(lake_of_two, "crossings.csv", lines())
    flows.land_all(lake_of_two, flows.waiting_deliveries(lake_of_two, NOW), NOW)
    assert not path.exists()
    assert held(lake_of_two, *VALUES) == []
    assert run("verify", "--deep")[0] == Exit.DONE


def test_the_same_file_under_a_new_dialect_is_refused_whole(lake_of_two: Deployment) -> None:
    erase()
    own = lake_of_two.settings.home / "dialects"
    own.mkdir()
    shipped = Path(__file__).resolve().parents[3] / "warehouse/dialects/norvale.toml"
    raised = f"version = {dialect_of('norvale').version + 1}"
    (own / "norvale.toml").write_text(re.sub(r"version = \d+", raised, shipped.read_text("utf-8"), count=1))
    delivered(lake_of_two, "crossings.csv", lines())
    (account,) = flows.land_all(lake_of_two, flows.waiting_deliveries(lake_of_two, NOW), NOW)
    assert account.status == "refused"
    assert account.reason is not None
    assert "erased" in account.reason
    assert held(lake_of_two, *VALUES) == []
    assert run("verify", "--deep")[0] == Exit.DONE


def test_a_file_of_which_nothing_landed_is_removed(deployment: Deployment) -> None:
    path = delivered(deployment, "crossings.csv", lines())
    path.write_text(path.read_text().replace("surname", "surnom", 1))
    flows.land_all(deployment, flows.waiting_deliveries(deployment, NOW), NOW)
    code, said = erase()
    assert code == Exit.DONE
    assert "1 files were removed as a whole" in said
    assert held(deployment, *VALUES) == []
    assert run("verify", "--deep")[0] == Exit.DONE


def test_a_file_in_the_inbox_is_redacted_and_lands(deployment: Deployment) -> None:
    delivered(deployment, "crossings.csv", lines())
    erase()
    assert held(deployment, *VALUES) == []
    accounts = flows.land_all(deployment, flows.waiting_deliveries(deployment, NOW), NOW)
    assert [(one.rows_landed, one.rows_refused) for one in accounts] == [(2, 1)]


def test_a_plate_goes_and_who_drove_stays(lake_of_two: Deployment) -> None:
    erase(subject="vehicle:qz77xy")
    assert held(lake_of_two, "QZ 77-XY", "QZ77XY") == []
    assert lake_of_two.lake.scan(CROSSINGS).collect()["surname"].null_count() == 0
    assert lake_of_two.lake.scan(CROSSINGS_TABLE).collect()["vehicle_id"].null_count() == 4


def test_a_keyed_id_of_silver_names_its_subject(lake_of_two: Deployment) -> None:
    keyed = lake_of_two.lake.scan(IDENTITIES).filter(pl.col("identity").str.contains("Q7731908")).collect()
    assert erase(subject=f"document:{keyed['source_id'].item()}")[0] == Exit.DONE
    assert held(lake_of_two, "Q7731908") == []


def test_who_else_the_rows_name_is_told_by_keyed_id(lake_of_two: Deployment, tmp_path: Path) -> None:
    run("erase", "--from", "-", "--json", str(tmp_path / "out.json"), given="document:Q7731908\n")
    related = json.loads((tmp_path / "out.json").read_text())["related"]
    assert [one.partition(":")[0] for one in related] == ["person", "vehicle"]


@pytest.mark.parametrize(
    "left_out",
    [
        pytest.param("archive", id="the-archive-is-left-out"),
        pytest.param("old files", id="old-data-files-are-left-out"),
        pytest.param("quarantine", id="quarantine-is-left-out"),
        pytest.param("vault", id="the-vault-is-left-out"),
    ],
)
@pytest.mark.parametrize("subject", ["document:Q7731908", "person:Wunderlicht/Zenobia/1971-11-23"])
def test_the_proof_fails_where_one_store_is_left_out(
    lake_of_two: Deployment, monkeypatch: pytest.MonkeyPatch, left_out: str, subject: str
) -> None:
    if left_out == "archive":
        monkeypatch.setattr(erasure_files, "rewrites", lambda *_: iter(()))
    elif left_out == "old files":
        monkeypatch.setattr(erasure, "purge", lambda *_: 0)
    elif left_out == "vault":
        monkeypatch.setattr(erasure, "_erase_ids", lambda *_: None)
    else:
        monkeypatch.setattr(erasure, "_raw_hits", lambda *_: pl.lit(False))
    erase(subject=subject)
    code, said = run("verify", "--erased")
    is_text_of_a_person = subject.startswith("person") and left_out == "quarantine"
    assert code == (Exit.DONE if is_text_of_a_person else Exit.PARTLY), said
    code, said = verified_with(subject)
    assert code == Exit.PARTLY, said
    assert "erased-value" in said
    assert not any(value.lower() in said.lower() for value in VALUES)


def verified_with(subject: str) -> tuple[int, str]:
    return run("verify", "--erased", "--from", "-", given=f"{subject}\n")


def test_the_proof_passes_after_a_whole_erasure(lake_of_two: Deployment) -> None:
    erase(subject="document:Q7731908\nperson:Wunderlicht/Zenobia/1971-11-23")
    assert run("verify", "--erased")[0] == Exit.DONE
    assert verified_with("document:Q7731908")[0] == Exit.DONE
    assert verified_with("document:R5550001")[0] == Exit.PARTLY


@pytest.mark.parametrize(
    "text", ["nobody", "document:X1", "person:A/B", "document:a/b/c", "person:A/B/yesterday", "vehicle:X"]
)
def test_a_subject_that_is_none_is_refused_without_saying_it(text: str) -> None:
    with pytest.raises(BorderlakeError) as refused:
        parse(text)
    assert text not in str(refused.value)


def test_a_subject_does_not_show_its_value() -> None:
    assert "Q7731908" not in repr(parse("document:DEU/Q7731908"))


def test_an_erasure_needs_who_and_why(lake_of_two: Deployment) -> None:
    result = runner.invoke(app, ["erase", "document:Q7731908", "--yes"])
    assert isinstance(result.exception, BorderlakeError)
    assert lake_of_two.lake.version(ERASURES) is None


def test_damaged_files_set_aside_go_too(lake_of_two: Deployment) -> None:
    folder = Path(lake_of_two.lake.root)
    source = next((folder / "bronze/immigration__crossings").rglob("*.parquet"))
    aside = folder / "_damaged/bronze/immigration__crossings/one.parquet"
    aside.parent.mkdir(parents=True)
    aside.write_bytes(source.read_bytes())
    (aside.parent / "cut.parquet").write_bytes(source.read_bytes()[:500])
    erase()
    assert list(aside.parent.iterdir()) == []


def test_the_log_holds_no_least_or_greatest_of_what_identifies(lake_of_two: Deployment) -> None:
    logs = [path.read_text() for path in Path(lake_of_two.lake.root).rglob("_delta_log/*.json")]
    assert logs
    for name in ("document_number", "surname", "birth_date", "vehicle_plate", "row_hash"):
        assert not any(f'\\"{name}\\":' in log for log in logs), name


def test_an_erasure_cut_short_is_completed_by_the_next(
    lake_of_two: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_erase_ids", dies)
        result = runner.invoke(app, ["erase", "document:Q7731908", "--yes", "--by", "d", "--reason", "r"])
        assert result.exit_code != 0
    erase()
    assert held(lake_of_two, *VALUES) == []
    silver = lake_of_two.lake.scan(CROSSINGS_TABLE).collect()
    assert silver["document_id"].null_count() == 2


def test_a_writer_at_work_holds_the_erasure_off(lake_of_two: Deployment) -> None:
    import fcntl

    with lake_of_two.lake.writers.among():
        anchors = lake_of_two.settings.anchors
        with (anchors / ".writers").open("a") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_ledger_says_nothing_of_the_subject(lake_of_two: Deployment) -> None:
    erase()
    told = lake_of_two.lake.scan(ERASURES).collect()
    archived = told.filter(pl.col("store") == "archive")
    assert archived["batch_id"].null_count() == 0
    assert set(archived["old_sha256"]) <= set(lake_of_two.lake.scan(LEDGER).collect()["sha256"])
    assert lake_of_two.lake.scan(QUARANTINE["immigration.crossings"]).collect()["raw"].to_list() == ["[erased]"] * 2
    assert erasing.plan(lake_of_two, (parse("document:Q7731908"),)).changes == ()  # type: ignore[arg-type]


def test_of_an_erased_person_it_is_told_who_may_have_received_it(lake_of_two: Deployment, tmp_path: Path) -> None:
    out = tmp_path / "report.json"

    def report(person: str) -> dict[str, object]:
        code, said = run("audit", "report", "--person", person, "--json", str(out))
        assert (code, any(value in said for value in VALUES)) == (Exit.DONE, False)
        return dict(json.loads(out.read_text()))

    before = Entry(datetime(2025, 3, 4, tzinfo=UTC), Action.FILE, "xs-customs", "a version 1", "silver.crossings")
    audit_of(lake_of_two).record(before)
    assert report("document:DEU/Q7731908")["erased_at"] is None
    erase()
    audit_of(lake_of_two).record(replace(before, at=datetime(2999, 1, 1, tzinfo=UTC), recipient="xt-customs"))
    told = report("document:DEU/Q7731908")
    assert told["erased_at"] is not None
    assert [one["recipient"] for one in told["possible"]] == ["xs-customs"]


@pytest.mark.parametrize("person", ["document:DEU/Q0000000", "0" * 32])
def test_whom_no_table_knows_nothing_is_said_of(lake_of_two: Deployment, person: str) -> None:
    result = runner.invoke(app, ["audit", "report", "--person", person])
    assert "no table has a record of this" in str(result.exception)
    assert person not in str(result.exception)
