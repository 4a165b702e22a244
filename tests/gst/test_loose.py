"""A foreign document is read as far as it is INV-01, and each place that is not is named."""

from decimal import Decimal

import pytest

from irnflow.gst import inv01, loose
from irnflow.gst.invoice import Invoice
from tests.gst.documents import SOUND, Document, changed, read


def test_something_else_than_an_object_is_no_invoice() -> None:
    invoice, (fault,) = loose.read(b"[1]")

    assert invoice == Invoice()
    assert (fault.path, fault.says) == ("", "An invoice is an object {...}; this is a list [...].")


@pytest.mark.parametrize("document", SOUND.values(), ids=SOUND)
def test_a_sound_document_is_read_as_the_strict_reader_does(document: Document) -> None:
    assert loose.read(inv01.encode(read(document))) == (read(document), [])


PLACES = {
    b'{"Foo": {}}': ("Foo", "INV-01 has no field Foo here."),
    b'{"DocDtls": []}': ("DocDtls", "An object {...} belongs here, and not a list [...]."),
    b'{"ItemList": {}}': ("ItemList", "A list [...] belongs here, and not an object {...}."),
    b'{"ItemList": [{}, 3]}': ("ItemList[1]", "An object {...} belongs here, and not a number."),
    b'{"ItemList": [{"Qty": "3"}]}': ("ItemList[0].Qty", "The number '3' is written as a text."),
    b'{"ItemList": [{"Qty": true}]}': ("ItemList[0].Qty", "A number belongs here, and not true or false."),
    b'{"SellerDtls": {"Pin": 1.5}}': ("SellerDtls.Pin", "1.5 is not a whole number."),
    b'{"DocDtls": {"No": 117}}': ("DocDtls.No", "A text belongs here, and not a number."),
}


@pytest.mark.parametrize(("document", "expected"), PLACES.items())
def test_each_place_is_told(document: bytes, expected: tuple[str, str]) -> None:
    _, faults = loose.read(document)

    assert [(fault.path, fault.says) for fault in faults] == [expected]


def test_the_rest_is_kept_and_null_is_absent() -> None:
    document = changed(SOUND["within a state"], {"DocDtls.Typ": 3})
    written = inv01.encode(read(changed(document, {"DocDtls.Typ": "INV"}))).replace(b'"Typ":"INV"', b'"Typ":3')

    invoice, _ = loose.read(written.replace(b'"Loc":', b'"TrdNm":null,"Loc":'))

    assert invoice == read(changed(document, {"DocDtls.Typ": None}))


def test_no_digit_is_lost() -> None:
    invoice, _ = loose.read(b'{"Foo":1,"ValDtls":{"AssVal":12345678901234567890.10}}')

    assert invoice.val_dtls is not None
    assert invoice.val_dtls.ass_val == Decimal("12345678901234567890.10")
