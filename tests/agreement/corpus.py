"""The documents that go before both judges: golden and sound ones, and each of our rules broken in one place."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from irnflow.gst.facts import Facts
from tests.agreement.judges import Document, Judged, judge, judge_sent
from tests.golden import GOLDEN, Golden
from tests.gst.documents import DAY, SOUND, changed
from tests.gst.test_rules import BREAKS

# What a text may be instead: absent, too short, too long, or one that belongs to another field.
_TEXTS = (None, "", "ZZ", "27", "URP", "N" * 101)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A document, with what makes it one of the corpus."""

    name: str
    path: str = ""  # where it is broken; "" for sound ones
    document: Document
    facts: Facts

    @property
    def judged(self) -> Judged:
        """As it is."""
        return judge(self.document, self.facts)

    @property
    def differences(self) -> list[str]:
        """Of the document as it is, and as irnflow sends it."""
        sent = judge_sent(self.document, self.facts)
        return self.judged.differences + (sent.differences if sent else [])


SOUND_ONES = [
    *(Entry(name=golden.name, document=golden.document, facts=golden.facts) for golden in GOLDEN),
    *(Entry(name=name, document=document, facts=Facts(day=DAY)) for name, document in SOUND.items()),
]

BROKEN_ONES = [
    Entry(
        name=breaks.code,
        path=breaks.path,
        document=changed(breaks.document, breaks.changes),
        facts=Facts(**{"day": DAY, **breaks.facts}),
    )
    for breaks in BREAKS
]


def mutations(golden: Golden) -> Iterator[Entry]:
    """Every place of a golden invoice changed in every way, one at a time; of several lines, in the first two."""
    document, facts = golden.document, golden.facts
    for path, value in leaves(document):
        for other in _TEXTS if isinstance(value, str) else _numbers(value):
            yield Entry(
                name=f"{path} = {other!r}", path=path, document=changed(document, {path: other}), facts=facts
            )  # fmt: skip


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every text and number, with its path."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for at, member in enumerate(value[:2]):
            yield from leaves(member, f"{path}[{at}]")
    else:
        yield path, value


def _numbers(value: int | Decimal) -> tuple[int | Decimal | None, ...]:
    return (None, value + 10, -value - 1, value * 2, value * 0, value // 2)
