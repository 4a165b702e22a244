"""Normalising: the writing changes and is said, the meaning stays."""

from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irnflow.gst import inv01
from irnflow.gst.faults import Severity
from irnflow.gst.normalise import CHANGED, _normalised, _stands_already, normalise
from tests.agreement.corpus import leaves
from tests.golden import GOLDEN, Golden
from tests.gst.documents import SHIPPED, SOUND, WITHIN, Document, changed, json, read


@pytest.mark.parametrize("document", SOUND.values(), ids=SOUND)
def test_a_document_that_is_written_well_stays_the_same_and_nothing_is_said(document: Document) -> None:
    invoice = read(document)

    normalised, notes = normalise(invoice)

    assert normalised == invoice
    assert notes == []


@pytest.mark.parametrize(
    ("path", "given", "written"),
    [
        ("SellerDtls.LglNm", "  Sound   Traders ", "Sound Traders"),
        ("SellerDtls.Addr1", "1 Main Road\r\nNear\tthe tank", "1 Main Road Near the tank"),
        ("SellerDtls.Loc", "Bengaluru\x00\u00a0 City", "Bengaluru City"),
        ("SellerDtls.Gstin", "29 zzzcs1111a1zd", "29ZZZCS1111A1ZD"),
        ("SellerDtls.Ph", "+91 (80) 2222-3333", "918022223333"),
        ("BuyerDtls.Gstin", "urp", "URP"),
        ("BuyerDtls.Pos", "9", "09"),
        ("BuyerDtls.Stcd", " 9 ", "09"),
        ("TranDtls.SupTyp", "b2b", "B2B"),
        ("TranDtls.RegRev", "n", "N"),
        ("DocDtls.Typ", "inv", "INV"),
        ("DocDtls.No", " inv/17 ", "INV/17"),
        ("DocDtls.Dt", "2026-11-20", "20/11/2026"),
        ("DocDtls.Dt", "20-11-2026", "20/11/2026"),
        ("DocDtls.Dt", "20.11.2026", "20/11/2026"),
        ("ItemList[0].HsnCd", "9403.60.00", "94036000"),
        ("ItemList[0].HsnCd", "9403 60 00", "94036000"),
        ("ItemList[0].Unit", "Nos.", "NOS"),
        ("ItemList[1].IsServc", "y", "Y"),
        ("ExpDtls.ForCur", "usd", "USD"),
        ("RefDtls.PrecDocDtls[0].InvDt", "2026-10-01", "01/10/2026"),
    ],
)
def test_what_is_written_otherwise_is_mended_and_said(path: str, given: str, written: str) -> None:
    precedents = {"RefDtls": {"PrecDocDtls": [{"InvNo": "A1", "InvDt": "01/10/2026"}]}}
    mended = changed(changed(WITHIN, precedents), {path: written})

    normalised, notes = normalise(read(changed(mended, {path: given})))

    assert json(normalised) == mended
    assert [(note.code, note.path, note.severity) for note in notes] == [(CHANGED.code, path, Severity.WARNING)]
    assert written in notes[0].says


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("DocDtls.Dt", "1/4/2026"),  # or the fourth of January?
        ("DocDtls.Dt", "11/20/2026"),
        ("DocDtls.No", "INV 17"),
        ("SellerDtls.LglNm", "श्री व्यापारी‌"),  # joiners are part of the script
        ("ItemList[0].Unit", "FATHOM"),
        ("RefDtls.InvRm", "lower case is fine"),
    ],
)
def test_what_cannot_be_read_for_certain_stays(path: str, given: str) -> None:
    document = changed(WITHIN, {path: given})

    normalised, notes = normalise(read(document))

    assert json(normalised) == document
    assert notes == []


def test_an_empty_text_is_absent_and_nothing_is_said() -> None:
    normalised, notes = normalise(read(changed(WITHIN, {"SellerDtls.TrdNm": "", "BuyerDtls.Em": "  "})))

    assert json(normalised) == WITHIN
    assert notes == []


def test_what_can_have_one_value_only_is_filled_in() -> None:
    normalised, _ = normalise(read(changed(WITHIN, {"Version": None, "TranDtls.TaxSch": None})))

    assert json(normalised) == WITHIN


def test_the_recipients_own_gstin_stays_in_the_ship_to_address() -> None:
    own = changed(SHIPPED, {"ShipDtls.Gstin": SHIPPED["BuyerDtls"]["Gstin"]})

    normalised, notes = normalise(read(own))

    assert (json(normalised), notes) == (own, [])


@pytest.mark.parametrize("amount", ["1.005", "NaN", "Infinity", "1E+999999"])
def test_a_number_that_would_have_to_be_rounded_stays(amount: str) -> None:
    invoice = read(changed(WITHIN, {"ItemList[0].TotAmt": Decimal(amount)}))

    normalised, _ = normalise(invoice)

    assert str(normalised.item_list[0].tot_amt) == amount


def test_to_normalise_again_changes_nothing() -> None:
    once, _ = normalise(
        read(changed(WITHIN, {"DocDtls.No": "a", "ItemList[0].Unit": "pieces", "DocDtls.Dt": "2026-11-20"}))
    )

    twice, notes = normalise(once)

    assert twice == once
    assert notes == []


_BY_HAND = (
    None,
    "",
    " ZZ",
    "Zz  z",
    "27",
    "7",
    "n/1",
    "a\u200bb",
    'say "5"',
    "N" * 101,
    Decimal("1.0"),
    Decimal(-1),
    0,
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(GOLDEN), st.randoms(use_true_random=False), st.sampled_from(_BY_HAND))
def test_the_quick_look_passes_only_what_the_long_one_leaves_alone(golden: Golden, random: Random, other: Any) -> None:
    path, _ = random.choice([*leaves(golden.document)])
    try:
        invoice = read(changed(golden.document, {path: other}))
    except msgspec.ValidationError:  # a text for a number, or the other way round
        invoice = read(golden.document)

    assert not _stands_already()(invoice) or _normalised(invoice) == (invoice, [])


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_a_golden_invoice_passes_the_quick_look(golden: Golden) -> None:
    assert _stands_already()(inv01.decode(golden.read()))
