"""The official client against a running server: what it lists and reads, and what it is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import delta_sharing
import pandas as pd
import polars as pl
import pytest
from requests import HTTPError

from sharing.audit import Action
from sharing.dictionary import Dictionary
from sharing.materialise import refresh_dictionary
from sharing.recipients import Issued
from tests.unit.sharing.server import COLUMNS, PURPOSE, Served, agreement, made, rows, running, sharing
from warehouse.snapshots import versions_back

URL = "xs-customs.gold.shipment_scores"
TAKEN_BACK = ["s3", "s4", "s25"]
FORMATS = pytest.mark.parametrize("is_delta", [False, True], ids=["parquet", "delta"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two recipients; the first got 30 rows in two versions, of which three were taken back in another."""
    house = made(tmp_path_factory.mktemp("served"))
    first, other = agreement(), sharing(agreement("xt-customs"), has_history=False, has_changes=False)
    house.agreements += [first, other]
    house.share(first, rows(0, 20))
    house.share(first, rows(20, 30))
    house.take_back(first, f"score_id in ({', '.join(map(repr, TAKEN_BACK))})")
    house.share(other, rows(0, 5))
    with running(house):
        yield house


@pytest.fixture(scope="module")
def issued(served: Served) -> Issued:
    return served.admit()


@pytest.fixture(scope="module")
def url(served: Served, issued: Issued) -> str:
    return f"{served.profile(issued)}#{URL}"


def in_order(read: pd.DataFrame) -> pl.DataFrame:
    return pl.from_pandas(read).sort("score_id")


def expected(begin: int, end: int, without: list[str]) -> pl.DataFrame:
    return rows(begin, end).filter(~pl.col("score_id").is_in(without)).sort("score_id")


def test_the_client_lists_its_tables_and_no_others(served: Served, issued: Issued) -> None:
    listed = delta_sharing.SharingClient(served.profile(issued)).list_all_tables()
    assert [(one.share, one.schema, one.name) for one in listed] == [tuple(URL.split("."))]


def test_a_dictionary_tells_what_the_columns_mean(tmp_path: Path) -> None:
    house = made(tmp_path)
    house.agreements.append(agreement())
    dictionary = Dictionary(house.agreements[0])
    refresh_dictionary(house.lake, dictionary, house.clock.at)
    with running(house):
        profile = house.profile(house.admit())
        (listed,) = delta_sharing.SharingClient(profile).list_all_tables()
        name = f"{listed.share}.{listed.schema}.{listed.name}"
        read = pl.from_pandas(delta_sharing.load_as_pandas(f"{profile}#{name}"))
        house.agreements[0] = replace(house.agreements[0], revoked_at=house.clock.at)
        with pytest.raises(HTTPError, match="404"):
            delta_sharing.load_as_pandas(f"{profile}#{name}")
    assert name == "xs-customs.dictionary.norvale_xs_customs"
    assert read.sort("position").equals(dictionary.rows.select(read.columns))
    assert set(read["column"]) <= set(COLUMNS)


@pytest.mark.parametrize("is_delta", [None, False, True], ids=["as-the-server-likes", "parquet", "delta"])
def test_a_table_is_read_whole(url: str, is_delta: bool | None) -> None:
    read = in_order(delta_sharing.load_as_pandas(url, use_delta_format=is_delta))
    assert read.equals(expected(0, 30, TAKEN_BACK))


@FORMATS
def test_a_limit_is_kept(url: str, is_delta: bool) -> None:
    assert len(delta_sharing.load_as_pandas(url, limit=7, use_delta_format=is_delta)) == 7


def test_no_more_files_are_told_than_a_limit_needs(served: Served, url: str) -> None:
    delta_sharing.load_as_pandas(url, limit=1)
    query = [line.entry for line in served.house.audit.lines() if line.entry.action is Action.QUERY][-1]
    assert query.detail == "1 files"


def test_hints_of_predicates_are_taken(url: str) -> None:
    hint = '{"op":"equal","children":[{"op":"column","name":"location","valueType":"string"},\
{"op":"literal","value":"XNBRA","valueType":"string"}]}'
    read = in_order(delta_sharing.load_as_pandas(url, jsonPredicateHints=hint))
    assert read.filter(pl.col("location") == "XNBRA").equals(
        expected(0, 30, TAKEN_BACK).filter(pl.col("location") == "XNBRA")
    )


@FORMATS
def test_an_earlier_version_is_read_where_history_is_shared(url: str, is_delta: bool) -> None:
    read = in_order(delta_sharing.load_as_pandas(url, version=1, use_delta_format=is_delta))
    assert read.equals(expected(0, 20, []))


def test_a_moment_is_answered_by_the_version_that_stood_then(served: Served, url: str) -> None:
    snapshot = served.house.snapshots.latest("shares.xs_customs__shipment_scores")
    assert snapshot is not None
    at = [one.at for one in versions_back(served.lake.store, snapshot.folder, snapshot.version)]
    moment = (at[1] + (at[0] - at[1]) / 2).strftime("%Y-%m-%d %H:%M:%S.%f")
    assert in_order(delta_sharing.load_as_pandas(url, timestamp=moment)).equals(expected(0, 30, []))


@FORMATS
def test_changes_tell_what_came_and_what_was_taken_back(url: str, is_delta: bool) -> None:
    read = delta_sharing.load_table_changes_as_pandas(url, starting_version=1, use_delta_format=is_delta)
    told = sorted(zip(read["_change_type"], read["score_id"], read["_commit_version"], strict=True))
    came = [("insert", f"s{number}", 1 if number < 20 else 2) for number in range(30)]
    assert told == sorted([*came, *(("delete", name, 3) for name in TAKEN_BACK)])


@FORMATS
def test_changes_from_the_first_version_on_are_shared(url: str, is_delta: bool) -> None:
    read = delta_sharing.load_table_changes_as_pandas(
        url, starting_version=0, ending_version=1, use_delta_format=is_delta
    )
    assert sorted(read["score_id"]) == sorted(f"s{number}" for number in range(20))


def refusal(error: pytest.ExceptionInfo[HTTPError]) -> tuple[int, str]:
    return error.value.response.status_code, error.value.response.json()["errorCode"]


@pytest.mark.parametrize("version", [4, 10**12])
def test_a_version_that_is_not_made_is_refused(url: str, version: int) -> None:
    with pytest.raises(HTTPError) as error:
        delta_sharing.load_as_pandas(url, version=version)
    assert refusal(error) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_history_and_changes_are_refused_where_the_agreement_keeps_them_back(served: Served) -> None:
    url = f"{served.profile(served.admit('xt-customs'))}#xt-customs.gold.shipment_scores"
    assert in_order(delta_sharing.load_as_pandas(url)).equals(expected(0, 5, []))
    with pytest.raises(HTTPError) as of_history:
        delta_sharing.load_as_pandas(url, version=1)
    with pytest.raises(HTTPError) as of_changes:
        delta_sharing.load_table_changes_as_pandas(url, starting_version=1)
    assert refusal(of_history) == refusal(of_changes) == (403, "PERMISSION_DENIED")


def test_anothers_table_and_one_that_is_none_are_refused_alike(served: Served, issued: Issued) -> None:
    told = []
    for name in ("xt-customs.gold.shipment_scores", "xs-customs.gold.no_table", "nobody.gold.shipment_scores"):
        with pytest.raises(HTTPError) as error:
            delta_sharing.load_as_pandas(f"{served.profile(issued)}#{name}")
        told.append((error.value.response.status_code, error.value.response.content))
    assert len(set(told)) == 1
    assert told[0][0] == 404


def test_an_expired_and_a_revoked_token_are_refused_alike(served: Served) -> None:
    told = []
    for code in ("xu-expired", "xu-revoked"):
        issued = served.admit(code, life=timedelta(days=1))
        url = f"{served.profile(issued)}#{code}.gold.shipment_scores"
        if code == "xu-revoked":
            served.house.recipients.revoke(code, served.clock.at, purpose=PURPOSE)
        else:
            served.clock.at += timedelta(days=1)
        with pytest.raises(HTTPError) as error:
            delta_sharing.load_as_pandas(url)
        told.append((error.value.response.status_code, error.value.response.content))
        if code == "xu-expired":
            served.clock.at -= timedelta(days=1)
    assert told[0] == told[1]
    assert told[0][0] == 401


def test_what_was_read_stands_in_the_log_with_its_agreement(served: Served, issued: Issued, url: str) -> None:
    before = sum(1 for _ in served.house.audit.lines())
    served.clock.at += timedelta(seconds=1)  # URLs of its own.
    delta_sharing.load_as_pandas(url)
    told = [line.entry for line in served.house.audit.lines()][before:]
    assert {one.action for one in told} == {Action.METADATA, Action.QUERY, Action.URL, Action.FILE}
    assert {(one.recipient, one.purpose, one.agreement_id, one.credential_id) for one in told} == {
        ("xs-customs", PURPOSE, "norvale-xs-customs version 1", issued.credential.credential_id)
    }
    assert next(one.rows for one in told if one.action is Action.QUERY) == 27
    assert served.house.audit.verify() == ()
