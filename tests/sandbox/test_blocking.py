from datetime import timedelta

import pytest

from irnflow.sandbox.blocking import Blocking
from irnflow.sandbox.limits import Limits
from tests.sandbox.conftest import NOW

LIMITS = Limits(
    gstin_errors_max=2, client_errors_max=4, errors_counted_s=3600, block_grace_s=60, blocked_s=600,
    wrong_passwords_max=3, locked_s=60,
)  # fmt: skip


@pytest.fixture
def blocking() -> Blocking:
    return Blocking()


def err(blocking: Blocking, times: int, gstin: str = "G", *, after_s: float = 0) -> None:
    for _ in range(times):
        blocking.count(gstin, "client", now=NOW + timedelta(seconds=after_s), limits=LIMITS)


def blocked(blocking: Blocking, gstin: str = "G", *, after_s: float) -> bool:
    return blocking.blocks(gstin, "client", now=NOW + timedelta(seconds=after_s), limits=LIMITS)


def test_as_many_errors_as_are_allowed_block_nobody(blocking: Blocking) -> None:
    err(blocking, 2)

    assert not blocked(blocking, after_s=60)


def test_one_more_blocks_after_the_grace_and_for_a_while(blocking: Blocking) -> None:
    err(blocking, 3)

    assert [blocked(blocking, after_s=second) for second in (59, 60, 659, 660)] == [False, True, True, False]


def test_errors_of_one_taxpayer_do_not_block_another(blocking: Blocking) -> None:
    err(blocking, 3, "G")

    assert not blocked(blocking, "H", after_s=60)


def test_errors_of_all_its_taxpayers_block_a_client(blocking: Blocking) -> None:
    err(blocking, 2, "G")
    err(blocking, 2, "H")
    err(blocking, 1, "I")

    assert blocked(blocking, "J", after_s=60)


def test_after_its_time_the_count_begins_anew(blocking: Blocking) -> None:
    err(blocking, 2)
    err(blocking, 1, after_s=3600)

    assert not blocked(blocking, after_s=3660)
    assert blocking.errors() == {"G": 1}


def test_after_a_block_the_count_begins_anew(blocking: Blocking) -> None:
    err(blocking, 3)
    err(blocking, 1, after_s=700)

    assert blocking.errors() == {"G": 1}
    assert not blocked(blocking, after_s=760)


def test_wrong_passwords_in_a_row_lock_a_user_for_a_while(blocking: Blocking) -> None:
    for _ in range(3):
        blocking.count_wrong_password("G", "user", now=NOW)

    seconds = (0, 59, 60)
    locked = [
        blocking.is_locked("G", "user", now=NOW + timedelta(seconds=second), limits=LIMITS) for second in seconds
    ]  # fmt: skip
    assert locked == [True, True, False]
    assert not blocking.is_locked("H", "user", now=NOW, limits=LIMITS)


def test_the_right_password_between_them_forgives(blocking: Blocking) -> None:
    blocking.count_wrong_password("G", "user", now=NOW)
    blocking.count_wrong_password("G", "user", now=NOW)
    blocking.forget_wrong_passwords("G", "user")
    blocking.count_wrong_password("G", "user", now=NOW)

    assert not blocking.is_locked("G", "user", now=NOW, limits=LIMITS)


def test_nobody_is_locked_where_that_is_switched_off(blocking: Blocking) -> None:
    for _ in range(9):
        blocking.count_wrong_password("G", "user", now=NOW)

    assert not blocking.is_locked("G", "user", now=NOW, limits=Limits(wrong_passwords_max=0))
