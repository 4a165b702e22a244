"""Each rule of the portal, by a document that meets it and one that breaks it in exactly that place."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from irnflow.sandbox.law import RULES, agrees, breaches, case_of
from irnflow.sandbox.taxpayers import Taxpayer, Taxpayers
from tests.sandbox.documents import (
    BUYER_IN_KARNATAKA,
    BUYER_IN_STATE,
    SELLER,
    Document,
    changed,
    export,
    inter_state,
    intra_state,
    to_sez,
    without,
)

TODAY = date(2026, 11, 22)
_OPEN = Taxpayers()
OPERATOR = "29ZZZCO6666F1CO"


def codes_of(
    document: Document, taxpayers: Taxpayers = _OPEN, *, today: date = TODAY, caller: str | None = None,
    held_rules: bool = False,
) -> list[str]:  # fmt: skip
    case = case_of(document, today=today, taxpayers=taxpayers, caller=caller)
    return [error["ErrorCode"] for error in breaches(case, held_rules=held_rules)]


def listing(buyer: str, **facts: Any) -> Taxpayers:
    """A master of the seller and one buyer."""
    return Taxpayers(listed={SELLER: Taxpayer(gstin=SELLER), buyer: Taxpayer(gstin=buyer, **facts)})


def supplier(**facts: Any) -> Taxpayers:
    """A master of these three, of whom the supplier is so."""
    others = {gstin: Taxpayer(gstin=gstin) for gstin in (BUYER_IN_STATE, BUYER_IN_KARNATAKA)}
    return Taxpayers(listed={SELLER: Taxpayer(gstin=SELLER, **facts), **others})


def amounts(**values: str) -> dict[str, Any]:
    """Changes of the first item."""
    return {f"ItemList[0].{name}": Decimal(value) for name, value in values.items()}


def deemed_export() -> Document:
    return changed(intra_state(), {"TranDtls.SupTyp": "DEXP"})


def ship_to(state: str) -> dict[str, Any]:
    return {"LglNm": "Godown", "Addr1": "1 Dock Road", "Loc": "Uran", "Pin": 400702, "Stcd": state}


MET = {
    "intra-state": intra_state(),
    "inter-state": inter_state(),
    "export with payment": export(),
    "export with payment, tax left out of the totals": changed(
        export(),
        {"ItemList[0].TotItemVal": 1000, "ItemList[1].TotItemVal": 1000, "ValDtls.TotInvVal": 2000},
    ),
    "export without payment": changed(
        export(),
        {
            "TranDtls.SupTyp": "EXPWOP",
            "ItemList[0].IgstAmt": 0, "ItemList[0].TotItemVal": 1000,
            "ItemList[1].IgstAmt": 0, "ItemList[1].TotItemVal": 1000,
            "ValDtls.IgstVal": 0, "ValDtls.TotInvVal": 2000,
        },
    ),
    "supply to a SEZ": to_sez(),
    "deemed export": deemed_export(),
    "state code of one digit": changed(
        inter_state(),
        {"BuyerDtls.Gstin": "09AAAPG7885R002", "BuyerDtls.Stcd": "9", "BuyerDtls.Pos": "9", "BuyerDtls.Pin": 201301},
    ),
    "dated today": changed(intra_state(), {"DocDtls.Dt": "22/11/2026"}),
    "shipped within the place of supply": intra_state() | {"ShipDtls": ship_to("27")},
    "shipped to another state than the place of supply": intra_state() | {"ShipDtls": ship_to("29") | {"Pin": 560001}},
    "shipped to the buyer's own GSTIN": intra_state() | {"ShipDtls": ship_to("27") | {"Gstin": BUYER_IN_STATE}},
    "shipped to a state that is not its GSTIN's": intra_state() | {
        "ShipDtls": ship_to("27") | {"Gstin": BUYER_IN_KARNATAKA}
    },
    "exported and shipped abroad": export() | {"ShipDtls": ship_to("96") | {"Gstin": "URP", "Pin": 999999}},
    "dispatched at sea": inter_state() | {"DispDtls": ship_to("97") | {"Nm": "Rig", "Pin": 999999}},
    "reverse charge, tax left out of the totals": changed(
        intra_state(),
        {
            "TranDtls.RegRev": "Y",
            "ItemList[0].TotItemVal": 1000, "ItemList[1].TotItemVal": 1000, "ValDtls.TotInvVal": 2000,
        },
    ),
    "IGST on intra": changed(
        inter_state(),
        {"TranDtls.IgstOnIntra": "Y", "BuyerDtls": intra_state()["BuyerDtls"]},
    ),
    "service without quantity and unit": without(without(intra_state(), "ItemList[1].Qty"), "ItemList[1].Unit"),
    "unit in lower case": changed(intra_state(), {"ItemList[0].Unit": "kgs"}),
    "credit note whose tax does not follow from the rate": changed(
        intra_state(), {"DocDtls.Typ": "CRN", "ItemList[0].GstRt": 5}
    ),
    "goods priced at retail, whose tax does not follow from the rate": changed(
        intra_state(), {"ItemList[0].HsnCd": "24022090", "ItemList[0].GstRt": 40}
    ),
    "off by less than the tolerance": changed(intra_state(), {"ValDtls.TotInvVal": Decimal("2361.00")}),
    "with every cess and charge": changed(
        inter_state(),
        {
            **amounts(CesRt="5", CesAmt="50", CesNonAdvlAmt="10", StateCesRt="2", StateCesAmt="20",
                      StateCesNonAdvlAmt="5", OthChrg="15", TotItemVal="1280"),
            "ValDtls.CesVal": 60, "ValDtls.StCesVal": 25, "ValDtls.Discount": 100, "ValDtls.OthChrg": 20,
            "ValDtls.RndOffAmt": Decimal("0.40"), "ValDtls.TotInvVal": Decimal("2380.40"),
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("document", MET.values(), ids=MET.keys())
def test_a_sound_document_breaks_no_rule(document: Document) -> None:
    assert codes_of(document, Taxpayers(any_check_digit=True)) == []


BROKEN = [
    ("3028", intra_state(), {"BuyerDtls.Gstin": "27AABCD1234E1Z0"}),
    ("2211", intra_state(), {"BuyerDtls.Gstin": SELLER}),
    ("2260", to_sez(), {"BuyerDtls.Gstin": "95AABCD1234E1Z5", "BuyerDtls.Stcd": "95"}),
    ("2265", intra_state(), {"BuyerDtls.Stcd": "29", "BuyerDtls.Pin": 560001}),
    ("2212", intra_state(), {"BuyerDtls.Gstin": "URP"}),
    ("2171", deemed_export(), {"BuyerDtls.Gstin": "URP"}),
    ("2248", export(), {"BuyerDtls.Gstin": BUYER_IN_KARNATAKA}),
    ("2261", export(), {"BuyerDtls.Stcd": "97"}),
    ("2232", export(), {"BuyerDtls.Pos": "29"}),
    ("2208", export(), {"ExpDtls": {"ForCur": "AED"}}),
    ("2208", export(), {"ExpDtls": None}),
    ("2242", inter_state(), {"BuyerDtls.Pos": "96"}),
    ("2243", inter_state(), {"BuyerDtls.Pos": "25"}),
    ("2243", inter_state(), {"BuyerDtls.Pos": "45"}),
    ("2244", intra_state(), {"BuyerDtls.Pin": None}),
    ("2162", deemed_export(), {"TranDtls.RegRev": "Y"}),
    ("2262", inter_state(), {"TranDtls.IgstOnIntra": "Y"}),
    ("2163", intra_state(), {"DocDtls.Dt": "23/11/2026"}),
    ("2233", intra_state(), {"ItemList[1].SlNo": "01"}),
    ("2176", intra_state(), {"ItemList[0].IsServc": "Y"}),
    ("2176", intra_state(), {"ItemList[1].IsServc": "N"}),
    ("2177", intra_state(), {"ItemList[0].Unit": "DOZEN"}),
    ("2238", intra_state(), {"ItemList[0].Qty": None}),
    ("2239", intra_state(), {"ItemList[0].Unit": None}),
    ("2240", intra_state(), {"ItemList[0].GstRt": Decimal("18.1")}),
    ("2193", intra_state(), {"ItemList[0].Discount": Decimal("52.01")}),
    ("2180", export(), {"ItemList[0].CgstAmt": Decimal("0.50"), "ItemList[0].SgstAmt": Decimal("0.50")}),
    ("2237", to_sez(), {"ItemList[0].CgstAmt": Decimal("0.50"), "ItemList[0].SgstAmt": Decimal("0.50")}),
    ("2174", inter_state(), {"ItemList[0].CgstAmt": Decimal("0.50"), "ItemList[0].SgstAmt": Decimal("0.50")}),
    ("2172", intra_state(), {"ItemList[0].IgstAmt": Decimal("0.50")}),
    ("2227", intra_state(), {"ItemList[0].CgstAmt": Decimal("90.01")}),
    ("2266", intra_state(), {"ItemList[0].CesRt": 5}),
    ("2267", intra_state(), {"ItemList[0].StateCesRt": 5}),
    ("2182", intra_state(), {"ValDtls.AssVal": Decimal("2001.01")}),
    ("2183", intra_state(), {"ValDtls.SgstVal": None}),
    ("2184", intra_state(), {"ValDtls.CgstVal": Decimal("178.99")}),
    ("2185", inter_state(), {"ValDtls.IgstVal": Decimal("361.01")}),
    ("2186", intra_state(), {"ValDtls.CesVal": Decimal("1.01")}),
    ("2187", intra_state(), {"ValDtls.StCesVal": Decimal("1.01")}),
    ("2189", intra_state(), {"ValDtls.TotInvVal": Decimal("2361.01")}),
    ("2189", intra_state(), {"ValDtls.RndOffAmt": Decimal("2.01")}),
    ("2195", intra_state(), {"TranDtls.EcmGstin": BUYER_IN_KARNATAKA}),
    ("2200", intra_state(), {"DispDtls": ship_to("45") | {"Nm": "Yard"}}),
    ("3038", intra_state(), {"SellerDtls.Pin": 900001}),
    ("3039", intra_state(), {"SellerDtls.Pin": 560001}),
    ("3039", intra_state(), {"BuyerDtls.Pin": 999999}),
    ("3039", export(), {"BuyerDtls.Pin": 400001}),
    ("2273", inter_state(), {"DispDtls": ship_to("96") | {"Nm": "Quay", "Pin": 999999}}),
    ("2300", intra_state(), {"SellerDtls.Gstin": "27AAPFU0939F1D4"}),
    ("2201", export(), {"ExpDtls.Port": "INXXX1"}),
    ("2202", export(), {"ExpDtls.CntCode": "QQ"}),
    ("2202", intra_state(), {"ItemList[0].OrgCntry": "QQ"}),
    ("2218", intra_state(), {"RefDtls": {"PrecDocDtls": [{"InvNo": "A1", "InvDt": "23/11/2026"}]}}),
    ("2203", export(), {"ExpDtls.ForCur": "QQQ"}),
    ("2140", intra_state(), {"DocDtls.Dt": "30/09/2022"}),
    ("2219", intra_state(), {"RefDtls": {"DocPerdDtls": {"InvStDt": "02/11/2026", "InvEndDt": "01/11/2026"}}}),
    ("2176", intra_state(), {"ItemList[0].HsnCd": "84719999"}),
    ("2220", intra_state(), {"ValDtls.Discount": Decimal("1180.00"), "ValDtls.TotInvVal": Decimal("1180.00")}),
]


@pytest.mark.parametrize(("code", "document", "changes"), BROKEN)
def test_a_document_that_breaks_one_rule_is_refused_for_it(
    code: str, document: Document, changes: dict[str, Any]
) -> None:
    assert codes_of(changed(document, changes)) == [code]


HELD = [
    ("2245", intra_state(), {"ShipDtls": ship_to("29") | {"Pin": 560001}}),
    ("2323", intra_state(), {"ShipDtls": ship_to("27") | {"Gstin": BUYER_IN_STATE}}),
    ("2325", intra_state(), {"ShipDtls": ship_to("27") | {"Gstin": BUYER_IN_KARNATAKA}}),
]


@pytest.mark.parametrize(("code", "document", "changes"), HELD)
def test_a_rule_on_hold_refuses_only_when_the_switch_says_so(
    code: str, document: Document, changes: dict[str, Any]
) -> None:
    broken = changed(document, changes)

    assert codes_of(broken) == []
    assert codes_of(broken, held_rules=True) == [code]


# These break a rule and, by the same field, what follows from it.
BROKEN_WITH_OTHERS = [
    ("2258", intra_state(), {"SellerDtls.Stcd": "29"}),
    ("2259", intra_state(), {"SellerDtls.Stcd": "96"}),
    ("2241", intra_state(), {"ItemList[0].CgstAmt": 0, "ItemList[0].SgstAmt": 0}),
    ("2234", intra_state(), {"ItemList[0].CgstAmt": Decimal("91.01"), "ItemList[0].SgstAmt": Decimal("91.01")}),
    ("2235", inter_state(), {"ItemList[0].IgstAmt": Decimal("181.01")}),
    ("2235", export(), {"ItemList[0].IgstAmt": 0}),
    ("2194", intra_state(), {"ItemList[0].TotItemVal": Decimal("1181.01")}),
    ("2194", intra_state(), {"ItemList[0].TotItemVal": Decimal("1000.00")}),
]


@pytest.mark.parametrize(("code", "document", "changes"), BROKEN_WITH_OTHERS)
def test_a_broken_rule_is_among_those_told(code: str, document: Document, changes: dict[str, Any]) -> None:
    assert codes_of(document) == []
    assert code in codes_of(changed(document, changes))


# These depend on what the master says of a party.
CODES_OF_TAXPAYERS = {
    "2224", "2231", "2246", "2247", "2305", "3029", "3074", "3075", "3076", "3077", "3078", "3079",
}  # fmt: skip


def test_the_rate_of_forty_percent_is_refused_before_the_day_it_came() -> None:
    document = changed(
        inter_state(),
        {
            "DocDtls.Dt": "21/09/2025",
            **amounts(GstRt="40", IgstAmt="400", TotItemVal="1400"),
            "ValDtls.IgstVal": 580,
            "ValDtls.TotInvVal": 2580,
        },
    )

    assert codes_of(document) == []
    assert codes_of(changed(document, {"DocDtls.Dt": "20/09/2025"})) == ["2240"]


def test_retail_priced_goods_were_rated_like_others_before_february_2026() -> None:
    document = changed(intra_state(), {"ItemList[0].HsnCd": "24022090", "ItemList[0].GstRt": 28})

    assert codes_of(changed(document, {"DocDtls.Dt": "01/02/2026"})) == []
    assert codes_of(changed(document, {"DocDtls.Dt": "31/01/2026"})) == ["2234"]


def test_a_gstin_that_the_list_does_not_have_is_unknown() -> None:
    assert codes_of(intra_state(), listing(BUYER_IN_STATE)) == []
    assert codes_of(intra_state(), listing(BUYER_IN_KARNATAKA)) == ["3028"]


def test_a_supplier_that_the_list_calls_anything_but_active_is_inactive() -> None:
    assert codes_of(intra_state(), supplier(status="SUS")) == ["3029"]


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        (
            {"status": "CNL", "deregistered_on": date(2026, 11, 20)},
            [],
        ),  # the day of the document: release notes of 1.04
        ({"status": "CNL", "deregistered_on": date(2026, 11, 19)}, ["3029"]),
        ({"status": "CNL"}, ["3029"]),
        ({"status": "INA"}, ["3029"]),
        ({"registered_on": date(2026, 11, 21)}, []),
    ],
)
def test_a_supplier_registers_what_is_dated_before_its_cancellation(facts: dict[str, Any], codes: list[str]) -> None:
    assert codes_of(intra_state(), supplier(**facts)) == codes


@pytest.mark.parametrize(
    ("status", "codes"), [("ACT", []), ("SUS", []), ("PRO", []), ("INA", ["3029"]), ("CNL", ["3029"])]
)
def test_a_ship_to_party_must_be_active(status: str, codes: list[str]) -> None:
    document = intra_state() | {"ShipDtls": ship_to("29") | {"Gstin": BUYER_IN_KARNATAKA, "Pin": 560001}}
    parties = [
        Taxpayer(gstin=SELLER),
        Taxpayer(gstin=BUYER_IN_STATE),
        Taxpayer(gstin=BUYER_IN_KARNATAKA, status=status),
    ]

    assert codes_of(document, Taxpayers(listed={party.gstin: party for party in parties})) == codes


@pytest.mark.parametrize("kind", ["COM", "ISD", "TDS", "TCS", "UNB"])
def test_only_regular_taxpayers_and_developers_supply(kind: str) -> None:
    assert codes_of(intra_state(), supplier(kind=kind)) == ["2300"]


def test_a_casual_taxpayer_supplies() -> None:
    assert codes_of(intra_state(), supplier(kind="CTP")) == []


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("3076", {"status": "INA"}),
        ("3079", {"registered_on": date(2026, 11, 21)}),
        ("3077", {"status": "CNL", "registered_on": date(2026, 11, 21), "deregistered_on": date(2026, 11, 22)}),
        ("3074", {"status": "CNL", "deregistered_on": date(2026, 11, 19)}),
        ("3075", {"status": "CNL"}),
        ("3078", {"status": "CNL", "registered_on": None, "deregistered_on": date(2026, 11, 21)}),
    ],
)
def test_a_recipient_is_judged_by_the_day_of_the_document(code: str, facts: dict[str, Any]) -> None:
    assert codes_of(intra_state(), listing(BUYER_IN_STATE, **facts)) == [code]


def test_a_suspended_recipient_may_still_be_supplied_and_one_cancelled_later_too() -> None:
    later = {"status": "CNL", "deregistered_on": date(2026, 11, 20)}

    assert codes_of(intra_state(), listing(BUYER_IN_STATE, status="SUS")) == []
    assert codes_of(intra_state(), listing(BUYER_IN_STATE, **later)) == []


def test_a_unit_in_a_sez_makes_no_e_invoices_but_who_develops_one_does() -> None:
    assert codes_of(inter_state(), supplier(kind="SEZ")) == ["2231"]
    assert codes_of(inter_state(), supplier(kind="SED")) == []


@pytest.mark.parametrize("kind", ["SED", "SEZD"])
def test_what_a_sez_developer_supplies_always_bears_igst(kind: str) -> None:
    assert set(codes_of(intra_state(), supplier(kind=kind))) == {"2174", "2235"}


@pytest.mark.parametrize(
    ("crore", "today", "late"),
    [
        ("10", date(2025, 4, 30), False),  # dated 1 April 2025: the advisory's own example
        ("10", date(2025, 5, 1), True),
        ("9.99", date(2025, 5, 1), False),
        ("10", date(2025, 3, 31), False),
    ],
)
def test_who_turns_over_ten_crore_reports_within_thirty_days(crore: str, today: date, late: bool) -> None:
    document = changed(intra_state(), {"DocDtls.Dt": "01/04/2025" if today.month > 3 else "01/01/2025"})

    codes = codes_of(document, supplier(turnover_crore=Decimal(crore)), today=today)

    assert codes == ["2305"] * late


def test_four_digits_of_hsn_are_enough_up_to_five_crore() -> None:
    document = changed(intra_state(), {"ItemList[0].HsnCd": "8471"})

    assert codes_of(document, supplier(turnover_crore=Decimal(5))) == []
    assert codes_of(document, supplier(turnover_crore=Decimal("5.01"))) == ["2176"]


def test_an_operator_invoices_for_a_supplier_but_no_supplier_names_one() -> None:
    document = changed(intra_state(), {"TranDtls.EcmGstin": OPERATOR})

    assert codes_of(document, caller=OPERATOR) == []
    assert codes_of(document) == ["2224"]


def test_a_buyer_that_the_list_puts_in_a_sez_wants_a_sez_supply() -> None:
    in_sez = listing(BUYER_IN_STATE, kind="SEZ")

    assert codes_of(to_sez(), in_sez) == []
    assert codes_of(intra_state(), in_sez) == ["2246"]
    assert codes_of(intra_state(), listing(BUYER_IN_STATE, kind="SED")) == ["2246"]
    assert codes_of(to_sez(), listing(BUYER_IN_STATE)) == ["2247"]


def test_each_breach_is_said_once_for_every_line_that_has_it() -> None:
    document = changed(intra_state(), {"ItemList[0].GstRt": 17, "ItemList[1].GstRt": 17})

    errors = breaches(case_of(document, today=TODAY, taxpayers=Taxpayers()))

    assert [error["ErrorMessage"] for error in errors if error["ErrorCode"] == "2240"] == [
        "Invalid GST rate for HSN -84713010",
        "Invalid GST rate for HSN -998313",
    ]


def test_several_broken_rules_are_told_together() -> None:
    document = changed(intra_state(), {"DocDtls.Dt": "23/11/2026", "BuyerDtls.Pin": None, "ValDtls.AssVal": 1})

    assert codes_of(document) == ["2244", "2163", "2182"]


def test_every_rule_has_a_document_here_that_breaks_it() -> None:
    broken = {code for code, _, _ in BROKEN + BROKEN_WITH_OTHERS + HELD} | CODES_OF_TAXPAYERS

    assert {rule.code for rule in RULES} == broken


@pytest.mark.parametrize(
    ("calculated", "low", "high"),
    [
        ("2345.34", "2344.00", "2347.00"),
        ("2345.04", "2344.00", "2347.00"),
        ("10241.00", "10240.00", "10242.00"),
        ("10241.61", "10240.00", "10243.00"),
    ],
)
def test_the_tolerance_is_the_published_one(calculated: str, low: str, high: str) -> None:
    paisa = Decimal("0.01")

    assert agrees(Decimal(low), Decimal(calculated))
    assert agrees(Decimal(high), Decimal(calculated))
    assert not agrees(Decimal(low) - paisa, Decimal(calculated))
    assert not agrees(Decimal(high) + paisa, Decimal(calculated))
