"""AIS logs: what joins, what is ignored, what is refused, and that no line is lost."""

import codecs
import gzip
import json
import os
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor
from pathlib import Path

import polars as pl
import pyarrow
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import warehouse.readers.ais as ais
from warehouse.errors import FileRefused
from warehouse.readers.port import REFUSED_SCHEMA

LOGS = Path(__file__).parents[5] / "shared" / "data" / "surveillance" / "ais"

CLASS_A = "15QHQ2022F8TjjQcFvRJvppB04i4"
STATIC = "55QHQ202?<4O<E@O<01=AR04<G7800000000001AB`R@@4PjNBRmjCPCPK80EDh00000000"
AT = 1_327_986_422
AT_TIME = datetime(2012, 1, 31, 5, 7, 2, tzinfo=UTC)
HALF = timedelta(milliseconds=500)


def hashed(body: str) -> str:
    return f"{body}*{reduce(xor, body.encode(), 0):02X}"


def vdm(payload: str = CLASS_A, part: str = "1,1,", channel: str = "B", fill: str = "0", talker: str = "AI") -> str:
    return "!" + hashed(f"{talker}VDM,{part},{channel},{payload},{fill}")


def halves(sequence: int = 3, payload: str = STATIC, channel: str = "A") -> tuple[str, str]:
    return (
        vdm(payload[:40], f"2,1,{sequence}", channel),
        vdm(payload[40:], f"2,2,{sequence}", channel, "2"),
    )


def tag(body: str) -> str:
    return f"\\{hashed(body)}\\"


def pghp(sentence: str, station: str = "316000002", second: int = 2) -> str:
    return "$" + hashed(f"PGHP,1,2012,1,31,5,7,{second},151,316,2,{station},1AIS_S,{sentence.split('*')[1][:2]}")


def read(tmp_path: Path, *lines: str | bytes, block_bytes: int = 4 << 20) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Rows, refusals and the number of ignored lines of a log; checks the account of its lines."""
    path = tmp_path / "log.nmea"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return read_file(path, block_bytes=block_bytes)


def read_file(path: Path, block_bytes: int = 4 << 20) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    chunks = list(ais.read(path, block_bytes=block_bytes))
    for chunk in chunks:
        assert chunk.rows.schema == ais.SCHEMA
        assert chunk.refused.schema == REFUSED_SCHEMA
        assert chunk.lines == (chunk.rows.height + chunk.further_parts + chunk.ignored + chunk.refused.height)
    data = path.read_bytes()
    assert sum(chunk.lines for chunk in chunks) == data.count(b"\n") + (not data.endswith(b"\n"))
    rows = pl.concat([chunk.rows for chunk in chunks]).sort("source_line")
    refused = pl.concat([chunk.refused for chunk in chunks]).sort("source_line")
    assert refused["source_line"].is_unique().all()
    assert rows["source_line"].is_unique().all()
    return rows, refused, sum(chunk.ignored for chunk in chunks)


def real_log(name: str) -> Path:
    path = LOGS / name
    if not path.exists() and (os.environ.get("CI") != "true" or not LOGS.parents[2].exists()):
        pytest.skip("the shared data is not here")
    return path


def test_a_published_position_report_reads_as_published(tmp_path: Path) -> None:
    # The worked example of gpsd's "AIVDM/AIVDO protocol decoding".
    payload = "177KQJ5000G?tO`K>RA1wUbN0TKH"
    rows, refused, _ = read(tmp_path, f"!AIVDM,1,1,,B,{payload},0*5C")
    assert refused.is_empty()
    expected = {
        "source_line": 1,
        "channel": "B",
        "message_type": 1,
        "mmsi": 477_553_000,
        "nav_status": 5,
        "rate_of_turn_deg_min": 0.0,
        "speed_knots": 0.0,
        "position_accuracy": False,
        "longitude": -122.345833,
        "latitude": 47.582833,
        "course_deg": 51.0,
        "heading_deg": 181,
        "utc_second": 15,
        "raw": payload,
    }
    assert rows.row(0, named=True) == {**dict.fromkeys(ais.SCHEMA), **expected}


@pytest.mark.parametrize("talker", ["AI", "AB", "BS", "SA"])
@pytest.mark.parametrize("formatter", ["VDM", "VDO"])
def test_every_talker_and_both_formatters_are_read(tmp_path: Path, talker: str, formatter: str) -> None:
    rows, _, _ = read(tmp_path, "!" + hashed(f"{talker}{formatter},1,1,,A,{CLASS_A},0"))
    assert rows.height == 1


def test_a_dollar_for_the_exclamation_mark_is_read(tmp_path: Path) -> None:
    rows, refused, ignored = read(tmp_path, vdm().replace("!", "$"))
    assert (rows["raw"].to_list(), refused.height, ignored) == ([CLASS_A], 0, 0)


@pytest.mark.parametrize(
    ("line", "received", "logged", "station"),
    [
        pytest.param(tag(f"s:r003,c:{AT}") + vdm(), AT_TIME, None, "r003", id="tag-block-in-seconds"),
        pytest.param(tag(f"c:{AT}000") + vdm(), AT_TIME, None, None, id="tag-block-in-milliseconds"),
        pytest.param(vdm() + f",{AT}", AT_TIME, AT_TIME, None, id="seconds-behind-the-checksum"),
        pytest.param(vdm() + f",{AT}000", AT_TIME, AT_TIME, None, id="milliseconds-behind-the-checksum"),
        pytest.param(vdm() + f",{AT}.000", AT_TIME, AT_TIME, None, id="a-fraction-of-a-second"),
        pytest.param(
            vdm() + f",s1234,d-107,T12.3,r003669930,{AT}",
            AT_TIME,
            AT_TIME,
            "r003669930",
            id="coast-guard-fields",
        ),
        pytest.param(
            tag(f"c:{AT},s:x") + vdm() + f",{AT + 60}",
            AT_TIME,
            datetime(2012, 1, 31, 5, 8, 2, tzinfo=UTC),
            "x",
            id="reception-in-the-tag-block-and-logging-behind",
        ),
        pytest.param(vdm() + ",later", None, None, None, id="words-behind-the-checksum-are-no-time"),
        pytest.param(vdm() + f",{AT},r003", AT_TIME, AT_TIME, None, id="seconds-before-a-station"),
        pytest.param(vdm() + f",x,{AT}000,7", AT_TIME, AT_TIME, None, id="milliseconds-between-others"),
        pytest.param(vdm() + ",2012-01-31T05:07:02Z", AT_TIME, AT_TIME, None, id="iso-behind-the-checksum"),
        pytest.param(vdm() + ",x,2012-01-31 07:07:02.5+02:00", AT_TIME + HALF, AT_TIME + HALF, None, id="of-a-zone"),
        pytest.param(f"2012-01-31 05:07:02 UTC {vdm()}", AT_TIME, AT_TIME, None, id="a-zone-by-its-name"),
        pytest.param(f"2012-01-31T05:07:02Z {vdm()}", AT_TIME, AT_TIME, None, id="a-time-before-the-sentence"),
        pytest.param(f"[2012-01-31 07:07:02.000 +0200]\t{vdm()}", AT_TIME, AT_TIME, None, id="of-another-zone"),
        pytest.param(f"2012-01-30T23:37:02,5-05:30,{vdm()}", AT_TIME + HALF, AT_TIME + HALF, None, id="with-a-comma"),
        pytest.param(f"{AT}.5;{vdm()}", AT_TIME + HALF, AT_TIME + HALF, None, id="unix-time-before-the-sentence"),
        pytest.param(f"{AT}000 {vdm()}", AT_TIME, AT_TIME, None, id="milliseconds-before-the-sentence"),
        pytest.param(
            f"{AT + 60} {tag(f's:x,c:{AT}')}{vdm()}",
            AT_TIME,
            AT_TIME + timedelta(seconds=60),
            "x",
            id="logging-before-the-tag-block",
        ),
        pytest.param(
            f"{AT + 60} {vdm()},{AT}", AT_TIME, AT_TIME, None, id="the-time-behind-goes-before-the-one-before"
        ),
        pytest.param(vdm() + ",99999999999999999999", None, None, None, id="a-number-too-large-is-no-time"),
    ],
)
def test_times_and_stations(
    tmp_path: Path, line: str, received: datetime | None, logged: datetime | None, station: str | None
) -> None:
    rows, refused, _ = read(tmp_path, line)
    assert refused.is_empty()
    assert rows.select("received_at", "logged_at", "station").row(0) == (received, logged, station)


@pytest.mark.parametrize(
    ("line", "received"),
    [
        pytest.param(f"2012-01-31T05:07:02Z heard {vdm()}", AT_TIME, id="words-behind-the-time"),
        pytest.param(f"<13>1 2012-01-31T05:07:02.5Z host ais 7 - - {vdm()}", AT_TIME + HALF, id="syslog-of-rfc-5424"),
        pytest.param(f"<13>May  1 12:00:00 host {tag(f'c:{AT}')}{vdm()}", AT_TIME, id="syslog-before-a-tag-block"),
        pytest.param(f"May 01 12:00:00 host ais[7]: {vdm()},{AT}", AT_TIME, id="syslog-before-a-time-behind"),
        pytest.param(f"<13>host ais: {vdm()}", None, id="syslog-without-a-time"),
        pytest.param(f"rx-7 {vdm()}", None, id="the-name-of-a-receiver"),
        pytest.param(f"{AT}: {vdm()}", AT_TIME, id="a-colon-behind-the-time"),
        pytest.param(f"[2012/01/31 05:07:02Z] {vdm()}", AT_TIME, id="slashes-in-the-day"),
        pytest.param(f"20120131T050702Z,{vdm()}", AT_TIME, id="a-time-without-separators"),
        pytest.param(f"[2012-01-31 07:07:02+02] {vdm()}", AT_TIME, id="hours-alone-from-utc"),
        pytest.param(f'"2012-01-31 05:07:02.5+00","{vdm()}"', AT_TIME + HALF, id="a-database-s-time"),
        pytest.param(f'<s time="2012-01-31T05:07:02Z">{vdm()}</s>', AT_TIME, id="in-an-element"),
        pytest.param(f"rx1|{AT}500000|{vdm()}", AT_TIME + HALF, id="microseconds"),
        pytest.param(f'2012-01-31T05:07:02.500Z,AIS,AIVDM,"{vdm()}"', AT_TIME + HALF, id="quoted-csv"),
        pytest.param(f'"{vdm()}","2012-01-31 07:07:02+02:00"', AT_TIME, id="quoted-csv-with-the-time-behind"),
        pytest.param(f"{vdm()}\t{AT}", AT_TIME, id="a-tab-before-the-time-behind"),
        pytest.param(f'{{"msg": "{vdm()}"}}', None, id="json"),
        pytest.param(f'{{"ts": {AT}.5, "msg": "{vdm()}\\r\\n"}}', AT_TIME + HALF, id="json-with-a-time"),
        pytest.param(f'{{"id": 1500000000, "msg": "{vdm()}", "rx_at": "2012-01-31T05:07:02Z"}}', AT_TIME, id="json-id"),
        pytest.param(f'{{"rxtime":"20120131050702","nmea":["{vdm()}"]}}', AT_TIME, id="json-of-ais-catcher"),
        pytest.param(json.dumps({"m": tag(f"s:x,c:{AT}") + vdm()}), AT_TIME, id="json-with-a-tag-block"),
    ],
)
def test_a_sentence_is_read_in_what_loggers_put_around_it(tmp_path: Path, line: str, received: datetime | None) -> None:
    rows, refused, ignored = read(tmp_path, vdm(), line, vdm())
    assert (refused.height, ignored) == (0, 0)
    assert rows["received_at"].to_list() == [None, received, None]
    assert rows["raw"].to_list() == [CLASS_A] * 3


def test_what_writers_of_json_escape_is_read(tmp_path: Path) -> None:
    payload = "177KQJ5000G?tO`K>RA1wUbN0TKH"
    sentence = vdm(payload).replace(">", "\\u003e").replace("`", "\\u0060")
    rows, refused, _ = read(tmp_path, f'{{"nmea": "{sentence}"}}')
    assert (rows["raw"].to_list(), refused.height) == ([payload], 0)


def test_a_wrapped_line_that_is_refused_stands_as_it_was_sent(tmp_path: Path) -> None:
    line = f'{{"ts": {AT}, "msg": "{vdm("w" + CLASS_A[1:])}"}}'
    _, refused, _ = read(tmp_path, vdm(), line, f"{AT}: {vdm()}")
    assert refused.select("source_line", "rule", "raw").rows() == [(2, "ais-unsupported-type", line)]


def test_the_names_of_columns_before_the_first_sentence_are_ignored(tmp_path: Path) -> None:
    heading = '"received_at","type","message"'
    rows, refused, ignored = read(tmp_path, heading, f'"2012-01-31T05:07:02Z","AIS","{vdm()}"', heading)
    assert (rows.height, refused["source_line"].to_list(), ignored) == (1, [3], 1)


@pytest.mark.parametrize("line", [f"2012-01-31 06:07:02 {vdm()}", f"2012-01-31 06:07:02,000 - INFO - {vdm()}"])
def test_times_without_a_zone_are_of_the_clock_that_the_dialect_names(tmp_path: Path, line: str) -> None:
    path = tmp_path / "log.nmea"
    path.write_text(f"{line}\n{vdm()},2012-01-31T05:07:02Z\n")
    rows = pl.concat([chunk.rows for chunk in ais.read(path, clock="Europe/Oslo")])
    assert rows["received_at"].to_list() == [AT_TIME, AT_TIME]
    with pytest.raises(FileRefused, match="IANA time zone"):
        list(ais.read(path, clock="Oslo"))


def test_a_station_that_is_not_ascii_is_marked(tmp_path: Path) -> None:
    body = "s:Malmö".encode("latin-1")
    line = b"\\" + body + f"*{reduce(xor, body):02X}\\".encode() + vdm().encode()
    rows, refused, _ = read(tmp_path, line)
    assert refused.is_empty()
    assert rows["station"].to_list() == ["Malm?"]


def test_a_gatehouse_line_gives_its_time_to_the_sentence_whose_checksum_it_names(tmp_path: Path) -> None:
    one, other = vdm(), vdm(channel="A")
    rows, refused, ignored = read(tmp_path, pghp(other, second=9), pghp(one), one, other, vdm(talker="AB"))
    assert (refused.height, ignored) == (0, 2)
    assert rows["received_at"].dt.second().to_list() == [2, 9, None]
    assert rows["station"].to_list() == ["316000002", "316000002", None]


def test_a_gatehouse_line_may_follow_its_sentence(tmp_path: Path) -> None:
    rows, _, ignored = read(tmp_path, vdm(), "# a comment", vdm(channel="A"), pghp(vdm()))
    assert ignored == 2
    assert rows["received_at"].to_list() == [AT_TIME.replace(microsecond=151_000), None]


def test_gatehouse_lines_far_away_are_not_matched(tmp_path: Path) -> None:
    rows, _, _ = read(tmp_path, pghp(vdm()), *["#"] * 64, vdm())
    assert rows["received_at"].to_list() == [None]


def test_parts_join_across_lines_interleaved_with_others(tmp_path: Path) -> None:
    (one, two), (three, four) = halves(3), halves(4)
    rows, refused, _ = read(tmp_path, one, vdm(), three, "", two, vdm(channel="A"), four)
    assert refused.is_empty()
    assert rows["source_line"].to_list() == [1, 2, 3, 6]
    assert rows["message_type"].to_list() == [5, 1, 5, 1]
    assert rows["raw"][0] == STATIC
    assert (
        rows["vessel_name"][0] == rows["vessel_name"][2] == read(tmp_path, vdm(STATIC, fill="2"))[0]["vessel_name"][0]
    )


def test_the_parts_of_two_receivers_do_not_mix(tmp_path: Path) -> None:
    other = STATIC.replace("55QHQ2", "55CV4N")
    (one, two), (three, four) = halves(), halves(payload=other)
    lines = [tag("s:north") + one, tag("s:south") + three, tag("s:north") + two, tag("s:south") + four]
    rows, refused, _ = read(tmp_path, *lines)
    assert refused.is_empty()
    assert rows["raw"].to_list() == [STATIC, other]
    assert rows["station"].to_list() == ["north", "south"]


def test_a_part_without_station_joins_the_one_before(tmp_path: Path) -> None:
    one, two = halves()
    rows, refused, _ = read(tmp_path, tag(f"s:north,c:{AT}") + one, two)
    assert refused.is_empty()
    assert rows.select("raw", "station", "received_at").row(0) == (STATIC, "north", AT_TIME)


def test_parts_of_a_tag_block_group_join_out_of_order(tmp_path: Path) -> None:
    one, two = halves()
    rows, _, _ = read(tmp_path, tag("g:2-2-77") + two, tag(f"g:1-2-77,s:x,c:{AT}") + one)
    assert rows.select("raw", "station", "received_at").row(0) == (STATIC, "x", AT_TIME)


def test_parts_out_of_order_elsewhere_are_refused(tmp_path: Path) -> None:
    rows, refused, _ = read(tmp_path, *reversed(halves()))
    assert rows.is_empty()
    assert refused["rule"].to_list() == ["ais-multipart-incomplete"] * 2


def test_parts_too_far_apart_are_refused(tmp_path: Path) -> None:
    one, two = halves()
    rows, refused, _ = read(tmp_path, one, *["#"] * 64, two)
    assert rows.is_empty()
    assert refused["source_line"].to_list() == [1, 66]


def test_a_tag_block_alone_speaks_for_its_group(tmp_path: Path) -> None:
    lines = [
        tag(f"g:1-3-5,s:x,c:{AT}"),
        tag("g:2-3-5") + vdm(),
        tag("g:3-3-5") + vdm(),
        tag("g:1-1-6") + vdm(),
    ]
    rows, refused, ignored = read(tmp_path, *lines)
    assert (refused.height, ignored) == (0, 1)
    assert rows["received_at"].to_list() == [AT_TIME, AT_TIME, None]
    assert rows["station"].to_list() == ["x", "x", None]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        pytest.param(vdm()[:-2] + "00", "nmea-checksum", id="a-wrong-checksum"),
        pytest.param(vdm().replace("15Q", "15R"), "nmea-checksum", id="a-changed-payload"),
        pytest.param(vdm()[:-3], "nmea-framing", id="no-checksum"),
        pytest.param(vdm()[:-1], "nmea-framing", id="half-a-checksum"),
        pytest.param(vdm()[1:], "nmea-framing", id="no-start"),
        pytest.param("2012-01-31 " + vdm(), "nmea-framing", id="a-day-before-the-sentence"),
        pytest.param("2012-01-31 05:07:02 " + vdm(), "nmea-time-zone", id="a-time-without-its-zone"),
        pytest.param(vdm() + ",2012-01-31 05:07:02", "nmea-time-zone", id="a-time-behind-without-its-zone"),
        pytest.param(vdm().replace(",", ";"), "nmea-fields", id="commas-that-a-spreadsheet-has-changed"),
        pytest.param("2012-02-30T05:07:02Z " + vdm(), "nmea-framing", id="30-february-before-the-sentence"),
        pytest.param("May  1 05:07:02 host ais: " + vdm(), "nmea-time-zone", id="a-time-without-its-year"),
        pytest.param("2012-01-31 05:07:02,756 - INFO - " + vdm(), "nmea-time-zone", id="a-program-without-its-zone"),
        pytest.param(f'{{"t": 1327986422, "nmea": ["{vdm()}", "{vdm()}"]}}', "nmea-framing", id="two-in-one-object"),
        pytest.param("1,1,,A,15QHQ2022F8Tjj, " + vdm(), "nmea-framing", id="behind-the-rest-of-another-sentence"),
        pytest.param("31/01/2012 05:07:02 " + vdm(), "nmea-framing", id="a-day-in-another-order"),
        pytest.param("05:07:02Z rx1 " + vdm(), "nmea-framing", id="a-time-without-its-day"),
        pytest.param("20120131-050702 " + vdm(), "nmea-framing", id="a-time-in-a-form-of-its-own"),
        pytest.param("noise" + vdm(), "nmea-framing", id="letters-right-before-the-sentence"),
        pytest.param(f'{{"msg": "{vdm()[:-2]}00"}}', "nmea-checksum", id="damaged-in-an-object"),
        pytest.param("2012-01-31T05:07:02Z " + vdm()[:-2] + "00", "nmea-checksum", id="damaged-behind-the-time"),
        pytest.param(vdm() + " heard well", "nmea-framing", id="words-right-behind-the-checksum"),
        pytest.param(b"\xff\x00\xfe junk \xc3", "nmea-framing", id="bytes-that-are-no-text"),
        pytest.param("!" + hashed(""), "nmea-framing", id="an-empty-sentence"),
        pytest.param("\\s:x*00\\" + vdm(), "nmea-tag-block", id="a-wrong-checksum-in-the-tag-block"),
        pytest.param("\\s:x\\" + vdm(), "nmea-tag-block", id="a-tag-block-without-checksum"),
        pytest.param("\\\\" + vdm(), "nmea-tag-block", id="an-empty-tag-block"),
        pytest.param(tag("s:x")[:-1] + vdm(), "nmea-framing", id="a-tag-block-left-open"),
        pytest.param("!" + hashed("AIVDM,1,1,,A"), "nmea-fields", id="too-few-fields"),
        pytest.param("!" + hashed(f"aivdm,1,1,,A,{CLASS_A},0"), "nmea-fields", id="a-name-in-small-letters"),
        pytest.param("!" + hashed(f"AIVDM,1,1,,A,{CLASS_A[:26]},0,0"), "ais-payload-armour", id="too-many-fields"),
        pytest.param("!" + hashed(f"AIVDM,2,3,1,A,{CLASS_A},0"), "nmea-fields", id="part-3-of-2"),
        pytest.param("!" + hashed(f"AIVDM,0,0,1,A,{CLASS_A},0"), "nmea-fields", id="part-0-of-0"),
        pytest.param("!" + hashed(f"AIVDM,1,1,x,A,{CLASS_A},0"), "nmea-fields", id="a-sequence-of-letters"),
        pytest.param("!" + hashed(f"AIVDM,1,1,,A,{CLASS_A},6"), "nmea-fields", id="six-fill-bits"),
        pytest.param("$" + hashed("PGHP,1,2012,2,30,5,7,2,151,316,2,1,1,51"), "nmea-time", id="30-february"),
        pytest.param("$" + hashed("PGHP,1,2012,1,31"), "nmea-time", id="a-gatehouse-line-cut-short"),
        pytest.param(vdm(""), "ais-payload-empty", id="no-payload"),
        pytest.param(vdm(CLASS_A[:-1] + "X"), "ais-payload-armour", id="a-character-outside-the-armour"),
        pytest.param(vdm(CLASS_A[:20]), "ais-payload-length", id="a-position-report-cut-short"),
        pytest.param(vdm(STATIC[:28]), "ais-payload-length", id="static-data-in-one-slot"),
        pytest.param(vdm(CLASS_A * 2), "ais-payload-length", id="a-position-report-twice-as-long"),
        pytest.param(vdm("1"), "ais-payload-length", id="a-payload-of-one-character"),
        pytest.param(vdm("0" + CLASS_A[1:]), "ais-unsupported-type", id="type-0"),
        pytest.param(vdm("w" + CLASS_A[1:]), "ais-unsupported-type", id="type-63"),
        pytest.param(vdm("H" + CLASS_A[1:6] + "<" + CLASS_A[7:]), "ais-unsupported-type", id="part-d-of-type-24"),
    ],
)
def test_refusals_name_their_line_and_rule(tmp_path: Path, line: str | bytes, rule: str) -> None:
    rows, refused, ignored = read(tmp_path, vdm(), line, vdm())
    assert (rows.height, ignored) == (2, 0)
    assert refused["source_line"].to_list() == [2]
    assert refused["rule"].to_list() == [rule]
    assert len(refused["message"][0]) > 20
    text = line if isinstance(line, str) else line.decode("utf-8", "backslashreplace")
    assert refused["raw"].to_list() == [text.strip()]


def test_all_lines_of_a_refused_message_are_refused(tmp_path: Path) -> None:
    _, refused, _ = read(tmp_path, *halves(payload="w" + STATIC[1:]))
    assert refused["rule"].to_list() == ["ais-unsupported-type"] * 2


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "# comment",
        "$" + hashed("GPZDA,050702,31,01,2012,00,00"),
        tag("s:x,c:1"),
        pghp(vdm(fill="1")),
    ],
)
def test_blank_lines_comments_and_other_sentences_are_counted(tmp_path: Path, line: str) -> None:
    rows, refused, ignored = read(tmp_path, vdm(), line, vdm())
    assert (rows.height, refused.height, ignored) == (2, 0, 1)


def test_line_ends_and_spaces_around_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "log.nmea"
    path.write_bytes(f"{vdm()}\r\n \t{vdm()} \r\n\r\n{vdm()}\r\n".encode())
    rows, refused, ignored = read_file(path)
    assert (rows.height, refused.height, ignored) == (3, 0, 1)


@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(lambda log: pyarrow.compress(log, "zstd", asbytes=True), id="zstd"),
        pytest.param(lambda log: codecs.BOM_UTF8 + log, id="a-byte-order-mark"),
        pytest.param(lambda log: log.decode().encode("utf-16"), id="as-a-shell-of-windows-writes"),
    ],
)
def test_a_log_is_read_however_it_was_saved(tmp_path: Path, wrapped: Callable[[bytes], bytes]) -> None:
    log = f"# log\n{vdm()}\r\n{vdm()[:-2]}00\n".encode()
    told = []
    for content in (log, wrapped(log)):
        path = tmp_path / "log.nmea"
        path.write_bytes(content)
        chunks = list(ais.read(path))
        rows, refused = (pl.concat([getattr(chunk, name) for chunk in chunks]) for name in ("rows", "refused"))
        told.append((rows.rows(), refused.rows()))
    assert told[0] == told[1]
    assert [len(part) for part in told[0]] == [1, 1]


def test_a_packed_log_that_is_cut_or_empty_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.nmea"
    for content, rule in ((gzip.compress(vdm().encode())[:-12], "truncated"), (gzip.compress(b""), "empty")):
        path.write_bytes(content)
        with pytest.raises(FileRefused) as caught:
            list(ais.read(path))
        assert caught.value.rule == rule


def test_a_line_without_end_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log.nmea"
    path.write_bytes(b"x" * 900_000 + b"\n" + vdm().encode() + b"\n" + b"\0" * 300_000)
    rows, refused, _ = read_file(path, block_bytes=50_000)
    assert rows["source_line"].to_list() == [2]
    assert refused["source_line"].to_list() == [1, 3]
    assert (refused["raw"].str.len_chars() <= 20_000).all()


def test_values_that_mean_not_available_are_null(tmp_path: Path) -> None:
    from pyais import encode_dict

    absent = {
        "lon": 181,
        "lat": 91,
        "speed": 102.3,
        "course": 360,
        "heading": 511,
        "turn": -128,
        "second": 60,
    }
    empty = {"month": 0, "day": 0, "hour": 24, "minute": 60, "imo": 0, "draught": 0, "ship_type": 0}
    rows, _, _ = read(
        tmp_path,
        *encode_dict({"msg_type": 1, "mmsi": 1, "status": 15, **absent}),
        *encode_dict({"msg_type": 5, "mmsi": 1, "shipname": "@@@", "callsign": " ", **empty}, seq_id=1),
    )
    known = {"source_line", "channel", "message_type", "mmsi", "nav_status", "position_accuracy", "raw"}
    assert {name for name in rows.columns if rows[name][0] is not None} == known
    assert {name for name in rows.columns if rows[name][1] is not None} == known - {
        "nav_status",
        "position_accuracy",
    }


def boats_data(**fields: int) -> str:
    """A boat's message 24, part B, on the channel of `vdm`."""
    from pyais import encode_dict

    boat = {"msg_type": 24, "partno": 1, "ship_type": 37, **fields}
    (sentence,) = encode_dict({**boat, "callsign": "DX1"}, radio_channel="B")
    return sentence


def test_a_tender_has_its_mother_ship_in_place_of_its_size(tmp_path: Path) -> None:
    tender = boats_data(mmsi=982_380_001, mothership_mmsi=238_000_001)
    rows, _, _ = read(tmp_path, tender)
    assert rows.select("call_sign", "ship_type", "to_bow_m", "to_starboard_m").row(0) == ("DX1", 37, None, None)


def test_a_boats_data_without_its_last_byte_lacks_the_distance_to_starboard_alone(tmp_path: Path) -> None:
    whole = boats_data(mmsi=211_000_001, to_bow=9, to_stern=3, to_port=2, to_starboard=7)
    payload = whole.split(",")[5]
    rows, refused, _ = read(tmp_path, whole, vdm(payload[:27], fill="2"), vdm(payload[:27], fill="3"))
    one, cut = rows.drop("source_line", "raw").to_dicts()
    assert cut == {**one, "to_starboard_m": None}
    assert one["to_starboard_m"] == 7
    assert refused["rule"].to_list() == ["ais-payload-length"]


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    path = tmp_path / "log.nmea"
    path.write_bytes(b"")
    with pytest.raises(FileRefused, match="receiver was off"):
        list(ais.read(path))
    path.write_text(vdm())
    with pytest.raises(FileRefused, match="AIS gives no hs_code"):
        list(ais.read(path, frozenset({"mmsi", "hs_code"})))


def shuffled_log(seed: int, lines: int) -> list[str]:
    """A busy log: parts of many messages, $PGHP before and after, groups, damaged lines."""
    chance = random.Random(seed)
    out: list[tuple[float, str]] = []
    for at in range(lines):
        kind = chance.random()
        place = at + chance.random() * 30
        if kind < 0.3:
            sentence = vdm(CLASS_A[:-2] + chance.choice("0123456789") + "4", channel=chance.choice("AB"))
            out += [(place, sentence), (at + chance.random() * 30, pghp(sentence, second=at % 60))]
        elif kind < 0.6:
            one, two = halves(at % 10, channel=chance.choice("AB"))
            out += [
                (place, tag(f"s:{at % 3}") + one),
                (place + chance.random() * 5, tag(f"s:{at % 3}") + two),
            ]
        elif kind < 0.8:
            one, two = halves(at % 10)
            out += [
                (place, tag(f"g:1-2-{at},c:{AT + at}") + one),
                (place + chance.random(), tag(f"g:2-2-{at}") + two),
            ]
        elif kind < 0.85:
            wrapping = chance.choice(
                ["{time} {line}", "<13>host {time} ais: {line}", '{{"ts": {time}, "m": "{line}"}}']
            )
            out += [(place, wrapping.format(time=AT + at, line=vdm()))]
        elif kind < 0.9:
            out += [(place, tag(f"g:1-2-{at},c:{AT}")), (place + chance.random(), tag(f"g:2-2-{at}") + vdm())]
        else:
            out += [(place, chance.choice(["", "#", "junk", vdm()[:-1], vdm(""), halves()[0]]))]
    return [line for _, line in sorted(out)]


# Fewer lines and logs where blocks are small: each block costs the same, however short.
@pytest.mark.parametrize(
    ("block_bytes", "count", "seed"),
    [
        (block_bytes, count, seed)
        for block_bytes, count, logs in ((1, 40, 2), (300, 200, 2), (5_000, 600, 4), (40_000, 600, 4))
        for seed in range(logs)
    ],
)
def test_where_blocks_end_changes_nothing(tmp_path: Path, seed: int, block_bytes: int, count: int) -> None:
    lines = shuffled_log(seed, count)
    whole = read(tmp_path, *lines)
    assert whole[0].height > len(lines) / 4
    pieces = read(tmp_path, *lines, block_bytes=block_bytes)
    for one, other in zip(whole[:2], pieces[:2], strict=True):
        assert one.equals(other)
    assert whole[2] == pieces[2]


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("exact-earth-augmented.txt", {"rows": 3965, "ignored": 3188, "refused": 7}),
        ("nmea_data_sample.txt", {"rows": 778, "ignored": 0, "refused": 120}),
    ],
)
def test_real_logs_reconcile(name: str, account: dict[str, int]) -> None:
    rows, refused, ignored = read_file(real_log(name))
    assert {"rows": rows.height, "ignored": ignored, "refused": refused.height} == account


def test_the_real_gatehouse_log_is_timed(tmp_path: Path) -> None:
    rows, refused, _ = read_file(real_log("exact-earth-augmented.txt"))
    assert sorted(refused["rule"].unique()) == ["ais-payload-length", "ais-unsupported-type"]
    assert rows["received_at"].null_count() == rows["logged_at"].null_count() == 0
    # 3,188 $PGHP lines, of which 60 name a checksum that no sentence of the log has.
    assert rows["station"].is_not_null().sum() > 3_050
    timed = rows.filter(pl.col("station").is_not_null())
    assert (timed["logged_at"] >= timed["received_at"]).all()


def test_the_real_shore_log_misses_second_parts() -> None:
    _, refused, _ = read_file(real_log("nmea_data_sample.txt"))
    counted = dict(refused["rule"].value_counts().iter_rows())
    assert counted == {"ais-payload-empty": 100, "ais-multipart-incomplete": 20}


WORDS = [
    vdm(),
    *halves(),
    tag(f"s:a,c:{AT},g:1-2-3"),
    pghp(vdm()),
    vdm() + f",{AT}",
    f"2012-01-31T05:07:02Z {vdm()}",
    '{"ts": 1327986422, "m": "',
    '"}',
    "<13>May  1 12:00:00 ",
    "\\",
    "*",
    ",",
    "!",
    "$PGHP,1,",
    "\n",
]


@settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "150")), deadline=None)
@given(
    st.lists(st.sampled_from(WORDS).map(str.encode) | st.binary(max_size=12) | st.just(b"\n"), max_size=40),
    st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), max_size=20),
    st.sampled_from([1, 64, 1 << 20]),
)
@example([b"!AIVDM,1,1,,B,15QHQ2022F8TjjQcFvRJvppB04i4,0*36"], [(24, 76), (77, 24), (321, 30)], 1)
def test_fuzz_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    pieces: list[bytes],
    changes: list[tuple[int, int]],
    block_bytes: int,
) -> None:
    data = bytearray(b"".join(pieces) or b"\n")
    for at, value in changes:
        data[at % len(data)] = value
    path = tmp_path_factory.mktemp("fuzz") / "log.nmea"
    path.write_bytes(bytes(data))
    with suppress(FileRefused):  # It may begin as a packed file does.
        read_file(path, block_bytes=block_bytes)
    path.unlink()
