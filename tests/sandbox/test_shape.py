from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from irnflow.sandbox.protocol import to_json
from irnflow.sandbox.shape import ERRORS_MAX, as_inv01, misshapes
from tests.sandbox.documents import Document, changed, export, inter_state, intra_state, to_sez, without


@pytest.mark.parametrize("document", [intra_state(), inter_state(), export(), to_sez()])
def test_sound_documents_are_inv_01(document: Document) -> None:
    assert misshapes(document) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("TranDtls.SupTyp", "b2b"),  # the published pattern is case-insensitive
        ("TranDtls.EcmGstin", None),  # null is as good as absent
        ("DocDtls.No", "a/B-1"),
        ("DocDtls.Dt", "29/02/2028"),
        ("SellerDtls.Stcd", "7"),
        ("SellerDtls.LglNm", "भारत ₹"),
        ("ItemList[0].Qty", 3),
        ("ItemList[0].Qty", Decimal("0.125")),
        ("ItemList[0].TotAmt", Decimal("10.500")),
        ("ValDtls.RndOffAmt", Decimal("-99.99")),
    ],
)
def test_a_field_may_be_so(path: str, value: Any) -> None:
    assert misshapes(changed(intra_state(), {path: value})) == []


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("Version", "1.03", "2140"),
        ("Irn", "0" * 64, "2140"),
        ("TranDtls", [], "2140"),
        ("TranDtls.TaxSch", "VAT", "2140"),
        ("TranDtls.SupTyp", "B2C", "2140"),
        ("TranDtls.RegRev", "|", "2159"),
        ("TranDtls.IgstOnIntra", "1", "2263"),
        ("DocDtls.Typ", "BIL", "2161"),
        ("DocDtls.No", "0-1", "2140"),
        ("DocDtls.No", "/1", "2140"),
        ("DocDtls.No", "INV-1\n", "2140"),
        ("DocDtls.No", "A2345678901234567", "2140"),
        ("DocDtls.Dt", "2026-11-20", "2144"),
        ("DocDtls.Dt", "31/11/2026", "2144"),
        ("DocDtls.Dt", "20/11/2031", "2144"),
        ("DocDtls.Dt", 20112026, "2144"),
        ("SellerDtls.Gstin", "27AAPFU0939F1Z", "2140"),
        ("SellerDtls.LglNm", 'Say "cheese"', "2140"),
        ("SellerDtls.LglNm", "back\\slash", "2140"),
        ("SellerDtls.LglNm", "ab", "2140"),
        ("SellerDtls.LglNm", "x" * 101, "2140"),
        ("SellerDtls.Pin", "411001", "2140"),
        ("SellerDtls.Pin", 99999, "2140"),
        ("SellerDtls.Gstin", "URP", "2213"),
        ("SellerDtls.Stcd", "00", "2140"),
        ("SellerDtls.Stcd", 27, "2140"),
        ("SellerDtls.Ph", "12345", "2140"),
        ("SellerDtls.Em", "nobody.example", "2140"),
        ("BuyerDtls.Stcd", "100", "2140"),
        ("BuyerDtls.Pos", "0", "2140"),
        ("ItemList", [], "2228"),
        ("ItemList", {}, "2228"),
        ("ItemList[0]", "line", "2228"),
        ("ItemList[0].SlNo", "1a", "2140"),
        ("ItemList[0].HsnCd", "84713", "2176"),
        ("ItemList[0].HsnCd", "0000", "2176"),
        ("ItemList[0].Unit", "NOS|", "2177"),
        ("ItemList[0].Qty", True, "2140"),
        ("ItemList[0].Qty", Decimal("0.0001"), "2140"),
        ("ItemList[0].TotAmt", Decimal("10.505"), "2140"),
        ("ItemList[0].TotAmt", Decimal("-1"), "2140"),
        ("ItemList[0].TotAmt", Decimal("1E+999999999"), "2140"),
        ("ItemList[0].TotAmt", "10.50", "2140"),
        ("ItemList[0].BchDtls", {"ExpDt": "01/08/2026"}, "2140"),
        ("ValDtls.RndOffAmt", Decimal("-100"), "2140"),
        ("RefDtls", {"PrecDocDtls": [{"InvNo": "A", "InvDt": "01/08/2026"}]}, "2140"),
    ],
)
def test_a_field_may_not_be_so(path: str, value: Any, code: str) -> None:
    assert [error["ErrorCode"] for error in misshapes(changed(intra_state(), {path: value}))] == [code]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("Version", "2140"),
        ("TranDtls", "2140"),
        ("DocDtls.Dt", "2140"),
        ("SellerDtls.Gstin", "2155"),
        ("SellerDtls.Pin", "2276"),
        ("BuyerDtls.Pos", "2140"),
        ("ItemList", "2228"),
        ("ItemList[0].GstRt", "2140"),
        ("ValDtls.TotInvVal", "2140"),
    ],
)
def test_what_is_mandatory_must_be_sent(path: str, code: str) -> None:
    assert [error["ErrorCode"] for error in misshapes(without(intra_state(), path))] == [code]


def test_the_text_names_the_place() -> None:
    text, code = misshapes(changed(intra_state(), {"ItemList[0].PrdDesc": "", "ItemList[1].HsnCd": "1"}))

    assert text["ErrorMessage"] == "Error while validating invoice - ItemList[0].PrdDesc must have 3 to 300 characters"
    assert code["ErrorMessage"] == "Invalid HSN code(s)-ItemList[1].HsnCd must have 4 to 8 characters"


def test_a_document_has_at_most_a_thousand_items() -> None:
    item = intra_state()["ItemList"][0]

    assert misshapes(intra_state() | {"ItemList": [item] * 1000}) == []
    assert [error["ErrorCode"] for error in misshapes(intra_state() | {"ItemList": [item] * 1001})] == ["2173"]


def test_a_taxpayer_who_may_send_more_items_does_so_up_to_his_own_number() -> None:
    item = intra_state()["ItemList"][0]

    assert misshapes(intra_state() | {"ItemList": [item] * 1001}, items_max=1500) == []
    over = misshapes(intra_state() | {"ItemList": [item] * 1501}, items_max=1500)
    assert [error["ErrorCode"] for error in over] == ["2173"]


def test_all_misshapes_are_told_but_not_endlessly() -> None:
    two = changed(intra_state(), {"SellerDtls.Loc": "", "BuyerDtls.Loc": ""})
    many = intra_state() | {"ItemList": [{}] * 1000}

    assert len(misshapes(two)) == 2
    assert len(misshapes(many)) == ERRORS_MAX


def spelt(value: Any, spell: Callable[[str], str]) -> Any:
    """The same JSON with names spelt otherwise, numbers in quotes, and an unknown member in each section."""
    if isinstance(value, dict):
        return {spell(name): spelt(inside, spell) for name, inside in value.items()} | {"Invented": {"x": 1}}
    if isinstance(value, list):
        return [spelt(inside, spell) for inside in value]
    return str(value) if isinstance(value, int | Decimal) else value


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.swapcase, str], ids=["lower", "upper", "swapped", "same"])
def test_names_in_any_case_numbers_in_quotes_and_unknown_members_are_read(spell: Callable[[str], str]) -> None:
    document = as_inv01(spelt(intra_state(), spell))

    assert document == intra_state()
    assert to_json(document) == to_json(intra_state())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1000.50", Decimal("1000.50")), ("7", 7), ("-1", Decimal(-1)), ("0" * 30 + "7", Decimal(7)), ("", None),
        ("1,000", "1,000"), ("NaN", "NaN"), ("1e5", "1e5"), (" 7", " 7"), ("\u0967", "\u0967"), (True, True),
    ],
)  # fmt: skip
def test_only_a_plain_number_in_quotes_is_one(written: object, read: object) -> None:
    assert as_inv01({"ValDtls": {"AssVal": written}}) == {"ValDtls": {"AssVal": read}}


def test_of_a_member_that_comes_twice_the_last_one_counts() -> None:
    assert as_inv01({"DocDtls": {"No": "A/1", "NO": "A/2"}}) == {"DocDtls": {"No": "A/2"}}
