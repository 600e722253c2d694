"""Every reader, fuzzed up to the point of landing: whatever the bytes, they are landed, refused, or the file is.

A sound file of each format is mutated byte by byte and piece by piece; a reader that raises anything but `FileRefused`,
or a row that is neither landed nor refused nor set aside, fails. Short by default: BORDERLAKE_FUZZ multiplies it.
"""

import gzip
import os
import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pyarrow
import pytest
from agency import CROSSING, DECLARATION, INSPECTION, norvale, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interchanges import UNA, interchange, message

from warehouse import landing, sorting
from warehouse.delivery import delivery
from warehouse.dialect import Dialect, dialect_of
from warehouse.ledger import LANDED

EXAMPLES = 40 * int(os.environ.get("BORDERLAKE_FUZZ", "1"))
AT = datetime(2025, 3, 3, tzinfo=UTC)


def declarations(folder: Path) -> bytes:
    return write(folder / "declarations-1.csv", [DECLARATION | {"ITEM_NO": str(at)} for at in range(1, 9)]).read_bytes()


def crossings(folder: Path) -> bytes:
    quoted = CROSSING | {"surname": '"O, ""NEIL"""'}
    return write(folder / "crossings-1.csv", [quoted | {"crossing_id": f"K{at}"} for at in range(8)]).read_bytes()


def inspections(folder: Path) -> bytes:
    return write(folder / "inspections-1.ndjson", [INSPECTION | {"itemNumber": at} for at in range(1, 9)]).read_bytes()


def sightings(folder: Path) -> bytes:
    path = folder / "sightings.parquet"
    moments = [datetime(2025, 3, 3, 10, at, tzinfo=UTC) for at in range(8)]
    pl.DataFrame(
        {
            "seen_at": moments,
            "received_at": moments,
            "sighting_id": [f"S{at}" for at in range(8)],
            "camera_id": "C1",
            "site": "XNGRE",
            "plate": "KX 12-AB",
            "plate_country": "XN",
            "confidence": 0.9,
            "latitude": 36.0,
            "longitude": 17.0,
            "heading_deg": 90.0,
        }
    ).write_parquet(path, row_group_size=3)
    return path.read_bytes()


def paxlst(_: Path) -> bytes:
    travellers = [
        segment
        for at in range(3)
        for segment in (
            f"NAD+FL+++MUSTER{at}:ERIKA",
            "ATT+2++F",
            "DTM+329:830812",
            "NAT+2+DEU",
            f"DOC+P:110:111+P123456{at}",
            "LOC+91+DEU",
        )
    ]
    flight = (
        "BGM+745",
        "TDT+20+XN123+++XN",
        "LOC+125+VIE",
        "DTM+189:2503031000:201",
        "LOC+87+ARN",
        "DTM+232:2503031200:201",
    )
    return interchange(message("PAXLST", *flight, *travellers, "CNT+42:3")).encode()


def pnrgov(_: Path) -> bytes:
    body = (
        "MSG+:22",
        "ORG+XN+SENDER",
        "TVL+030325:1000:030325:1200+VIE+ARN+XN+123",
        "EQN+1",
        "SRC",
        "RCI+XN:ABC123",
        "DAT+710:010325:0900",
        "TIF+MUSTER:A+ERIKA::1",
        "TVL+030325:1000:030325:1200+VIE+ARN+XN+123",
    )
    una = UNA.replace("?", "\\")
    head = "UNB+IATB:1+SENDER+RECEIVER+250301:0600+R1"
    text = ["UNH+1+PNRGOV:11:1:IA", *body, f"UNT+{len(body) + 2}+1", "UNZ+1+R1"]
    return (una + "".join(f"{segment}'" for segment in (head, *text))).encode()


def cuscar(_: Path) -> bytes:
    body = [
        "BGM+785+M1+9",
        "TDT+20+V1+1+++++IMO1234567::::MV TEST",
        "LOC+60+XNPRT:139:6",
        "DTM+132:202503031000:203",
    ]
    for at in range(1, 4):
        body += [
            f"CNI+{at}+B{at}",
            "LOC+11+XNPRT:139:6",
            "NAD+CN+XN100",
            "GID+1+3:CT",
            "FTX+AAA+++PARTS",
            "MEA+AAE+G+KGM:120",
        ]
    return interchange(message("CUSCAR", *body)).encode()


def ais(_: Path) -> bytes:
    return (
        b"\\g:1-2-73874,n:157036,s:r003669945,c:1740996000*4A\\!AIVDM,1,1,,B,15N4cJ`005Jrek0H@9n`DW5608EP,0*13\n"
        b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24,1740996001\n"
        b"!AIVDM,2,1,3,B,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0*3E\n"
        b"!AIVDM,2,2,3,B,1@0000000000000,2*55\n$PGHP,1,2025,3,3,10,0,0,0,219,,219000,1,57*0B\n# junk\n"
    )


FORMATS: dict[str, tuple[Callable[[Path], bytes], str, str, str]] = {
    "delimited": (declarations, "customs", "declarations", "norvale"),
    "delimited-quoted": (crossings, "immigration", "crossings", "norvale"),
    "ndjson": (inspections, "customs", "inspections", "norvale"),
    "parquet": (sightings, "surveillance", "vehicle_sightings", "norvale"),
    "paxlst": (paxlst, "immigration", "api_messages", "norvale"),
    "pnrgov": (pnrgov, "immigration", "pnr_messages", "norvale"),
    "cuscar": (cuscar, "customs", "manifests", "norvale"),
    "ais": (ais, "surveillance", "vessel_positions", "ais-nmea"),
}


def layout(name: str) -> Dialect:
    return norvale() if name == "norvale" else dialect_of(name)


def sort(path: Path, domain: str, dataset: str, dialect: Dialect) -> tuple[int, bool]:
    """Rows landed, and whether the file was taken at all; every row read is accounted for."""
    item = delivery(
        path,
        agency="a",
        domain=domain,
        dataset=dataset,
        jurisdiction="XN",
        dialect=dialect,
        arrived_on=date(2025, 3, 3),
    )
    read = landing.read(item)
    (outcome,) = sorting.outcomes([read], AT)
    (account,) = outcome.accounts
    if account.status != LANDED:
        assert outcome.good.is_empty()
        assert account.reason
        return 0, False
    assert read.rows == outcome.good.height + outcome.bad.height + account.rows_set_aside
    assert (outcome.good.height, outcome.bad.height) == (account.rows_landed, account.rows_refused)
    assert outcome.bad["rules"].list.len().min() != 0, "a row without a reason"
    return outcome.good.height, True


def mutated(content: bytes, seed: int, changes: int) -> bytes:
    """Bytes flipped, set, cut out, put in, doubled; pieces swapped; the end cut off."""
    rng = random.Random(seed)
    data = bytearray(content)
    for _ in range(changes):
        size = len(data)
        if not size:
            break
        at, length = rng.randrange(size), rng.randint(1, 40)
        match rng.randrange(7):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at] = rng.choice(b"\x00\xff\n\r\"'+:?\\,;{}[]!$*")
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = rng.randbytes(length)
            case 4:
                data[at:at] = data[max(0, at - length) : at]
            case 5:
                to = rng.randrange(size)
                data[at : at + length], data[to : to + length] = data[to : to + length], data[at : at + length]
            case _:
                del data[max(1, at) :]
    return bytes(data)


@pytest.mark.parametrize("name", FORMATS)
def test_the_sound_file_lands(name: str, tmp_path: Path) -> None:
    made, domain, dataset, dialect = FORMATS[name]
    path = tmp_path / "extract"
    path.write_bytes(made(tmp_path))
    landed, is_taken = sort(path, domain, dataset, layout(dialect))
    assert is_taken
    assert landed


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32), changes=st.integers(1, 12))
def test_a_mutated_file_is_landed_or_refused_row_by_row_or_whole(
    name: str, tmp_path: Path, seed: int, changes: int
) -> None:
    made, domain, dataset, dialect = FORMATS[name]
    path = tmp_path / "extract"
    path.write_bytes(mutated(made(tmp_path), seed, changes))
    sort(path, domain, dataset, layout(dialect))


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_refused_or_accounted_for(name: str, tmp_path: Path, content: bytes) -> None:
    _, domain, dataset, dialect = FORMATS[name]
    path = tmp_path / "extract"
    path.write_bytes(content)
    sort(path, domain, dataset, layout(dialect))


@pytest.mark.parametrize("name", ["delimited", "ndjson"])
@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda data: pyarrow.compress(data, "zstd", asbytes=True)], ids=["gzip", "zstd"]
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32), changes=st.integers(1, 4))
def test_a_mutated_packed_file_is_no_different(
    name: str, pack: Callable[[bytes], bytes], tmp_path: Path, seed: int, changes: int
) -> None:
    made, domain, dataset, dialect = FORMATS[name]
    path = tmp_path / "extract"
    path.write_bytes(mutated(pack(made(tmp_path)), seed, changes))
    sort(path, domain, dataset, layout(dialect))
