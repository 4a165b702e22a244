"""The accounting sees each disagreement, and none where there is none; on a real PostgreSQL."""

import pytest

from irnflow.messages import State
from irnflow.store import accounting, failures
from irnflow.store.database import Database, Row
from irnflow.store.failures import Failure
from tests.tenant import AT, Tenant, events, later, make_batch

IRN = "a" * 64


@pytest.fixture
async def batch(store: Database, tenant: Tenant) -> Row:
    """A batch that is at rest: a is registered, b refused."""
    made = await make_batch(store, tenant, "a", "b", batch_no="B-1")
    batch_id = made["batch_id"]
    await store.fetch(
        "select irnflow.mark_released(array[$1::bigint], array[1], array[2], $2::timestamptz)", batch_id, AT
    )
    await store.fetch(
        """insert into irnflow.registration
               (irn, account_id, books, voucher_id, gstin, doc_typ, doc_no, doc_dt, state, attempt, digest, batch_id,
                transaction_id, portal, next_at, ack_no, ack_dt, updated_at)
           values ($1::text, $2::bigint, 'surya', 'a', '29AABCT1332L1ZU', 'INV', '1', '22/11/2026', 'ACCEPTED', 1, '',
                   $3::bigint, 'a', 'NIC1', $4::timestamptz, '112610012345678', '', $4::timestamptz)""",
        IRN, tenant.account_id, batch_id, AT,
    )  # fmt: skip
    await store.fetch(
        """insert into irnflow.registration_request
               (batch_id, transaction_id, irn, account_id, batch_no, books, read_digest, digest, payload, valid_on,
                requested_at, told, told_at)
           values ($1::bigint, 'a', $2::text, $3::bigint, 'B-1', 'surya', '', '', '', '2026-11-22', $4::timestamptz,
                   'ACCEPTED', $4::timestamptz)""",
        batch_id, IRN, tenant.account_id, AT,
    )  # fmt: skip
    refused = Failure(
        batch_id=batch_id, transaction_id="b", account_id=tenant.account_id, stage="validation", cause="c", says="",
        fix="", faults=(), attempts=1, message=b"{}", at=AT, failing=State.VALIDATION_FAILED,
    )  # fmt: skip
    await failures.record(store, [refused])
    await events(store, batch_id, {"a": State.DATA_FETCHED, "b": State.VALIDATION_FAILED})
    await events(store, batch_id, {"a": State.REGISTERED}, at=later(seconds=1))
    return made


async def found(store: Database) -> list[tuple[str, bool]]:
    return [(difference.what, difference.at_rest) for difference in await accounting.differences(store)]


async def test_where_all_agree_there_is_no_difference(store: Database, batch: Row) -> None:
    assert await accounting.differences(store) == []


async def test_work_in_flight_is_a_difference_only_at_rest(store: Database, tenant: Tenant) -> None:
    await make_batch(store, tenant, "a", "b", batch_no="B-1")

    assert await found(store) == [("released", True), ("unfinished", True)]


async def test_a_registration_struck_off_after_success_is_no_difference_once_a_person_is_told(
    store: Database, tenant: Tenant, batch: Row
) -> None:
    await store.fetch("update irnflow.registration set state = 'REJECTED'")
    before = await found(store)
    lost = Failure(
        batch_id=batch["batch_id"], transaction_id="a", account_id=tenant.account_id, stage="registration",
        cause="registration.struck_off", says="", fix="", faults=(), attempts=1, message=b"{}", at=later(hours=12),
        failing=State.GENERATION_FAILED,
    )  # fmt: skip

    await failures.record(store, [lost])

    assert (before, await found(store)) == ([("registered", False)], [])


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        ("delete from irnflow.transaction where transaction_id = 'b'", {"intake", "states"}),
        ("update irnflow.batch_count set n = n + 1 where state = 'REGISTERED'", {"counts", "states"}),
        ("delete from irnflow.event where seq = 2", {"events"}),
        ("update irnflow.event set seq = 9 where seq = 2", {"events"}),
        ("update irnflow.state set state = 'GENERATION_SUCCESS' where transaction_id = 'a'",
         {"states", "order", "unfinished", "unseen", "accepted"}),
        ("update irnflow.batch set released = 1", {"released"}),
        ("update irnflow.registration_request set tell_at = requested_at", {"untold"}),
        ("update irnflow.registration_request set told = null", {"untold"}),
        ("delete from irnflow.registration_request", {"accepted", "registered"}),
        ("update irnflow.registration set state = 'UNKNOWN'", {"registered"}),
        ("delete from irnflow.failure", {"failed"}),
    ],
)  # fmt: skip
async def test_each_harm_is_seen(store: Database, batch: Row, harm: str, expected: set[str]) -> None:
    await store.fetch(harm)

    assert {what for what, _ in await found(store)} == expected


async def test_a_difference_says_where_it_is(store: Database, batch: Row) -> None:
    await store.fetch("delete from irnflow.failure")

    [difference] = await accounting.differences(store)

    assert (difference.batch_no, difference.transaction_id) == ("B-1", "b")
    assert difference.says == "it stands as VALIDATION_FAILED, and nobody is told why"


async def test_the_figures_add_up(store: Database, batch: Row) -> None:
    figures = await accounting.figures(store)

    assert figures.by_state == {State.REGISTERED: 1, State.VALIDATION_FAILED: 1}
    assert (figures.transactions, figures.counted, figures.accepted, figures.open_failures, figures.buried) == (
        2, 2, 1, 1, 0,
    )  # fmt: skip


async def test_every_registered_irn_is_listed_for_the_books_and_the_portal(store: Database, batch: Row) -> None:
    [accepted] = await accounting.accepted(store)

    assert (accepted.irn, accepted.books, accepted.voucher_id, accepted.ack_no) == (
        IRN,
        "surya",
        "a",
        "112610012345678",
    )
