"""What switches do to calls, and what is no call at all."""

import base64
import json
from datetime import timedelta

import msgspec
import pytest

from irnflow.sandbox.codes import TEXTS
from irnflow.sandbox.identity import Identity
from irnflow.sandbox.limits import Limits
from irnflow.sandbox.portal import Answer, Sandbox
from irnflow.sandbox.register import Register
from irnflow.sandbox.switches import Failure, Order
from irnflow.sandbox.taxpayers import Taxpayers
from tests.sandbox.client import Client, codes, to_json
from tests.sandbox.conftest import NOW, counted
from tests.sandbox.documents import SELLER, inter_state, intra_state

DOCUMENT = "/eicore/v1.03/Invoice"


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


# -- lost and spoilt answers -----------------------------------------------------------------------------------------


def register_one(client: Client) -> Answer:
    """The raw answer to a call that registers INV-9."""
    return client.call("POST", DOCUMENT, json.dumps({"Data": client.sealed(to_json(inter_state("INV-9")))}).encode())


@pytest.mark.parametrize(
    "failure",
    [
        Failure(hang_up=True, after_commit=True),
        Failure(reset=True, after_commit=True),
        Failure(http_status=504, html=True, delay_s=29, after_commit=True),
        Failure(code="5001", after_commit=True),
        Failure(cut=True),
        Failure(garble=True),
    ],
)
def test_the_call_was_done_although_its_answer_says_nothing(client: Client, failure: Failure) -> None:
    client.sandbox.obey(Order(fail_next=failure))

    register_one(client)

    assert client.by_document("INV-9")["Status"] == 1


@pytest.mark.parametrize(
    "failure",
    [
        Failure(hang_up=True),
        Failure(reset=True),
        Failure(http_status=502, html=True),
        Failure(http_status=504, delay_s=29),
        Failure(code="2147"),
    ],
)
def test_the_call_was_not_done(client: Client, failure: Failure) -> None:
    client.sandbox.obey(Order(fail_next=failure))

    register_one(client)

    assert codes(client.by_document("INV-9")) == ["2154"]


def test_a_gateway_answers_with_its_own_page_and_when_to_come_back(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(http_status=503, html=True, retry_after_s=7, delay_s=2)))

    answer = register_one(client)

    assert (answer.status, answer.latency_s) == (503, 2)
    assert answer.headers == {"content-type": "text/html", "retry-after": "7"}
    assert b"<h1>503</h1>" in answer.body


def test_a_cut_answer_promises_more_than_it_has(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(cut=True)))

    answer = register_one(client)

    assert answer.bytes_promised in (2 * len(answer.body), 2 * len(answer.body) + 1)


def test_a_garbled_answer_is_no_number_of_blocks(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(garble=True)))

    envelope = json.loads(register_one(client).body)

    assert envelope["Status"] == 1
    assert len(base64.b64decode(envelope["Data"])) % 16


def test_a_late_answer_is_honest(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(delay_s=3)))

    answer = register_one(client)

    assert (answer.latency_s, json.loads(answer.body)["Status"]) == (3, 1)


def test_a_failure_of_one_taxpayer_leaves_its_neighbour_alone(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(call="by_irn", n=9, gstin=SELLER, code="5001")))

    assert codes(client.by_irn("0" * 64)) == ["5001"]
    assert codes(client.neighbour().by_irn("0" * 64)) == ["2148"]


def test_one_portal_can_be_down_alone(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(call="any", n=9, portal="NIC1", http_status=503)))

    assert register_one(client.at("NIC1")).status == 503
    assert client.at("NIC2").generate(intra_state())["Status"] == 1


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_any_code_of_the_portal_can_be_had(client: Client, code: str) -> None:
    client.sandbox.obey(Order(fail_next=Failure(call="by_irn", code=code)))

    assert codes(client.by_irn("0" * 64)) == [code]


# -- blocked ---------------------------------------------------------------------------------------------------------


def test_a_taxpayer_of_too_many_errors_is_blocked_after_the_grace(client: Client) -> None:
    client.sandbox.obey(Order(limits={"gstin_errors_max": 2, "block_grace_s": 60}))
    for _ in range(3):
        client.by_irn("0" * 64)

    assert client.generate(intra_state())["Status"] == 1
    client.wait(seconds=60)
    assert codes(client.generate(intra_state("INV-2"))) == ["3065"]
    assert codes(client.ask_to_log_in()) == ["3065"]
    assert client.neighbour().get(f"/eivital/v1.03/Master/gstin/{SELLER}")["Data"]["BlkStatus"] == "B"


def test_refusals_that_a_switch_made_count_as_errors(client: Client) -> None:
    client.sandbox.obey(Order(fail_next=Failure(n=3, code="2146")))

    for _ in range(3):
        client.generate(intra_state())

    assert client.sandbox.errors == {SELLER: 3}


def test_a_switch_blocks_a_taxpayer_at_once(client: Client) -> None:
    client.sandbox.obey(Order(blocked_gstins=[SELLER]))
    assert codes(client.generate(intra_state())) == ["3065"]

    client.sandbox.obey(Order(blocked_gstins=[]))
    assert client.generate(intra_state())["Status"] == 1


def test_a_reset_forgets_errors_locks_and_limits(client: Client) -> None:
    client.sandbox.obey(Order(limits={"gstin_errors_max": 0, "block_grace_s": 0}))
    client.by_irn("0" * 64)

    client.sandbox.reset()
    client.log_in()

    assert client.generate(intra_state())["Status"] == 1


def test_errors_are_written_as_a_switch_says(client: Client) -> None:
    client.sandbox.obey(Order(errors_as="base64"))

    envelope = client.by_irn("0" * 64)

    assert envelope["Status"] == "0"
    assert json.loads(base64.b64decode(envelope["ErrorDetails"]))[0]["ErrorCode"] == "2148"
