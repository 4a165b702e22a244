"""The pipeline broken on purpose, one promise at a time: the simulation must see each.

`seen_by` tells which seed does. A mutation that no seed sees is a promise that nothing tests, or that nothing needs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any, Final

import msgspec
import psycopg

from irnflow.books.rows import Voucher
from irnflow.bus import batch
from irnflow.messages import Registered
from irnflow.portal.client import Answer
from irnflow.services import database_update, irn_service
from irnflow.services.database_update import Found
from irnflow.services.registration import meaning, resolver, sender
from irnflow.services.registration.lifecycle import asking
from irnflow.services.registration.lifecycle.action import Leased as Action
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Leased, Outcome, Result
from irnflow.store import failures
from tests.simulation.ground import Ground

Broken = Callable[[Ground], AbstractContextManager[None]]


def sql(function: str, *changes: tuple[str, str]) -> Broken:
    """A function of the store with other words in it."""

    @contextmanager
    def changed(ground: Ground) -> Iterator[None]:
        with psycopg.connect(ground.database_url, autocommit=True) as server:
            row = server.execute(f"select pg_get_functiondef('irnflow.{function}'::regproc)").fetchone()
            assert row
            broken = row[0]
            for right, wrong in changes:
                assert right in broken, f"{function} no longer says {right!r}"
                broken = broken.replace(right, wrong)
            server.execute(broken)
            try:
                yield
            finally:
                server.execute(row[0])

    return changed


def code(owner: Any, name: str, wrong: Callable[[Any], Any]) -> Broken:
    """Something of a module or class, replaced by what `wrong` makes of it."""

    @contextmanager
    def broken(ground: Ground) -> Iterator[None]:
        right = getattr(owner, name)
        setattr(owner, name, wrong(right))
        try:
            yield
        finally:
            setattr(owner, name, right)

    return broken


def _sent_again(right: Any) -> Any:
    def in_doubt(parts: Parts, leased: Leased, says: str, codes: tuple[str, ...] = ()) -> Result:
        return Result(leased=leased, what="send", outcome=Outcome.NOT_DONE, says=says, codes=codes)

    return in_doubt


def _asked_again(right: Any) -> Any:
    def in_doubt(parts: Parts, leased: Action, says: str, codes: tuple[str, ...] = ()) -> Any:
        return asking._not_done(leased, says)

    return in_doubt


def _at_once(right: Any) -> Any:
    def in_doubt(parts: Parts, leased: Leased, says: str, codes: tuple[str, ...] = ()) -> Result:
        hasty = msgspec.structs.replace(parts, settle=timedelta(0), deadline=timedelta(0), gap=timedelta(seconds=1))
        result: Result = right(hasty, leased, says, codes)
        return result

    return in_doubt


def _any_refusal(right: Any) -> Any:
    def not_there(answer: Answer) -> bool:
        return not answer.ok

    return not_there


def _told_before_said(right: Any) -> Any:
    async def tell(parts: Parts, rows: Sequence[Any]) -> None:
        bus = parts.bus
        held: list[Any] = []

        class Later:
            async def publish(self, window: Any) -> None:
                held.append(window)

        await right(msgspec.structs.replace(parts, bus=Later()), rows)
        for window in held:
            await bus.publish(window)

    return tell


def _acked_before_said(right: Any) -> Any:
    async def settle(self: Any, deliveries: Any) -> None:
        await self.subscription.ack([delivery.tag for delivery in deliveries])
        acked, self.subscription = self.subscription, _NoAck()
        try:
            await right(self, deliveries)
        finally:
            self.subscription = acked

    return settle


class _NoAck:
    async def ack(self, tags: Any) -> None:
        return


def _own_irn_is_anothers(right: Any) -> Any:
    def judge(told: Registered, voucher: Voucher | None) -> Found:
        return Found.OTHER_IRN if voucher and voucher.irn else right(told, voucher)

    return judge


def _called_registered(right: Any) -> Any:
    def judge(told: Registered, voucher: Voucher | None) -> Found:
        found: Found = right(told, voucher)
        return Found.AS_FETCHED if found in (Found.NOTHING, Found.OTHER_IRN) else found

    return judge


def _marked_before_sent(right: Any) -> Any:
    async def release(most: int, *, bus: Any, store: Any, at: Any) -> Any:
        held: list[Any] = []

        class Later:
            async def publish(self, window: Any) -> None:
                held.append(window)

        released = await right(most, bus=Later(), store=store, at=at)
        for window in held:
            await bus.publish(window)
        return released

    return release


def _ends_with_the_store(right: Any) -> Any:
    async def lease(parts: Parts, *args: Any) -> Any:
        await parts.database.fetch("select 1 as one")
        return await right(parts, *args)

    return lease


def _tried_once(right: Any) -> Any:
    async def until_it_answers(parts: Parts, sql: str, *args: object) -> Any:
        return await parts.database.fetch(sql, *args)

    return until_it_answers


def _forgetful(right: Any) -> Any:
    async def record(database: Any, told: Any) -> None:
        return

    return record


MUTATIONS: Final[dict[str, Broken]] = {
    "the call is made before INTENT is on record": sql(
        "registration_lease", ("set state = 'INTENT',", "set state = 'READY', next_at = p_lease_until,")
    ),
    "a call that timed out is sent again": code(sender, "in_doubt", _sent_again),
    "a call whose caller died is sent again": sql(
        "registration_expire", ("set state = 'UNKNOWN', bound", "set state = 'READY', bound")
    ),
    "the look-ups don't wait for late calls": code(sender, "in_doubt", _at_once),
    "a person's look-up comes before a late call": sql(
        "doubt_look", ("greatest(p_at, least(r.next_at, greatest(", "least(p_at, least(r.next_at, greatest(")
    ),
    "one look-up is enough": code(resolver, "_NOT_THERE_ENOUGH", lambda right: 1),
    "any refusal of a look-up means not there": code(meaning, "not_there", _any_refusal),
    "an answer counts only for a lease that holds": sql(
        "registration_settle", ("r.state in ('INTENT', 'UNKNOWN')", "r.state = 'INTENT'")
    ),
    "a call begins at the end of its lease": code(sender, "_check_lease", lambda right: lambda parts, leased: None),
    "no lease, and calls in flight are forgotten": code(sender, "_lease", _ends_with_the_store),
    "an answer is dropped when the store is away": code(sender, "until_it_answers", _tried_once),
    "told is marked before it is said": code(sender, "tell", _told_before_said),
    "a delivery is acked before commit and confirm": code(batch._Worker, "_settle", _acked_before_said),
    "released is marked before it is sent": code(irn_service, "release", _marked_before_sent),
    "the IRN that is in the books is another's": code(database_update, "judge", _own_irn_is_anothers),
    "registered, though the books have lost it or have another IRN": code(database_update, "judge", _called_registered),
    "a late status moves its transaction": sql(
        "record_events", ("greatest(known, max(status) over", "(max(status) over"), ("is_now > was", "true")
    ),
    "failures are not kept": code(failures, "record", _forgetful),
    "an outcome untold at a crash is never told": sql("registration_untold", ("tell_at <= p_at", "false")),
    "a cancellation whose answer was lost is asked for again": code(asking, "_in_doubt", _asked_again),
    "a document shared by two batches is told to one": sql(
        "registration_settle",
        ("where w.irn = c.irn and w.verdict", "where w.irn = c.irn and w.batch_id = c.batch_id and w.verdict"),
    ),
}  # fmt: skip


def seen_by(
    ground: Ground, holds: Callable[[int], bool], *, names: Sequence[str], seeds: int
) -> Iterator[tuple[str, int | None]]:
    """Each of these mutations with the first seed that sees it, or None."""
    for name in names:
        broken = MUTATIONS[name]
        with broken(ground):
            yield name, next((seed for seed in range(seeds) if not holds(seed)), None)
