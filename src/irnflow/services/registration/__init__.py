"""Registration: register each document exactly once with the portal, and find out what happened when an answer is lost.

consumes   validation_success_queue  Validated
publishes  db.update.success         Registered, when the portal has it
           handle.generation_error   GenerationFailed, when it refused, or the number is another's
           status.generation_success | status.generation_failed | status.in_doubt
keeps      registration, registration_request, attempt, portal_session (store/migrations/0005_registration.sql);
           action, eway_bill, gstin_detail (0006_lifecycle.sql)
repeated   the same request again is told again; nothing is sent again to the portal without a look-up that said
           "not there": INTENT is committed before the call, an answer that is lost makes it UNKNOWN, `resolver` asks

Rooms: `sender` calls, at the `pace` and within the `budget` of its GSTIN, whose first call is a `trial`; `meaning`
reads the answers, `resolver` looks up, `teller` tells, `sessions` logs in, `sweep` asks daily for what was struck off.
What people want of an IRN later, `lifecycle` asks of the portal with the same care.
"""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from irnflow import log
from irnflow.api.server import probes, serving
from irnflow.bus import rabbit
from irnflow.bus.batch import Answer, Consumer, consume, reading
from irnflow.errors import Transient
from irnflow.gst.dates import in_india
from irnflow.messages import Detail, GenerationFailed, Message, State, StatusChanged, Validated
from irnflow.portal import client
from irnflow.portal.cipher import read_auth_key
from irnflow.portal.several import Described, Line, Portals, described
from irnflow.portal.signing_keys import KeyFolder
from irnflow.services.registration.gstins import ask_forever
from irnflow.services.registration.lifecycle.acting import act_forever
from irnflow.services.registration.parts import Budget, Parts
from irnflow.services.registration.resolver import resolve_forever
from irnflow.services.registration.sender import send_forever
from irnflow.services.registration.sessions import Sessions
from irnflow.services.registration.sweep import sweep_forever
from irnflow.services.registration.teller import tell_forever
from irnflow.services.registration.verifier import verify_forever
from irnflow.settings import Settings
from irnflow.store import accounts, database
from irnflow.store.lifecycle import windows_of
from irnflow.store.secrets import key_ring

NAME: Final = "registration"
_SQL: Final = database.queries("registration")
_RETRY_S: Final = 1.0


async def handle(requests: Sequence[Validated], *, parts: Parts) -> Sequence[Answer]:
    """Put requests on record, by the arrival rules. What there is to say is told from the table, by the teller."""
    rows = await parts.database.fetch(_SQL["arrive"], *_columns(requests), parts.portals.preferred.name, parts.now())
    if rows[0]["to_send"]:
        parts.to_send.set()
    if rows[0]["to_tell"]:
        parts.to_tell.set()
    return [[] for _ in requests]


def _columns(requests: Sequence[Validated]) -> tuple[Sequence[object], ...]:
    """Parameters 1 to 14 of `arrive`, a list a column."""
    payloads = [bytes(request.payload) for request in requests]
    return (
        [request.batch_id for request in requests],
        [request.transaction_id for request in requests],
        [request.batch_no for request in requests],
        [request.account_id for request in requests],
        [request.books for request in requests],
        [request.read_digest for request in requests],
        [request.irn for request in requests],
        [request.gstin for request in requests],
        [request.doc_typ for request in requests],
        [request.doc_no for request in requests],
        [request.doc_dt for request in requests],
        [hashlib.sha256(payload).digest() for payload in payloads],
        payloads,
        [in_india(request.validated_at) for request in requests],
    )


def failed(request: Validated, error: Exception, attempts: int, *, now: Callable[[], datetime]) -> list[Message]:
    """What is told when a request could not even be put on record."""
    says = f"It could not be put on record: {error}"
    return [
        GenerationFailed(**request.about, at=now(), cause="registration.not_recorded", says=says, attempts=attempts),
        StatusChanged(**request.about, status=State.GENERATION_FAILED, at=now(), detail=Detail(says=says)),
    ]


async def run(parts: Parts) -> None:
    """Serve for ever with these parts."""
    consumer = Consumer(
        service=NAME,
        queue="validation_success_queue",
        decode=reading(Validated),
        handle=partial(handle, parts=parts),
        failed=partial(failed, now=parts.now),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(consume(parts.bus, consumer, now=parts.now, log=parts.log))
        loops = (
            send_forever, resolve_forever, tell_forever, act_forever, ask_forever, sweep_forever, verify_forever,
        )  # fmt: skip
        for loop in loops:
            group.create_task(_kept_up(parts, loop), name=loop.__name__)


async def _kept_up(parts: Parts, loop: Callable[[Parts], Awaitable[None]]) -> None:
    """A loop that comes back by itself when the store or the broker was away."""
    while True:
        try:
            await loop(parts)
        except Transient as error:
            parts.log.warning("a loop was interrupted", loop=loop.__name__, error=str(error))
            await asyncio.sleep(_RETRY_S)


async def main(settings: Settings) -> None:
    """Serve until cancelled, with the real parts."""
    now: Callable[[], datetime] = partial(datetime.now, UTC)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(database.connect(settings.database_url))
        bus = await stack.enter_async_context(rabbit.connect(settings.amqp_url, NAME))
        portals = Portals([await _opened(stack, settings, name, each) for name, each in described(settings).items()])
        key = key_ring(settings.key, settings.key_file)
        await _warn_of_strangers(store, portals)
        sessions = {
            line.family: Sessions(line.portal, store, name=line.family, key=key, now=now, random_bytes=os.urandom)
            for line in reversed(list(portals.values()))  # of a family the preferred one logs in
        }
        parts = Parts(
            bus=bus,
            database=store,
            portals=portals,
            sessions=sessions,
            now=now,
            log=log.logger(NAME),
            concurrency=settings.portal_concurrency,
            of_one_gstin=settings.portal_concurrency_gstin,
            budget=Budget(
                of_gstin=settings.error_limit_gstin,
                of_client=settings.error_limit_client,
                days=settings.error_days,
                warn=settings.error_warn,
                stop=settings.error_stop,
            ),
            deadline=timedelta(seconds=settings.portal_deadline_s),
            slack=timedelta(seconds=settings.portal_slack_s),
            settle=timedelta(seconds=settings.lookup_settle_s),
            gap=timedelta(seconds=settings.lookup_gap_s),
            window=timedelta(seconds=settings.lookup_window_s),
            windows=windows_of(settings),
            alarm=timedelta(seconds=settings.doubt_alarm_s),
            page=timedelta(seconds=settings.doubt_page_s),
        )
        routes = probes(NAME, lambda: store.missing | ({} if bus.connected else {"rabbitmq": "not connected"}))
        await stack.enter_async_context(serving(routes, host=settings.host, port=settings.port_of(NAME)))
        await run(parts)


async def _warn_of_strangers(store: database.Database, portals: Portals) -> None:
    """Credentials for a family that is none, since somebody has renamed it, say, serve nobody."""
    for row in await store.fetch(accounts.SQL["families"]):
        if row["family"] not in portals.families:
            log.logger(NAME).error("credentials for no portal", family=row["family"], gstins=row["gstins"],
                                   families=portals.families)  # fmt: skip


async def _opened(stack: AsyncExitStack, settings: Settings, name: str, portal: Described) -> Line:
    async def at(url: str) -> client.Portal:
        send = await stack.enter_async_context(
            client.http(url, deadline_s=settings.portal_deadline_s, connections=settings.portal_concurrency)
        )
        return client.Portal(send, read_auth_key(portal.auth_key))

    return Line(
        name=name,
        family=portal.family,
        portal=await at(portal.url),
        eway_bills={which: await at(url) for which, url in portal.eway_bill_urls.items()},
        keys=KeyFolder(portal.signing_keys, log=log.logger(NAME)),
        per_minute=portal.per_minute,
    )
