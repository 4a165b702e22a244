"""Which tags to ack, and when a waiting `take` wakes."""

import asyncio

import pytest

from irnflow.bus.inbox import Inbox
from irnflow.errors import Unavailable


def test_all_settled_is_one_ack() -> None:
    assert Inbox().settle([1, 2, 3]) == (3, [])


def test_the_order_of_settling_does_not_matter() -> None:
    assert Inbox().settle([3, 1, 2]) == (3, [])


def test_nothing_is_acked_up_to_an_unsettled_tag() -> None:
    assert Inbox().settle([2, 3]) == (0, [2, 3])


def test_the_closed_gap_names_no_tag_that_is_acked_already() -> None:
    inbox = Inbox()
    inbox.settle([2, 3])

    assert inbox.settle([1]) == (1, [])
    assert inbox.settle([4]) == (4, [])


def test_a_gap_closed_with_new_tags_behind_it_is_acked_up_to_the_last_new_one() -> None:
    inbox = Inbox()
    inbox.settle([2])

    assert inbox.settle([1, 3, 5]) == (3, [5])


def test_settling_nothing_acks_nothing() -> None:
    assert Inbox().settle([]) == (0, [])


async def test_take_raises_as_soon_as_the_channel_is_gone() -> None:
    inbox = Inbox()
    taking = asyncio.create_task(inbox.take(most=1, bytes_most=1, linger_s=0))
    await asyncio.sleep(0)

    inbox.close(Unavailable("closed by the broker"))

    with pytest.raises(Unavailable, match="closed by the broker"):
        await taking
