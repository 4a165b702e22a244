"""The calls, in process, by a client that was written from the portal's API pages."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from irnflow.sandbox.identity import Identity
from irnflow.sandbox.limits import Limits
from irnflow.sandbox.portal import Sandbox, irn_of
from irnflow.sandbox.register import Register
from irnflow.sandbox.switches import Failure, Order
from irnflow.sandbox.taxpayers import Taxpayer, Taxpayers
from tests.sandbox.client import APP_KEY, Client, codes, to_json
from tests.sandbox.conftest import NOW, counted
from tests.sandbox.documents import BUYER_IN_KARNATAKA, BUYER_IN_STATE, SELLER, changed, inter_state, intra_state

DOCUMENT = "/eicore/v1.03/Invoice"
PUBLISHED_IRNS = json.loads((Path(__file__).parents[1] / "gst" / "irn_vectors.json").read_text())["vectors"]


def neighbour(client: Client, gstin: str = BUYER_IN_KARNATAKA) -> Client:
    """Another taxpayer at the same portal, logged in."""
    other = Client(client.sandbox, now=client.now, gstin=gstin)
    other.log_in()
    return other


def signed(token: str) -> dict[str, Any]:
    """What a JWS of the portal says."""
    payload = token.split(".")[1]
    data = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["data"]
    content = json.loads(data)
    assert isinstance(content, dict)
    return content


# -- login -----------------------------------------------------------------------------------------------------------


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


# -- generate --------------------------------------------------------------------------------------------------------


def test_a_sound_document_is_registered(client: Client) -> None:
    envelope = client.generate(intra_state())

    data = envelope["Data"]
    assert envelope["Status"] == 1
    assert (envelope["ErrorDetails"], envelope["InfoDtls"]) == (None, None)
    assert data["AckNo"] == 162610000000001
    assert data["Status"] == "ACT"
    assert client.sandbox.register.counts()["active"] == 1


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
    assert codes(neighbour(client).generate(intra_state())) == ["2169"]


def test_the_operator_of_an_e_commerce_site_may_register_for_its_suppliers(client: Client) -> None:
    operator = "29ZZZCO6666F1CO"  # who collects tax at source
    document = changed(intra_state(), {"TranDtls.EcmGstin": operator})

    assert neighbour(client, operator).generate(document)["Status"] == 1


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


def test_an_e_way_bill_is_not_made_yet_and_the_answer_says_so(client: Client) -> None:
    envelope = client.generate(intra_state() | {"EwbDtls": {"Distance": 100}})

    assert envelope["Data"]["EwbNo"] is None
    assert [info["InfCd"] for info in envelope["InfoDtls"]] == ["EWBERR"]


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
    other = neighbour(client)

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

    assert codes(neighbour(client).cancel(irn)) == ["2143"]


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


# -- taxpayers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/eivital/v1.03/Master/gstin/", "/eivital/v1.04/Master/syncgstin/"])
def test_the_master_tells_of_a_taxpayer(client: Client, path: str) -> None:
    data = client.get(path + BUYER_IN_KARNATAKA)["Data"]

    assert (data["Gstin"], data["StateCode"], data["Status"], data["BlkStatus"]) == (BUYER_IN_KARNATAKA, 29, "ACT", "U")


def test_a_gstin_that_cannot_be_is_refused(client: Client) -> None:
    assert codes(client.get("/eivital/v1.03/Master/gstin/27AAPFU0939F1ZX")) == ["3028"]


def test_a_gstin_that_the_master_does_not_have_is_not_available(identity: Identity, register: Register) -> None:
    taxpayers = Taxpayers(listed={SELLER: Taxpayer(gstin=SELLER)})
    client = Client(Sandbox(identity=identity, register=register, taxpayers=taxpayers, random_bytes=counted()), now=NOW)
    client.log_in()

    assert codes(client.get(f"/eivital/v1.03/Master/gstin/{BUYER_IN_KARNATAKA}")) == ["3001"]


# -- switches --------------------------------------------------------------------------------------------------------


def test_a_switched_failure_answers_its_code_and_does_nothing(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(n=2, code="2146")))

    outcomes = [codes(client.generate(intra_state())) for _ in range(3)]

    assert outcomes == [["2146"], ["2146"], []]
    assert client.sandbox.register.counts()["duplicates"] == 0


def test_a_switched_failure_can_be_of_http(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(call="by_irn", http_status=503)))

    answer = client.call("GET", f"/eicore/v1.03/Invoice/irn/{'0' * 64}")

    assert answer.status == 503
    assert client.generate(intra_state())["Status"] == 1


def test_a_dropped_answer_is_lost_after_the_document_was_registered(client: Client) -> None:
    client.sandbox.obey(Order(drop_answer_after_commit=1))
    body = json.dumps({"Data": client.sealed(to_json(inter_state("INV-9")))})

    answer = client.call("POST", DOCUMENT, body.encode())

    assert answer.lost
    assert client.by_document("INV-9")["Status"] == 1
    assert codes(client.generate(inter_state("INV-9"))) == ["2150"]


def test_only_the_answer_to_what_was_registered_is_dropped(client: Client) -> None:
    irn = client.generate(intra_state())["Data"]["Irn"]
    client.sandbox.obey(Order(drop_answer_after_commit=1))

    looked_up = client.call("GET", f"{DOCUMENT}/irn/{irn}")
    refused = client.generate(intra_state())

    assert not looked_up.lost
    assert codes(refused) == ["2150"]
    assert client.sandbox.switches.state.drop_answer_after_commit == 1


def test_above_the_rate_limit_the_answer_is_429_with_retry_after(client: Client) -> None:
    client.sandbox.obey(Order(rate_limit_per_minute=2))

    statuses = [client.call("GET", f"/eicore/v1.03/Invoice/irn/{'0' * 64}").status for _ in range(3)]
    answer = client.call("GET", "/eicore/v1.03/Invoice/irnbydocdetails")

    assert statuses == [200, 200, 429]
    assert answer.headers["retry-after"] == "60"


def test_latency_is_told_to_whoever_sends_the_answer(client: Client) -> None:
    client.sandbox.obey(Order(latency_ms=250))

    assert client.call("GET", "/eicore/v1.03/Invoice/irnbydocdetails").latency_s == 0.25


def test_the_clock_can_be_moved(client: Client) -> None:
    irn = client.generate(intra_state())["Data"]["Irn"]

    client.sandbox.switches.move_clock(timedelta(days=1, seconds=1).total_seconds())
    client.log_in()

    assert codes(client.cancel(irn)) == ["2270"]


def test_after_a_reset_it_is_as_at_the_first_start(client: Client) -> None:
    client.generate(intra_state())
    client.sandbox.obey(Order(latency_ms=5))

    client.sandbox.reset()

    assert codes(client.by_irn("0" * 64)) == ["1005"]
    client.log_in()
    assert client.sandbox.switches.state.latency_ms == 0
    assert client.generate(intra_state())["Data"]["AckNo"] == 162610000000001


# -- the rest --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/"), ("GET", DOCUMENT), ("POST", "/eicore/v1.04/Invoice"), ("DELETE", DOCUMENT)]
)
def test_another_path_or_method_is_404(client: Client, method: str, target: str) -> None:
    assert client.call(method, target).status == 404


def test_limits_are_settings(identity: Identity, register: Register) -> None:
    limits = Limits(token_life_s=60, cancel_s=30, lookback_s=40)
    credentials = msgspec.structs.replace(identity.credentials, limits=limits)
    sandbox = Sandbox(
        identity=msgspec.structs.replace(identity, credentials=credentials),
        register=register, taxpayers=Taxpayers(), random_bytes=counted(),
    )  # fmt: skip
    client = Client(sandbox, now=NOW.replace(microsecond=0))
    client.log_in()
    irn = client.generate(intra_state())["Data"]["Irn"]

    client.wait(seconds=41)

    assert (codes(client.cancel(irn)), codes(client.by_irn(irn))) == (["2270"], ["2283"])
    client.wait(seconds=20)
    assert codes(client.by_irn(irn)) == ["1005"]
