"""Each way to fail that the sample has not, through real processes: a person is told why, and can go on."""

from typing import Any

import aiormq
import pytest

from irnflow.settings import SERVICES
from tests.flow.conftest import Flow

pytestmark = [
    pytest.mark.xdist_group("flow"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
]


async def failures(flow: Flow, batch_no: str) -> list[tuple[str, str]]:
    """Stage and cause of each that is open."""
    await flow.quiet()
    groups = (await flow.api("GET", "/api/v1/failures", params={"batch_no": batch_no}))["groups"]
    return [(group["stage"], group["cause"]) for group in groups]


async def test_what_the_portal_refuses_fails_with_its_code_and_the_same_is_not_sent_to_it_again(flow: Flow) -> None:
    ids = flow.synthetic(1)
    await flow.desk("POST", "switches", json={"fail_next": {"call": "generate", "code": "2172"}})

    batch_no = await flow.submit(ids)
    counts = await flow.settled(batch_no)

    assert counts == {"GENERATION_FAILED": 1}
    assert await failures(flow, batch_no) == [("registration", "portal.2172")]
    calls = (await flow.desk("GET", "register"))["calls"]["generate"]
    again = await flow.api("POST", "/api/v1/retries", json={"batch_no": batch_no})
    assert await flow.settled(again["batch_no"]) == {"GENERATION_FAILED": 1}
    assert (await flow.desk("GET", "register"))["calls"]["generate"] == calls
    await flow.agrees()


async def test_books_that_have_another_irn_are_left_alone_and_a_person_is_told(flow: Flow) -> None:
    (voucher,) = flow.synthetic(1)
    await flow.settled(await flow.submit([voucher]))
    [row] = await flow.rows("select irn from books.voucher where voucher_id = $1::text", voucher)
    marked = "update books.voucher set irn = $2::text where voucher_id = $1::text"
    await flow.rows(marked, voucher, "f" * 64)

    batch_no = await flow.submit([voucher])
    counts = await flow.settled(batch_no)

    assert counts == {"BOOKS_FAILED": 1}
    assert await failures(flow, batch_no) == [("database_update", "books.other_irn")]
    await flow.rows(marked, voucher, row["irn"])
    again = await flow.api("POST", "/api/v1/retries", json={"batch_no": batch_no})
    assert await flow.settled(again["batch_no"]) == {"REGISTERED": 1}
    await flow.agrees()


async def test_a_message_that_nobody_can_read_is_buried_and_its_neighbours_go_on(flow: Flow) -> None:
    connection = await aiormq.connect(flow.deployed.broker.amqp_url)
    channel = await connection.channel()
    buried = "select count(*)::int as n from irnflow.dead_letter"
    [before] = await flow.rows(buried)

    await channel.basic_publish(b"{not json", exchange="direct_exchange", routing_key="fetch.data")
    batch_no = await flow.submit(flow.synthetic(5))

    assert await flow.settled(batch_no) == {"REGISTERED": 5}
    assert await flow.until(flow.rows, buried, lambda rows: rows[0]["n"] > before["n"])
    await connection.close()
    await flow.agrees()


async def test_a_trouble_that_passes_costs_a_turn_on_the_ladder_and_the_voucher_is_registered(flow: Flow) -> None:
    connection = await aiormq.connect(flow.deployed.broker.amqp_url)
    channel = await connection.channel()
    ladder = str((await channel.queue_declare(exclusive=True)).queue)
    await channel.queue_bind(ladder, "retry.5s")
    (voucher,) = flow.synthetic(1)

    with flow.stumbling(f"passing {voucher}"):
        batch_no = await flow.submit([voucher])
        counts = await flow.settled(batch_no)

    copy = await channel.basic_get(ladder, no_ack=True)
    headers = copy.header.properties.headers or {}
    assert (copy.header.properties.correlation_id, copy.routing_key) == (voucher, "data_queue")
    assert (headers["attempt"], headers["last_error"]) == (1, "Transient: busy for a moment")
    assert counts == {"REGISTERED": 1}
    await connection.close()
    await flow.agrees()


async def test_a_poison_voucher_is_isolated_from_its_micro_batch_and_can_be_sent_again_when_mended(flow: Flow) -> None:
    vouchers = flow.synthetic(20)
    poison = vouchers[7]

    with flow.stumbling(f"defect {poison}"):
        batch_no = await flow.taken_at_once("validation", vouchers, came_to="DATA_FETCHED")
        counts = await flow.settled(batch_no)

    assert counts == {"REGISTERED": 19, "DEAD_LETTERED": 1}
    assert (await flow.states(batch_no))[poison] == "DEAD_LETTERED"
    [size] = [line["size"] for line in flow.lines("validation") if poison in dead(line)]
    assert size == 20
    assert await failures(flow, batch_no) == [("validation", "dead_letter.defect")]
    [row] = await flow.rows("select says from irnflow.failure where transaction_id = $1::text", poison)
    assert row["says"] == "validation gave up: ZeroDivisionError: nobody foresaw this."
    again = await flow.api("POST", "/api/v1/retries", json={"batch_no": batch_no})
    assert await flow.settled(again["batch_no"]) == {"REGISTERED": 1}
    await flow.agrees()


def dead(line: dict[str, Any]) -> list[str]:
    """The dead of a micro-batch that the line is about."""
    batches = line["transactions"].get("dead", {}) if line["event"] == "batch" else {}
    return [transaction_id for ids in batches.values() for transaction_id in ids]


@pytest.mark.parametrize("path", ["healthz", "readyz", "metrics"])
async def test_each_service_says_how_it_is(flow: Flow, path: str) -> None:
    said = {name: await flow.probe(name, path) for name in SERVICES}

    assert {name: status for name, (status, _) in said.items()} == dict.fromkeys(SERVICES, 200)
    assert all(text for _, text in said.values())
