"""What must hold when a run has come to rest: nothing registered twice, no answer lost, every fate visible."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from irnflow.books.sql import CANCELLED, REGISTERED
from irnflow.messages import State
from irnflow.store import accounting
from tests.simulation.people import DIED, OTHER_IRN

if TYPE_CHECKING:
    from tests.simulation.world import World

_STATES: Final = """
    select b.batch_no, t.transaction_id, coalesce(s.state::text, 'PROCESSING') as state
      from irnflow.transaction t join irnflow.batch b using (batch_id)
      left join irnflow.state s using (batch_id, transaction_id)
"""
_FAILURES: Final = """
    select b.batch_no, f.transaction_id, f.failing::text, f.cause
      from irnflow.failure f join irnflow.batch b using (batch_id) where f.closed_at is null
"""
_ANSWERS: Final = """
    select irn, what, send from irnflow.attempt
     where outcome <> 'INTENT' and says <> 'no answer was recorded in time'
"""
_UNVERIFIED: Final = "select irn from irnflow.registration where state = 'ACCEPTED' and verified is not true"
_SPENT: Final = "select voucher_id, irn from irnflow.registration where state = 'CANCELLED'"
_STRUCK_OFF: Final = """
    select r.voucher_id, r.irn from irnflow.registration r
     where exists (select from irnflow.attempt a where a.irn = r.irn and '2295' = any (string_to_array(a.codes, ',')))
"""
_BILLS: Final = "select ewb_no, irn, cancelled_at is null as active from irnflow.eway_bill"
_REFUSED: Final = "select kind::text, irn, says from irnflow.action where state = 'FAILED'"
_SLOW_S: Final = 200.0  # with troubles that last longer, what is only late may seem lost
_FAILED: Final = {
    State.DATA_FETCH_FAILED, State.VALIDATION_FAILED, State.DEAD_LETTERED, State.GENERATION_FAILED, State.BOOKS_FAILED,
}  # fmt: skip


async def prove(world: "World") -> None:
    """Compare what independent sources say. Raises AssertionError naming what differs."""
    _agree("the accounting", await accounting.differences(world.store), [])
    _prove_fates(world)
    await _prove_portal_and_books(world)
    _prove_bills(world)
    _prove_that_nothing_was_lost(world)
    _prove_that_answers_are_on_record(world)


def _prove_fates(world: "World") -> None:
    """Each transaction has come to what its voucher may come to, and a person is told of all that failed."""
    story, found = world.story, world.store.ask(_STATES)
    asked = [(each.batch_no, voucher_id) for each in story.asked for voucher_id in each.voucher_ids]
    there = [(row["batch_no"], row["transaction_id"]) for row in found]
    _agree("transactions that were asked for", set(asked) - set(there), [])
    rows = world.store.ask(_FAILURES)
    died = {(row["batch_no"], row["transaction_id"], row["failing"]) for row in rows if row["cause"] == DIED}
    stand = [(row["batch_no"], row["transaction_id"], row["state"]) for row in found]
    wrong = [each for each in stand if State(each[2]) not in story.fates(each[1], each[0]) and each not in died]
    _agree("states that no voucher may come to", wrong, [])
    told = {(row["batch_no"], row["transaction_id"], row["failing"]) for row in rows}
    due = {each for each in stand if State(each[2]) in _FAILED}
    struck_off = {(*each[:2], State.BOOKS_FAILED) for each in told if each[1] in story.contested}
    # Of such a one a person may be told, though it is registered: its books had changed, or have since, or it was
    # struck off later.
    changed = {each.voucher_id for each in (*story.edits, *story.spoils)} | story.contested
    _agree("failures that nobody is told of", due - told - struck_off, [])
    _agree("failures of what didn't fail", [each for each in told - due if each[1] not in changed], [])
    _agree("dead letters", world.store.ask("select queue, reason, headers::text from irnflow.dead_letter"), [])


async def _prove_portal_and_books(world: "World") -> None:
    """Portal and books have what we say they have, no more; and the portal was asked for nothing twice."""
    ours = await accounting.accepted(world.store)
    may, must = world.story.registered()
    there = [each.voucher_id for each in ours]
    _agree("registered vouchers", there, must | (may & set(there)))
    _agree("registered, and not verified", world.store.ask(_UNVERIFIED), [])
    register = world.wire.sandbox.register
    before = {document.irn for document in [*world.registered_before, *world.first_elsewhere]}
    unasked = before - {each.irn for each in ours}  # taken back before it was asked for here
    registered = [
        (entry.irn, str(entry.ack_no))
        for entry in register.page()
        if entry.status == "ACT" and entry.irn not in unasked
    ]
    _agree("the portal", registered, [(each.irn, each.ack_no) for each in ours])
    spent = [(row["voucher_id"], row["irn"]) for row in world.store.ask(_SPENT)]
    cancelled = [entry.irn for entry in register.page() if entry.status == "CNL"]
    _agree("cancelled at the portal", cancelled, [irn for _, irn in spent])
    wanted = [wishes.voucher_id for wishes in world.story.wishes if wishes.cancels]
    _agree("cancelled vouchers", [voucher_id for voucher_id, _ in spent], wanted)
    counts = register.counts()
    _agree("documents of the portal", [counts["active"] + counts["cancelled"]], [counts["documents"]])
    struck_off = {(row["voucher_id"], row["irn"]) for row in world.store.ask(_STRUCK_OFF)}
    lost = {irn for _, irn in struck_off}
    again = [
        entry.doc_no for entry in register.page() if entry.duplicates > (entry.irn in before) and entry.irn not in lost
    ]
    _agree("documents that the portal was asked for again", again, [])
    # What was struck off stays marked: its IRN is the other one's too.
    left = {(*each, REGISTERED) for each in struck_off - {(each.voucher_id, each.irn) for each in ours}}
    spoiled = {each.voucher_id: each for each in world.story.spoils}
    marks = [row for row in world.books.marks() if row[1:] != (None, None)]
    marked = [row for row in marks if row not in left and row[0] not in spoiled]
    _agree("the books", marked, [(each.voucher_id, each.irn, REGISTERED) for each in ours
                                 if each.voucher_id not in spoiled]
                                + [(*each, CANCELLED) for each in spent])  # fmt: skip
    others = [(voucher_id, irn) for voucher_id, irn, _ in marks if voucher_id in spoiled]
    _agree("IRNs of others in the books", others,
           [(each.voucher_id, OTHER_IRN) for each in spoiled.values() if not each.gone])  # fmt: skip


def _prove_bills(world: "World") -> None:
    """We know the e-way bills that there are, and what was wanted of them was done."""
    there = [(str(bill.ewb_no), bill.irn, bill.status == "ACT") for bill in world.wire.sandbox.register.bill_page()]
    _agree("e-way bills", [tuple(row.values()) for row in world.store.ask(_BILLS)], there)
    _agree("actions that failed", [tuple(row.values()) for row in world.store.ask(_REFUSED)], [])


def _prove_that_nothing_was_lost(world: "World") -> None:
    """The watchdog asks again for what got lost. It had nothing to do, unless the broker itself lost messages."""
    if world.faults.wipe_after or world.faults.calm_at_s > _SLOW_S:
        return
    asked_again = [line for line in world.trace.lines if "quiet transactions" in line or "told again" in line]
    _agree("what the watchdog did", asked_again, [])


def _prove_that_answers_are_on_record(world: "World") -> None:
    """What a call came to is in the ledger, if the process that heard it lived on."""
    told = [(call.irn, call.what, call.send) for call in world.wire.ended if call.process.alive]
    known = {(row["irn"], row["what"], row["send"]) for row in world.store.ask(_ANSWERS)}
    _agree("answers that were lost", [call for call in told if call not in known], [])


def _agree(what: str, found: Iterable[object], expected: Iterable[object]) -> None:
    """Raises AssertionError with what only one of the two has."""
    here, there = list(found), list(expected)
    surplus = [each for each in here if each not in there or here.count(each) > 1]
    missing = [each for each in there if each not in here]
    if surplus or missing:
        raise AssertionError(f"{what}: found {surplus}, expected {missing}")
