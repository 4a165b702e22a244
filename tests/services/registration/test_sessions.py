"""Logins over several workers, against the sandbox portal in process."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from irnflow.errors import Permanent, Transient, Unavailable
from irnflow.portal.cipher import read_auth_key
from irnflow.portal.client import Answer, Credentials, NotDone, Portal, Reply, Request, Session
from irnflow.portal.envelope import Said
from irnflow.sandbox.identity import Identity, Limits, open_identity
from irnflow.sandbox.portal import Sandbox
from irnflow.sandbox.protocol import login_in
from irnflow.sandbox.register import Register
from irnflow.sandbox.switches import Failure, Order
from irnflow.sandbox.taxpayers import read_taxpayers
from irnflow.services.registration.sessions import LOGIN_LEASE, LoginPutOff, LoginRefused, Sessions
from irnflow.store import steering
from irnflow.store.database import Database, Row
from tests.services.registration.conftest import GSTIN, KEY, NOON, Desk, set_credentials

LIFE = timedelta(hours=6)


class Office:
    """Workers that share a store and a portal, and what the portal saw of their logins."""

    def __init__(self, desk: Desk, sandbox: Sandbox, auth_key_file: Path) -> None:
        self.desk = desk
        self.sandbox = sandbox
        self.logins: list[dict[str, Any]] = []  # in the clear
        self.door = asyncio.Event()  # closed: logins hang on their way
        self.door.set()
        self.at_the_door = asyncio.Event()
        self._portal = Portal(self._send, read_auth_key(auth_key_file))

    def worker(self, family: str = "NIC", store: Database | None = None) -> Sessions:
        return Sessions(
            self._portal,
            store or self.desk.store,
            name=family,
            key=KEY,
            now=lambda: self.desk.at,
            random_bytes=os.urandom,
        )

    async def _send(self, request: Request) -> Reply:
        if request.path.endswith("/auth"):
            self.logins.append(login_in(request.body, self.sandbox.identity.auth_key))
            self.at_the_door.set()
            await self.door.wait()
        answer = self.sandbox.call(request.method, request.path, request.headers, request.body, now=self.desk.at)
        return Reply(status=answer.status, headers=answer.headers, body=answer.body)

    async def mend(self, **changes: str) -> None:
        await set_credentials(self.desk, self.sandbox.identity, **changes)

    def next_login_fails(self, **how: Any) -> None:
        self.sandbox.obey(Order(fail_next=Failure(call="auth", **how)))


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    folder = tmp_path_factory.mktemp("sandbox")
    identity = open_identity(folder, now=NOON, random_bytes=os.urandom)
    limits = Limits(token_life_s=int(LIFE.total_seconds()))
    return msgspec.structs.replace(identity, credentials=msgspec.structs.replace(identity.credentials, limits=limits))


@pytest.fixture
async def office(desk: Desk, identity: Identity, tmp_path: Path) -> AsyncIterator[Office]:
    taxpayers = read_taxpayers(tmp_path / "none.json", any_check_digit=True)
    with closing(Register()) as register:
        sandbox = Sandbox(identity=identity, register=register, taxpayers=taxpayers, random_bytes=os.urandom)
        office = Office(desk, sandbox, identity.auth_public_file)
        await office.mend()
        yield office


async def test_workers_that_want_a_session_at_once_log_in_once(office: Office) -> None:
    workers = [office.worker() for _ in range(3)]

    got = await asyncio.gather(*(worker.get(GSTIN) for worker in workers for _ in range(10)))

    assert len(office.logins) == 1
    assert len({session.token for _, session in got}) == 1


async def test_a_session_is_used_without_asking_the_store_each_time(office: Office) -> None:
    worker = office.worker()
    first = await worker.get(GSTIN)
    await office.desk.store.fetch("truncate irnflow.portal_session")

    assert await worker.get(GSTIN) == first


async def test_a_token_is_not_renewed_before_its_last_ten_minutes(office: Office) -> None:
    worker = office.worker()
    await worker.get(GSTIN)

    office.desk.at += LIFE - timedelta(minutes=10, seconds=1)
    await worker.get(GSTIN)

    assert [login["ForceRefreshAccessToken"] for login in office.logins] == [False]


async def test_in_its_last_ten_minutes_a_token_is_renewed_by_one_worker(office: Office) -> None:
    workers = [office.worker() for _ in range(3)]
    old = [await worker.get(GSTIN) for worker in workers]
    office.desk.at += LIFE - timedelta(minutes=9)

    new = await asyncio.gather(*(worker.get(GSTIN) for worker in workers))
    office.desk.later(31)
    seen = [await worker.get(GSTIN) for worker in workers]

    assert [login["ForceRefreshAccessToken"] for login in office.logins] == [False, True]
    assert new[0][1].token != old[0][1].token
    assert {session.token for _, session in seen} == {new[0][1].token}


async def test_while_a_token_is_renewed_the_others_go_on_with_the_old_one(office: Office) -> None:
    worker, another = office.worker(), office.worker()
    old = await worker.get(GSTIN)
    office.desk.at += LIFE - timedelta(minutes=9)
    office.door.clear()
    office.at_the_door.clear()
    renewing = asyncio.create_task(worker.get(GSTIN))
    await office.at_the_door.wait()

    meanwhile = [await worker.get(GSTIN), await another.get(GSTIN)]

    office.door.set()
    assert {session.token for _, session in meanwhile} == {old[1].token}
    assert (await renewing)[1].token != old[1].token


async def test_a_renewal_that_fails_leaves_the_token_and_is_not_repeated_at_once(office: Office) -> None:
    worker = office.worker()
    old = await worker.get(GSTIN)
    office.desk.at += LIFE - timedelta(minutes=9)
    office.next_login_fails(http_status=503)

    got = [await worker.get(GSTIN), await office.worker().get(GSTIN)]

    assert [session for _, session in got] == [old[1], old[1]]
    assert len(office.logins) == 2


async def test_a_renewal_that_gives_the_same_token_is_not_repeated_at_once(office: Office) -> None:
    await office.worker().get(GSTIN)
    office.desk.at += LIFE - timedelta(minutes=9)
    office.sandbox.switches.move_clock(-120)  # the portal's clock is behind ours: for it, it is too early

    await asyncio.gather(*(office.worker().get(GSTIN) for _ in range(5)))

    assert len(office.logins) == 2


async def test_after_a_refused_login_nobody_tries_again(office: Office) -> None:
    await office.mend(password="wrong")
    worker = office.worker()
    with pytest.raises(LoginRefused, match="the portal refuses the login"):
        await worker.get(GSTIN)
    office.desk.at += timedelta(days=1)

    for each in (worker, office.worker()):
        with pytest.raises(LoginRefused, match="is stopped: the portal refuses the login"):
            await each.get(GSTIN)

    assert len(office.logins) == 1
    assert "refuses the login" in (await office.desk.stopped() or "")


async def test_new_credentials_let_the_gstin_go_on(office: Office) -> None:
    await office.mend(password="wrong")
    worker = office.worker()
    with pytest.raises(LoginRefused):
        await worker.get(GSTIN)

    await office.mend()

    assert (await worker.get(GSTIN))[0].password == office.sandbox.identity.credentials.password
    assert await office.desk.stopped() is None


async def test_a_person_may_let_it_go_on_with_the_credentials_it_has(office: Office) -> None:
    office.next_login_fails(code="3059")
    with pytest.raises(LoginRefused):
        await office.worker().get(GSTIN)

    resumed = await steering.resume_gstin(office.desk.store, 1, GSTIN)

    assert resumed
    assert await office.worker().get(GSTIN)


async def test_a_login_refused_after_the_credentials_were_mended_stops_nobody(office: Office) -> None:
    await office.mend(password="wrong")
    office.door.clear()
    late = asyncio.create_task(office.worker().get(GSTIN))
    await office.at_the_door.wait()

    await office.mend()
    office.door.set()
    with pytest.raises(LoginRefused):
        await late

    assert await office.desk.stopped() is None


async def test_a_login_of_old_credentials_is_not_kept_for_the_new_ones(office: Office) -> None:
    office.door.clear()
    late = asyncio.create_task(office.worker().get(GSTIN))
    await office.at_the_door.wait()
    await office.mend()
    office.door.set()
    await late

    await office.worker().get(GSTIN)

    assert len(office.logins) == 2


async def test_workers_take_new_credentials_within_half_a_minute(office: Office) -> None:
    worker = office.worker()
    await worker.get(GSTIN)
    await office.mend(client_secret="rolled")

    office.desk.later(30)
    office.next_login_fails(code="3020")
    with pytest.raises(LoginPutOff):
        await worker.get(GSTIN)

    assert len(office.logins) == 2


@pytest.mark.parametrize("how", [{"code": "3043"}, {"http_status": 401}, {"http_status": 503}])
async def test_a_login_that_is_put_off_waits_longer_each_time(office: Office, how: dict[str, Any]) -> None:
    tried = []
    for _ in range(20):
        office.next_login_fails(**how)
        before = len(office.logins)
        with pytest.raises(Transient):
            await office.worker().get(GSTIN)
        tried.append(len(office.logins) - before)
        office.desk.later(2.5)

    assert [second for second, once in enumerate(tried) if once] == [0, 2, 6, 14]
    assert await office.desk.stopped() is None


async def test_a_put_off_login_obeys_retry_after(office: Office) -> None:
    office.sandbox.obey(Order(rate_limit_per_minute=1))
    await office.worker().get(GSTIN)
    await office.mend()
    with pytest.raises(NotDone, match="429"):
        await office.worker().get(GSTIN)

    office.desk.later(59)
    with pytest.raises(LoginPutOff, match="429"):
        await office.worker().get(GSTIN)
    office.desk.later(2)

    assert await office.worker().get(GSTIN)


async def test_a_worker_that_is_stopped_in_a_login_leaves_it_to_the_next(office: Office) -> None:
    office.door.clear()
    stopped = asyncio.create_task(office.worker().get(GSTIN))
    await office.at_the_door.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    office.door.set()

    assert await office.worker().get(GSTIN)


async def test_the_login_of_a_worker_that_died_is_taken_over_when_its_lease_ends(office: Office) -> None:
    lease = office.desk.at + LOGIN_LEASE
    sql = "insert into irnflow.portal_session (portal, gstin, login_until) values ('NIC', $1::text, $2::timestamptz)"
    await office.desk.store.fetch(sql, GSTIN, lease)
    waiting = asyncio.create_task(office.worker().get(GSTIN))
    await asyncio.sleep(0)

    office.desk.at = lease

    assert await waiting


async def test_a_refused_token_of_before_does_not_end_the_session_of_now(office: Office) -> None:
    slow, quick = office.worker(), office.worker()
    _, old = await slow.get(GSTIN)
    await quick.get(GSTIN)
    office.sandbox.obey(Order(revoke_tokens=True))
    await quick.forget(GSTIN, old)
    _, new = await quick.get(GSTIN)

    forgotten = await slow.forget(GSTIN, old)

    assert not forgotten
    assert (await slow.get(GSTIN))[1] == new
    assert len(office.logins) == 2


async def test_a_session_sealed_with_a_key_that_is_gone_is_replaced(office: Office) -> None:
    await office.worker().get(GSTIN)
    await office.desk.store.fetch("update irnflow.portal_session set sealed = 'from another key'")

    await office.worker().get(GSTIN)

    assert len(office.logins) == 2


REFUSED = Answer(ok=False, errors=(Said(code="1005", text="Invalid Token"),))


async def test_a_token_refused_twice_stops_the_gstin_and_is_never_tried_a_third_time(office: Office) -> None:
    calls: list[Session] = []

    async def call(_: Credentials, session: Session) -> Answer:
        calls.append(session)
        return REFUSED

    with pytest.raises(LoginRefused, match="1005"):
        await office.worker().use(GSTIN, call)

    assert len(calls) == 2
    assert "1005" in (await office.desk.stopped() or "")


class AwayAfter:
    """The store, which is away from the moment that it is told so."""

    def __init__(self, store: Database) -> None:
        self._store = store
        self.away = False

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        if self.away:
            raise Unavailable("no database")
        return await self._store.fetch(sql, *args)


async def test_a_refused_token_is_no_doubt_even_when_the_store_is_away(office: Office) -> None:
    store = AwayAfter(office.desk.store)

    async def call(_: Credentials, __: Session) -> Answer:
        store.away = True
        return REFUSED

    with pytest.raises(LoginPutOff, match="no database"):
        await office.worker(store=store).use(GSTIN, call)


async def test_a_token_refused_because_another_took_its_place_stops_nobody(office: Office) -> None:
    worker = office.worker()

    async def call(_: Credentials, session: Session) -> Answer:
        another = office.worker()
        await another.get(GSTIN)
        office.sandbox.obey(Order(revoke_tokens=True))
        await another.forget(GSTIN, session)
        await another.get(GSTIN)
        return REFUSED

    with pytest.raises(LoginPutOff, match="replaced"):
        await worker.use(GSTIN, call)

    assert await office.desk.stopped() is None


async def test_a_gstin_without_credentials_is_told_so_and_nobody_waits(office: Office) -> None:
    with pytest.raises(Permanent, match="has no credentials for NIC"):
        await office.worker().get("29AAAAA0000A1Z5")


# -- several families of portals --------------------------------------------------------------------------------------


async def test_each_family_is_logged_in_to_with_its_own_credentials_and_has_a_session_of_its_own(
    office: Office,
) -> None:
    await office.mend(family="Other", username="other_api")

    nic, _ = await office.worker().get(GSTIN)
    with pytest.raises(LoginRefused):
        await office.worker("Other").get(GSTIN)

    assert [login["UserName"] for login in office.logins] == [nic.username, "other_api"]


async def test_a_login_that_one_family_refuses_is_never_repeated_and_the_other_family_goes_on(office: Office) -> None:
    await office.mend(family="Other", password="wrong")
    with pytest.raises(LoginRefused, match="refuses the login"):
        await office.worker("Other").get(GSTIN)

    with pytest.raises(LoginRefused, match="is stopped"):
        await office.worker("Other").get(GSTIN)

    assert await office.worker().get(GSTIN)
    assert len(office.logins) == 2
    assert await office.desk.stopped() is None


async def test_when_each_familys_login_is_refused_the_gstin_is_stopped_and_says_why_at_each(office: Office) -> None:
    await office.mend(password="wrong")
    await office.mend(family="Other", password="wrong")
    for family in ("NIC", "Other"):
        with pytest.raises(LoginRefused):
            await office.worker(family).get(GSTIN)

    stopped = await office.desk.stopped() or ""

    assert stopped.startswith("NIC: the portal refuses the login")
    assert "; Other: the portal refuses the login" in stopped


async def test_new_credentials_for_one_family_leave_the_other_logged_in_and_its_refusal_as_it_is(
    office: Office,
) -> None:
    await office.mend(family="Other", password="wrong")
    with pytest.raises(LoginRefused):
        await office.worker("Other").get(GSTIN)
    await office.worker().get(GSTIN)

    await office.mend(family="Third")

    await office.worker().get(GSTIN)
    with pytest.raises(LoginRefused, match="is stopped"):
        await office.worker("Other").get(GSTIN)
    assert len(office.logins) == 2


async def test_a_person_may_let_one_familys_login_go_on_and_not_repeat_the_wrong_one_of_another(office: Office) -> None:
    await office.mend(password="wrong")
    await office.mend(family="Other", password="wrong")
    for family in ("NIC", "Other"):
        with pytest.raises(LoginRefused):
            await office.worker(family).get(GSTIN)

    await steering.resume_gstin(office.desk.store, 1, GSTIN, family="Other")

    with pytest.raises(LoginRefused, match="is stopped"):
        await office.worker().get(GSTIN)
    with pytest.raises(LoginRefused, match="refuses the login"):
        await office.worker("Other").get(GSTIN)
    assert len(office.logins) == 3
