"""Documents: registered once, looked up, cancelled; by a client written from the portal's API pages."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from irnflow.sandbox.portal import irn_of
from irnflow.sandbox.taxpayers import Taxpayer, Taxpayers
from tests.sandbox.client import Client, codes
from tests.sandbox.documents import SELLER, changed, intra_state

OPERATOR = "29ZZZCO6666F1CO"  # of an e-commerce site, who collects tax at source
DOCUMENT = "/eicore/v1.03/Invoice"
PUBLISHED_IRNS = json.loads((Path(__file__).parents[2] / "gst" / "irn_vectors.json").read_text())["vectors"]


def signed(token: str) -> dict[str, Any]:
    """What a JWS of the portal says."""
    payload = token.split(".")[1]
    data = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["data"]
    content = json.loads(data)
    assert isinstance(content, dict)
    return content


# -- generate --------------------------------------------------------------------------------------------------------


def test_a_sound_document_is_registered(client: Client) -> None:
    envelope = client.generate(intra_state())

    data = envelope["Data"]
    assert envelope["Status"] == 1
    assert (envelope["ErrorDetails"], envelope["InfoDtls"]) == (None, None)
    assert data["AckNo"] == 162610000000001
    assert data["Status"] == "ACT"
    assert client.sandbox.register.counts()["active"] == 1


def test_more_than_a_thousand_items_are_registered_only_of_who_may_send_them(client: Client) -> None:
    item = intra_state()["ItemList"][0]
    items = [item | {"SlNo": str(number)} for number in range(1, 1002)]
    sums = {"AssVal": "AssAmt", "CgstVal": "CgstAmt", "SgstVal": "SgstAmt", "TotInvVal": "TotItemVal"}
    long = intra_state() | {"ItemList": items, "ValDtls": {name: item[part] * 1001 for name, part in sums.items()}}
    taxpayer = Taxpayer(gstin=SELLER, lines_max=5000)
    buyer = Taxpayer(gstin=long["BuyerDtls"]["Gstin"])

    refused = client.generate(long)
    client.sandbox._office.taxpayers = Taxpayers(listed={SELLER: taxpayer, buyer.gstin: buyer})
    registered = client.generate(long)

    assert codes(refused) == ["2173"]
    assert registered["Status"] == 1


def test_the_answer_tells_the_minute_and_the_signature_the_second(client: Client) -> None:
    data = client.generate(intra_state())["Data"]

    assert data["AckDt"] == "2026-11-22 15:09:00"
    assert signed(data["SignedInvoice"])["AckDt"] == "2026-11-22 15:08:39"
    assert signed(data["SignedQRCode"])["IrnDt"] == "2026-11-22 15:08:39"


def test_the_signed_invoice_holds_the_document_as_it_was_sent(client: Client) -> None:
    data = client.generate(changed(intra_state(), {"SellerDtls.LglNm": "भारत यंत्र"}))["Data"]

    content = signed(data["SignedInvoice"])
    assert content["Irn"] == data["Irn"]
    assert content["SellerDtls"]["LglNm"] == "भारत यंत्र"
    assert '"AssAmt":1000.00' in signed_text(data["SignedInvoice"])


def signed_text(token: str) -> str:
    payload = token.split(".")[1]
    text = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["data"]
    assert isinstance(text, str)
    return text


def test_odoo_s_names_are_read_and_signed_as_inv01_spells_them(client: Client) -> None:
    document = intra_state()
    for party in ("SellerDtls", "BuyerDtls"):
        document[party] = {"GSTIN": document[party].pop("Gstin"), "Web": "example.com"} | document[party]
    document["BuyerDtls"]["POS"] = document["BuyerDtls"].pop("Pos")

    content = signed(client.generate(document)["Data"]["SignedInvoice"])

    assert content["BuyerDtls"]["Pos"] == intra_state()["BuyerDtls"]["Pos"]
    assert content["SellerDtls"]["Gstin"] == SELLER
    assert "Web" not in content["SellerDtls"]


def test_numbers_in_quotes_are_signed_as_numbers_with_their_digits(client: Client) -> None:
    document = changed(intra_state(), {"SellerDtls.Pin": "411001", "ItemList[0].AssAmt": "1000.00"})

    text = signed_text(client.generate(document)["Data"]["SignedInvoice"])

    assert '"Pin":411001' in text
    assert '"AssAmt":1000.00' in text


def test_a_call_is_committed_when_it_returns(client: Client) -> None:
    client.generate(intra_state())

    assert not client.sandbox.register.has_uncommitted


def test_ack_numbers_increase(client: Client) -> None:
    numbers = [client.generate(intra_state(f"INV-{n}"))["Data"]["AckNo"] for n in range(3)]

    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("vector", PUBLISHED_IRNS, ids=lambda vector: vector["doc_no"])
def test_irns_are_those_that_the_portal_published(vector: dict[str, str]) -> None:
    dated = f"01/04/{vector['financial_year'][:4]}"
    details = {"Typ": vector["doc_type"], "No": vector["doc_no"], "Dt": dated}

    assert irn_of({"SellerDtls": {"Gstin": vector["supplier_gstin"]}, "DocDtls": details}) == vector["irn"]


def test_the_number_is_turned_to_upper_case_before_the_irn_is_computed(client: Client) -> None:
    envelope = client.generate(intra_state("inv/a-1"))

    assert envelope["Data"]["Irn"] == irn_of(intra_state("INV/A-1"))
    assert signed(envelope["Data"]["SignedInvoice"])["DocDtls"]["No"] == "INV/A-1"


def test_a_document_of_another_taxpayer_is_refused(client: Client) -> None:
    assert codes(client.neighbour().generate(intra_state())) == ["2169"]


def test_the_operator_of_an_e_commerce_site_may_register_for_its_suppliers(client: Client) -> None:
    document = changed(intra_state(), {"TranDtls.EcmGstin": OPERATOR})

    assert client.neighbour(OPERATOR).generate(document)["Status"] == 1


def test_a_refused_document_is_told_everything_and_is_not_registered(client: Client) -> None:
    broken = changed(intra_state(), {"DocDtls.Dt": "23/11/2026", "ValDtls.AssVal": 1})

    envelope = client.generate(broken)

    assert (envelope["Status"], envelope["Data"]) == (0, None)
    assert envelope["ErrorDetails"] == [
        {"ErrorCode": "2163", "ErrorMessage": "The document date should not be future date."},
        {"ErrorCode": "2182", "ErrorMessage": "Taxable value of all items must be equal to total taxable value"},
    ]
    assert client.sandbox.register.counts()["documents"] == 0


def test_what_is_today_is_decided_in_india(client: Client) -> None:
    tomorrow = changed(intra_state(), {"DocDtls.Dt": "23/11/2026"})

    client.wait(hours=8, minutes=51)  # 23:59 in India
    client.log_in()
    assert codes(client.generate(tomorrow)) == ["2163"]

    client.wait(minutes=1)
    assert client.generate(tomorrow)["Status"] == 1


def test_a_misshapen_document_is_refused(client: Client) -> None:
    assert codes(client.generate({})) == ["2140"] * 5 + ["2228", "2140"]


def test_no_data_and_garbage_are_answered_as_the_live_portal_does(client: Client) -> None:
    assert codes(client.envelope("POST", DOCUMENT, {})) == ["5003"]
    assert codes(client.envelope("POST", DOCUMENT, {"Data": "garbage"})) == ["1020"]


# -- duplicates ------------------------------------------------------------------------------------------------------


def test_the_same_document_again_is_a_duplicate_that_names_the_first(client: Client) -> None:
    first = client.generate(intra_state())["Data"]

    again = client.generate(intra_state())

    assert again["ErrorDetails"] == [{"ErrorCode": "2150", "ErrorMessage": "Duplicate IRN"}]
    assert again["InfoDtls"] == [
        {"InfCd": "DUPIRN", "Desc": {name: first[name] for name in ("AckNo", "AckDt", "Irn")}}
    ]  # fmt: skip


@pytest.mark.parametrize("changes", [{"DocDtls.No": "inv-1"}, {"DocDtls.Dt": "01/04/2026"}, {"DocDtls.Typ": "inv"}])
def test_case_and_day_make_no_other_document(client: Client, changes: dict[str, Any]) -> None:
    client.generate(intra_state("INV-1"))

    assert codes(client.generate(changed(intra_state("INV-1"), changes))) == ["2150"]


@pytest.mark.parametrize("changes", [{"DocDtls.No": "INV-2"}, {"DocDtls.Dt": "31/03/2026"}, {"DocDtls.Typ": "CRN"}])
def test_number_financial_year_and_type_make_another_document(client: Client, changes: dict[str, Any]) -> None:
    client.generate(intra_state("INV-1"))

    assert client.generate(changed(intra_state("INV-1"), changes))["Status"] == 1


def test_the_register_counts_duplicates(client: Client) -> None:
    client.generate(intra_state())
    client.generate(intra_state())
    client.generate(intra_state())

    assert client.sandbox.register.counts() == {
        "active": 1,
        "cancelled": 0,
        "rejected": 0,
        "documents": 1,
        "duplicates": 2,
    }


# -- look-ups --------------------------------------------------------------------------------------------------------


def test_a_document_is_found_by_irn_and_by_number_with_its_signatures(client: Client) -> None:
    made = client.generate(intra_state("INV/1"))["Data"]

    assert client.by_irn(made["Irn"])["Data"] == made
    assert client.by_document("inv/1")["Data"] == made
    assert client.by_document("INV%2F1", dated="20%2F11%2F2026")["Data"] == made


def test_what_is_not_there_is_2148_by_irn_and_2154_by_document(client: Client) -> None:
    client.generate(intra_state("INV-1"))

    assert codes(client.by_irn("0" * 64)) == ["2148"]
    assert codes(client.by_document("INV-2")) == ["2154"]
    assert codes(client.by_document("INV-1", kind="CRN")) == ["2154"]
    assert codes(client.by_document("INV-1", dated="19/11/2026")) == ["2154"]


def test_a_document_of_another_taxpayer_is_not_shown(client: Client) -> None:
    irn = client.generate(intra_state("INV-1"))["Data"]["Irn"]
    other = client.neighbour()

    assert codes(other.by_irn(irn)) == ["2226"]
    assert codes(other.by_document("INV-1")) == ["2154"]


def test_a_document_older_than_two_days_is_not_shown(client: Client) -> None:
    irn = client.generate(intra_state("INV-1"))["Data"]["Irn"]

    client.wait(hours=48)
    client.log_in()
    assert client.by_irn(irn)["Status"] == 1

    client.wait(seconds=1)
    assert codes(client.by_irn(irn)) == ["2283"]
    assert codes(client.by_document("INV-1")) == ["2283"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "2142"),
        ("doctype=INV&docnum=1", "2142"),
        ("doctype=BIL&docnum=1&docdate=20/11/2026", "2161"),
        ("doctype=INV&docnum=1&docdate=2026-11-20", "2144"),
    ],
)
def test_a_look_up_with_wrong_words_is_refused(client: Client, query: str, code: str) -> None:
    assert codes(client.get(f"/eicore/v1.03/Invoice/irnbydocdetails?{query}")) == [code]


def test_an_irn_of_another_form_is_refused(client: Client) -> None:
    assert codes(client.by_irn("1234")) == ["2145"]


# -- cancel ----------------------------------------------------------------------------------------------------------


def test_a_cancelled_document_says_so_and_its_number_is_spent(client: Client) -> None:
    irn = client.generate(intra_state())["Data"]["Irn"]
    client.wait(minutes=1)

    answer = client.cancel(irn)

    assert answer["Data"] == {"Irn": irn, "CancelDate": "2026-11-22 15:09:39"}
    assert client.by_irn(irn)["Data"]["Status"] == "CNL"
    assert codes(client.generate(intra_state())) == ["2278"]
    assert client.sandbox.register.counts()["cancelled"] == 1


@pytest.mark.parametrize(
    "names", [("Irn", "Cnlrsn", "Cnlrem"), ("irn", "cnlrsn", "cnlrem"), ("IRN", "CNLRSN", "CNLREM")]
)
def test_india_compliance_s_cancellation_is_taken(client: Client, names: tuple[str, str, str]) -> None:
    irn = client.generate(intra_state())["Data"]["Irn"]

    answer = client.send(f"{DOCUMENT}/Cancel", dict(zip(names, (irn, "1", "wrong"), strict=True)) | {"Extra": 1})

    assert answer["Data"]["Irn"] == irn
    assert client.by_irn(irn)["Data"]["Remarks"] == "wrong"


def test_a_document_is_cancelled_once(client: Client) -> None:
    irn = client.generate(intra_state())["Data"]["Irn"]
    client.cancel(irn)

    assert codes(client.cancel(irn)) == ["9999"]


def test_a_document_can_be_cancelled_for_24_hours(client: Client) -> None:
    first = client.generate(intra_state("INV-1"))["Data"]["Irn"]
    second = client.generate(intra_state("INV-2"))["Data"]["Irn"]

    client.wait(hours=24)
    client.log_in()
    assert client.cancel(first)["Status"] == 1

    client.wait(seconds=1)
    assert codes(client.cancel(second)) == ["2270"]


def test_only_its_supplier_cancels_a_document(client: Client) -> None:
    irn = client.generate(intra_state())["Data"]["Irn"]

    assert codes(client.neighbour().cancel(irn)) == ["2143"]


@pytest.mark.parametrize(
    ("plain", "code"),
    [
        ({}, "2142"),
        ({"Irn": "0" * 64}, "2142"),
        ({"Irn": "0" * 64, "CnlRsn": "5"}, "2142"),
        ({"Irn": "0" * 64, "CnlRsn": "1", "CnlRem": "x" * 101}, "2142"),
        ({"Irn": "1234", "CnlRsn": "1"}, "2145"),
        ({"Irn": "0" * 64, "CnlRsn": "1"}, "2148"),
    ],
)
def test_a_wrong_cancellation_is_refused(client: Client, plain: dict[str, Any], code: str) -> None:
    assert codes(client.send("/eicore/v1.03/Invoice/Cancel", plain)) == [code]


# -- e-commerce operators --------------------------------------------------------------------------------------------


def test_an_operator_sees_and_cancels_what_it_sold_for_the_supplier_it_names(client: Client) -> None:
    document = changed(intra_state("INV-1"), {"TranDtls.EcmGstin": OPERATOR})
    operator = client.neighbour(OPERATOR)
    irn = operator.generate(document)["Data"]["Irn"]
    assert codes(operator.by_irn(irn)) == ["2226"]

    operator.headers["sup_gstin"] = SELLER

    assert operator.by_irn(irn)["Data"]["Irn"] == irn
    assert operator.by_document("INV-1")["Data"]["Irn"] == irn
    assert operator.cancel(irn)["Status"] == 1


def test_an_operator_does_not_see_what_the_supplier_sold_itself(client: Client) -> None:
    irn = client.generate(intra_state())["Data"]["Irn"]
    operator = client.neighbour(OPERATOR)
    operator.headers["sup_gstin"] = SELLER

    assert codes(operator.by_irn(irn)) == ["2226"]
