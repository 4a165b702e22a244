"""Who is who: every type and standing of a party, in every role, before irnflow's rules and the sandbox's."""

from datetime import date
from itertools import product
from typing import Any

import pytest

from irnflow.gst.facts import Facts, Registration, Status, TaxpayerType
from tests.agreement.judges import Document, judge
from tests.gst.documents import (
    BETWEEN,
    CUSTOMER,
    DAY,
    DEEMED_EXPORT,
    NEIGHBOUR,
    REVERSE_CHARGE,
    SELLER,
    SEZ_PAID,
    SEZ_UNPAID,
    SHIPPED,
    WITHIN,
)

DEPOT = SHIPPED["ShipDtls"]["Gstin"]
SUPPLIES = {
    "within a state": WITHIN, "between states": BETWEEN, "reverse charge": REVERSE_CHARGE, "shipped": SHIPPED,
    "deemed export": DEEMED_EXPORT, "to a zone": SEZ_PAID, "to a zone without payment": SEZ_UNPAID,
}  # fmt: skip
DATED = date(2026, 11, 20)  # of these documents
DAYS = (None, date(2017, 7, 1), DATED, date(2026, 11, 21))


def differences(document: Document, gstin: str, **details: Any) -> list[str]:
    facts = Facts(day=DAY, registrations={gstin: Registration(**details)})
    return judge(document, facts).differences


@pytest.mark.parametrize("document", SUPPLIES.values(), ids=SUPPLIES)
@pytest.mark.parametrize(
    "role", [SELLER, CUSTOMER, NEIGHBOUR, DEPOT], ids=["supplier", "buyer", "neighbour", "ship-to"]
)
def test_both_say_the_same_of_every_type_of_taxpayer(document: Document, role: str) -> None:
    kinds = [*TaxpayerType, "SEZD"]

    found = {kind: differences(document, role, kind=kind) for kind in kinds}

    assert {kind: said for kind, said in found.items() if said} == {}


@pytest.mark.parametrize("document", [WITHIN, SHIPPED], ids=["within a state", "shipped"])
@pytest.mark.parametrize(
    "role", [SELLER, CUSTOMER, NEIGHBOUR, DEPOT], ids=["supplier", "buyer", "neighbour", "ship-to"]
)
def test_both_say_the_same_of_every_standing_of_a_party(document: Document, role: str) -> None:
    standings = product(Status, DAYS, DAYS)

    found = {
        (status, since, until): differences(document, role, status=status, since=since, until=until)
        for status, since, until in standings
    }

    assert {standing: said for standing, said in found.items() if said} == {}


@pytest.mark.parametrize(
    "number",
    ["29AAACT1234A1D6", "29BLRE12345A1DJ", "29ZZZCO6666F1CO", "2917USA00012UNO", "29BLRE12345A1Z5", "2917ABC00012NRP"],
)
def test_both_say_the_same_of_every_form_of_a_suppliers_number(number: str) -> None:
    document = BETWEEN | {"SellerDtls": BETWEEN["SellerDtls"] | {"Gstin": number}}

    assert judge(document, Facts(day=DAY)).differences == []
