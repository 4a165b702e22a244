"""The resolver: finds out what happened to calls whose answer was lost. It asks; it never sends.

Two look-ups in a row, some time apart, must say "not there" (2148, 2154: nothing else counts) before the document
is READY again. The first comes when a late call can no longer arrive; none decides after the portal's memory ends.
"""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Final

from irnflow import metrics
from irnflow.errors import Permanent, Transient
from irnflow.portal.client import Portal, read_document
from irnflow.services.registration import meaning
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Leased, Outcome, Result
from irnflow.services.registration.sender import leased_of, settle
from irnflow.store.database import queries

_SQL: Final = queries("registration")
_MOST: Final = 50
_LEASE: Final = timedelta(minutes=5)  # of a look-up: longer than two calls
_MEMORY: Final = timedelta(hours=40)  # the portal forgets after about 48 h: "not there" proves nothing near that
_NOT_THERE_ENOUGH: Final = 2


async def resolve_forever(parts: Parts) -> None:
    """Expire leases, look up what is due, settle what was found."""
    while True:
        now = parts.now()
        expired = (await parts.database.fetch(_SQL["expire"], now, now + parts.settle))[0]["n"]
        if expired:
            parts.log.warning("calls without an answer are in doubt", n=expired)
            parts.to_tell.set()
        due = [leased_of(row) for row in await parts.database.fetch(_SQL["due"], now, now + _LEASE, _MOST)]
        if due:
            await settle(parts, await asyncio.gather(*(look_up(parts, leased) for leased in due)))
        if len(due) < _MOST:
            await asyncio.sleep(parts.idle_s)


async def look_up(parts: Parts, leased: Leased) -> Result:
    """Ask the portal for one document: by type, number and date, then by IRN. Never raises Transient."""
    try:
        with metrics.portal_seconds.labels("lookup").time():
            result = await _ask(parts, leased)
    except (Transient, Permanent) as error:
        result = _nothing(parts, leased, str(error))
    metrics.portal_calls.labels("lookup", result.answer).inc()
    return result


async def _ask(parts: Parts, leased: Leased) -> Result:
    by_document = partial(Portal.by_document, typ=leased.doc_typ, no=leased.doc_no, dt=leased.doc_dt)
    for ask in (by_document, partial(Portal.by_irn, irn=leased.irn)):
        answer, _, _ = await parts.call(leased, ask)
        if answer.ok:
            return meaning.of_found(leased, read_document(answer.data), parts.line(leased).keys, what="lookup")
        if not meaning.not_there(answer):
            codes = ", ".join(said.code for said in answer.errors)
            return _nothing(parts, leased, f"the look-up decides nothing: {codes}")
    return _absent(parts, leased)


def _absent(parts: Parts, leased: Leased) -> Result:
    """The portal says it has no such document."""
    if leased.sent_at is None or parts.now() - leased.sent_at > _MEMORY:
        return _nothing(parts, leased, "not there, but the portal may have forgotten it: a person must decide")
    times = leased.not_there + 1
    enough = times >= _NOT_THERE_ENOUGH
    return Result(
        leased=leased, what="lookup", answer="NOT_THERE", not_there=times, says=f"not there, {times} in a row",
        outcome=Outcome.NOT_DONE if enough else Outcome.UNKNOWN,
        next_in=timedelta(0) if enough else parts.gap,
    )  # fmt: skip


def _nothing(parts: Parts, leased: Leased, says: str) -> Result:
    """The look-up found nothing out: again later, and "not there" counts from the start."""
    return Result(
        leased=leased, what="lookup", answer="NO_ANSWER", outcome=Outcome.UNKNOWN, says=says, next_in=parts.gap
    )
