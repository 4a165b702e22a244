"""INV-01 JSON: read without losing a digit, refused where it is none, written always in the same way."""

import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irnflow.errors import BadInput
from irnflow.gst import fields, inv01
from irnflow.gst.invoice import Invoice
from irnflow.gst.normalise import normalise
from tests.gst.documents import SOUND, Document, changed, read


def texts() -> st.SearchStrategy[str]:
    """Texts that are tidy already."""
    return st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


def values(field: fields.Field) -> st.SearchStrategy[Any]:
    """Values that this field may have, or texts of any form."""
    if field.is_text:
        return texts()
    assert field.low is not None
    assert field.high is not None
    if field.decimals:
        return st.decimals(field.low, field.high, places=field.decimals)
    return st.integers(int(field.low), int(field.high))


def sections(shape: fields.Shape, arrays: frozenset[str]) -> st.SearchStrategy[Document]:
    """Sections of this shape, any field absent."""
    inside = {name: inner for _, name, inner in shape.sections}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for field in shape.fields:
        name = field.path.rpartition(".")[2]
        if name in inside:
            inner = sections(inside[name], arrays)
            optional[name] = st.lists(inner, min_size=1, max_size=3) if field.path in arrays else inner
        elif field.path in fields.table():
            optional[name] = values(field)
    return st.fixed_dictionaries({}, optional=optional)


UNHURRIED = settings(suppress_health_check=[HealthCheck.too_slow])  # whole documents, on a busy machine
ARRAYS = frozenset({"ItemList", "ItemList[].AttribDtls", "RefDtls.PrecDocDtls", "RefDtls.ContrDtls", "AddlDocDtls"})
INVOICES = sections(fields.shape(), ARRAYS).map(read).map(lambda invoice: normalise(invoice)[0])


@UNHURRIED
@given(invoice=INVOICES)
def test_what_is_written_is_read_back_without_losing_a_digit(invoice: Invoice) -> None:
    assert inv01.decode(inv01.encode(invoice)) == invoice


@UNHURRIED
@given(invoice=INVOICES)
def test_nothing_is_written_as_null_or_with_an_exponent(invoice: Invoice) -> None:
    written = re.sub(rb'"(\\.|[^"\\])*"', b'""', inv01.encode(invoice))  # without the texts

    assert not re.search(rb"null|[eE]|\.\d{4}", written)


@pytest.mark.parametrize("document", SOUND.values(), ids=SOUND)
def test_the_same_invoice_is_written_in_the_same_bytes_however_its_numbers_came(document: Document) -> None:
    longer = msgspec.json.decode(re.sub(rb"(:\d+\.\d+)", rb"\g<1>000", inv01.encode(read(document))), type=Invoice)

    assert inv01.encode(normalise(longer)[0]) == inv01.encode(read(document))


def test_amounts_have_2_decimals_and_quantities_prices_and_rates_3() -> None:
    line = {"Qty": Decimal("1E+3"), "UnitPrice": Decimal("0.1"), "GstRt": 18, "TotAmt": Decimal("100.0000")}
    invoice, _ = normalise(read({"ItemList": [line]}))

    written = inv01.encode(invoice)

    assert b'"Qty":1000.000,"UnitPrice":0.100,"TotAmt":100.00,"GstRt":18.000' in written


def test_null_counts_as_absent() -> None:
    assert inv01.decode(b'{"TranDtls":{"EcmGstin":null}}') == inv01.decode(b'{"TranDtls":{}}')


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (b'{"Irn":"0"}', "`Irn`"),  # never sent in a request
        (b'{"SellerDtls":{"GSTIN":"29"}}', "`$.SellerDtls`"),
        (b'{"ItemList":[{},{"Qty":"NaN"}]}', "ItemList[].Qty"),
        (b'{"ValDtls":{"AssVal":"-Infinity"}}', "ValDtls.AssVal"),
        (b'{"ItemList":[{"HsnCd":9403}]}', "`$.ItemList[0].HsnCd`"),
        (b'{"SellerDtls":{"Pin":560001.5}}', "`$.SellerDtls.Pin`"),
        (b'{"SellerDtls":{"Pin":"560001"}}', "`$.SellerDtls.Pin`"),
        (b'{"ItemList":{}}', "`$.ItemList`"),
        (b"[]", "array"),
        (b"{", "truncated"),
        (b"\xff", "malformed"),
    ],
)
def test_what_is_not_inv_01_is_refused_with_its_place(document: bytes, place: str) -> None:
    with pytest.raises(BadInput, match=re.escape(place)):
        inv01.decode(document)


def test_a_foreign_order_of_fields_does_not_matter() -> None:
    forth = inv01.decode(b'{"Version":"1.1","DocDtls":{"Typ":"INV","No":"1"}}')
    back = inv01.decode(b'{"DocDtls":{"No":"1","Typ":"INV"},"Version":"1.1"}')

    assert inv01.encode(forth) == inv01.encode(back)


def test_a_document_too_large_is_told_its_size() -> None:
    fault = inv01.too_large(b"x" * 2_000_001)

    assert "2000001" in fault.says
    assert fault.portal_code == "5002"


def test_every_field_of_the_table_has_a_place_in_the_invoice() -> None:
    placed = set(paths(fields.shape()))

    assert set(fields.table()) - placed == {"Irn"}


def paths(shape: fields.Shape) -> list[str]:
    inner = [path for _, _, inside in shape.sections for path in paths(inside)]
    return [field.path for field in shape.fields] + inner


def test_a_change_of_one_place_changes_the_bytes() -> None:
    document = SOUND["within a state"]

    assert inv01.encode(read(changed(document, {"DocDtls.No": "X"}))) != inv01.encode(read(document))
