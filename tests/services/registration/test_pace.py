"""Whose turn it is, how fast, and to which portal: migrations/0008_pace.sql on a real PostgreSQL."""

from collections import Counter
from collections.abc import Sequence

import pytest

from irnflow.services.registration.pace import OPEN_AFTER
from irnflow.store.database import Row
from tests.services.registration.conftest import GSTIN, SQL, Desk, Ways

OTHER = "27AAFCC9980M1ZV"
THIRD = "33AAFCC9980M1Z2"
TWO: Ways = (["NIC1", "NIC2"], ["NIC", "NIC"], [None, None])


def limited(per_minute: int) -> Ways:
    return ["NIC1"], ["NIC"], [per_minute / 60]


async def backlog(desk: Desk, count: int, *, batch: int = 1, gstin: str = GSTIN) -> None:
    for number in range(count):
        await desk.arrive(batch, f"{gstin}{batch}v{number}", f"{gstin[:2]}{batch}/{number}", gstin=gstin)


async def report(desk: Desk, kind: str, times: int = 1, *, gstin: str = GSTIN, retry_s: float | None = None) -> None:
    columns = [["NIC1"] * times, [gstin] * times, [kind] * times, [retry_s] * times]
    await desk.store.fetch(SQL["report"], *columns, OPEN_AFTER, desk.at)


async def leased_in(desk: Desk, seconds: int, ways: Ways, *, look_every_s: float = 0.25) -> list[float]:
    """When calls began, in seconds, of a sender that looks so often."""
    begun: list[float] = []
    for look in range(int(seconds / look_every_s)):
        begun += [look * look_every_s] * len(await desk.lease(50, ways=ways))
        desk.later(look_every_s)
    return begun


def of_batches(rows: Sequence[Row]) -> Counter[str]:
    return Counter(row["doc_no"].partition("/")[0][2:] for row in rows)


# -- whose turn -------------------------------------------------------------------------------------------------------


async def test_batches_share_a_lease_evenly(desk: Desk) -> None:
    await backlog(desk, 20, batch=1)
    await backlog(desk, 20, batch=2)

    assert of_batches(await desk.lease(10)) == {"1": 5, "2": 5}


async def test_whoever_got_less_in_one_lease_goes_first_in_the_next(desk: Desk) -> None:
    for batch in (1, 2, 3, 4):
        await backlog(desk, 9, batch=batch)

    leases = [await desk.lease(3) for _ in range(8)]

    assert of_batches([row for lease in leases for row in lease]) == {"1": 6, "2": 6, "3": 6, "4": 6}


async def test_a_batch_that_was_away_earns_nothing_meanwhile(desk: Desk) -> None:
    await backlog(desk, 1, batch=1)
    await backlog(desk, 40, batch=2)
    for _ in range(10):
        await desk.lease(2)
    for number in range(20):
        await desk.arrive(1, f"late{number}", f"291/L{number}")

    assert of_batches(await desk.lease(10))["1"] in (5, 6)


async def test_a_small_batch_is_leased_at_once_beside_a_large_one_of_another_gstin(desk: Desk) -> None:
    await backlog(desk, 100)
    await backlog(desk, 2, batch=2, gstin=OTHER)

    assert of_batches(await desk.lease(8))["2"] == 2


async def test_a_gstin_with_all_its_calls_in_flight_leaves_the_rest_to_others(desk: Desk) -> None:
    await backlog(desk, 10)
    await backlog(desk, 3, batch=2, gstin=OTHER)

    rows = await desk.lease(10, busy={GSTIN: 1_000})

    assert [row["gstin"] for row in rows] == [OTHER] * 3


@pytest.mark.parametrize(("what", "key"), [("batch", "1"), ("gstin", GSTIN), ("portal", "NIC1")])
async def test_what_people_paused_is_not_leased_until_they_resume_it(desk: Desk, what: str, key: str) -> None:
    await backlog(desk, 2)
    await desk.store.fetch(
        "insert into irnflow.pause values ($1::text, $2::text, 'audit', 'asha', $3::timestamptz)", what, key, desk.at
    )
    paused = await desk.lease()

    await desk.store.fetch("delete from irnflow.pause")

    assert (len(paused), len(await desk.lease())) == (0, 2)


# -- how fast ---------------------------------------------------------------------------------------------------------


async def test_a_limit_of_60_a_minute_is_nearly_used_and_never_passed(desk: Desk) -> None:
    await backlog(desk, 200)

    begun = await leased_in(desk, 180, limited(60))

    windows = [sum(start <= at < start + 60 for at in begun) for start in range(1, 120)]
    assert max(windows) <= 60
    assert min(windows) >= 57


async def test_a_limit_of_many_calls_a_second_is_nearly_used_too(desk: Desk) -> None:
    await backlog(desk, 300)

    begun = await leased_in(desk, 10, limited(1200))

    assert 190 <= len(begun) <= 220


async def test_a_429_halves_the_rate_once_and_it_grows_back(desk: Desk) -> None:
    await backlog(desk, 400)
    await leased_in(desk, 60, limited(60))
    await report(desk, "SLOWER", times=3)

    slow = len(await leased_in(desk, 60, limited(60)))
    await leased_in(desk, 120, limited(60))
    recovered = len(await leased_in(desk, 60, limited(60)))

    assert 28 <= slow <= 36
    assert recovered >= 57


async def test_a_first_429_where_no_limit_is_known_halves_what_was_called_lately(desk: Desk) -> None:
    await backlog(desk, 300)
    ways: Ways = (["NIC1"], ["NIC"], [None])
    for _ in range(40):  # ten seconds at 20 a second
        await desk.lease(5, ways=ways)
        desk.later(0.25)
    await report(desk, "SLOWER")

    after = len(await leased_in(desk, 5, ways))

    assert 20 <= after <= 50


async def test_retry_after_is_obeyed(desk: Desk) -> None:
    await backlog(desk, 5)
    await desk.lease(1)
    await report(desk, "SLOWER", retry_s=30)

    desk.later(29)
    held = await desk.lease()
    desk.later(2)

    assert (len(held), len(await desk.lease()) > 0) == (0, True)


async def test_one_gstins_pace_is_no_other_ones(desk: Desk) -> None:
    await backlog(desk, 5)
    await backlog(desk, 5, batch=2, gstin=OTHER)
    await desk.lease(2)
    await report(desk, "SLOWER", retry_s=30)

    assert {row["gstin"] for row in await desk.lease()} == {OTHER}


async def test_look_ups_spend_from_the_same_bucket(desk: Desk) -> None:
    await backlog(desk, 3)
    await desk.settle((await desk.lease(1))[0], "UNKNOWN")
    desk.later(10)

    looked = await desk.due(ways=limited(60))

    assert len(looked) == 1
    assert await desk.lease(ways=limited(60)) == []


async def test_look_ups_that_wait_for_the_pace_stand_in_nobodys_way(desk: Desk) -> None:
    await backlog(desk, 5)
    for row in await desk.lease(5):
        await desk.settle(row, "UNKNOWN")
    desk.later(1)

    first = await desk.due(ways=limited(60))
    desk.later(11)

    assert len(first) == 1
    assert len(await desk.due(ways=limited(60))) == 1


# -- whether it answers -----------------------------------------------------------------------------------------------


async def test_the_breaker_opens_after_calls_in_a_row_without_an_answer_and_then_lets_one_probe(desk: Desk) -> None:
    await backlog(desk, 10)
    await desk.lease(1)
    await report(desk, "TROUBLE", OPEN_AFTER - 1)
    shut = await desk.lease(1)

    await report(desk, "TROUBLE")
    opened = await desk.lease()
    desk.later(6)
    probe = await desk.lease()
    beside = await desk.lease()

    assert [len(rows) for rows in (shut, opened, probe, beside)] == [1, 0, 1, 0]


async def test_a_probe_that_is_answered_shuts_the_breaker(desk: Desk) -> None:
    await backlog(desk, 10)
    await desk.lease(1)
    await report(desk, "TROUBLE", OPEN_AFTER)
    desk.later(6)
    await desk.lease()

    await report(desk, "ANSWERED")

    assert len(await desk.lease()) == 8


async def test_a_probe_that_is_not_opens_it_for_twice_as_long(desk: Desk) -> None:
    await backlog(desk, 10)
    await desk.lease(1)
    await report(desk, "TROUBLE", OPEN_AFTER)
    desk.later(6)
    await desk.lease()

    await report(desk, "TROUBLE")

    desk.later(9)
    early = await desk.lease()
    desk.later(2)
    assert (len(early), len(await desk.lease())) == (0, 1)


async def test_a_probe_whose_caller_died_is_followed_by_another(desk: Desk) -> None:
    await backlog(desk, 10)
    await desk.lease(1)
    await report(desk, "TROUBLE", OPEN_AFTER)
    desk.later(6)
    await desk.lease()

    desk.later(91)

    assert len(await desk.lease()) == 1


async def test_one_gstins_breaker_leaves_the_others_alone(desk: Desk) -> None:
    await backlog(desk, 3)
    await backlog(desk, 3, batch=2, gstin=OTHER)
    await desk.lease(1)

    await report(desk, "TROUBLE", 10 * OPEN_AFTER)

    assert {row["gstin"] for row in await desk.lease()} == {OTHER}


async def test_the_portals_breaker_opens_when_several_gstins_get_no_answer(desk: Desk) -> None:
    for batch, gstin in enumerate((GSTIN, OTHER, THIRD), 1):
        await backlog(desk, 3, batch=batch, gstin=gstin)
    await desk.lease(3)

    await report(desk, "TROUBLE", 3)
    await report(desk, "TROUBLE", 3, gstin=OTHER)

    assert await desk.lease() == []
    desk.later(6)
    assert len(await desk.lease()) == 1


async def test_an_answer_to_anybody_keeps_the_portals_breaker_shut(desk: Desk) -> None:
    for batch, gstin in enumerate((GSTIN, OTHER, THIRD), 1):
        await backlog(desk, 3, batch=batch, gstin=gstin)
    await desk.lease(3)

    await report(desk, "TROUBLE", 3)
    await report(desk, "ANSWERED", gstin=THIRD)
    await report(desk, "TROUBLE", 3, gstin=OTHER)

    assert {row["gstin"] for row in await desk.lease()} == {GSTIN, OTHER, THIRD}


# -- to which portal --------------------------------------------------------------------------------------------------


async def test_new_documents_go_to_another_portal_while_a_breaker_is_open(desk: Desk) -> None:
    await backlog(desk, 3)
    first = await desk.lease(1, ways=TWO)

    await report(desk, "TROUBLE", OPEN_AFTER)

    assert [row["portal"] for row in first] == ["NIC1"]
    assert [row["portal"] for row in await desk.lease(ways=TWO)] == ["NIC2", "NIC2"]


async def test_a_document_that_may_have_arrived_never_changes_portal(desk: Desk) -> None:
    await backlog(desk, 1)
    leased = (await desk.lease(ways=TWO))[0]
    await desk.settle(leased, "UNKNOWN")
    await desk.settle(leased, "NOT_DONE", what="lookup", answer="NOT_THERE", not_there=2)
    await report(desk, "TROUBLE", OPEN_AFTER)

    away = await desk.lease(ways=TWO)
    await report(desk, "ANSWERED")

    assert away == []
    assert [row["portal"] for row in await desk.lease(ways=TWO)] == ["NIC1"]


async def test_a_document_that_certainly_did_not_arrive_may_change_portal(desk: Desk) -> None:
    await backlog(desk, 1)
    await desk.settle((await desk.lease(ways=TWO))[0], "NOT_DONE")
    await report(desk, "TROUBLE", OPEN_AFTER)

    assert [row["portal"] for row in await desk.lease(ways=TWO)] == ["NIC2"]


FAMILIES: Ways = (["NIC1", "Other"], ["NIC", "Others"], [None, None])


async def log_in_to_others(desk: Desk) -> None:
    await desk.store.fetch("insert into irnflow.credentials values ($1, 'Others', 'u', 'c', '', '')", GSTIN)


async def test_new_documents_go_to_another_family_while_the_breaker_of_the_first_is_open(desk: Desk) -> None:
    await log_in_to_others(desk)
    await backlog(desk, 3)
    first = await desk.lease(1, ways=FAMILIES)

    await report(desk, "TROUBLE", OPEN_AFTER)
    second = await desk.lease(1, ways=FAMILIES)
    await report(desk, "ANSWERED")

    assert [row["portal"] for row in first + second] == ["NIC1", "Other"]
    assert [row["portal"] for row in await desk.lease(ways=FAMILIES)] == ["NIC1"]


async def test_a_document_that_may_have_arrived_never_changes_family(desk: Desk) -> None:
    await log_in_to_others(desk)
    await backlog(desk, 1)
    leased = (await desk.lease(ways=FAMILIES))[0]
    await desk.settle(leased, "UNKNOWN")
    await desk.settle(leased, "NOT_DONE", what="lookup", answer="NOT_THERE", not_there=2)
    await report(desk, "TROUBLE", OPEN_AFTER)

    away = await desk.lease(ways=FAMILIES)
    await report(desk, "ANSWERED")

    assert away == []
    assert [row["portal"] for row in await desk.lease(ways=FAMILIES)] == ["NIC1"]


async def test_what_went_to_another_family_stays_there_when_the_first_answers_again(desk: Desk) -> None:
    await log_in_to_others(desk)
    await backlog(desk, 2)
    await desk.lease(1, ways=FAMILIES)
    await report(desk, "TROUBLE", OPEN_AFTER)
    leased = (await desk.lease(1, ways=FAMILIES))[0]
    await desk.settle(leased, "UNKNOWN")
    await desk.settle(leased, "NOT_DONE", what="lookup", answer="NOT_THERE", not_there=2)

    await report(desk, "ANSWERED")

    assert [(row["irn"] == leased["irn"], row["portal"]) for row in await desk.lease(ways=FAMILIES)] == [
        (True, "Other")
    ]


async def test_where_a_login_is_stopped_new_documents_go_to_another_family_and_others_wait(desk: Desk) -> None:
    await log_in_to_others(desk)
    await backlog(desk, 2)
    leased = (await desk.lease(1, ways=FAMILIES))[0]
    await desk.settle(leased, "UNKNOWN")
    await desk.settle(leased, "NOT_DONE", what="lookup", answer="NOT_THERE", not_there=2)

    await desk.store.fetch(SQL["stop_login"], GSTIN, "NIC", "wrong password")

    assert [(row["irn"] == leased["irn"], row["portal"]) for row in await desk.lease(ways=FAMILIES)] == [
        (False, "Other")
    ]


async def test_nothing_of_a_stopped_gstin_goes_to_any_family(desk: Desk) -> None:
    await log_in_to_others(desk)
    await backlog(desk, 1)

    await desk.store.fetch(SQL["stop"], GSTIN, "too many refusals")

    assert await desk.lease(ways=FAMILIES) == []


async def test_while_the_only_family_with_credentials_is_away_documents_wait(desk: Desk) -> None:
    await backlog(desk, 2)
    await desk.lease(1, ways=FAMILIES)

    await report(desk, "TROUBLE", OPEN_AFTER)

    assert await desk.lease(ways=FAMILIES) == []


async def test_no_document_goes_to_a_portal_for_which_its_gstin_has_no_credentials(desk: Desk) -> None:
    await backlog(desk, 1)
    ways: Ways = (["Elsewhere", "NIC1"], ["Elsewhere", "NIC"], [None, None])

    assert [row["portal"] for row in await desk.lease(ways=ways)] == ["NIC1"]
