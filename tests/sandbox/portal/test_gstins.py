"""What the portal's master says of taxpayers, before and after it asked the common portal."""

import pytest

from irnflow.sandbox.identity import Identity
from irnflow.sandbox.portal import Sandbox
from irnflow.sandbox.register import Register
from irnflow.sandbox.switches import Order
from irnflow.sandbox.taxpayers import Taxpayer, Taxpayers
from tests.sandbox.client import Client, codes
from tests.sandbox.conftest import NOW, counted
from tests.sandbox.documents import BUYER_IN_KARNATAKA, BUYER_IN_STATE, SELLER, inter_state, intra_state

DETAILS = "/eivital/v1.03/Master/gstin/"
SYNC = "/eivital/v1.04/Master/syncgstin/"


def client_among(identity: Identity, register: Register, *taxpayers: Taxpayer) -> Client:
    """A logged-in client where only these exist."""
    listed = Taxpayers(listed={each.gstin: each for each in (Taxpayer(gstin=SELLER), *taxpayers)})
    sandbox = Sandbox(identity=identity, register=register, taxpayers=listed, random_bytes=counted())
    client = Client(sandbox, now=NOW)
    client.log_in()
    return client


@pytest.mark.parametrize("path", [DETAILS, SYNC])
def test_the_master_tells_of_a_taxpayer(client: Client, path: str) -> None:
    data = client.get(path + BUYER_IN_KARNATAKA)["Data"]

    assert (data["Gstin"], data["StateCode"], data["Status"], data["BlkStatus"]) == (BUYER_IN_KARNATAKA, 29, "ACT", "U")


def test_only_the_newer_version_tells_the_days_of_registration(client: Client) -> None:
    older = client.get(DETAILS + BUYER_IN_KARNATAKA)["Data"]
    newer = client.get(DETAILS.replace("1.03", "1.04") + BUYER_IN_KARNATAKA)["Data"]

    assert not older.keys() & {"DtReg", "DtDReg"}
    assert newer == older | {"DtReg": "2017-07-01", "DtDReg": None}


def test_a_gstin_that_cannot_be_is_refused(client: Client) -> None:
    assert codes(client.get(DETAILS + "27AAPFU0939F1ZX")) == ["3028"]


def test_a_gstin_that_the_master_does_not_have_is_not_available(identity: Identity, register: Register) -> None:
    client = client_among(identity, register)

    assert codes(client.get(DETAILS + BUYER_IN_KARNATAKA)) == ["3001"]
    assert codes(client.get(SYNC + BUYER_IN_KARNATAKA)) == ["3001"]


@pytest.mark.parametrize("status", ["ACT", "CNL", "INA", "PRO", "SUS"])
def test_the_status_of_a_taxpayer_is_told(identity: Identity, register: Register, status: str) -> None:
    client = client_among(identity, register, Taxpayer(gstin=BUYER_IN_STATE, status=status))

    assert client.get(DETAILS + BUYER_IN_STATE)["Data"]["Status"] == status


@pytest.mark.parametrize("code", ["3001", "3028", "3029"])
def test_a_stale_taxpayer_is_refused_until_it_is_synced(client: Client, code: str) -> None:
    client.sandbox.obey(Order(stale_gstins={BUYER_IN_KARNATAKA: code}))  # type: ignore[dict-item]

    assert codes(client.generate(inter_state())) == [code]
    assert codes(client.get(DETAILS + BUYER_IN_KARNATAKA)) == [code]

    assert client.get(SYNC + BUYER_IN_KARNATAKA)["Data"]["Status"] == "ACT"
    assert client.get(DETAILS + BUYER_IN_KARNATAKA)["Status"] == 1
    assert client.generate(inter_state())["Status"] == 1


def test_a_stale_ship_to_party_is_refused_until_it_is_synced(client: Client) -> None:
    depot = {"LglNm": "Depot", "Addr1": "1 Dock Road", "Loc": "Mumbai", "Pin": 400001, "Stcd": "27"}
    document = inter_state() | {"ShipDtls": depot | {"Gstin": BUYER_IN_STATE}}
    client.sandbox.obey(Order(stale_gstins={BUYER_IN_STATE: "3029"}))

    assert codes(client.generate(document)) == ["3029"]

    client.get(SYNC + BUYER_IN_STATE)

    assert client.generate(document)["Status"] == 1


def test_the_rules_on_hold_are_applied_while_the_switch_says_so(client: Client) -> None:
    depot = {"LglNm": "Depot", "Addr1": "1 Dock Road", "Loc": "Mumbai", "Pin": 400001, "Stcd": "27"}
    document = inter_state() | {"ShipDtls": depot | {"Gstin": BUYER_IN_KARNATAKA}}
    client.sandbox.obey(Order(held_rules=True))

    assert codes(client.generate(document)) == ["2323", "2325", "2245"]

    client.sandbox.obey(Order(held_rules=False))

    assert client.generate(document)["Status"] == 1


def test_syncing_one_leaves_the_others_stale(client: Client) -> None:
    client.sandbox.obey(Order(stale_gstins={BUYER_IN_STATE: "3029", BUYER_IN_KARNATAKA: "3028"}))

    client.get(SYNC + BUYER_IN_KARNATAKA)

    assert codes(client.generate(intra_state())) == ["3029"]


def test_a_taxpayer_blocked_by_a_switch_is_told_as_blocked(client: Client) -> None:
    client.sandbox.obey(Order(blocked_gstins=[BUYER_IN_KARNATAKA]))

    assert client.get(DETAILS + BUYER_IN_KARNATAKA)["Data"]["BlkStatus"] == "B"
