"""What people do in one run, and what each voucher may come to for it.

They send batches of the sample company's vouchers, some in two of them; change vouchers in the books while these are on
their way; send open failures again. Some documents the portal has already, from elsewhere; some it refuses.
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


class Story:
    """Drawn from the seed."""

    def __init__(self, faults: Faults) -> None:
        draw = faults.stream("story")
        self.asked = list(_asked(draw, faults))
        self.retries_s = [faults.calm_at_s * draw.uniform(0, 2) for _ in range(draw.choice((0, 0, 1, 2)))]
        sound = sorted({each for asked in self.asked for each in asked.voucher_ids} & _SOUND)
        draw.shuffle(sound)
        self.registered_before = _some(draw, sound)
        self.refused = _some(draw, sound)
        self.edits = [_edit(draw, faults, voucher_id) for voucher_id in _some(draw, sound)]

        looks = faults.stream("looks")
        self.looks_s = [faults.moment(looks) for _ in range(looks.choice((0, 0, 1, 3)))]

    def fates(self, voucher_id: str) -> set[State]:
        """What a transaction of this voucher may come to."""
        if voucher_id in self.refused:
            return {State.GENERATION_FAILED}
        if voucher_id in {edit.voucher_id for edit in self.edits}:
            # One of its two contents is registered; who asks for the other is told the differences.
            return {State.REGISTERED, State.GENERATION_FAILED}
        return {_BECOMES[voucher_id]}


_BECOMES: Final[Mapping[str, State]] = sample.expected()
_SOUND: Final = {voucher_id for voucher_id, state in _BECOMES.items() if state is State.REGISTERED}


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


def _edit(draw: Random, faults: Faults, voucher_id: str) -> Edit:
    column, value = draw.choice((("remarks", "Deliver on Monday"), ("document_number", f"R/{voucher_id}")))
    return Edit(at_s=faults.moment(draw), voucher_id=voucher_id, column=column, value=value)
