"""What people do in one run, and what each voucher may come to for it.

They send batches of the sample company's vouchers, some in two of them; change vouchers in the books while these are
on their way, lose them there, or give them another IRN; send open failures again; want IRNs cancelled, e-way bills
made and cancelled. Some documents the portal has already, from elsewhere; some it refuses; some another portal had
first, and nobody knew.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Final

import msgspec

from irnflow.books import sample
from irnflow.messages import State
from tests.simulation.faults import Faults

REFUSAL: Final = "2176"  # invalid HSN code: any code of the data would do
_ASKED_MOST: Final = 8  # vouchers of a batch


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is sent in."""

    at_s: float
    batch_no: str
    voucher_ids: list[str]


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher that is changed in the books."""

    at_s: float
    voucher_id: str
    column: str
    value: str


class Spoil(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher that the books have no more, or that has another IRN there: from the beginning, or from some time."""

    at_s: float
    voucher_id: str
    gone: bool

    @property
    def fates(self) -> set[State]:
        if self.gone:
            return {State.REGISTERED, State.BOOKS_FAILED, State.DATA_FETCH_FAILED}
        return {State.REGISTERED, State.BOOKS_FAILED} if self.at_s else {State.BOOKS_FAILED}


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants of a voucher's IRN, one thing after the other: the names of `people.WANTS`."""

    at_s: float
    voucher_id: str
    wants: tuple[str, ...]

    @property
    def cancels(self) -> bool:
        return "cancel" in self.wants or "cancel both" in self.wants


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is taken back, as far as it is not sent."""

    at_s: float
    batch_no: str


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Something that people stop for a while."""

    what: str  # batch, gstin, portal
    key: str
    from_s: float
    until_s: float


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants to know of a GSTIN what the portal knows, or what the common portal does."""

    at_s: float
    gstin: str
    sync: bool = False


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Who does what in one run."""

    asked: list[Asked]
    retries_s: list[float] = []
    registered_before: list[str] = []
    first_elsewhere: list[str] = []  # another portal has had these for hours, and its de-duplication is out
    refused: list[str] = []
    edits: list[Edit] = []
    spoils: list[Spoil] = []
    wishes: list[Wishes] = []
    questions: list[Question] = []
    looks_s: list[float] = []  # when somebody begins to look after what is in doubt
    withdrawals: list[Withdrawal] = []
    pauses: list[Pause] = []

    def fates(self, voucher_id: str, batch_no: str) -> set[State]:
        """What a transaction of this voucher may come to in a batch."""
        withdrawn = {State.WITHDRAWN} if batch_no in {each.batch_no for each in self.withdrawals} else set()
        return self._fates(voucher_id) | withdrawn

    def registered(self) -> tuple[set[str], set[str]]:
        """Vouchers that may be registered in the end, and of these the ones that must: those of no batch taken back."""
        taken_back = {each.batch_no for each in self.withdrawals}
        asked = [(each.batch_no, voucher_id) for each in self.asked for voucher_id in each.voucher_ids]
        sound = [(batch_no, each) for batch_no, each in asked if self._fates(each) & _AT_PORTAL]
        must = {each for batch_no, each in sound if batch_no not in taken_back}
        gone = {each.voucher_id for each in self.spoils if each.gone}  # perhaps before they were read
        return {each for _, each in sound}, must - self.contested - gone

    @property
    def contested(self) -> set[str]:
        """Vouchers that may be registered twice, and struck off the second time."""
        return {*self.first_elsewhere, *self.registered_before} if self.first_elsewhere else set()

    def _fates(self, voucher_id: str) -> set[State]:
        if voucher_id in self.refused:
            return {State.GENERATION_FAILED}
        if voucher_id in {edit.voucher_id for edit in self.edits}:
            # One of its two contents is registered; who asks for the other is told the differences.
            return {State.REGISTERED, State.GENERATION_FAILED}
        for spoil in self.spoils:
            if spoil.voucher_id == voucher_id:
                return spoil.fates
        if voucher_id in {wishes.voucher_id for wishes in self.wishes if wishes.cancels}:
            return {State.CANCELLED, State.GENERATION_FAILED}  # who asks for it later is told that its number is spent
        if voucher_id in self.contested:
            # Of the one; of the other, if that is not found; of ours, if it is struck off before the books answer.
            return {State.REGISTERED, State.GENERATION_FAILED, State.BOOKS_FAILED}
        return {_BECOMES[voucher_id]}


def drawn(faults: Faults) -> Story:
    """The story of a seed."""
    draw, looks = faults.stream("story"), faults.stream("looks")
    asked = list(_asked(draw, faults))
    sound = sorted({each for batch in asked for each in batch.voucher_ids} & _SOUND)
    draw.shuffle(sound)
    story = Story(
        asked=asked,
        retries_s=[faults.calm_at_s * draw.uniform(0, 2) for _ in range(draw.choice((0, 0, 1, 2)))],
        registered_before=_some(draw, sound),
        refused=_some(draw, sound),
        edits=[_edit(draw, faults, voucher_id) for voucher_id in _some(draw, sound)],
        wishes=[_wishes(draw, faults, voucher_id) for voucher_id in _some(draw, sound)],
        questions=[
            Question(at_s=faults.moment(looks), gstin=sample.GSTINS[1], sync=looks.random() < 0.5)
            for _ in range(looks.choice((0, 0, 1)))
        ],
        looks_s=[faults.moment(looks) for _ in range(looks.choice((0, 0, 1, 3)))],
        pauses=[_pause(draw, faults) for _ in range(draw.choice((0, 0, 0, 1, 2)))],
    )
    if len(asked) > 1 and not story.wishes and draw.random() < 0.3:  # who wants something of an IRN waits for it
        taken = Withdrawal(at_s=asked[-1].at_s + draw.choice((0.5, 5.0, 60.0)), batch_no=asked[-1].batch_no)
        story = msgspec.structs.replace(story, withdrawals=[taken])
    if faults.midnight_s is not None:
        earliest = min(asked, key=lambda batch: batch.at_s).voucher_ids  # or the night would be over before they go
        story = msgspec.structs.replace(story, first_elsewhere=[each for each in sound if each in earliest][:3])
    story = msgspec.structs.replace(story, spoils=list(_spoils(faults, asked, set(sound) - story.contested)))
    if faults.dedup_outage:  # then two portals may register the same, if somebody else has done so at the one
        return msgspec.structs.replace(story, registered_before=[])
    return story


_BECOMES: Final[Mapping[str, State]] = sample.expected()
_ABROAD: Final = ("SAL/1026", "SAL/1027")  # their e-way bills would want more than `people` say
_SOUND: Final = {voucher_id for voucher_id, state in _BECOMES.items() if state is State.REGISTERED}
_AT_PORTAL: Final = {State.REGISTERED, State.BOOKS_FAILED}


def _asked(draw: Random, faults: Faults) -> Iterator[Asked]:
    for number in range(1, draw.choice((2, 3, 4))):
        yield Asked(
            at_s=draw.choice((0.0, faults.moment(draw))),
            batch_no=f"B{number}",
            voucher_ids=draw.sample(sample.IDS, draw.randrange(1, _ASKED_MOST + 1)),
        )


def _some(draw: Random, left: list[str]) -> list[str]:
    """None to two of these, which nobody else gets."""
    return [left.pop() for _ in range(min(len(left), draw.choice((0, 0, 1, 2))))]


def _spoils(faults: Faults, asked: list[Asked], left: set[str]) -> Iterator[Spoil]:
    """With a stream of its own: it came later than all other chance, which stays as it was."""
    draw = faults.stream("spoils")
    for voucher_id in sorted(left)[: draw.choice((0, 0, 1, 2))]:
        gone = draw.random() < 0.5
        sent_s = min(batch.at_s for batch in asked if voucher_id in batch.voucher_ids)
        soon_s = sent_s + draw.choice((0.5, 2.0, 10.0))  # it has been read by then, perhaps
        yield Spoil(at_s=soon_s if gone else draw.choice((0.0, soon_s)), voucher_id=voucher_id, gone=gone)


def _wishes(draw: Random, faults: Faults, voucher_id: str) -> Wishes:
    if voucher_id in _ABROAD:
        return Wishes(at_s=faults.moment(draw), voucher_id=voucher_id, wants=("cancel",))
    wants = draw.choice(
        (
            ("cancel",),
            ("bill",),
            ("bill", "cancel bill"),
            ("bill", "cancel both"),
            ("bill", "cancel bill", "bill", "fetch bill"),
        )
    )
    return Wishes(at_s=faults.moment(draw), voucher_id=voucher_id, wants=wants)


def _pause(draw: Random, faults: Faults) -> Pause:
    what, key = draw.choice((("batch", "B1"), ("gstin", sample.GSTINS[0]), ("portal", "NIC1")))
    from_s = faults.moment(draw)
    return Pause(what=what, key=key, from_s=from_s, until_s=from_s + draw.choice((5.0, 60.0, 300.0)))


def _edit(draw: Random, faults: Faults, voucher_id: str) -> Edit:
    column, value = draw.choice((("remarks", "Deliver on Monday"), ("document_number", f"R/{voucher_id}")))
    return Edit(at_s=faults.moment(draw), voucher_id=voucher_id, column=column, value=value)
