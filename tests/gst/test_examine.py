"""The four passes together: one that passes comes with its bytes, one that does not with all that is wrong."""

from irnflow.gst import inv01
from irnflow.gst.examine import Examined, examine
from irnflow.gst.rules import Facts
from tests.gst.documents import BETWEEN, DAY, GOODS, changed, read
from tests.gst.documents import Document as Json


def examined(document: Json) -> Examined:
    return examine(read(document), Facts(day=DAY))


def test_a_sound_invoice_comes_with_the_bytes_to_send() -> None:
    found = examined(BETWEEN)

    assert found.payload == inv01.encode(found.invoice)
    assert found.refusals == []


def test_what_was_left_out_is_calculated_before_it_is_checked() -> None:
    assert examined(changed(BETWEEN, {"ValDtls": None})).refusals == []


def test_a_refused_invoice_has_no_bytes_to_send() -> None:
    found = examined(changed(BETWEEN, {"SellerDtls.Gstin": None, "DocDtls.No": " blr/1 "}))

    assert found.payload == b""
    assert [fault.path for fault in found.refusals] == ["SellerDtls.Gstin"]
    assert [fault.path for fault in found.warnings] == ["DocDtls.No"]


def test_a_document_larger_than_the_portal_takes_is_refused() -> None:
    lines = [{**GOODS, "SlNo": str(n), "PrdDesc": "é" * 300, "AttribDtls": [{"Nm": "é" * 100, "Val": "é" * 100}] * 5}
             for n in range(1, 1001)]  # fmt: skip

    found = examined(changed(BETWEEN, {"ItemList": lines, "ValDtls": None}))

    assert [(fault.code, fault.portal_code) for fault in found.refusals] == [("document.too_large", "5002")]
    assert found.payload == b""
