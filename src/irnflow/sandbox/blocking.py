"""Whom the portal shuts out: callers of too many errors, and users of too many wrong passwords. In memory.

More than so many errors for a GSTIN or a client id: after a grace every call is refused for a while. So many wrong
passwords in a row: the user is locked for a while, and then the right one doesn't help either.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from irnflow.sandbox.limits import Limits

_COUNTED_MAX: Final = 10_000  # callers whose errors are counted; above, counting starts anew


class Tally(msgspec.Struct):
    """Errors of one caller."""

    since: datetime
    errors: int = 0
    warned_at: datetime | None = None  # when they became too many


class Blocking:
    """Errors by GSTIN and by client id, wrong passwords by GSTIN and user."""

    def __init__(self) -> None:
        self._gstins: dict[str, Tally] = {}
        self._clients: dict[str, Tally] = {}
        self._wrong: dict[tuple[str, str], tuple[int, datetime]] = {}  # how many, and when the last one

    def count(self, gstin: str, client_id: str, *, now: datetime, limits: Limits) -> None:
        """One more error of this caller."""
        _count(self._gstins, gstin, limits.gstin_errors_max, now, limits)
        _count(self._clients, client_id, limits.client_errors_max, now, limits)

    def blocks(self, gstin: str, client_id: str, *, now: datetime, limits: Limits) -> bool:
        """Whether this caller is shut out now."""
        return any(
            tally is not None and _is_blocked(tally, now, limits)
            for tally in (self._gstins.get(gstin), self._clients.get(client_id))
        )

    def errors(self) -> dict[str, int]:
        """By GSTIN, as counted now."""
        return {gstin: tally.errors for gstin, tally in self._gstins.items()}

    def count_wrong_password(self, gstin: str, username: str, *, now: datetime) -> None:
        if len(self._wrong) >= _COUNTED_MAX:
            self._wrong.clear()
        times, _ = self._wrong.get((gstin, username), (0, now))
        self._wrong[gstin, username] = times + 1, now

    def forget_wrong_passwords(self, gstin: str, username: str) -> None:
        self._wrong.pop((gstin, username), None)

    def is_locked(self, gstin: str, username: str, *, now: datetime, limits: Limits) -> bool:
        """Whether so many wrong passwords came in a row, the last one not long ago; after that they are forgotten."""
        times, last = self._wrong.get((gstin, username), (0, now))
        if times and now - last >= timedelta(seconds=limits.locked_s):
            self.forget_wrong_passwords(gstin, username)
            return False
        return 0 < limits.wrong_passwords_max <= times


def _count(tallies: dict[str, Tally], caller: str, errors_max: int, now: datetime, limits: Limits) -> None:
    if len(tallies) >= _COUNTED_MAX:
        tallies.clear()
    tally = tallies.get(caller)
    if tally is None or _is_over(tally, now, limits):
        tally = tallies[caller] = Tally(since=now)
    tally.errors += 1
    if tally.errors > errors_max and tally.warned_at is None:
        tally.warned_at = now


def _is_over(tally: Tally, now: datetime, limits: Limits) -> bool:
    """Whether a new count begins: its time is up, or the block that came of it."""
    if tally.warned_at is None:
        return now - tally.since >= timedelta(seconds=limits.errors_counted_s)
    return now - tally.warned_at >= timedelta(seconds=limits.block_grace_s + limits.blocked_s)


def _is_blocked(tally: Tally, now: datetime, limits: Limits) -> bool:
    if tally.warned_at is None:
        return False
    begins = tally.warned_at + timedelta(seconds=limits.block_grace_s)
    return begins <= now < begins + timedelta(seconds=limits.blocked_s)
