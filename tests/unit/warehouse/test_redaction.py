"""Redaction in every format: the subject goes, other records and the count of records stay, and it reads again."""

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from benchmarks import canary_values
from benchmarks.canary_values import Canary
from warehouse.decoding import texts
from warehouse.dialect import dialect_of
from warehouse.readers import READERS, Chunk
from warehouse.redaction import CannotRedact, Layout, redact
from warehouse.subjects import Subject, parse

ONE, OTHER = canary_values.canary(1), canary_values.canary(2)
DATASETS = {
    "crossings csv": "immigration.crossings",
    "declarations csv": "customs.declarations",
    "outcomes ndjson": "immigration.outcomes",
    "sightings parquet": "surveillance.vehicle_sightings",
    "paxlst": "immigration.api_messages",
    "pnrgov": "immigration.pnr_messages",
    "cuscar": "customs.manifests",
}


def subjects(one: Canary = ONE) -> list[Subject]:
    found = [parse(text) for text in one.subjects()]
    return [subject for subject in found if isinstance(subject, Subject)]


def layout(name: str) -> Layout:
    norvale = dialect_of("norvale")
    return Layout(norvale.extract_for(DATASETS[name]), norvale)


def read(name: str, content: bytes, folder: Path) -> list[Chunk]:
    path = folder / "file"
    path.write_bytes(content)
    extract = layout(name).extract
    assert extract is not None
    return list(READERS[extract.format](path, extract.columns, **extract.options))


def shown(content: bytes, one: Canary) -> set[str]:
    """Kinds of the canary's values that a file shows."""
    said = "\n".join(texts(content)).upper()
    return {kind for kind, forms in one.forms().items() if any(form.upper() in said for form in forms)}


@pytest.mark.parametrize("name", DATASETS)
def test_nothing_of_the_subject_is_left_in_any_format(name: str) -> None:
    content = canary_values.FORMATS[name][2](ONE, "1")
    assert shown(content, ONE)
    done = redact(content, subjects(), layout(name))
    assert done.records
    assert shown(done.content, ONE) == set()
    assert redact(done.content, subjects(), layout(name)).records == 0


@pytest.mark.parametrize("name", DATASETS)
def test_another_subject_changes_no_byte(name: str) -> None:
    content = canary_values.FORMATS[name][2](ONE, "1")
    assert redact(content, subjects(OTHER), layout(name)).content == content


@pytest.mark.parametrize("name", DATASETS)
def test_as_many_records_are_read_again(name: str, tmp_path: Path) -> None:
    content = canary_values.FORMATS[name][2](ONE, "1")

    def count(data: bytes) -> int:
        return sum(chunk.rows.height + chunk.refused.height for chunk in read(name, data, tmp_path))

    assert count(redact(content, subjects(), layout(name)).content) == count(content)


@pytest.mark.parametrize("name", ["crossings csv", "declarations csv", "outcomes ndjson"])
def test_who_is_beside_the_subject_stays_to_the_byte(name: str) -> None:
    made: Callable[[Canary, str], bytes] = canary_values.FORMATS[name][2]
    ours, theirs = made(ONE, "1"), made(OTHER, "2")
    body = theirs if name == "outcomes ndjson" else theirs.split(b"\n", 1)[1]
    done = redact(ours + body, subjects(), layout(name))
    assert done.content.endswith(body)


@pytest.mark.parametrize(
    ("pack", "unpack"),
    [
        pytest.param(gzip.compress, gzip.decompress, id="gzip"),
        pytest.param(
            lambda plain: pa.compress(plain, codec="zstd", asbytes=True),
            lambda packed: pa.CompressedInputStream(pa.BufferReader(packed), "zstd").read(),
            id="zstd",
        ),
        pytest.param(lambda plain: plain.decode().encode("utf-16"), lambda packed: packed, id="utf-16"),
    ],
)
def test_packed_files_stay_packed(pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]) -> None:
    content = pack(canary_values.crossings(ONE, "1"))
    done = redact(content, subjects(), layout("crossings csv"))
    assert done.content[:2] == content[:2]
    assert done.records == 4
    assert shown(done.content, ONE) == set()
    assert unpack(done.content)


def test_a_packed_file_that_is_cut_cannot_be_redacted() -> None:
    with pytest.raises(CannotRedact):
        redact(gzip.compress(canary_values.crossings(ONE, "1"))[:60], subjects(), layout("crossings csv"))


def test_a_file_of_no_known_layout_loses_whole_lines() -> None:
    done = redact(f"a\nb {ONE.document} c\nd".encode(), subjects(), Layout())
    assert (done.records, done.content) == (1, b"a\n[erased]\nd")


def test_a_value_that_a_line_end_parts_is_found_in_a_message() -> None:
    whole = canary_values.paxlst(ONE, "1")
    wrapped = whole.replace(ONE.document.encode(), f"{ONE.document[:4]}\r\n{ONE.document[4:]}".encode())
    (document, *_) = subjects()
    done = redact(wrapped, [document], layout("paxlst"))
    assert done.records == 2
    assert ONE.document[4:] not in done.content.decode()


def test_json_escapes_do_not_hide_a_value() -> None:
    hidden = canary_values.outcomes(ONE, "1").replace(b"XN-", b"\\u0058N-")
    officer = next(one for one in subjects() if one.kind == "officer")
    done = redact(hidden, [officer], layout("outcomes ndjson"))
    assert done.records >= 2


def test_a_plate_in_free_text_goes_and_the_text_stays() -> None:
    record = canary_values.declaration(ONE, "1", DESCRIPTION=f"parts for {ONE.plate} and more", CONVEYANCE="")
    plate = next(one for one in subjects() if one.kind == "vehicle")
    done = redact(canary_values.csv([record], ";"), [plate], layout("declarations csv"))
    assert b"parts for [erased] and more" in done.content
    assert ONE.importer.encode() in done.content


def test_the_mode_of_transport_stays_beside_a_plate_that_goes(tmp_path: Path) -> None:
    content = canary_values.csv([canary_values.declaration(ONE, "1")], ";")
    plate = next(one for one in subjects() if one.kind == "vehicle")
    rows = pl.concat(
        chunk.rows
        for chunk in read("declarations csv", redact(content, [plate], layout("declarations csv")).content, tmp_path)
    )
    assert rows["MODE"].to_list() == ["3"]
    assert rows["CONVEYANCE"].to_list() == [None]
