"""A document is read as the portal reads it, and each place that is not INV-01 is named."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from irnflow.errors import BadInput
from irnflow.gst import inv01, loose
from irnflow.gst.faults import Severity
from irnflow.gst.invoice import Invoice
from tests.gst.documents import SOUND, Document, changed, read

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = [path for path in sorted(FOLDER.glob("*.json")) if path.stem != "taxpayers"]


def spelt(value: Any, spell: Any) -> Any:
    """The same JSON with each name spelt otherwise."""
    if isinstance(value, dict):
        return {spell(name): spelt(inside, spell) for name, inside in value.items()}
    return [spelt(inside, spell) for inside in value] if isinstance(value, list) else value


def quoted(value: Any) -> Any:
    """The same JSON with each number as a text."""
    if isinstance(value, dict):
        return {name: quoted(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [quoted(inside) for inside in value]
    return str(value) if isinstance(value, int | Decimal) else value


def plain(document: bytes) -> Any:
    return json.loads(document, parse_float=Decimal)


def written(document: Any) -> bytes:
    return msgspec.json.encode(document, enc_hook=str)


def test_something_else_than_an_object_is_no_invoice() -> None:
    invoice, (fault,) = loose.read(b"[1]")

    assert invoice == Invoice()
    assert (fault.path, fault.says) == ("", "An invoice is an object {...}; this is a list [...].")


@pytest.mark.parametrize("document", SOUND.values(), ids=SOUND)
def test_a_sound_document_is_read_as_the_strict_reader_does(document: Document) -> None:
    assert loose.tolerantly(inv01.encode(read(document))) == (read(document), [])


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.swapcase], ids=["lower", "upper", "swapped"])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_names_are_read_in_any_case_at_every_level(example: Path, spell: Any) -> None:
    document = spelt(plain(example.read_bytes()), spell)

    assert loose.read(written(document)) == (inv01.decode(example.read_bytes()), [])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_numbers_in_quotes_are_read_as_numbers(example: Path) -> None:
    document = quoted(plain(example.read_bytes()))

    assert loose.read(written(document)) == (inv01.decode(example.read_bytes()), [])


@pytest.mark.parametrize("pos", ["Pos", "POS"])
def test_odoo_s_names_and_its_contact_fields_are_read(pos: str) -> None:
    document = plain(inv01.encode(read(SOUND["between states"])))
    for party in ("SellerDtls", "BuyerDtls"):
        document[party]["GSTIN"] = document[party].pop("Gstin")
    document["BuyerDtls"]["POS"] = document["BuyerDtls"].pop("Pos")
    place = {"Addr1": "1 MG Road", "Loc": "Bengaluru", "Pin": 560001, "Stcd": "29"}
    document["DispDtls"] = place | {"Nm": "Godown"}
    document["ShipDtls"] = place | {"LglNm": "Asha Traders"}
    sound = read(document | {"SellerDtls": read(SOUND["between states"]).seller_dtls,
                             "BuyerDtls": read(SOUND["between states"]).buyer_dtls})  # fmt: skip
    contact = {"Ph": "9000000000", "Em": "godown@example.com"}
    document["DispDtls"] |= contact | {"POS": "29"}
    document["ShipDtls"] |= contact | {pos: "29"}

    invoice, faults = loose.read(written(document))

    assert invoice == sound
    assert [(fault.code, fault.path, fault.severity) for fault in faults] == [
        ("document.unknown_field", path, Severity.WARNING)
        for path in ("DispDtls.Ph", "DispDtls.Em", "DispDtls.POS", "ShipDtls.Ph", "ShipDtls.Em", f"ShipDtls.{pos}")
    ]


PLACES = {
    b'{"DocDtls": []}': ("DocDtls", "An object {...} belongs here, and not a list [...]."),
    b'{"ItemList": {}}': ("ItemList", "A list [...] belongs here, and not an object {...}."),
    b'{"ItemList": [{}, 3]}': ("ItemList[1]", "An object {...} belongs here, and not a number."),
    b'{"ItemList": [{"Qty": "three"}]}': ("ItemList[0].Qty", "The text 'three' is not a number."),
    b'{"ItemList": [{"Qty": "1,000"}]}': ("ItemList[0].Qty", "The text '1,000' is not a number."),
    b'{"ItemList": [{"Qty": "NaN"}]}': ("ItemList[0].Qty", "The text 'NaN' is not a number."),
    b'{"ItemList": [{"Qty": " -sNaN12 "}]}': ("ItemList[0].Qty", "The text ' -sNaN12 ' is not a number."),
    b'{"ItemList": [{"Qty": "inf"}]}': ("ItemList[0].Qty", "The text 'inf' is not a number."),
    b'{"ItemList": [{"Qty": "\\u0049nfinity "}]}': ("ItemList[0].Qty", "The text 'Infinity ' is not a number."),
    b'{"ItemList": [{"Qty": true}]}': ("ItemList[0].Qty", "A number belongs here, and not true or false."),
    b'{"SellerDtls": {"Pin": 1.5}}': ("SellerDtls.Pin", "1.5 is not a whole number that can stand here."),
    b'{"SellerDtls": {"Pin": "1.5"}}': ("SellerDtls.Pin", "1.5 is not a whole number that can stand here."),
    b'{"sellerdtls": {"PIN": 1E+99}}': (
        "SellerDtls.Pin", "A number of 100 digits is not a whole number that can stand here."),
    b'{"DocDtls": {"No": 11.7}}': ("DocDtls.No", "A text belongs here, and not a number."),
    b'{"TranDtls": {"RegRev": false}}': ("TranDtls.RegRev", "A text belongs here, and not true or false."),
    b'{"DocDtls": {"No": "A/1", "NO": "A/2"}}': (
        "DocDtls.No", "No and NO are one member of INV-01, and differ: only one may stand here."),
    b'{"ValDtls": {"AssVal": 1}, "valDtls": {"AssVal": 2}}': (
        "ValDtls", "ValDtls and valDtls are one member of INV-01, and differ: only one may stand here."),
}  # fmt: skip


@pytest.mark.parametrize(("document", "expected"), PLACES.items())
def test_each_place_that_cannot_be_read_is_refused(document: bytes, expected: tuple[str, str]) -> None:
    _, faults = loose.read(document)

    assert [(fault.path, fault.says, fault.severity) for fault in faults] == [(*expected, Severity.REFUSED)]


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("DocDtls.No", 117), ("SellerDtls.Stcd", 29), ("BuyerDtls.Pos", 29), ("BuyerDtls.Ph", 9876543210),
        ("ItemList[0].SlNo", 1), ("ItemList[0].HsnCd", 94036000), ("PayDtls.AccDet", 50100012345678),
    ],
)  # fmt: skip
def test_a_whole_number_is_read_as_a_text_of_its_digits(path: str, given: int) -> None:
    document = SOUND["within a state"]

    invoice, faults = loose.read(written(changed(document, {path: given})))

    assert (invoice, faults) == (read(changed(document, {path: str(given)})), [])


@pytest.mark.parametrize(
    ("path", "given", "right"),
    [
        ("EwbDtls.Distance", "120.5", 121), ("EwbDtls.Distance", Decimal("120.4"), 120),
        ("PayDtls.CrDay", Decimal("30.5"), 31),
    ],
)  # fmt: skip
def test_a_distance_and_days_of_credit_are_rounded_with_a_note(path: str, given: Any, right: int) -> None:
    document = SOUND["within a state"]

    invoice, (note,) = loose.read(written(changed(document, {path: given})))

    assert invoice == read(changed(document, {path: right}))
    assert (note.path, note.says, note.severity) == (path, f"{given} is sent as {right}.", Severity.WARNING)


UNKNOWN = {
    b'{"Foo": {}}': ("Foo", "INV-01 has no field Foo here; it is left out."),
    b'{"Irn": "0"}': ("Irn", "INV-01 has no field Irn here; it is left out."),
    b'{"SellerDtls": {"Pos": "29"}}': ("SellerDtls.Pos", "INV-01 has no field Pos here; it is left out."),
    b'{"ShipDtls": {"Ph": "9000000000"}}': ("ShipDtls.Ph", "INV-01 has no field Ph here; it is left out."),
    b'{"ValDtls": {"x": 1}}': ("ValDtls.x", "INV-01 has no field x here; it is left out."),
    b'{"itemlist": [{}, {"Qtty": 1}]}': ("ItemList[1].Qtty", "INV-01 has no field Qtty here; it is left out."),
    b'{"RefDtls": {"ContrDtls": [{"y": []}]}}': (
        "RefDtls.ContrDtls[0].y", "INV-01 has no field y here; it is left out."),
}  # fmt: skip


@pytest.mark.parametrize(("document", "expected"), UNKNOWN.items())
def test_an_unknown_member_is_left_out_with_a_warning(document: bytes, expected: tuple[str, str]) -> None:
    _, faults = loose.read(document)

    assert [(fault.path, fault.says, fault.severity) for fault in faults] == [(*expected, Severity.WARNING)]


@pytest.mark.parametrize(
    "document",
    [
        b'{"DocDtls": {"No": "A/1", "NO": "A/1"}}',
        b'{"DocDtls": {"NO": null, "No": "A/1"}}',
        b'{"DocDtls": {"no": "A/1", "No": null}, "Foo": null}',
        b'{"DocDtls": {"no": "A/1"}, "ValDtls": {"AssVal": " "}, "SellerDtls": {"PIN": ""}}',
    ],
)
def test_a_member_twice_alike_and_empty_members_change_nothing(document: bytes) -> None:
    invoice, faults = loose.read(document)

    assert faults == []
    assert invoice.doc_dtls == read({"DocDtls": {"No": "A/1"}}).doc_dtls


def test_a_text_that_reads_like_no_number_stays_a_text() -> None:
    document = b'{"SellerDtls": {"LglNm": "NaN", "TrdNm": "\\u0049nf"}}'

    assert inv01.decode(document) == read({"SellerDtls": {"LglNm": "NaN", "TrdNm": "Inf"}})


def test_the_rest_is_kept_and_null_is_absent() -> None:
    document = changed(SOUND["within a state"], {"DocDtls.Typ": True})
    written = inv01.encode(read(changed(document, {"DocDtls.Typ": "INV"}))).replace(b'"Typ":"INV"', b'"Typ":true')

    invoice, _ = loose.read(written.replace(b'"Loc":', b'"TrdNm":null,"Loc":'))

    assert invoice == read(changed(document, {"DocDtls.Typ": None}))


def test_no_digit_is_lost() -> None:
    invoice, _ = loose.read(
        b'{"Foo":1,"ValDtls":{"AssVal":12345678901234567890.10,"IgstVal":"98765432109876543210.01"}}'
    )

    assert invoice.val_dtls is not None
    assert invoice.val_dtls.ass_val == Decimal("12345678901234567890.10")
    assert invoice.val_dtls.igst_val == Decimal("98765432109876543210.01")


@pytest.mark.parametrize("document", [b"{", b"", b"\xff", b'{"Foo":' + b"[" * 100_000])
def test_what_is_not_json_raises_only_what_says_so(document: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        loose.read(document)


def test_what_is_written_strictly_is_never_read_tolerantly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loose, "tolerantly", lambda document: pytest.fail("the slow way"))

    for example in EXAMPLES:
        loose.read(example.read_bytes())

    with pytest.raises(BadInput):
        inv01.decode(b'{"sellerdtls": {}}')
