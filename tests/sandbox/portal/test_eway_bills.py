"""E-way bills: with an invoice, later by its IRN, looked up and cancelled."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from irnflow.sandbox.switches import Failure, Order
from tests.sandbox.client import Client, aes, codes, to_json
from tests.sandbox.documents import BUYER_IN_KARNATAKA, SELLER, changed, inter_state

LORRY = {"Distance": 840, "TransMode": "1", "VehNo": "MH12AB1234", "VehType": "R"}
TRANSPORTER = {"Distance": 840, "TransId": BUYER_IN_KARNATAKA}


def registered(client: Client, **details: Any) -> dict[str, Any]:
    """The answer's data to a document that asks for a bill."""
    data = client.generate(inter_state() | {"EwbDtls": LORRY | details})["Data"]
    assert isinstance(data, dict)
    return data


# -- with an invoice -------------------------------------------------------------------------------------------------


def test_a_document_with_transport_gets_its_bill(client: Client) -> None:
    envelope = client.generate(inter_state() | {"EwbDtls": LORRY})

    data = envelope["Data"]
    assert (data["EwbNo"], data["EwbDt"], data["EwbValidTill"]) == (
        681000000001, "2026-11-22 15:08:39", "2026-11-27 23:59:00",
    )  # fmt: skip
    assert envelope["InfoDtls"] is None
    assert client.by_irn(data["Irn"])["Data"] == data


def test_a_transporter_alone_is_part_a_which_has_no_end(client: Client) -> None:
    data = client.generate(inter_state() | {"EwbDtls": TRANSPORTER})["Data"]

    assert (data["EwbNo"], data["EwbValidTill"]) == (681000000001, None)


def test_a_document_whose_bill_fails_is_registered_without(client: Client) -> None:
    envelope = client.generate(inter_state() | {"EwbDtls": {"Distance": 840}})

    assert (envelope["Status"], envelope["Data"]["EwbNo"]) == (1, None)
    assert envelope["InfoDtls"] == [
        {
            "InfCd": "EWBERR",
            "Desc": [
                {
                    "ErrorCode": "4019",
                    "ErrorMessage": "Provide Transporter ID in order to generate Part A of e-Way Bill",
                }
            ],
        }
    ]


def test_where_no_distance_is_given_the_portals_is_taken_and_told(client: Client) -> None:
    client.sandbox.obey(Order(pin_distances={"411001-560001": 2467}))

    envelope = client.generate(inter_state() | {"EwbDtls": LORRY | {"Distance": 0}})

    assert envelope["InfoDtls"] == [{"InfCd": "EWBPPD", "Desc": "Pin-Pin calc distance: 2467KM"}]
    assert envelope["Data"]["EwbValidTill"] == "2026-12-05 23:59:00"


def test_distance_and_error_are_told_together(client: Client) -> None:
    envelope = client.generate(inter_state() | {"EwbDtls": {"Distance": 0}})

    assert [info["InfCd"] for info in envelope["InfoDtls"]] == ["EWBPPD", "EWBERR"]


def test_a_switch_lets_only_the_bill_fail(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(call="eway_bill_with_invoice", code="4001")))

    envelope = client.generate(inter_state() | {"EwbDtls": LORRY})

    assert envelope["Status"] == 1
    assert [each["ErrorCode"] for each in envelope["InfoDtls"][0]["Desc"]] == ["4001"]
    assert client.make_eway_bill(envelope["Data"]["Irn"], **LORRY)["Status"] == 1


# -- by IRN ----------------------------------------------------------------------------------------------------------


def test_a_bill_is_made_for_what_is_registered(client: Client) -> None:
    irn = client.generate(inter_state())["Data"]["Irn"]

    data = client.make_eway_bill(irn, **LORRY)["Data"]

    assert data == {"EwbNo": 681000000001, "EwbDt": "2026-11-22 15:08:39", "EwbValidTill": "2026-11-27 23:59:00"}
    assert client.by_irn(irn)["Data"]["EwbNo"] == data["EwbNo"]


def test_a_bill_is_made_with_names_in_any_case_and_numbers_in_quotes(client: Client) -> None:
    irn = client.generate(inter_state())["Data"]["Irn"]
    details = {"Distance": "840", "Transmode": "1", "Vehno": "MH12AB1234", "vehtype": "R", "Accdet": "x", "ewbDtls": {}}

    answer = client.send("/eiewb/v1.03/ewaybill", {"IRN": irn, "Transid": None} | details)

    assert answer["Data"]["EwbValidTill"] == "2026-11-27 23:59:00"
    assert answer["InfoDtls"] is None  # the distance is as given


def test_a_bill_is_cancelled_with_names_in_any_case(client: Client) -> None:
    number = registered(client)["EwbNo"]
    plain = to_json({"EWBNO": str(number), "CancelRsnCode": "2", "cancelrmrk": "order cancelled"})

    body = {"ACTION": "canewb", "DATA": client.sealed(plain)}
    answer = client.opened(client.envelope("POST", "/ewaybillapi/v1.03/ewayapi", body))

    assert answer["Data"]["ewayBillNo"] == number


def test_a_second_bill_is_4002(client: Client) -> None:
    irn = registered(client)["Irn"]

    assert codes(client.make_eway_bill(irn, **LORRY)) == ["4002"]


def test_a_bill_made_through_the_other_portal_is_4026_with_its_number(client: Client) -> None:
    client.sandbox.obey(Order(dedup_outage=True))
    number = registered(client.at("NIC1"))["EwbNo"]

    envelope = client.at("NIC2").generate(inter_state() | {"EwbDtls": LORRY})

    assert envelope["InfoDtls"][0]["Desc"] == [
        {
            "ErrorCode": "4026",
            "ErrorMessage": f"Duplicate EwayBill for the given document numer, EwbNo - ({number})",
        }
    ]


def test_a_bill_at_the_other_portal_needs_the_header(client: Client) -> None:
    irn = client.at("NIC2").generate(inter_state())["Data"]["Irn"]

    assert codes(client.at("NIC1").make_eway_bill(irn, **LORRY)) == ["4003"]
    assert client.at("NIC1", irp="NIC2").make_eway_bill(irn, **LORRY)["Status"] == 1
    assert client.at("NIC1", irp="NIC2").eway_bill(irn)["Data"]["Status"] == "ACT"


def test_a_cancelled_document_gets_no_bill(client: Client) -> None:
    irn = client.generate(inter_state())["Data"]["Irn"]
    client.cancel(irn)

    assert codes(client.make_eway_bill(irn, **LORRY)) == ["4000"]


def test_nobody_makes_or_sees_a_bill_of_another_taxpayer(client: Client) -> None:
    irn = registered(client)["Irn"]
    other = client.neighbour()

    assert codes(other.make_eway_bill(irn, **LORRY)) == ["4037"]
    assert codes(other.eway_bill(irn)) == ["4037"]


@pytest.mark.parametrize(("irn", "code"), [("", "4006"), (None, "4006"), (7, "4006"), ("0" * 64, "4003")])
def test_a_bill_for_nothing_is_refused(client: Client, irn: Any, code: str) -> None:
    assert codes(client.make_eway_bill(irn, **LORRY)) == [code]


def test_all_that_is_wrong_with_the_transport_is_told(client: Client) -> None:
    irn = client.generate(inter_state())["Data"]["Irn"]

    assert codes(client.make_eway_bill(irn, Distance=5000, TransMode="1")) == ["4011", "4022", "4038"]


@pytest.mark.parametrize(
    "place",
    [
        {"DispDtls": "Pune"},
        {"DispDtls": {}},
        {"ExpShipDtls": ["Pune"]},
        {"ExpShipDtls": {"Addr1": "Quay", "Loc": "Uran", "Pin": "here", "Stcd": "27"}},
        {"ExpShipDtls": {"Addr1": "Quay", "Loc": "Uran", "Pin": 400707, "Stcd": "27", "Gstin": 7}},
    ],
)
def test_a_place_that_is_none_is_told_so(client: Client, place: dict[str, Any]) -> None:
    irn = client.generate(inter_state())["Data"]["Irn"]

    assert set(codes(client.make_eway_bill(irn, **LORRY, **place))) == {"2140"}


@pytest.mark.parametrize("value", [[], [1], {}, {"a": 1}, True, -1, 1.5, "x", "9" * 5000])
@pytest.mark.parametrize(
    "field", ["Distance", "TransMode", "TransId", "TransName", "TransDocDt", "TransDocNo", "VehNo", "VehType"]
)
def test_whatever_stands_in_a_field_is_answered(client: Client, field: str, value: object) -> None:
    irn = client.generate(inter_state())["Data"]["Irn"]

    assert client.make_eway_bill(irn, **(LORRY | {field: value}))["Status"] in {0, 1}


# -- look up and cancel ----------------------------------------------------------------------------------------------


def test_a_bill_is_looked_up_by_its_irn(client: Client) -> None:
    made = registered(client)

    assert client.eway_bill(made["Irn"])["Data"] == {
        "EwbNo": made["EwbNo"],
        "Status": "ACT",
        "GenGstin": SELLER,
        "EwbDt": "2026-11-22 15:08:39",
        "EwbValidTill": "2026-11-27 23:59:00",
    }


def test_where_there_is_no_bill_or_no_document_the_look_up_says_so(client: Client) -> None:
    irn = client.generate(inter_state())["Data"]["Irn"]

    assert codes(client.eway_bill(irn)) == ["4005"]
    assert codes(client.eway_bill("0" * 64)) == ["4003"]


def test_a_cancelled_bill_says_so_and_makes_room_for_another(client: Client) -> None:
    made = registered(client)

    data = client.cancel_eway_bill(made["EwbNo"])["Data"]

    assert data == {"ewayBillNo": made["EwbNo"], "cancelDate": "22/11/2026 03:08:39 PM"}
    assert client.eway_bill(made["Irn"])["Data"]["Status"] == "CNL"
    assert client.by_irn(made["Irn"])["Data"]["EwbNo"] is None
    assert client.make_eway_bill(made["Irn"], **LORRY)["Data"]["EwbNo"] == made["EwbNo"] + 1


def test_a_document_with_an_active_bill_is_cancelled_after_it(client: Client) -> None:
    made = registered(client)

    assert codes(client.cancel(made["Irn"])) == ["2230"]

    client.cancel_eway_bill(made["EwbNo"])
    assert client.cancel(made["Irn"])["Status"] == 1


def test_a_bill_is_cancelled_once(client: Client) -> None:
    number = registered(client)["EwbNo"]
    client.cancel_eway_bill(number)

    assert codes(client.cancel_eway_bill(number)) == ["312"]


def test_only_who_made_a_bill_cancels_it(client: Client) -> None:
    number = registered(client)["EwbNo"]
    other = client.neighbour()

    assert codes(other.cancel_eway_bill(number)) == ["312"]


def test_a_bill_can_be_cancelled_for_24_hours(client: Client) -> None:
    number = registered(client)["EwbNo"]

    client.now += timedelta(hours=24, seconds=1)
    client.log_in()

    assert codes(client.cancel_eway_bill(number)) == ["315"]


@pytest.mark.parametrize(
    ("number", "words", "code"),
    [
        ("12", {}, "4008"),
        (None, {}, "4008"),
        (681000000009, {}, "4007"),
        (681000000001, {"reason": 9}, "307"),
        (681000000001, {"remark": "x" * 51}, "308"),
    ],
)
def test_a_wrong_cancellation_of_a_bill_is_refused(
    client: Client, number: object, words: dict[str, Any], code: str
) -> None:
    assert codes(client.cancel_eway_bill(number, **words)) == [code]


def test_a_cancellation_may_be_wrapped_and_named_as_the_e_way_bill_system_does(client: Client) -> None:
    number = registered(client)["EwbNo"]
    plain = base64.b64encode(to_json({"ewbNo": number, "cancelRsnCode": 2, "cancelRmrk": "gone"}))
    body = {"action": "CANEWB ", "data": client.sealed(plain)}

    answer = json.loads(client.call("POST", "/ewaybillapi/v1.03/ewayapi/", json.dumps(body).encode()).body)

    told = base64.b64decode(aes(client.sek, base64.b64decode(answer["Data"]), decrypt=True))
    assert json.loads(told)["ewayBillNo"] == number
    assert client.sandbox.register.bill(number).status == "CNL"  # type: ignore[union-attr]


def test_the_e_way_bill_system_knows_no_other_action(client: Client) -> None:
    body = {"action": "GENEWAYBILL", "data": client.sealed(b"{}")}

    assert codes(client.envelope("POST", "/ewaybillapi/v1.03/ewayapi", body)) == ["4006"]


# -- two e-way bill portals ------------------------------------------------------------------------------------------


def test_each_portal_issues_numbers_of_its_own_e_way_bill_portal(client: Client) -> None:
    first = registered(client.at("NIC1"))["EwbNo"]
    another = changed(inter_state(), {"DocDtls.No": "B/2"}) | {"EwbDtls": LORRY}
    second = client.at("NIC2").generate(another)["Data"]["EwbNo"]

    assert (first, second) == (681000000001, 688000000001)


def test_only_the_portal_that_issued_a_bill_cancels_it(client: Client) -> None:
    number = client.at("NIC2").generate(inter_state() | {"EwbDtls": LORRY})["Data"]["EwbNo"]

    assert codes(client.at("NIC1").cancel_eway_bill(number)) == ["312"]
    assert client.at("NIC2").cancel_eway_bill(number)["Data"]["ewayBillNo"] == number


def test_the_newest_bill_is_looked_up_whoever_issued_it(client: Client) -> None:
    irn = client.at("NIC1").generate(inter_state())["Data"]["Irn"]
    at_2 = client.at("NIC2", irp="NIC1")
    first = at_2.make_eway_bill(irn, **LORRY)["Data"]["EwbNo"]
    at_2.cancel_eway_bill(first)
    client.wait(minutes=1)

    second = client.at("NIC1").make_eway_bill(irn, **LORRY)["Data"]["EwbNo"]

    assert (str(first)[2], str(second)[2]) == ("8", "1")
    assert client.at("NIC1").eway_bill(irn)["Data"]["EwbNo"] == second
