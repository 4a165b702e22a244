"""The loop: leases actions, asks the portal for them, settles and tells what came of it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import msgspec

from irnflow.errors import Unavailable
from irnflow.services.registration.heeding import heed
from irnflow.services.registration.lifecycle.action import Kind, Leased, Outcome, Result
from irnflow.services.registration.lifecycle.asking import perform
from irnflow.services.registration.lifecycle.telling import tell
from irnflow.services.registration.pace import ways
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.sender import DRAIN_S, report_defect, stop_logins, until_it_answers
from irnflow.services.registration.teller import TELL_LEASE
from irnflow.store.database import Row, queries

_SQL: Final = queries("lifecycle")
_MOST: Final = 20  # calls in flight
_OF_ONE_GSTIN: Final = 15  # of these: the rest is there when it is in trouble
_NOBODY: Final[Mapping[str, int]] = {}
_TOLD_MOST: Final = 200
_QUIET: Final = timedelta(minutes=10)  # what was told and hasn't been seen is told again


async def act_forever(parts: Parts) -> None:
    """Ask, look up, tell; keep calls in flight while there is something to do."""
    calls: dict[asyncio.Task[None], str] = {}  # with their GSTINs
    try:
        while True:
            for leased in await _told_and_leased(parts, calls):
                call = asyncio.create_task(carry_out(parts, leased), name="lifecycle-call")
                calls[call] = leased.gstin
                call.add_done_callback(calls.pop)
                call.add_done_callback(partial(report_defect, parts))
            if calls:
                await asyncio.wait(calls, timeout=parts.idle_s, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(parts.idle_s)
    finally:
        if calls:
            await asyncio.wait(calls, timeout=DRAIN_S)


async def _told_and_leased(parts: Parts, calls: Mapping["asyncio.Task[None]", str]) -> list[Leased]:
    """Tell what is untold; give what is to be done beside the calls in flight, which outlive a store that is away."""
    try:
        now = parts.now()
        await tell(parts, await parts.database.fetch(_SQL["untold"], now, now + TELL_LEASE, _QUIET, _TOLD_MOST))
        return await lease(parts, _MOST - len(calls), Counter(calls.values()))
    except Unavailable as error:
        parts.log.warning("store away, no action is leased", error=str(error))
        return []


async def lease(parts: Parts, most: int = _MOST, busy: Mapping[str, int] = _NOBODY) -> list[Leased]:
    """Actions that are ours to ask for or to look up, INTENT on record."""
    now = parts.now()
    rows = await parts.database.fetch(
        _SQL["lease"], now, now + parts.deadline + parts.slack, now + parts.settle, most, *ways(parts.portals),
        list(busy), list(busy.values()), _OF_ONE_GSTIN,
    )  # fmt: skip
    return [msgspec.structs.replace(leased_of(row), begin_by=now + parts.slack) for row in rows]


async def carry_out(parts: Parts, leased: Leased) -> None:
    """One call or look-up, and what it comes to."""
    await settle(parts, [await perform(parts, leased)])


def leased_of(row: Row) -> Leased:
    """The action of a row of `lease`."""
    fields = {name: row[name] for name in row.keys()}  # noqa: SIM118 (a Record is no dict)
    return Leased(**fields | {"kind": Kind(row["kind"]), "request": msgspec.json.decode(row["request"])})


async def settle(parts: Parts, results: Sequence[Result]) -> None:
    """Put what calls and look-ups came to into the store, however long that takes, and tell it."""
    await stop_logins(parts, [(result.leased, result.stop) for result in results if result.stop])
    await heed(parts, results)
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
    irns: defaultdict[str, list[str]] = defaultdict(list)
    for result in results:
        irns[f"{result.leased.kind} {result.outcome}"].append(result.leased.irn)
        if result.outcome is Outcome.UNKNOWN:
            leased = result.leased
            parts.log.warning(
                "in doubt", action=leased.action_id, kind=leased.kind, irn=leased.irn, says=result.says,
                codes=result.codes,
            )  # fmt: skip
    parts.log.info("actions settled", n=len(results), irns=irns)
