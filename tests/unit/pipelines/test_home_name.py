"""A home's name that is damaged or lost: found at any bit, nothing lands under a wrong one, and it comes back."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.cli.output import Exit
from pipelines.deployment import Deployment
from tests.unit.pipelines.declarations import delivered, land_inbox
from warehouse import homes, verify
from warehouse.catalog import BRONZE, LEDGER
from warehouse.errors import HomeDamaged
from warehouse.findings import Finding, Kind
from warehouse.settings import Settings

runner = CliRunner()


@pytest.fixture
def name_file(deployment: Deployment) -> Path:
    """Where the name lies of a home that has landed a file."""
    delivered(deployment)
    land_inbox(deployment)
    return deployment.settings.anchors / ".home"


def found(deployment: Deployment) -> list[Finding]:
    settings = deployment.settings
    return verify.verify(deployment.lake, [LEDGER], datetime.now(UTC), archive=settings.archive, inbox=settings.inbox)


def repair() -> str:
    done = runner.invoke(app, ["repair", "--yes"])
    assert done.exit_code == Exit.DONE, done.output
    return " ".join(done.output.split())


def test_a_bit_of_the_name_that_flips_is_found_wherever_it_stands(deployment: Deployment, name_file: Path) -> None:
    whole = name_file.read_bytes()
    assert found(deployment) == []
    for at in range(len(whole)):
        for bit in range(8):
            name_file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            assert [one.kind for one in found(deployment)] == [Kind.DAMAGED_HOME], (at, bit)


@pytest.mark.parametrize("content", [b"", b"0123", None], ids=["empty", "cut", "gone"])
def test_the_name_comes_back_from_what_lies_in_the_archive(
    deployment: Deployment, name_file: Path, content: bytes | None
) -> None:
    whole = name_file.read_bytes()
    name_file.unlink()
    if content is not None:
        name_file.write_bytes(content)
    assert [one.kind for one in found(deployment)] == [Kind.DAMAGED_HOME]
    assert "what is in this archive landed" in repair()
    assert name_file.read_bytes() == whole
    assert found(deployment) == []


@pytest.mark.usefixtures("deployment")
def test_other_tables_are_verified_whatever_the_name(name_file: Path) -> None:
    name_file.write_bytes(b"damaged")
    done = runner.invoke(app, ["verify", "--table", BRONZE["customs.declarations"].name])
    assert done.exit_code == Exit.DONE, (done.output, done.exception)


def test_nothing_lands_under_a_damaged_name(deployment: Deployment, name_file: Path) -> None:
    name_file.write_bytes(b"damaged")
    waiting = delivered(deployment, "more.csv", number="25XN7")
    with pytest.raises(HomeDamaged, match="borderlake repair"):
        land_inbox(deployment)
    assert waiting.exists()
    repair()
    land_inbox(deployment)
    assert not waiting.exists()
    assert deployment.lake.scan(LEDGER).collect()["kept_by"].n_unique() == 1


def test_a_name_that_nothing_landed_under_makes_room_for_another(deployment: Deployment, name_file: Path) -> None:
    name_file.write_bytes(b"damaged")
    for original in deployment.settings.archive.rglob("*.csv"):
        original.unlink()
    repair()
    assert not name_file.exists()
    made = homes.named(deployment.settings.anchors)
    assert name_file.read_bytes().startswith(made.encode())


def test_of_an_archive_with_files_of_two_homes_no_name_is_guessed(deployment: Deployment, name_file: Path) -> None:
    other = Deployment(Settings(deployment.settings.home / "other", deployment.lake.root))
    delivered(other, "more.csv", number="25XN7")
    land_inbox(other)
    for path in other.settings.archive.rglob("*.csv"):
        path.rename(deployment.settings.archive / path.relative_to(other.settings.archive))
    name_file.write_bytes(b"damaged")
    done = runner.invoke(app, ["repair", "--yes"])
    assert "files of several homes" in " ".join(done.output.split())
    assert name_file.read_bytes() == b"damaged"
