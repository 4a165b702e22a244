"""Every voucher of the sample company, through real processes: each comes to what the sample expects of it."""

import pytest

from irnflow.books import sample
from tests.flow.conftest import Flow

pytestmark = [
    pytest.mark.xdist_group("flow"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
]


async def test_every_sample_voucher_fares_as_the_sample_expects(flow: Flow) -> None:
    batch_no = await flow.submit(sample.IDS)

    await flow.settled(batch_no)

    assert await flow.states(batch_no) == {voucher: str(state) for voucher, state in sample.expected().items()}
    await flow.agrees()


async def test_the_same_vouchers_again_give_the_same_irns_and_register_nothing(flow: Flow) -> None:
    first = await flow.submit(sample.IDS)
    await flow.settled(first)
    before = await flow.desk("GET", "register")

    second = await flow.submit(sample.IDS)
    await flow.settled(second)

    assert await flow.states(second) == await flow.states(first)
    assert (await flow.desk("GET", "register"))["counts"] == before["counts"]
    await flow.agrees()


async def test_each_failure_is_on_the_worklist_with_its_cause_and_its_fix(flow: Flow) -> None:
    batch_no = await flow.submit(sample.IDS)
    await flow.settled(batch_no)
    failed = {voucher for voucher, state in (await flow.states(batch_no)).items() if state != "REGISTERED"}

    await flow.quiet()
    worklist = (await flow.api("GET", "/api/v1/failures", params={"batch_no": batch_no}))["groups"]

    assert sum(group["count"] for group in worklist) == len(failed)
    assert all(group["cause"] and group["says"] for group in worklist)


async def test_chosen_failures_are_sent_again_as_a_new_batch(flow: Flow) -> None:
    batch_no = await flow.submit(["no-such-voucher"])
    await flow.settled(batch_no)
    await flow.quiet()

    again = await flow.api("POST", "/api/v1/retries", json={"batch_no": batch_no})

    assert again["transaction_ids"] == ["no-such-voucher"]
    assert await flow.settled(again["batch_no"]) == {"DATA_FETCH_FAILED": 1}


async def test_the_history_of_a_voucher_tells_each_step(flow: Flow) -> None:
    (voucher,) = flow.synthetic(1)
    batch_no = await flow.submit([voucher])
    await flow.settled(batch_no)

    history = await flow.api("GET", f"/api/v1/batches/{batch_no}/history", params={"transaction_id": voucher})

    assert [event["status"] for event in history["events"]] == [
        "DATA_FETCHED", "VALIDATION_SUCCESS", "GENERATION_SUCCESS", "REGISTERED",
    ]  # fmt: skip
