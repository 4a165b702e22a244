"""Each rule of the e-way bill, met by goods on a lorry and broken in exactly one place."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from irnflow.sandbox.codes import TEXTS
from irnflow.sandbox.taxpayers import Taxpayer, Taxpayers
from irnflow.sandbox.transport import RULES, Journey, journey_of, troubles
from tests.sandbox.documents import BUYER_IN_KARNATAKA, SELLER, Document, changed, export, inter_state, intra_state

LORRY = {"Distance": 840, "TransMode": "1", "VehNo": "MH12AB1234", "VehType": "R"}
TRAIN = {"Distance": 840, "TransMode": "2", "TransDocNo": "FSJWT123456789", "TransDocDt": "21/11/2026"}
SHIP = {"Distance": 840, "TransMode": "4", "TransDocNo": "BL-9", "TransDocDt": "21/11/2026", "VehType": "O"}
PORT = {"Nm": "Quay", "Addr1": "Nhava Sheva", "Loc": "Uran", "Pin": 400707, "Stcd": "27"}
ABROAD = {"Nm": "Quay", "Addr1": "Jebel Ali", "Loc": "Dubai", "Pin": 999999, "Stcd": "96"}


def journey(details: dict[str, Any], document: Document | None = None, **facts: Any) -> Journey:
    known: dict[str, Any] = {"today": date(2026, 11, 22), "taxpayers": Taxpayers(), "distances": None}
    return journey_of(document or inter_state(), details, **(known | facts))


def broken(details: dict[str, Any], document: Document | None = None, **facts: Any) -> list[str]:
    """The codes of what is wrong."""
    return [each["ErrorCode"] for each in troubles(journey(details, document, **facts))]


def all_services(document: Document) -> Document:
    return changed(document, {"ItemList[0].IsServc": "Y", "ItemList[0].HsnCd": "998313"})


@pytest.mark.parametrize(
    "details",
    [
        LORRY,
        LORRY | {"VehType": "O"},
        LORRY | {"Distance": Decimal("840.0")},
        TRAIN,
        TRAIN | {"TransDocNo": "PNZM2020-307306"},
        TRAIN | {"TransDocNo": "l123456789"},
        TRAIN | {"TransMode": "3"},
        TRAIN | {"TransMode": "3", "TransDocNo": "AWB-17"},
        LORRY | {"VehNo": "TR1234567"},
        LORRY | {"VehNo": "22BH1234AA"},
        LORRY | {"VehNo": "BP1A2345"},
        SHIP,
        {"Distance": 840, "TransMode": "4", "VehNo": "MH12AB1234", "VehType": "O"},
        {"Distance": 840, "TransId": BUYER_IN_KARNATAKA},
        {"Distance": 0, "TransId": BUYER_IN_KARNATAKA},
        {"Distance": 0, "TransId": "88AAACD8017H1ZX"},
        {"Distance": 0, "TransId": "29AAFCA7488L1Z0"},
    ],
)
def test_goods_may_travel_so(details: dict[str, Any]) -> None:
    assert broken(details) == []


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"Distance": 840}, "4019"),
        ({"Distance": 840, "VehNo": "MH12AB1234"}, "4028"),
        ({"Distance": 840, "TransDocNo": "RR/17"}, "4028"),
        (LORRY | {"VehNo": None}, "4011"),
        (LORRY | {"VehType": None}, "4022"),
        (LORRY | {"VehType": "X"}, "4020"),
        (LORRY | {"VehNo": "MH-12"}, "4014"),
        (LORRY | {"VehNo": "DL1AB123"}, "4014"),
        (TRAIN | {"VehNo": "MH-12"}, "4014"),
        (TRAIN | {"TransDocNo": "RR/17"}, "4042"),
        (LORRY | {"TransId": "12AB"}, "4018"),
        (LORRY | {"TransId": "290000000000000"}, "4018"),
        (LORRY | {"TransDocDt": "2026-11-21"}, "4017"),
        (LORRY | {"TransDocDt": "23/11/2026"}, "4016"),
        (LORRY | {"TransDocDt": "19/11/2026"}, "4021"),
        (TRAIN | {"TransDocNo": None}, "4012"),
        (TRAIN | {"TransDocDt": None}, "4023"),
        (TRAIN | {"VehType": "O"}, "4024"),
        (SHIP | {"TransDocNo": None}, "4040"),
        (SHIP | {"VehType": "R"}, "4039"),
        (LORRY | {"Distance": 4001}, "4038"),
        (LORRY | {"Distance": Decimal("1e999999999")}, "4038"),
        (LORRY | {"Distance": "far"}, "4006"),
        (LORRY | {"Distance": Decimal("90.5")}, "4006"),
        (LORRY | {"Distance": -1}, "4006"),
        (LORRY | {"DispDtls": PORT | {"Stcd": "96"}}, "4035"),
        (LORRY | {"DispDtls": PORT | {"Pin": 999999}}, "4036"),
        (LORRY | {"ExpShipDtls": PORT | {"Stcd": "96"}}, "4032"),
        (LORRY | {"ExpShipDtls": PORT | {"Pin": 999999}}, "4033"),
    ],
)
def test_goods_may_not_travel_so(details: dict[str, Any], code: str) -> None:
    assert broken(details) == [code]


@pytest.mark.parametrize(
    ("gstin", "code"), [(BUYER_IN_KARNATAKA, "4074"), ("27AABCD1234E1Z8", "2324")], ids=["other state", "other GSTIN"]
)
def test_the_ship_to_rules_on_hold_need_the_switch(gstin: str, code: str) -> None:
    document = inter_state() | {"ShipDtls": {**PORT, "Gstin": gstin if code == "4074" else SELLER}}
    travel = journey(LORRY | {"ExpShipDtls": PORT | {"Gstin": gstin}}, document)

    assert troubles(travel) == []
    assert [each["ErrorCode"] for each in troubles(travel, held_rules=True)] == [code]


@pytest.mark.parametrize(("today", "codes"), [(date(2027, 5, 19), []), (date(2027, 5, 20), ["4043"])])
def test_a_document_of_more_than_180_days_has_no_bill(today: date, codes: list[str]) -> None:
    assert broken(LORRY, today=today) == codes


def test_an_enrolled_transporter_is_not_in_the_master() -> None:
    listed = Taxpayers(listed={SELLER: Taxpayer(gstin=SELLER)})

    assert broken(LORRY | {"TransId": "88AAACD8017H1ZX"}, taxpayers=listed) == []
    assert broken(LORRY | {"TransId": BUYER_IN_KARNATAKA}, taxpayers=listed) == ["3052"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (changed(inter_state(), {"DocDtls.Typ": "CRN"}), "4010"),
        (all_services(inter_state()), "4009"),
        (export(), "4031"),
    ],
)
def test_a_document_may_have_no_bill(document: Document, code: str) -> None:
    assert broken(LORRY, document) == [code]


def test_an_export_travels_to_the_port_it_leaves_from() -> None:
    assert broken(LORRY | {"ExpShipDtls": PORT}, export()) == []


def test_an_export_may_not_travel_abroad_by_its_bill() -> None:
    assert broken(LORRY | {"ExpShipDtls": ABROAD}, export()) == ["4032", "4033"]


def test_a_blocked_supplier_gets_no_bill() -> None:
    taxpayers = Taxpayers(listed={SELLER: Taxpayer(gstin=SELLER, blocked=True)})

    assert broken(LORRY, taxpayers=taxpayers) == ["4015"]


def test_a_transporter_must_be_active() -> None:
    gone = Taxpayer(gstin=BUYER_IN_KARNATAKA, status="CNL")
    taxpayers = Taxpayers(listed={SELLER: Taxpayer(gstin=SELLER), gone.gstin: gone})

    assert broken(LORRY | {"TransId": gone.gstin}, taxpayers=taxpayers) == ["3052"]


# -- distance --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "known", "code"),
    [
        (756, 840, []),
        (924, 840, []),
        (755, 840, ["4013"]),
        (925, 840, ["4013"]),
        (1, 80, []),
        (88, 80, []),
        (89, 80, ["4013"]),
    ],
)
def test_a_distance_is_near_the_known_one(given: int, known: int, code: list[str]) -> None:
    assert broken(LORRY | {"Distance": given}, distances={"560001-411001": known}) == code


def test_a_distance_between_unknown_pins_is_taken_as_given() -> None:
    assert broken(LORRY, distances={}) == []


def test_without_a_known_distance_one_is_given() -> None:
    found = troubles(journey(LORRY | {"Distance": 0}, distances={}))

    assert found == [
        {
            "ErrorCode": "4030",
            "ErrorMessage": "The distance between the pincodes 411001 and 560001 is not available in the system,"
            " you need to pass the actual distance.",
        }
    ]


@pytest.mark.parametrize(("given", "code"), [(0, ["4029"]), (1, []), (100, []), (101, ["4013"])])
def test_within_one_pin_the_distance_is_1_to_100(given: int, code: list[str]) -> None:
    document = changed(intra_state(), {"BuyerDtls.Pin": 411001})

    assert broken(LORRY | {"Distance": given}, document) == code


def test_from_or_to_abroad_no_distance_is_known() -> None:
    document = changed(inter_state(), {"BuyerDtls.Pin": 999999})

    assert broken(LORRY | {"Distance": 0}, document) == ["4034"]


@pytest.mark.parametrize(
    ("details", "days"),
    [({"Distance": 200}, 1), ({"Distance": 201}, 2), ({"Distance": 200, "VehType": "O"}, 10)],
)
def test_a_bill_ends_at_midnight_after_so_many_days_as_the_distance_takes(details: dict[str, Any], days: int) -> None:
    made_at = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)  # 01:30 of the 21st in India

    end = journey(LORRY | details).valid_till(made_at)

    assert end is not None
    assert end.isoformat() == f"2026-{'11' if days < 10 else '12'}-{(21 + days - 1) % 30 + 1:02}T23:59:00+05:30"


def test_every_rule_has_a_code_of_its_own_with_a_text() -> None:
    codes = [rule.code for rule in RULES]

    assert len(codes) == len(set(codes))
    assert set(codes) <= set(TEXTS)
