"""Tokens: who gets one, how long it lives, who is locked out."""

import base64
import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from irnflow.sandbox.identity import Identity
from irnflow.sandbox.portal import Sandbox
from irnflow.sandbox.register import Register
from irnflow.sandbox.switches import Order
from irnflow.sandbox.taxpayers import Taxpayer, Taxpayers
from tests.sandbox.client import APP_KEY, Client, codes
from tests.sandbox.conftest import NOW, counted
from tests.sandbox.documents import BUYER_IN_KARNATAKA, BUYER_IN_STATE, SELLER, intra_state

# -- login -----------------------------------------------------------------------------------------------------------


def test_a_login_names_its_members_in_any_case(client: Client) -> None:
    plain = {"username": client.username, "PASSWORD": client.password, "Appkey": base64.b64encode(APP_KEY).decode()}
    key = load_pem_public_key(client.sandbox.identity.auth_public_file.read_bytes())
    assert isinstance(key, rsa.RSAPublicKey)
    sealed = base64.b64encode(key.encrypt(base64.b64encode(json.dumps(plain).encode()), PKCS1v15())).decode()

    assert client.envelope("POST", "/eivital/v1.04/auth", {"DATA": sealed})["Status"] == 1


def test_a_login_gives_a_token_for_an_hour_in_indian_time(stranger: Client) -> None:
    data = stranger.log_in()["Data"]

    assert data["TokenExpiry"] == "2026-11-22 16:08:39"
    assert data["ClientId"] == stranger.headers["client_id"]
    assert data["UserName"] == stranger.username
    assert len(stranger.sek) == 32


def test_a_second_login_gives_the_same_token_and_key_under_the_new_app_key(client: Client) -> None:
    token, sek = client.headers["AuthToken"], client.sek
    other_app_key = base64.b64encode(APP_KEY[::-1]).decode()

    data = client.ask_to_log_in(AppKey=other_app_key)["Data"]
    client.log_in()

    assert data["AuthToken"] == token
    assert client.sek == sek


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("client_id", "", "1011"),
        ("client_secret", "", "1012"),
        ("client_id", "somebody", "1010"),
        ("client_secret", "guessed", "1010"),
        ("Gstin", "", "1004"),
        ("Gstin", "27AAPFU0939F1ZX", "3030"),
    ],
)
def test_a_login_with_wrong_headers_is_refused(stranger: Client, header: str, value: str, code: str) -> None:
    stranger.headers[header] = value

    assert codes(stranger.ask_to_log_in()) == [code]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"UserName": ""}, "1006"),
        ({"UserName": "somebody"}, "1017"),
        ({"Password": "guessed"}, "1019"),
        ({"Password": None}, "1019"),
        ({"AppKey": "no base64"}, "1016"),
        ({"AppKey": base64.b64encode(bytes(16)).decode()}, "1016"),
    ],
)
def test_a_login_with_wrong_words_is_refused(stranger: Client, changes: dict[str, Any], code: str) -> None:
    assert codes(stranger.ask_to_log_in(**changes)) == [code]


def test_a_login_under_another_public_key_cannot_be_decrypted(stranger: Client) -> None:
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()

    assert codes(stranger.ask_to_log_in(key=foreign)) == ["1020"]


def test_headers_are_also_taken_with_hyphens(stranger: Client) -> None:
    stranger.headers = {name.replace("_", "-"): value for name, value in stranger.headers.items()}

    assert stranger.ask_to_log_in()["Status"] == 1


def test_a_user_may_be_kept_to_some_taxpayers(identity: Identity, register: Register) -> None:
    kept = msgspec.structs.replace(identity.credentials, gstins=[SELLER])
    sandbox = Sandbox(
        identity=msgspec.structs.replace(identity, credentials=kept),
        register=register, taxpayers=Taxpayers(), random_bytes=counted(),
    )  # fmt: skip

    assert Client(sandbox, now=NOW).ask_to_log_in()["Status"] == 1
    assert codes(Client(sandbox, now=NOW, gstin=BUYER_IN_STATE).ask_to_log_in()) == ["1015"]


def test_an_inactive_taxpayer_does_not_get_in(identity: Identity, register: Register) -> None:
    taxpayers = Taxpayers(listed={SELLER: Taxpayer(gstin=SELLER, status="INA")})
    sandbox = Sandbox(identity=identity, register=register, taxpayers=taxpayers, random_bytes=counted())

    assert codes(Client(sandbox, now=NOW).ask_to_log_in()) == ["1014"]


# -- sessions --------------------------------------------------------------------------------------------------------


def test_a_call_without_login_is_refused(stranger: Client) -> None:
    assert codes(stranger.by_irn("0" * 64)) == ["1005"]


def test_a_token_runs_out(client: Client) -> None:
    client.wait(minutes=59, seconds=59)
    assert codes(client.by_irn("0" * 64)) == ["2148"]

    client.wait(seconds=1)
    assert codes(client.by_irn("0" * 64)) == ["1005"]

    client.log_in()
    assert codes(client.by_irn("0" * 64)) == ["2148"]


def test_a_revoked_token_is_refused_until_the_next_login(client: Client) -> None:
    client.sandbox.obey(Order(revoke_tokens=True))
    assert codes(client.generate(intra_state())) == ["1005"]

    client.log_in()
    assert client.generate(intra_state())["Status"] == 1


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [("user_name", "somebody", "1005"), ("Gstin", BUYER_IN_KARNATAKA, "1015"), ("client_secret", "guessed", "1010")],
)
def test_a_token_with_other_headers_is_refused(client: Client, header: str, value: str, code: str) -> None:
    client.headers[header] = value

    assert codes(client.by_irn("0" * 64)) == [code]


# -- locked out ------------------------------------------------------------------------------------------------------


def test_after_five_wrong_passwords_the_right_one_does_not_help_for_half_an_hour(stranger: Client) -> None:
    wrong = [codes(stranger.ask_to_log_in(Password="guessed")) for _ in range(5)]

    assert wrong == [["1019"]] * 5
    assert codes(stranger.ask_to_log_in()) == ["3025"]

    stranger.wait(minutes=30)
    assert stranger.ask_to_log_in()["Status"] == 1


def test_who_is_logged_in_already_goes_on_while_the_user_is_locked(client: Client) -> None:
    for _ in range(5):
        client.ask_to_log_in(Password="guessed")

    assert client.generate(intra_state())["Status"] == 1


# -- life ------------------------------------------------------------------------------------------------------------


def test_the_life_of_tokens_is_a_switch(stranger: Client) -> None:
    stranger.sandbox.obey(Order(limits={"token_life_s": 360 * 60}))

    assert stranger.log_in()["Data"]["TokenExpiry"] == "2026-11-22 21:08:39"


def test_a_refresh_is_heeded_in_the_last_ten_minutes_only(client: Client) -> None:
    first = client.headers["AuthToken"]

    client.wait(minutes=49)
    early = client.log_in(ForceRefreshAccessToken=True)["Data"]["AuthToken"]
    client.wait(minutes=1)
    late = client.log_in(ForceRefreshAccessToken=True)["Data"]["AuthToken"]

    assert (early == first, late == first) == (True, False)
    assert client.generate(intra_state())["Status"] == 1


@pytest.mark.parametrize(("status", "code"), [("SUS", []), ("CNL", ["1014"]), ("INA", ["1014"])])
def test_a_suspended_taxpayer_may_log_in_and_a_cancelled_one_not(
    identity: Identity, register: Register, status: str, code: list[str]
) -> None:
    taxpayers = Taxpayers(listed={SELLER: Taxpayer(gstin=SELLER, status=status)})
    sandbox = Sandbox(identity=identity, register=register, taxpayers=taxpayers, random_bytes=counted())

    assert codes(Client(sandbox, now=NOW).ask_to_log_in()) == code
