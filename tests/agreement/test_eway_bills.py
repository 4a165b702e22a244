"""How goods travel: every form of a number, by every mode, before irnflow's rules and the sandbox's."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from irnflow.gst.facts import Facts
from tests.agreement.judges import Judged, judge
from tests.gst.documents import DAY, EXPORT_PAID, SHIPPED, WITHIN, changed

VEHICLES = [
    "KA011234", "KA01A1234", "KA01AB1234", "KA01ABC1234", "KA123A1234", "ABC1234", "DL01AB0123", "22BH1234AA",
    "22BH1234A", "DF12345", "DF1234", "TM123456", "TR1234567", "TR01AB1234", "BP1A2345", "NP12CHA345", "NPX", "ABCD",
    "1234", "X1Y2", "DL1AB123", "KA01AB123", "QQ01AB1234", "KA01ABCD1234", "ka01ab1234", "KA1234A1234", "12345678",
]  # fmt: skip
DOCUMENTS = [
    "PNZM2020-307306", "PNZM2020307306", "PG2020307306", "FSJWT123456789", "fsjwt123456789", "L123456789", "RR/204417",
    "123456789", "FSJWT12345678", "PNZM307306", "P2020-307306", "L12345678", "L1234567890", "FSJWTXY123456789",
]  # fmt: skip
TRANSPORTERS = [
    "29ZZZCR2222B1Z6", "29ZZZCR2222B1Z7", "88AAACD8017H1ZX", "29AAFCA7488L1Z0", "29ZZZCO6666F1CO", "29AAACT1234A1D6",
    "29BLRE12345A1Z5", "290000000000000", "ABAAACD8017H1ZX",
]  # fmt: skip


def judged(details: dict[str, Any], document: dict[str, Any] = SHIPPED, day: date = DAY) -> Judged:
    return judge(document | {"EwbDtls": details}, Facts(day=day, turnover_crore=Decimal(8)))


@pytest.mark.parametrize("mode", ["1", "2", "3", "4", None])
def test_both_say_the_same_of_every_vehicle_number(mode: str | None) -> None:
    details = {
        "TransMode": mode,
        "Distance": 120,
        "VehType": "R",
        "TransDocNo": "L123456789",
        "TransDocDt": "21/11/2026",
    }

    found = {number: judged(details | {"VehNo": number}).differences for number in VEHICLES}

    assert {number: said for number, said in found.items() if said} == {}


@pytest.mark.parametrize("mode", ["1", "2", "3", "4"])
def test_both_say_the_same_of_every_transport_document(mode: str) -> None:
    details = {"TransMode": mode, "Distance": 120, "VehNo": "KA01AB1234", "TransDocDt": "21/11/2026"}

    found = {number: judged(details | {"TransDocNo": number}).differences for number in DOCUMENTS}

    assert {number: said for number, said in found.items() if said} == {}


def test_both_say_the_same_of_every_transporter() -> None:
    found = {number: judged({"Distance": 120, "TransId": number}).differences for number in TRANSPORTERS}

    assert {number: said for number, said in found.items() if said} == {}


@pytest.mark.parametrize("document", [SHIPPED, WITHIN, EXPORT_PAID], ids=["shipped", "within one PIN", "export"])
@pytest.mark.parametrize("dated", ["20/11/2026", "26/05/2026", "25/05/2026", "24/05/2026"])
def test_both_count_180_days_alike(document: dict[str, Any], dated: str) -> None:
    by_road = {"TransMode": "1", "Distance": 60, "VehNo": "KA01AB1234", "VehType": "R"}

    assert judged(by_road, changed(document, {"DocDtls.Dt": dated})).differences == []


@pytest.mark.parametrize("state", ["29", "96", "97"])
@pytest.mark.parametrize("pin", [560001, 999999])
@pytest.mark.parametrize("section", ["DispDtls", "ShipDtls"])
def test_both_say_the_same_of_places_abroad(section: str, pin: int, state: str) -> None:
    place = {
        "Addr1": "1 Quay",
        "Loc": "Quay",
        "Pin": pin,
        "Stcd": state,
        "Nm" if section == "DispDtls" else "LglNm": "Quay",
    }
    by_road = {"TransMode": "1", "Distance": 60, "VehNo": "KA01AB1234", "VehType": "R"}

    for document in (SHIPPED, EXPORT_PAID):
        there = document | {section: place}
        assert judge(there, Facts(day=DAY)).differences == []
        assert judged(by_road, there).differences == []
