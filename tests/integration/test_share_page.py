"""The page for recipients in a real browser: the token, then what is shared and how to read it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page

from sharing.dictionary import Dictionary
from sharing.materialise import refresh_dictionary
from tests.unit.sharing.server import Served, agreement, made, rows, running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    house = made(tmp_path_factory.mktemp("page"))
    house.agreements.append(agreement())
    house.share(house.agreements[0], rows(0, 1234))
    refresh_dictionary(house.lake, Dictionary(house.agreements[0]), house.clock.at)
    with running(house):
        yield house


def give(page: Page, served: Served, token: str) -> None:
    page.goto(served.address)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Show what is shared").click()


def test_a_recipient_sees_its_tables_its_agreement_and_how_to_connect(served: Served, page: Page) -> None:
    give(page, served, served.admit().token)
    page.get_by_role("heading", name="Shared with xs-customs").wait_for()
    text = page.inner_text("body")
    for told in (
        "Exchange at the <common> border",
        "norvale-xs-customs version 1",
        "Article 7",
        "liaison@customs.example",
        "xs-customs.gold.shipment_scores",
        "1,234 rows, version 1",
        "earlier versions, changes",
        "Calibrated probability of an adverse outcome.",
        "xs-customs.dictionary.norvale_xs_customs",
        f"{served.address}/delta-sharing",
    ):
        assert told in text
    columns = page.locator("tbody tr td:first-child").all_inner_texts()
    assert columns == ["score_id", "scored_on", "location", "probability"]
    for client in ("pandas", "Spark", "Power BI", "Excel"):
        page.get_by_role("heading", name=client, exact=True).wait_for()
    assert "load_table_changes_as_pandas(url, starting_version=0)" in text


def test_a_token_that_does_not_count_shows_nothing(served: Served, page: Page) -> None:
    give(page, served, "bls_wrong")
    page.get_by_role("alert").wait_for()
    assert "shipment_scores" not in page.content()
    assert "bls_wrong" not in page.content()


def test_the_page_runs_no_script_and_loads_nothing(served: Served, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    give(page, served, served.admit("xv-nothing").token)
    page.get_by_text("Nothing is shared with you now").wait_for()
    assert set(asked) <= {f"{served.address}/", f"{served.address}/favicon.ico"}
    assert page.locator("script").count() == 0


def test_a_share_that_is_cut_to_other_terms_is_told_as_not_ready(served: Served, page: Page) -> None:
    before = served.agreements[0]
    served.agreements[0] = replace(before, version=2)
    token = served.house.recipients.rotate("xs-customs", next(iter(before.purposes)), served.clock.at).token
    give(page, served, token)
    page.get_by_text("It is being made anew").first.wait_for()
    served.agreements[0] = before


def test_on_a_narrow_screen_nothing_lies_beside_the_page(served: Served, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    served.house.recipients.revoke("xs-customs", served.clock.at)
    give(page, served, served.admit().token)
    page.get_by_role("heading", name="How to connect").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
