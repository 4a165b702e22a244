"""A rule is a row: its code, its sentence, the function that finds the places, its source, and when it holds."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

from irnflow.gst.faults import Kind
from irnflow.gst.rules.case import Case, Line

Place: TypeAlias = tuple[str, Mapping[str, object]]  # INV-01 path, and what was found there, for the sentence
Finder: TypeAlias = Callable[[Case], Iterable[Place]]

ALWAYS: Final = date.min
FOR_EVER: Final = date.max


class Clock(StrEnum):
    """Which day decides whether a rule holds."""

    SENT = "sent"  # what the portal asks on the day of sending
    DATED = "dated"  # what the law was on the day of the document


class Rule(Kind, frozen=True, kw_only=True):
    """What an invoice must hold to."""

    source: str
    finds: Finder
    since: date = ALWAYS
    until: date = FOR_EVER  # that day included
    clock: Clock = Clock.SENT
    daily: bool = False  # may be broken by waiting: asked again when the day has changed before sending
    on_hold: date | None = None  # the day it was put on hold or dropped; asked only where Facts.held_rules says so

    def is_in_force(self, sent: date, dated: date, *, held_rules: bool = False) -> bool:
        """Whether it is asked of a document of that date, sent on that day."""
        if self.on_hold is not None and not held_rules:
            return False
        return self.since <= (sent if self.clock is Clock.SENT else dated) <= self.until


def at(path: str, /, **found: object) -> Place:
    """A place, as a finder yields it."""
    return path, found


def in_each_line(find: Callable[[Line], Place | None], *, where: Callable[[Case], bool] | None = None) -> Finder:
    """Lift a finder of at most one place in a line to one of the whole invoice, `where` it can find anything."""

    def finds(case: Case) -> Iterable[Place]:
        if where is not None and not where(case):
            return ()
        return [place for line in case.lines if (place := find(line)) is not None]

    return finds
