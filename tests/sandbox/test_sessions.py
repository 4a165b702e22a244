from datetime import timedelta

import pytest

from irnflow.sandbox.limits import Limits
from irnflow.sandbox.sessions import Sessions
from tests.sandbox.conftest import NOW, counted

HOUR = timedelta(hours=1)
LIMITS = Limits(token_life_s=3600, token_early_s=600)


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(random_bytes=counted())


def test_a_login_while_the_token_lives_gives_the_same_session(sessions: Sessions) -> None:
    first = sessions.log_in("G", "user", refresh=False, now=NOW, limits=LIMITS)

    again = sessions.log_in("G", "user", refresh=True, now=NOW + timedelta(minutes=49), limits=LIMITS)

    assert again == first


def test_a_session_ends_after_its_life(sessions: Sessions) -> None:
    session = sessions.log_in("G", "user", refresh=False, now=NOW, limits=LIMITS)

    assert sessions.find(session.token, now=NOW + HOUR - timedelta(seconds=1)) == session
    assert sessions.find(session.token, now=NOW + HOUR) is None


def test_it_can_be_renewed_in_its_last_ten_minutes_and_then_the_old_token_is_void(sessions: Sessions) -> None:
    late = NOW + timedelta(minutes=50)
    first = sessions.log_in("G", "user", refresh=False, now=NOW, limits=LIMITS)

    renewed = sessions.log_in("G", "user", refresh=True, now=late, limits=LIMITS)

    assert renewed.token != first.token
    assert sessions.find(first.token, now=late) is None


def test_taxpayers_and_users_have_sessions_of_their_own(sessions: Sessions) -> None:
    pairs = [("G", "user"), ("H", "user"), ("G", "other")]

    tokens = {sessions.log_in(gstin, user, refresh=False, now=NOW, limits=LIMITS).token for gstin, user in pairs}

    assert len(tokens) == 3


def test_revoked_tokens_are_void(sessions: Sessions) -> None:
    session = sessions.log_in("G", "user", refresh=False, now=NOW, limits=LIMITS)

    sessions.revoke_all()

    assert sessions.find(session.token, now=NOW) is None
    assert sessions.log_in("G", "user", refresh=False, now=NOW, limits=LIMITS).token != session.token
