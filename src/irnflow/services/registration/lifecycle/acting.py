"""The loop: leases actions, asks the portal for them, settles and tells what came of it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from irnflow.services.registration.lifecycle.action import Kind, Leased, Outcome, Result
from irnflow.services.registration.lifecycle.asking import perform
from irnflow.services.registration.lifecycle.telling import tell
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.sender import until_it_answers
from irnflow.services.registration.teller import TELL_LEASE
from irnflow.store.database import Row, queries

_SQL: Final = queries("lifecycle")
_STOP: Final = queries("registration")["stop"]
_MOST: Final = 20  # calls at once
_TOLD_MOST: Final = 200
_QUIET: Final = timedelta(minutes=10)  # what was told and hasn't been seen is told again


async def act_forever(parts: Parts) -> None:
    """Ask, look up, tell; wait only while there is nothing to do."""
    while True:
        acted = await act(parts)
        now = parts.now()
        untold = await parts.database.fetch(_SQL["untold"], now, now + TELL_LEASE, _QUIET, _TOLD_MOST)
        await tell(parts, untold)
        if not acted and len(untold) < _TOLD_MOST:
            await asyncio.sleep(parts.idle_s)


async def act(parts: Parts) -> int:
    """One round of calls and look-ups; gives how many."""
    now = parts.now()
    rows = await parts.database.fetch(_SQL["lease"], now, now + parts.deadline + parts.slack, now + parts.settle, _MOST)
    leased = [msgspec.structs.replace(leased_of(row), begin_by=now + parts.slack) for row in rows]
    calls = [asyncio.create_task(_performed(parts, each), name="lifecycle-call") for each in leased]
    if calls:
        await asyncio.wait(calls)
        _report_defects(parts, calls)
        await settle(parts, [call.result() for call in calls if not call.exception()])
    return len(calls)


def leased_of(row: Row) -> Leased:
    """The action of a row of `lease`."""
    fields = {name: row[name] for name in row.keys()}  # noqa: SIM118 (a Record is no dict)
    return Leased(**fields | {"kind": Kind(row["kind"]), "request": msgspec.json.decode(row["request"])})


async def _performed(parts: Parts, leased: Leased) -> Result:
    return await perform(parts, leased)


def _report_defects(parts: Parts, calls: Sequence["asyncio.Task[Result]"]) -> None:
    """A call that broke in our own code: its lease runs out, and the look-up finds what happened."""
    for call in calls:
        if error := call.exception():
            parts.log.error("a call broke", exc_info=error)


async def settle(parts: Parts, results: Sequence[Result]) -> None:
    """Put what calls and look-ups came to into the store, however long that takes, and tell it."""
    for gstin, reason in {result.leased.gstin: result.stop for result in results if result.stop}.items():
        parts.log.error("gstin stopped", gstin=gstin, reason=reason)
        await until_it_answers(parts, _STOP, gstin, reason)
    now = parts.now()
    rows = await until_it_answers(parts, _SQL["settle"], *_columns(results, parts), now, now + TELL_LEASE)
    _report(parts, results)
    await tell(parts, rows)


def _columns(results: Sequence[Result], parts: Parts) -> tuple[list[Any], ...]:
    """Parameters 1 to 12 of `settle`, a list a column."""
    now = parts.now()
    return (
        [r.leased.action_id for r in results],
        [r.leased.send for r in results],
        [r.leased.what for r in results],
        [str(r.outcome) for r in results],
        [r.recorded or str(r.outcome) for r in results],
        [",".join(r.codes) for r in results],
        [r.cause for r in results],
        [r.says for r in results],
        [r.fix for r in results],
        [msgspec.json.encode(r.answer).decode() if r.answer is not None else None for r in results],
        [r.not_done for r in results],
        [now + r.next_in for r in results],
    )


def _report(parts: Parts, results: Sequence[Result]) -> None:
    for result in results:
        if result.outcome is Outcome.UNKNOWN:
            leased = result.leased
            parts.log.warning(
                "in doubt", action=leased.action_id, kind=leased.kind, irn=leased.irn, says=result.says,
                codes=result.codes,
            )  # fmt: skip
    parts.log.info("actions settled", n=len(results), **Counter(str(result.outcome) for result in results))
