"""An optional field does not cost the invoice: it is corrected or left out, with a note that names it."""

from decimal import Decimal
from typing import Any

import pytest

from irnflow.gst import codes, fields, mend, units
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault
from tests.agreement.judges import judge_sent
from tests.golden import GOLDEN, facts_of
from tests.gst.documents import (
    CREDIT_NOTE,
    DAY,
    EXPORT_PAID,
    SHIPPED,
    WITHIN,
    Document,
    changed,
    json,
    read,
)

ONE = "ItemList[0]."
SERVICE_LINE = "ItemList[1]."
ROAD = {"TransMode": "1", "Distance": 120, "VehNo": "KA01AB1234", "VehType": "R"}
RAIL = {"TransMode": "2", "Distance": 980, "TransDocNo": "FSJWT123456789", "TransDocDt": "21/11/2026"}
BY_ROAD, BY_RAIL = changed(SHIPPED, {"EwbDtls": ROAD}), changed(SHIPPED, {"EwbDtls": RAIL})
AFTER = {"PrecDocDtls": [{"InvNo": "BLR/1", "InvDt": "01/11/2026"}]}
LONG = "Flat 12, Second Floor, " * 6


def sent(document: Document) -> tuple[Document, list[Fault]]:
    """What is sent, of a document that nothing stops."""
    examined = examine(read(document), Facts(day=DAY))
    assert examined.refusals == []
    return json(examined.invoice), examined.warnings


def at(document: Document, path: str) -> Any:
    place: Any = document
    for step in path.replace("[", ".").replace("]", "").split("."):
        place = place[int(step)] if step.isdigit() else place.get(step)
        if place is None:
            break
    return place


CORRECTED = [
    (BY_ROAD, "EwbDtls.VehNo", "ka 01 ab 1234", "KA01AB1234"),
    (BY_ROAD, "EwbDtls.TransMode", "01", "1"),
    (WITHIN, "TranDtls.RegRev", "NA", "N"),
    (WITHIN, "TranDtls.IgstOnIntra", "Not applicable", "N"),
    (WITHIN, ONE + "IsServc", "Goods", "N"),
    (WITHIN, SERVICE_LINE + "IsServc", "Service", "Y"),
    (WITHIN, "BuyerDtls.Ph", "9876543210, 9876543211", "9876543210"),
    (WITHIN, "BuyerDtls.Ph", "9876543210/9876543211", "9876543210"),
    (WITHIN, "BuyerDtls.Ph", "9876543210 / 11", "9876543210"),
    (WITHIN, "BuyerDtls.Ph", "98765 43210 98765 43211", "9876543210"),
    (WITHIN, "BuyerDtls.Ph", "+91.98765.43210", "919876543210"),
    (WITHIN, "BuyerDtls.Ph", "0091-98765-43210", "919876543210"),
    (WITHIN, "BuyerDtls.Ph", "91-098765-43210", "09876543210"),
    (WITHIN, "BuyerDtls.Ph", "080-2222 3333 ext. 12", "08022223333"),
    (WITHIN, "BuyerDtls.Ph", "Tel: 080-22223333", "08022223333"),
    (WITHIN, "SellerDtls.Ph", "9876543210;9876543211", "9876543210"),
    (WITHIN, "BuyerDtls.Em", "a@example.com, b@example.com", "a@example.com"),
    (WITHIN, "BuyerDtls.Em", "a@example.com;b@example.com", "a@example.com"),
    (WITHIN, "SellerDtls.Em", "Accounts <accounts@example.com>", "accounts@example.com"),
    (WITHIN, "SellerDtls.Em", "mailto:accounts@example.com", "accounts@example.com"),
    (WITHIN, "BuyerDtls.LglNm", 'O\'Neil & Sons "Golconda" Agencies', "O'Neil & Sons 'Golconda' Agencies"),
    (WITHIN, "BuyerDtls.TrdNm", 'The "Best"', "The 'Best'"),
    (WITHIN, "BuyerDtls.Addr1", 'Unit "B"\\C, Main Road', "Unit 'B'/C, Main Road"),
    (WITHIN, "SellerDtls.Loc", 'Ben"galuru', "Ben'galuru"),
    (WITHIN, ONE + "PrdDesc", 'Pipe 12" x 3"', "Pipe 12'' x 3''"),
    (WITHIN, ONE + "PrdDesc", 'Bolt, "Grade 8.8"', "Bolt, 'Grade 8.8'"),
    (WITHIN, ONE + "PrdDesc", "C:\\parts", "C:/parts"),
    (WITHIN, ONE + "BchDtls.Nm", 'LOT "7"', "LOT '7'"),
    (WITHIN, "RefDtls.InvRm", 'as per "PO"', "as per 'PO'"),
    (WITHIN, "SellerDtls.Loc", "Benga\u200bluru\ufeff", "Bengaluru"),
    (WITHIN, "BuyerDtls.Gstin", "29ZZZCR2222B1Z6\u200b", "29ZZZCR2222B1Z6"),
    (WITHIN, "BuyerDtls.Gstin", "\u200e29ZZZCR2222B1Z6\u200c", "29ZZZCR2222B1Z6"),
    (BY_ROAD, "EwbDtls.VehNo", "KA-01-AB-1234", "KA01AB1234"),
    (BY_ROAD, "EwbDtls.VehNo", "ka.01.ab 1234", "KA01AB1234"),
    (BY_ROAD, "EwbDtls.VehNo", "KA/01/AB/1234", "KA01AB1234"),
    (BY_ROAD, "EwbDtls.VehNo", "KA01AB1234, KA02CD5678", "KA01AB1234"),
    (BY_ROAD, "EwbDtls.VehNo", "KA01AB1234/KA02CD5678", "KA01AB1234"),
    (BY_ROAD, "EwbDtls.TransMode", "Road", "1"),
    (BY_ROAD, "EwbDtls.VehType", "Regular", "R"),
    (BY_RAIL, "EwbDtls.TransMode", "by rail", "2"),
    (BY_RAIL, "EwbDtls.TransDocNo", "FSJWT 123456789", "FSJWT123456789"),
    (BY_RAIL, "EwbDtls.TransDocDt", "2026-11-21", "21/11/2026"),
    (EXPORT_PAID, "ExpDtls.RefClm", "Yes", "Y"),
    (WITHIN, "TranDtls.RegRev", "No", "N"),
    (WITHIN, ONE + "IsServc", "no", "N"),
    (WITHIN, ONE + "Unit", "NOS-NUMBERS", "NOS"),
    (WITHIN, ONE + "Unit", "KGS-KILOGRAMS", "KGS"),
    (WITHIN, ONE + "Unit", "kgs - kilograms", "KGS"),
    (WITHIN, ONE + "Unit", "PCS (Pieces)", "PCS"),
    (WITHIN, ONE + "Unit", "OTH-OTHERS", "OTH"),
    (WITHIN, SERVICE_LINE + "Unit", "Hrs", "OTH"),
    (WITHIN, SERVICE_LINE + "Unit", "MON", "OTH"),
    (WITHIN, SERVICE_LINE + "Unit", "per month of work", "OTH"),
    (WITHIN, SERVICE_LINE + "Unit", "no", "NOS"),
]


@pytest.mark.parametrize(("document", "path", "given", "right"), CORRECTED)
def test_what_is_written_otherwise_is_corrected(document: Document, path: str, given: str, right: str) -> None:
    written, notes = sent(changed(document, with_section(path) | {path: given}))

    assert at(written, path) == right
    assert [(note.code, note.path) for note in notes] == [("normalised", path)]
    assert repr(right)[1:-1] in notes[0].says


def with_section(path: str) -> Document:
    """What must stand beside the field, or above it."""
    return {ONE + "BchDtls": {}} if "BchDtls" in path else {}


LEFT_OUT = [
    (WITHIN, "SellerDtls.TrdNm", ["AB", "x"]),
    (WITHIN, "BuyerDtls.Ph", ["none", "12345", "1" * 30]),
    (WITHIN, "BuyerDtls.Em", ["nobody at all", "a@", "@b.example", "jürgen@example.com", "NA", "a@b c"]),
    (WITHIN, "SellerDtls.Em", ["a@b", "a@b.c", "x" * 96 + "@b.in"]),
    (WITHIN, "BuyerDtls.Addr2", ["NA", "-.", "0"]),
    (WITHIN, ONE + "PrdDesc", ["x", "7"]),
    (WITHIN, ONE + "Barcde", ["12", "8" * 31]),
    (WITHIN, ONE + "OrdLineRef", ["9" * 51]),
    (WITHIN, ONE + "OrgCntry", ["INDIA", "I", "1N"]),
    (WITHIN, ONE + "PrdSlNo", ["9" * 21]),
    (WITHIN, SERVICE_LINE + "Unit", ["NA", "N/A", "--", "nil", "Not applicable"]),
    (WITHIN, "PayDtls.AccDet", ["1" * 19]),
    (WITHIN, "PayDtls.Mode", ["by bank transfer within a week"]),
    (WITHIN, "PayDtls.FinInsBr", ["HDFC0001234 Fort"]),
    (WITHIN, "PayDtls.CrTrn", ["x" * 101]),
    (WITHIN, "PayDtls.DirDr", ["x" * 101]),
    (WITHIN, "PayDtls.CrDay", [-1, 10000]),
    (WITHIN, "PayDtls.PaidAmt", [Decimal("-1.00"), Decimal("1E+20")]),
    (WITHIN, "PayDtls.PaymtDue", [Decimal("-15900.00")]),
    (WITHIN, ONE + "FreeQty", [Decimal(-1), Decimal("1E+12")]),
    (WITHIN, ONE + "PreTaxVal", [Decimal("-0.01")]),
    (WITHIN, "ValDtls.TotInvValFc", [Decimal(-1)]),
    (EXPORT_PAID, "ExpDtls.ExpDuty", [Decimal(-1)]),
    (WITHIN, "RefDtls.InvRm", ["ok"]),
    (WITHIN, "AddlDocDtls[0].Url", ["x", "https://" + "x" * 100]),
    (WITHIN, "AddlDocDtls[0].Docs", ["x" * 1001]),
    (EXPORT_PAID, "ExpDtls.ShipBNo", ["9" * 21]),
    (EXPORT_PAID, "ExpDtls.ShipBDt", ["31/02/2026", "soon", "20-11-26"]),
    (EXPORT_PAID, "ExpDtls.Port", ["Jawaharlal Nehru Port", "X", "IN-SA1"]),
    (EXPORT_PAID, "ExpDtls.RefClm", ["maybe", "|"]),
    (EXPORT_PAID, "ExpDtls.ForCur", ["$", "US$"]),
    (WITHIN, "BuyerDtls.Ph", ["9.87654E+09", "9.876543e9"]),
    (BY_ROAD, "EwbDtls.TransName", ["x"]),
    (BY_ROAD, "EwbDtls.TransId", ["none", "29ABCDE"]),
    (BY_ROAD, "EwbDtls.TransDocNo", ["LR_17", "9" * 16]),
    (BY_ROAD, "EwbDtls.TransDocDt", ["31/11/2026", "tomorrow"]),
    *((CREDIT_NOTE, f"RefDtls.ContrDtls[0].{name}", ["9" * 21]) for name in (
        "RecAdvRefr", "TendRefr", "ContrRefr", "ExtRefr", "ProjRefr", "PORefr")),
    *((CREDIT_NOTE, f"RefDtls.ContrDtls[0].{name}", ["31/02/2026", "NA"]) for name in ("RecAdvDt", "PORefDt")),
    (SHIPPED, "ShipDtls.TrdNm", ["x"]),
    (SHIPPED, "ShipDtls.Gstin", ["NA", "-"]),
    (WITHIN, "TranDtls.EcmGstin", ["NA"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "path", "given"), [(document, path, one) for document, path, given in LEFT_OUT for one in given]
)
def test_what_cannot_be_corrected_is_left_out(document: Document, path: str, given: Any) -> None:
    listed = {path.partition("[0]")[0]: [{}]} if "[0]" in path and not path.startswith("ItemList") else {}

    written, notes = sent(changed(changed(document, listed), {path: given}))

    assert at(written, path) is None
    assert [(note.code, note.path) for note in notes] == [("normalised.left_out", path)]


CUT = [
    (WITHIN, "SellerDtls.LglNm", 100), (WITHIN, "BuyerDtls.LglNm", 100), (WITHIN, "BuyerDtls.TrdNm", 100),
    (WITHIN, "SellerDtls.Loc", 50), (WITHIN, "BuyerDtls.Loc", 100), (WITHIN, ONE + "PrdDesc", 300),
    (WITHIN, "PayDtls.Nm", 100), (WITHIN, "PayDtls.PayTerm", 100), (WITHIN, "PayDtls.PayInstr", 100),
    (WITHIN, "RefDtls.InvRm", 100), (SHIPPED, "ShipDtls.LglNm", 100), (SHIPPED, "ShipDtls.Loc", 100),
    (BY_ROAD, "EwbDtls.TransName", 100), (WITHIN, "AddlDocDtls[0].Info", 1000),
    (WITHIN, ONE + "AttribDtls[0].Nm", 100), (WITHIN, ONE + "AttribDtls[0].Val", 100),
]  # fmt: skip


@pytest.mark.parametrize(("document", "path", "most"), CUT, ids=lambda each: each if isinstance(each, str) else "")
@pytest.mark.parametrize("word", ["Traders ", "x"])
def test_a_text_for_people_is_cut(document: Document, path: str, most: int, word: str) -> None:
    listed = {ONE + "AttribDtls": [{}]} if "AttribDtls" in path else {"AddlDocDtls": [{}]}

    written, notes = sent(changed(changed(document, listed), {path: word * 1001}))

    text = at(written, path)
    assert most - len(word) <= len(text) <= most
    assert text == (word * 1001)[: len(text)]
    assert [(note.code, note.path) for note in notes] == [("normalised.cut", path)]
    assert f"; the portal takes {most}, and" in notes[0].says


@pytest.mark.parametrize(
    ("first", "second", "lines"),
    [
        ("1 Main Road", "5A", ("1 Main Road, 5A", None)),
        ("1 Main Road", "x" * 101, ("1 Main Road, " + "x" * 87, "x" * 14)),
        (LONG + "Main Road", None, (
            "Flat 12, Second Floor, " * 4 + "Flat 12", "Second Floor, Flat 12, Second Floor, Main Road")),
        ("x" * 130, "Main Road", ("x" * 100, "x" * 30 + ", Main Road")),
        ("x" * 130, "y" * 130, ("x" * 100, "x" * 30 + ", " + "y" * 68)),
    ],
)  # fmt: skip
def test_an_address_is_divided_anew(first: str, second: str | None, lines: tuple[str, str | None]) -> None:
    given = changed(WITHIN, {"BuyerDtls.Addr1": first, "BuyerDtls.Addr2": second or ""})

    written, notes = sent(given)

    assert (written["BuyerDtls"]["Addr1"], written["BuyerDtls"].get("Addr2")) == lines
    assert [(note.code, note.path) for note in notes] == [("normalised.address", "BuyerDtls.Addr1")]


@pytest.mark.parametrize(
    ("document", "path", "given"),
    [
        (WITHIN, ONE + "BchDtls", {"Nm": "B1"}),
        (WITHIN, ONE + "BchDtls", {"Nm": "9" * 21, "ExpDt": "01/01/2028"}),
        (WITHIN, ONE + "BchDtls", {"ExpDt": "01/01/2028"}),
        (WITHIN, "RefDtls.DocPerdDtls", {"InvStDt": "01/11/2026"}),
        (WITHIN, "RefDtls.DocPerdDtls", {"InvStDt": "01/11/2026", "InvEndDt": "31/11/2026"}),
        (CREDIT_NOTE, "RefDtls.PrecDocDtls[0]", [{"InvNo": "BLR/1"}]),
        (CREDIT_NOTE, "RefDtls.PrecDocDtls[0]", [{"InvNo": "0017", "InvDt": "01/11/2026"}]),
        (CREDIT_NOTE, "RefDtls.PrecDocDtls[0]", [{"InvNo": "BLR 17", "InvDt": "01/11/2026"}]),
    ],
)
def test_an_optional_section_without_what_it_must_have_is_left_out(document: Document, path: str, given: Any) -> None:
    section = path.removesuffix("[0]")

    written, notes = sent(changed(document, {section: given}))

    assert at(written, section) is None
    assert [(note.code, note.path) for note in notes] == [("normalised.left_out", path)]


BLANK_PLACE = {"Addr1": "", "Addr2": None, "Loc": " ", "Pin": 0, "Stcd": ""}


@pytest.mark.parametrize(
    ("section", "given"),
    [
        ("ShipDtls", {}), ("ShipDtls", {"Gstin": "", "LglNm": "", **BLANK_PLACE}), ("DispDtls", {"Nm": None}),
        ("DispDtls", {"Nm": "", **BLANK_PLACE}), ("EwbDtls", {}), ("EwbDtls", {"TransId": "", "Distance": None}),
        ("RefDtls.DocPerdDtls", {}), (ONE + "BchDtls", {"Nm": ""}),
    ],
)  # fmt: skip
def test_a_section_with_nothing_in_it_is_left_out_without_a_note(section: str, given: Document) -> None:
    written, notes = sent(changed(WITHIN, {section: given}))

    assert (at(written, section), notes) == (None, [])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "A blank distance is sent as 0, for the system to find out."),
        (5000, "A distance of 5000 km is sent as 0, for the system to find out."),
        (-1, "A distance of -1 km is sent as 0, for the system to find out."),
    ],
)
def test_a_distance_that_cannot_be_is_left_to_the_e_way_bill_system(given: int | None, says: str) -> None:
    written, (note,) = sent(changed(BY_ROAD, {"EwbDtls.Distance": given}))

    assert written == changed(BY_ROAD, {"EwbDtls.Distance": 0})
    assert (note.path, note.says) == ("EwbDtls.Distance", says)


def test_the_other_preceding_documents_stay() -> None:
    two = {"PrecDocDtls": [{"InvNo": "0017", "InvDt": "01/11/2026"}, *AFTER["PrecDocDtls"]]}

    written, _ = sent(changed(CREDIT_NOTE, {"RefDtls": two}))

    assert written["RefDtls"] == AFTER


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("DocDtls.No", 'BLR"117'), ("DocDtls.No", "BLR\\117"), ("DocDtls.No", "BLR/2026/0000000117"),
        ("DocDtls.Dt", "31/11/2026"), ("DocDtls.Typ", "BILL"), ("SellerDtls.Gstin", "29ZZZCS1111"),
        ("BuyerDtls.Gstin", "NA"), ("BuyerDtls.LglNm", "AB"), ("BuyerDtls.Loc", "NA"), ("BuyerDtls.Stcd", "KA"),
        ("BuyerDtls.Pos", "KA"), ("TranDtls.SupTyp", "B2C"), ("TranDtls.RegRev", "maybe"),
        ("TranDtls.EcmGstin", "29ZZZCO6666"), ("ShipDtls", {"LglNm": "Depot"}), (ONE + "HsnCd", "940"),
        (ONE + "Unit", "NA"), (ONE + "Unit", "MTR-ROLLS"), (ONE + "Unit", "FATHOM"), (ONE + "Qty", Decimal(-1)),
        (ONE + "SlNo", "1a"), ("ExpDtls.CntCode", "U.S.A"),
        ("ValDtls.RndOffAmt", Decimal(100)),
    ],
)  # fmt: skip
def test_what_an_invoice_must_have_and_what_changes_its_meaning_is_refused(path: str, given: Any) -> None:
    examined = examine(read(changed(WITHIN, {path: given})), Facts(day=DAY))

    assert examined.refusals != []


# -- every optional text and number of INV-01, with whatever somebody may write there --------------------------------

MEANING = {"Irn", "TranDtls.RegRev", "TranDtls.EcmGstin", "TranDtls.IgstOnIntra", "ExpDtls.CntCode", "ShipDtls.Gstin"}
CODES = {"ExpDtls.Port", "ItemList[].OrgCntry"}  # the portal's lists decide: ours may be older
OPTIONAL = sorted(path for path, field in fields.table().items() if field.is_text and not field.required)
ANYTHING = [
    "?", "a@b", "x" * 100 + "@example.com", "NA", "x" * 2000, 'A "quoted" \\ text', "a\x00\u200bb", "दो शब्द", "--",
    "12/2026",
]  # fmt: skip


@pytest.mark.parametrize("path", [path for path in OPTIONAL if path not in MEANING | CODES])
def test_nothing_in_an_optional_text_stops_the_invoice(path: str) -> None:
    holders = [golden.document for golden in GOLDEN if holds(golden.document, path)]
    assert holders

    for text in ANYTHING:
        document = put(holders[0], path, text)
        judged = judge_sent(document, facts_of(document))
        assert judged is not None, text
        assert judged.codes == set(), text


def holds(document: Document, path: str) -> bool:
    """Whether the document has this field, of services where it is their unit that may be anything."""
    if path == "ItemList[].Unit":
        return all(item["IsServc"] == "Y" for item in document["ItemList"])
    return at(document, path.replace("[]", "[0]")) is not None


def put(document: Document, path: str, text: str) -> Document:
    return changed(document, {path.replace("[]", "[0]"): text})


def test_every_unit_may_stand_before_its_description() -> None:
    listed = codes.rows("units.csv")

    assert [row for row in listed if units.code_of(f"{row['code']}-{row['description']}") != row["code"]] == []
    assert [row for row in listed if units.code_of(f"{row['description']} ({row['code']})") != row["code"]] == []


@pytest.mark.parametrize("written", ["MTR-ROLLS", "BOX OF 10", "KGS-", "NOS/KGS/PCS", "A-B"])
def test_a_unit_that_contradicts_itself_stays(written: str) -> None:
    assert units.code_of(written) == written


def test_a_placeholder_is_a_word_for_nothing() -> None:
    assert [text for text in ("NA", "n/a", "-", "--", ".", "Nil", "none") if not mend.is_placeholder(text)] == []
    assert [text for text in ("HRS", "NOS", "MON") if mend.is_placeholder(text)] == []
