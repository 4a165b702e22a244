"""One run: every service on a broker in memory, the portals in process and a real PostgreSQL, in virtual time.

While the seed's troubles last, processes are killed and started again, calls and statements get lost; then all is well,
and the run goes on until nothing moves any more. `proof` says what must hold then.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from irnflow.books import sample
from irnflow.bus import memory
from irnflow.sandbox.switches import Order
from irnflow.store import accounting, accounts
from tests.simulation import people
from tests.simulation.database import Blocking
from tests.simulation.faults import Faults, pick
from tests.simulation.ground import BOOKS, MIDNIGHT, NOON, Ground
from tests.simulation.network import Wire
from tests.simulation.process import Bus, Process
from tests.simulation.proof import prove
from tests.simulation.services import FAMILY, KEY, SERVICES
from tests.simulation.story import Story, drawn
from tests.simulation.trace import Trace

ENDS_WITHIN_S: Final = 3 * 3600.0  # after the last trouble; the watchdog's patience is part of it
LOOKS_S: Final = 5.0  # whether all is quiet
STAYS_S: Final = 60.0  # it is, when it still is so much later

_AT_WORK: Final = """
    select (select count(*) from irnflow.registration where state in ('READY', 'INTENT', 'UNKNOWN'))
         + (select count(*) from irnflow.registration_request where tell_at is not null)
         + (select count(*) from irnflow.action where state not in ('DONE', 'FAILED') or tell_at is not null
                                                      or $1::boolean and told_at is not null and seen_at is null)
         + (select count(*) from irnflow.batch where finished_at is null) as n
"""
_STANDS: Final = (
    "select irn from irnflow.registration where irn = $1::text and ack_no = $2::text and state = 'ACCEPTED'"
)


class Breach(AssertionError):
    """Something that never may happen did, or something that must happen did not."""


class World:
    """One run; `await World(seed, ground).run()` in a virtual loop."""

    def __init__(
        self, seed: int, ground: Ground, *, faults: Faults | None = None, story: Story | None = None,
        trace: Trace | None = None,
    ) -> None:  # fmt: skip
        self.faults = faults or Faults(seed)
        self.ground = ground
        self.trace = trace or Trace()
        self.keys: dict[str, RSAPublicKey] = {}  # of the portals' signatures, as far as they are known
        self.refused: set[str] = set()  # IRNs of documents that the portal refuses
        self.took_in: dict[int, Callable[[], None]] = {}  # wakes a dispatcher, by number of its process
        self.turns: dict[str, Process] = {}
        self.to_close: list[Callable[[], None]] = []
        self.story = story or drawn(self.faults)
        midnight_s = self.faults.midnight_s
        self._began = NOON if midnight_s is None else MIDNIGHT - timedelta(seconds=midnight_s)
        self._not_yet = 0  # of the people who have something to do
        self._processes: list[Process] = []
        self._away: Counter[str] = Counter()
        self._published = 0
        self._broken: asyncio.Future[None]
        self._draw = self.faults.stream("world")

    async def run(self) -> "World":
        """Gives itself when all is at rest. Raises Breach."""
        with ExitStack() as stack:
            self.store = stack.enter_context(Blocking(self.ground.database_url))
            self.books = self.ground.books()
            stack.callback(self.books.close)
            stack.callback(self._end)
            await self._run()
            await prove(self)
        return self

    async def _run(self) -> None:
        self._broken = asyncio.get_running_loop().create_future()
        self.broker = memory.Broker(self._mischief())
        self.wire = Wire(self, self.ground.sandbox(self.faults))
        await self._open_account()
        await self._let_people_in()
        for service in SERVICES:
            for number in range(1, self.faults.instances[service] + 1):
                self._start(service, number, 1)
        self._set_weather()
        rest = asyncio.create_task(self._until_rest())
        await asyncio.wait((rest, self._broken), return_when=asyncio.FIRST_COMPLETED)
        if self._broken.done():
            self._broken.result()
        rest.result()

    # -- what processes see ------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self._began + timedelta(seconds=asyncio.get_running_loop().time())

    def log(self, process: Process) -> Any:
        return self.trace.logger(process.name)

    def away(self, what: str) -> bool:
        return self._away[what] > 0

    def trouble(self, chances: Mapping[str, float], draw: Random) -> str | None:
        """One of these troubles, or none; none at all when all is well."""
        return pick(chances, draw) if self.is_troubled else None

    def kills(self, point: str) -> bool:
        return self.is_troubled and not point.startswith("client") and self.faults.kills(point)

    def mattered(self, point: str, times: int) -> None:
        """When this point was reached this time, a kill could have left something half done."""
        if self.is_troubled:
            self.faults.mattered(point, times)

    def killed(self, process: Process) -> None:
        """It comes back after a while."""
        back_s = self._draw.uniform(0.05, self.faults.restart_s)
        self._later(back_s, self._start, process.service, process.number, process.life + 1)

    def breach(self, says: str, error: BaseException | None = None) -> None:
        """End the run: this may not happen."""
        self.trace.say("BREACH", says)
        if not self._broken.done():
            breach = Breach(says)
            breach.__cause__ = error
            self._broken.set_exception(breach)

    @property
    def is_troubled(self) -> bool:
        return asyncio.get_running_loop().time() < self.faults.calm_at_s

    # -- what happens to them ----------------------------------------------------------------------------------------

    def _start(self, service: str, number: int, life: int) -> None:
        for dead in [each for each in self._processes if not each.alive]:
            dead.bury()
            self._processes.remove(dead)
        process = Process(self, service, number, life)
        self._processes.append(process)
        process.start(partial(self._serve, service))

    async def _serve(self, service: str, process: Process, bus: Bus) -> None:
        await SERVICES[service](process, bus)
        self.breach(f"{process.name} ends by itself")

    def _mischief(self) -> memory.Mischief:
        faults = self.faults
        return memory.Mischief(
            random=faults.stream("broker"), duplicate=faults.duplicate, delay=faults.delay, delay_s=faults.delay_s,
            reorder=faults.reorder, lose_confirm=faults.lose_confirm, lose_connection=faults.lose_connection,
        )  # fmt: skip

    def _set_weather(self) -> None:
        for outage in self.faults.outages:
            self._later(outage.from_s, self._go_away, outage.what)
            self._later(outage.until_s, self._come_back, outage.what)
        for at_s in self.faults.revocations_s:
            self._later(at_s, self._revoke_tokens)
        self._later(self.faults.dedup_back_s, self._hear_of_each_other)
        self._later(self.faults.keys_at_s, self.keys.update, self.ground.keys)
        self._later(self.faults.calm_at_s, self._calm_down)

    def _go_away(self, what: str) -> None:
        self.trace.say(what, "goes away")
        self._away[what] += 1
        if what == "broker":
            self.broker.stop()

    def _come_back(self, what: str) -> None:
        self.trace.say(what, "comes back")
        self._away[what] -= 1
        if what == "broker" and not self.away(what):
            self.broker.start()

    def _revoke_tokens(self) -> None:
        self.trace.say("portal", "revokes all tokens")
        self.wire.sandbox.obey(Order(revoke_tokens=True))

    def published(self, count: int) -> None:
        """So many messages more are at the broker. It may be one too many."""
        before, self._published = self._published, self._published + count
        if self.faults.wipe_after and before < self.faults.wipe_after <= self._published:
            self._wipe_broker()

    def _wipe_broker(self) -> None:
        self.trace.say("broker", "loses all it has")
        self.broker.stop()  # what it still had to deliver is delivered to nobody
        self.broker = memory.Broker(self.broker.mischief)
        if self.away("broker"):
            self.broker.stop()

    def _calm_down(self) -> None:
        self.trace.say("world", "all is well from now on")
        self.broker.mischief = memory.Mischief(random=self.broker.mischief.random)

    def _hear_of_each_other(self) -> None:
        """The portals' de-duplication is back, and of two with one IRN the later one is struck off."""
        self.wire.sandbox.obey(Order(dedup_outage=False))
        self.wire.sandbox.call("GET", "/api/invoice/rejectedirns", {}, now=self.now())  # any call tells them the time

    def _later(self, in_s: float, happens: Callable[..., None], *args: object) -> None:
        asyncio.get_running_loop().call_later(in_s, happens, *args)

    async def _let_people_in(self) -> None:
        story = self.story
        self.registered_before = people.documents(self, story.registered_before)
        await people.register_before(self, self.registered_before, "NIC1")
        self.first_elsewhere = people.documents(self, story.first_elsewhere)
        await people.register_before(self, self.first_elsewhere, "NIC2")
        self.wire.sandbox.obey(Order(rate_limit_per_minute=self.faults.per_minute))
        self.refused = {document.irn for document in people.documents(self, story.refused)}
        work = [
            *(partial(people.send_in, asked) for asked in story.asked),
            *(partial(people.retry, number, at_s) for number, at_s in enumerate(story.retries_s)),
            *(partial(people.wish, wishes) for wishes in story.wishes),
            *(partial(people.question, want) for want in story.questions),
            *(partial(people.withdraw, taken) for taken in story.withdrawals),
            *(partial(people.pause, stop) for stop in story.pauses),
        ]
        self._not_yet = len(work)
        work += [
            *(partial(people.edit, change) for change in story.edits),
            *(partial(people.look, at_s) for at_s in story.looks_s),
            people.keep_running,
            people.send_again,
            *(partial(people.spoil, spoiled) for spoiled in story.spoils),  # last: the names of the others stay
        ]
        for number, each in enumerate(work):
            Process(self, "client", number, 1).start(each)

    # -- who uses it -------------------------------------------------------------------------------------------------

    async def _open_account(self) -> None:
        self.store.empty()
        account_id = await accounts.create_account(self.store, "Sahyadri", at=NOON)
        await accounts.add_books(self.store, account_id, BOOKS)
        known = self.wire.sandbox.identity.credentials
        credentials = accounts.Credentials(
            family=FAMILY, username=known.username, client_id=known.client_id, client_secret=known.client_secret,
            password=known.password,
        )  # fmt: skip
        for gstin in sample.GSTINS:
            await accounts.add_gstin(self.store, KEY, gstin, account_id=account_id, credentials=credentials)

    def has_work(self) -> None:
        """Somebody has sent something in, or found nothing to send."""
        self._not_yet -= 1
        for took_in in self.took_in.values():
            took_in()

    # -- the end -----------------------------------------------------------------------------------------------------

    async def _until_rest(self) -> None:
        """Until nothing moves, and a minute later still doesn't."""
        last_s = self.faults.calm_at_s + ENDS_WITHIN_S
        while asyncio.get_running_loop().time() < last_s:
            await asyncio.sleep(LOOKS_S)
            if self.is_troubled or not self._is_quiet():
                continue
            lines = len(self.trace.lines)
            await asyncio.sleep(STAYS_S)
            if self._is_quiet() and len(self.trace.lines) == lines:
                return
        raise Breach(f"no rest {ENDS_WITHIN_S:g} s after all was well: {await self._left()}")

    def _is_quiet(self) -> bool:
        moves = self._not_yet or self.broker.in_flight or self._at_work()
        return not (moves or people.are_left_dead(self.store) or self._unswept())

    def _unswept(self) -> bool:
        """Whether a portal has struck off what we take for registered there."""
        lost = [entry for entry in self.wire.sandbox.register.page() if entry.rejected_at]
        return any(self.store.ask(_STANDS, entry.irn, str(entry.ack_no)) for entry in lost)

    def _at_work(self) -> int:
        """What a broker that lost all it had has lost of actions, is told again when it is missed."""
        return int(self.store.ask(_AT_WORK, self.faults.wipe_after is not None)[0]["n"])

    async def _left(self) -> str:
        """What still moves."""
        differences = await accounting.differences(self.store)
        found = "; ".join(f"{each.batch_no} {each.transaction_id}: {each.says}" for each in differences)
        return f"{self.broker.in_flight} messages in flight; {found}"

    def _end(self) -> None:
        for process in self._processes:
            process.alive = False
        for close in self.to_close:
            close()
        self.wire.sandbox.register.close()
