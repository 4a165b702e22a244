"""The portal's codes over HTTP."""

import pytest

from irnflow.gst.portal_codes import PortalClass
from tests.api.conftest import Client

CODES = "/api/v1/codes"


async def test_a_code_is_told_with_the_portals_text_and_what_to_do(client: Client) -> None:
    answer = await client.get(f"{CODES}/2182")

    assert answer.status == 200
    assert answer.body == {
        "code": "2182",
        "group": "INV",
        "class": "DATA",
        "portal_text": "Taxable value of all items must be equal to total taxable value",
        "text_is": "exact",
        "means": "The document's total taxable value is not the sum of its lines' taxable value.",
        "does": "Fails the voucher with the portal's words, and never sends these contents again: "
        "the portal blocks taxpayers who repeat errors.",
        "fix": "Correct the total (AssVal), or the line that is wrong (AssAmt).",
        "fix_hi": "कुल कर योग्य मूल्य (AssVal) ठीक करें, या वह मद ठीक करें जो गलत है (AssAmt): "
        "कुल राशि सब मदों के जोड़ के बराबर होनी चाहिए।",
        "rules": ["totals.taxable_value"],
    }


async def test_the_case_of_a_code_does_not_matter(client: Client) -> None:
    assert (await client.get(f"{CODES}/sys_5001")).body["code"] == "SYS_5001"


@pytest.mark.parametrize(("code", "hint"), [("gsperr30", "near it: GSPERR300."), ("x" * 5000, "/api/v1/codes has")])
async def test_an_unknown_code_is_a_problem_that_says_where_to_look(client: Client, code: str, hint: str) -> None:
    answer = await client.get(f"{CODES}/{code}")

    assert (answer.status, answer.body["type"]) == (404, "/problems/unknown-code")
    assert answer.headers["content-type"] == "application/problem+json"
    assert hint in answer.body["detail"]
    assert len(answer.body["detail"]) < 200


async def test_all_codes_are_listed(client: Client) -> None:
    assert len((await client.get(CODES)).body["items"]) == 351


@pytest.mark.parametrize("klass", PortalClass)
async def test_the_codes_of_a_class_are_listed(client: Client, klass: PortalClass) -> None:
    items = (await client.get(f"{CODES}?class={klass}")).body["items"]

    assert {item["class"] for item in items} == {klass}


async def test_a_class_that_there_is_not_is_refused(client: Client) -> None:
    answer = await client.get(f"{CODES}?class=data")

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "?class")
