"""The sender: leases READY documents as INTENT, calls the portal, settles what the calls came to, tells it.

INTENT is committed before the call, with whose answer it waits. An answer is kept until the store has it, for as
long as this process lives; if it dies, the lease runs out and the look-up finds what happened.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

import msgspec

from irnflow import metrics
from irnflow.errors import Permanent, Transient, Unavailable
from irnflow.gst.dates import in_india
from irnflow.gst.portal_codes import PortalClass
from irnflow.patience import until
from irnflow.portal.client import Answer, Credentials, Document, Lost, NotDone, NotSent, Portal, Session
from irnflow.services.registration import gstins, meaning
from irnflow.services.registration.heeding import heed
from irnflow.services.registration.lifecycle import with_invoice
from irnflow.services.registration.pace import NotBegun, heard_in, ways
from irnflow.services.registration.parts import Addressed, Parts
from irnflow.services.registration.result import Heard, Leased, Nowhere, Outcome, Result, There, Unclear
from irnflow.services.registration.search import search
from irnflow.services.registration.sessions import LoginPutOff, LoginRefused
from irnflow.services.registration.teller import TELL_LEASE, tell
from irnflow.services.registration.trial import trial_of
from irnflow.store.database import Row, queries

Call = Callable[[Portal, Credentials, Session], Awaitable[Answer]]

_SQL: Final = queries("registration")
_LINGER_S: Final = 0.005  # answers that come so close together are settled together
_SETTLE_MOST: Final = 200
_PACED_S: Final = 0.25  # a bucket holds more than it fills with in that time
_PACED_SLOWER: Final = 1.5  # each time that nothing could go: a breaker, or a pause, takes its time
SIGNATURES: Final = {True: "verified", False: "bad", None: "unknown_key"}  # what metrics call them
DRAIN_S: Final = 5.0  # at a stop, calls in flight get so long to answer; then their leases run out


async def send_forever(parts: Parts) -> None:
    """Keep up to `concurrency` calls in flight while there are READY documents."""
    results: asyncio.Queue[Result] = asyncio.Queue()
    calls: dict[asyncio.Task[None], str] = {}  # with their GSTINs
    settling = asyncio.create_task(_settle_forever(parts, results), name="registration-settle")
    pause_s = _PACED_S
    try:
        while True:
            due = await _lease(parts, parts.concurrency - len(calls), Counter(calls.values()))
            pause_s = _PACED_S if due else min(pause_s * _PACED_SLOWER, parts.idle_s)
            for leased in due:
                call = asyncio.create_task(_call(parts, leased, results), name="registration-call")
                calls[call] = leased.gstin
                call.add_done_callback(calls.pop)
                call.add_done_callback(partial(report_defect, parts))
            await _until_there_is_room(parts, calls, pause_s)
            _raise_if_ended(settling)
    finally:
        if calls:
            await asyncio.wait(calls, timeout=DRAIN_S)
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)
        if not results.empty():
            await settle(parts, [results.get_nowait() for _ in range(results.qsize())])


async def _lease(parts: Parts, most: int, busy: Mapping[str, int]) -> list[Leased]:
    parts.to_send.clear()
    now = parts.now()
    try:
        rows = await parts.database.fetch(
            _SQL["lease"], now, now + parts.deadline + parts.slack, most, *ways(parts.portals),
            list(busy), list(busy.values()), parts.of_one_gstin,
        )  # fmt: skip
    except Unavailable as error:  # ending here would drop what the calls in flight come to
        parts.log.warning("store away, nothing is leased", error=str(error))
        return []
    if len(rows) == most:
        parts.to_send.set()  # there may be more
    return [msgspec.structs.replace(leased_of(row), begin_by=now + parts.slack) for row in rows]


def leased_of(row: Row) -> Leased:
    """The document of a row of `lease` or `due`."""
    return Leased(**{name: row[name] for name in row.keys()})  # noqa: SIM118 (a Record is no dict)


async def _until_there_is_room(parts: Parts, calls: Collection[asyncio.Task[None]], pause_s: float) -> None:
    """Wait for work when idle, for an answer when full; a moment more, so that leases come in batches."""
    if len(calls) >= parts.concurrency:
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(_LINGER_S)
        return
    if await until(parts.to_send, await _patience_s(parts, pause_s)):
        await asyncio.sleep(_LINGER_S)


async def _patience_s(parts: Parts, pause_s: float) -> float:
    """How long to wait for work: `pause_s` while documents wait for their pace, a breaker, or a pause to end, which
    nobody announces."""
    with suppress(Unavailable):
        if not parts.to_send.is_set() and (await parts.database.fetch(_SQL["paced"], parts.now()))[0]["waiting"]:
            return min(pause_s, parts.idle_s)
    return parts.idle_s


def _raise_if_ended(task: asyncio.Task[None]) -> None:
    if task.done():
        task.result()


def report_defect(parts: Parts, call: "asyncio.Task[None]") -> None:
    """A call that broke in our own code: its lease runs out, and the look-up finds what happened."""
    if not call.cancelled() and call.exception():
        parts.log.error("a call broke", exc_info=call.exception())


async def _call(parts: Parts, leased: Leased, results: asyncio.Queue[Result]) -> None:
    with metrics.portal_seconds.labels("generate").time(), metrics.portal_in_flight.track_inprogress():
        result = await generate(parts, leased)
    metrics.portal_calls.labels("generate", result.outcome).inc()
    results.put_nowait(result)


async def generate(parts: Parts, leased: Leased) -> Result:
    """Send one document, follow up at once what must be, and say what it came to. Never raises Transient."""

    async def send(portal: Portal, credentials: Credentials, session: Session) -> Answer:
        _check_lease(parts, leased)
        return await portal.generate(credentials, session, leased.payload)

    if stale := meaning.of_waiting(leased, in_india(parts.now())):
        return stale
    try:
        answer = await _answer(parts, leased, send)
        if gstins.says_stale(answer.errors):  # 3028, 3029, 3001: synchronise, then once more
            try:
                inactive = await gstins.inactive_after_sync(parts, leased, answer.errors)
            except Transient as error:
                return meaning.of_not_done(leased, error)
            if inactive:
                return gstins.of_inactive(leased, answer.errors, inactive)
            answer = await _answer(parts, leased, send)
    except Permanent as error:
        # A refused login is stopped already, and by now it may have been mended.
        stop = "" if isinstance(error, LoginRefused) else str(error)
        parts.log.error("no login", gstin=leased.gstin, says=str(error))
        return Result(leased=leased, what="send", outcome=Outcome.NOT_DONE, says=str(error), stop=stop,
                      heard=Heard.NOTHING, next_in=meaning.back_off(leased))  # fmt: skip
    except (LoginPutOff, NotSent, NotDone) as error:
        return meaning.of_not_done(leased, error)
    except Lost as error:
        return in_doubt(parts, leased, str(error))
    try:
        return await _meaning_of(parts, leased, answer)
    except Lost as error:  # a success that can't be read: the portal may have the document
        return in_doubt(parts, leased, str(error))


async def _answer(parts: Parts, leased: Leased, send: Call) -> Answer:
    """The portal's answer. One that refuses the caller stops its login before any other call of it begins."""
    trial = trial_of(parts, leased)
    async with trial.turn(parts, leased):
        answer, _, _ = await parts.call(leased, send)
        if reason := meaning.why_to_stop(leased, answer.errors):
            trial.refused()
            await stop_logins(parts, [(leased, reason)])
        else:
            trial.proven()
    return answer


def _check_lease(parts: Parts, leased: Leased) -> None:
    """Raises NotBegun where a login took so long that the look-ups could come before the call."""
    if leased.begin_by and parts.now() > leased.begin_by:
        raise NotBegun("the lease has no time left for a call")


async def _meaning_of(parts: Parts, leased: Leased, answer: Answer) -> Result:
    if answer.ok:
        with metrics.cpu("signature"):
            result = meaning.of_generated(leased, answer.data, parts.line(leased).keys)
        return msgspec.structs.replace(result, infos=answer.infos)
    if meaning.has(answer.errors, PortalClass.DUPLICATE):
        return await _duplicate(parts, leased, answer)
    result = meaning.of_refusal(leased, answer.errors)
    if result.outcome is Outcome.UNLISTED:  # a code that decides nothing by itself: look once
        found = await search(parts, leased, parts.portals.family(leased.portal))
        if isinstance(found, There):
            return meaning.of_found(leased, found, what="send")
        if not isinstance(found, Nowhere):
            says = f"{result.says}; and the look-up decides nothing"
            doubt = in_doubt(parts, leased, says, result.codes, answer="REFUSED")
            return msgspec.structs.replace(doubt, verdict=result.verdict)
    if result.outcome is Outcome.UNKNOWN:
        return in_doubt(parts, leased, result.says, result.codes, answer=result.answer)
    return result


async def _duplicate(parts: Parts, leased: Leased, answer: Answer) -> Result:
    """2150, 2295: this IRN is registered. Fetch it from whoever has it and compare; adopt it when it is ours."""
    code = next((said.code for said in answer.errors if said.code == meaning.ELSEWHERE), meaning.DUPLICATE)
    known = _known(leased, answer)
    found = await search(parts, leased, meaning.who_may_have(leased, parts.portals, code))
    result = meaning.of_duplicate(leased, found, code=code, what="send", known=known)
    if result is None:
        says = found.says if isinstance(found, Unclear) else "no look-up finds it"
        result = in_doubt(parts, leased, f"the portal says that it is registered ({code}): {says}", (code,))
    return msgspec.structs.replace(result, document=result.document or known)


def _known(leased: Leased, answer: Answer) -> Document | None:
    """What DUPIRN tells of our IRN, as a document without signed texts; None when no entry is about it.

    InfoDtls may have several entries, and the case of keys varies.
    """
    for info in answer.infos:
        if info.code.upper() != "DUPIRN" or not isinstance(info.desc, dict):
            continue
        desc = {name.lower(): str(value or "") for name, value in info.desc.items()}
        if desc.get("irn", "").lower() == leased.irn:
            return Document(irn=leased.irn, ack_no=desc.get("ackno", ""), ack_dt=desc.get("ackdt", ""))
    return None


def in_doubt(parts: Parts, leased: Leased, says: str, codes: tuple[str, ...] = (), *, answer: str = "") -> Result:
    """The portal may have done it: nothing is sent again before a look-up has said "not there"."""
    return Result(leased=leased, what="send", outcome=Outcome.UNKNOWN, answer=answer, says=says, codes=codes,
                  heard=heard_in(codes), next_in=parts.deadline + parts.settle)  # fmt: skip


async def _settle_forever(parts: Parts, results: "asyncio.Queue[Result]") -> None:
    while True:
        batch = [await results.get()]
        await asyncio.sleep(_LINGER_S)
        while not results.empty() and len(batch) < _SETTLE_MOST:
            batch.append(results.get_nowait())
        try:
            await settle(parts, batch)
        except asyncio.CancelledError:
            for result in batch:  # whoever stops us settles them; twice changes nothing
                results.put_nowait(result)
            raise


async def settle(parts: Parts, results: Sequence[Result]) -> None:
    """Put what calls and look-ups came to into the store, however long that takes, and tell it."""
    await stop_logins(parts, [(result.leased, result.stop) for result in results if result.stop])
    await heed(parts, results)
    if bills := with_invoice.columns(parts, results):  # before the IRNs themselves, whose answers a look-up finds again
        await until_it_answers(parts, with_invoice.KEEP, *bills)
    now = parts.now()
    rows = await until_it_answers(parts, _SQL["settle"], *_columns(results, parts), now, now + TELL_LEASE)
    if any(result.outcome is not Outcome.ACCEPTED for result in results):
        parts.to_send.set()
    _report(parts, results)
    await tell(parts, rows)


async def stop_logins(parts: Parts, reasons: Sequence[tuple[Addressed, str]]) -> None:
    """The portal refuses the caller, not the document: its family serves the GSTIN no more until that is mended."""
    whose = {(leased.gstin, parts.line(leased).family): reason for leased, reason in reasons}
    for (gstin, family), reason in whose.items():
        parts.log.error("gstin stopped", gstin=gstin, family=family, reason=reason)
        await until_it_answers(parts, _SQL["stop_login"], gstin, family, reason)


async def until_it_answers(parts: Parts, sql: str, *args: object) -> Sequence[Row]:
    """An answer of the portal is never dropped because the store is away."""
    while True:
        try:
            return await parts.database.fetch(sql, *args)
        except Unavailable as error:
            parts.log.warning("store away, answers are kept", error=str(error))
            await asyncio.sleep(parts.idle_s)


def _columns(results: Sequence[Result], parts: Parts) -> tuple[list[Any], ...]:
    """Parameters 1 to 17 of `settle`, a list a column."""
    now = parts.now()
    return (
        [r.leased.irn for r in results],
        [r.leased.attempt for r in results],
        [r.leased.send for r in results],
        [r.what for r in results],
        [str(r.outcome) for r in results],
        [r.answer or str(r.outcome) for r in results],
        [",".join(r.codes) for r in results],
        [r.says for r in results],
        [msgspec.json.encode(r.verdict).decode() if r.verdict else None for r in results],
        [str(r.document.ack_no) or None if r.document else None for r in results],
        [r.document.ack_dt or None if r.document else None for r in results],
        [r.document.signed_invoice if r.document else None for r in results],
        [r.document.signed_q_r_code if r.document else None for r in results],
        [r.verified for r in results],
        [r.not_there for r in results],
        [now + r.next_in for r in results],
        [r.issuer or None for r in results],
    )


def _report(parts: Parts, results: Sequence[Result]) -> None:
    """One line for the batch, and one for each document that a person may have to look at."""
    irns: defaultdict[str, list[str]] = defaultdict(list)
    for result in results:
        irns[result.outcome].append(result.leased.irn)
        if result.outcome is Outcome.UNKNOWN:
            parts.log.warning(
                "in doubt", irn=result.leased.irn, gstin=result.leased.gstin, says=result.says, codes=result.codes
            )
        if result.document and result.document.signed_invoice:
            metrics.signatures.labels(SIGNATURES[result.verified]).inc()
        if result.verified is False:
            parts.log.error("not to be trusted", irn=result.leased.irn, gstin=result.leased.gstin, says=result.says)
    unverified = [r.leased.irn for r in results if r.outcome is Outcome.ACCEPTED and r.verified is None]
    if unverified:
        parts.log.error("accepted, but the signature is not verified", n=len(unverified), first=unverified[0])
    parts.log.info("settled", n=len(results), irns=irns)
