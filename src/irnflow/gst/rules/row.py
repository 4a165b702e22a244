"""A rule is a row: its code, its sentence, the function that finds the places, its source, and since when it holds."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final, TypeAlias

import msgspec

from irnflow.gst.faults import Fault, Severity
from irnflow.gst.rules.case import Case, Line

Place: TypeAlias = tuple[str, Mapping[str, object]]  # INV-01 path, and what was found there, for the sentence
Finder: TypeAlias = Callable[[Case], Iterator[Place]]
FOUND_CHARACTERS_MAX: Final = 60  # of a found text that a sentence quotes


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What an invoice must hold to. `says` and `fix` are formats over what the finder found."""

    code: str  # ours, for ever
    says: str
    fix: str
    source: str
    finds: Finder
    portal_code: str | None = None
    severity: Severity = Severity.REFUSED
    since: date = date.min  # days of sending on which the portal holds it
    until: date = date.max
    daily: bool = False  # may be broken by waiting: asked again when the day has changed before sending

    def is_in_force(self, day: date) -> bool:
        return self.since <= day <= self.until

    def fault(self, place: Place) -> Fault:
        path, found = place
        shown = {name: shorten(value) for name, value in found.items()}
        return Fault(
            code=self.code,
            path=path,
            says=self.says.format_map(shown),
            fix=self.fix.format_map(shown),
            portal_code=self.portal_code,
            severity=self.severity,
        )


def at(path: str, /, **found: object) -> Place:
    """A place, as a finder yields it."""
    return path, found


def in_each_line(find: Callable[[Line], Place | None]) -> Finder:
    """Lift a finder of at most one place in a line to one of the whole invoice."""

    def finds(case: Case) -> Iterator[Place]:
        for line in case.lines:
            place = find(line)
            if place is not None:
                yield place

    return finds


def shorten(value: Any) -> str:
    """A found value as a sentence shows it: bounded, whatever somebody put there."""
    text = str(value)
    return text if len(text) <= FOUND_CHARACTERS_MAX else text[:FOUND_CHARACTERS_MAX] + "..."
