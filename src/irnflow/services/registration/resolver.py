"""The resolver: finds out what happened to calls whose answer was lost. It asks; it never sends.

Two look-ups in a row, some time apart, must say "not there" (2148, 2154: nothing else counts) at each portal of the
family before the document is READY again. The first comes when a late call can no longer arrive; none decides near
the end of the portal's memory: then a person does (store/migrations/0007_doubt.sql).
"""

import asyncio
from datetime import timedelta
from typing import Final

import msgspec

from irnflow import metrics
from irnflow.gst.faults import Fault
from irnflow.services.registration import meaning
from irnflow.services.registration.pace import ways
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Found, Leased, Nowhere, Outcome, Result, There, TooOld, Unclear
from irnflow.services.registration.search import search
from irnflow.services.registration.sender import leased_of, settle
from irnflow.store.database import queries

_SQL: Final = queries("registration")
_MOST: Final = 50
_LEASE: Final = timedelta(minutes=5)  # of a look-up: longer than two calls
_OFTEN: Final = timedelta(hours=1)  # at least so often while the portal remembers
_NOT_THERE_ENOUGH: Final = 2
_TOLD_EVERY: Final = timedelta(minutes=5)


async def resolve_forever(parts: Parts) -> None:
    """Expire leases, look up what is due, settle what was found; now and then tell how old the doubts are."""
    names, _, per_second = ways(parts.portals)
    limits = names, per_second
    tell_at = parts.now()
    while True:
        now = parts.now()
        if now >= tell_at:
            await tell_ages(parts)
            tell_at = now + _TOLD_EVERY
        expired = (await parts.database.fetch(_SQL["expire"], now, now + parts.settle))[0]["n"]
        if expired:
            parts.log.warning("calls without an answer are in doubt", n=expired)
            parts.to_tell.set()
        due = [leased_of(row) for row in await parts.database.fetch(_SQL["due"], now, now + _LEASE, _MOST, *limits)]
        if due:
            found = await asyncio.gather(*(look_up(parts, leased) for leased in due), return_exceptions=True)
            for each in found:
                if isinstance(each, Exception):  # broken in our own code: asked again when its lease is over
                    parts.log.error("a look-up broke", exc_info=each)
            await settle(parts, [each for each in found if isinstance(each, Result)])
        if len(due) < _MOST:
            await asyncio.sleep(parts.idle_s)


async def tell_ages(parts: Parts) -> None:
    """How many are in doubt, and an alarm for those that are for too long."""
    found = (await parts.database.fetch(_SQL["doubts_aged"], parts.now(), parts.alarm, parts.page))[0]
    for age in ("n", "alarm", "page"):
        metrics.in_doubt.labels("any time" if age == "n" else age).set(found[age])
    if found["page"]:
        parts.log.critical(
            "in doubt for too long: page", n=found["page"], since=found["oldest_at"], irn=found["oldest"]
        )
    elif found["alarm"]:
        parts.log.error("in doubt for long: alarm", n=found["alarm"], since=found["oldest_at"], irn=found["oldest"])


async def look_up(parts: Parts, leased: Leased) -> Result:
    """Ask every portal that may have it, by type, number and date, then by IRN. Never raises Transient."""
    with metrics.portal_seconds.labels("lookup").time():
        found = await search(
            parts, leased, meaning.who_may_have(leased, parts.portals, leased.duplicate), by_document=True
        )
    result = _meaning_of(parts, leased, found)
    metrics.portal_calls.labels("lookup", result.answer).inc()
    return result


def _meaning_of(parts: Parts, leased: Leased, found: Found) -> Result:
    if leased.duplicate:  # the portal itself has said that it is there: "not there" is no answer to that
        result = meaning.of_duplicate(leased, found, code=leased.duplicate, what="lookup")
        return result or _nothing(parts, leased, f"the portal said {leased.duplicate}, and no look-up finds it")
    match found:
        case There():
            return meaning.of_found(leased, found, what="lookup")
        case Nowhere():
            return _absent(parts, leased)
        case TooOld(line):  # 2283 for what another program registered says nothing of our call
            return _nothing(parts, leased, f"{line.name} has it, and gives it no more (2283)")
        case Unclear(says, heard):
            return msgspec.structs.replace(_nothing(parts, leased, says), heard=heard)


def _absent(parts: Parts, leased: Leased) -> Result:
    """Every portal says that it has no such document."""
    if _age(parts, leased) > parts.window:
        return _nothing(parts, leased, "not there, but the portal may have forgotten it: a person must decide")
    if leased.refused is not None:  # the call was answered, so nothing of it is under way: it is not sent again
        faults = msgspec.json.decode(leased.refused, type=tuple[Fault, ...])
        return Result(
            leased=leased, what="lookup", answer="NOT_THERE", outcome=Outcome.UNLISTED, says="refused, and not there",
            verdict=meaning.refused(leased, faults),
        )  # fmt: skip
    times = leased.not_there + 1
    enough = times >= _NOT_THERE_ENOUGH
    return Result(
        leased=leased, what="lookup", answer="NOT_THERE", not_there=times, says=f"not there, {times} in a row",
        outcome=Outcome.NOT_DONE if enough else Outcome.UNKNOWN,
        next_in=timedelta(0) if enough else parts.gap,
    )  # fmt: skip


def _nothing(parts: Parts, leased: Leased, says: str) -> Result:
    """The look-up found nothing out: again later, and "not there" counts from the start.

    The older the doubt, the rarer: the portal counts refused look-ups, and may block who has too many (6.1).
    """
    age = _age(parts, leased)
    rare = age / 4 if age > parts.window else min(age / 4, _OFTEN)
    return Result(
        leased=leased, what="lookup", answer="NO_ANSWER", outcome=Outcome.UNKNOWN, says=says,
        next_in=max(parts.gap, rare),
    )  # fmt: skip


def _age(parts: Parts, leased: Leased) -> timedelta:
    assert leased.sent_at is not None  # nothing is in doubt that was not sent
    return parts.now() - leased.sent_at
