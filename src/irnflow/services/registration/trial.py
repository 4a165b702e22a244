"""The first call of a GSTIN goes alone, until the portal has taken its account as one that is in order.

An account that is not (3026, 2300, a frozen user) refuses every document alike: one refused call then stops the GSTIN,
and not one for each voucher that waits.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from irnflow.errors import Unavailable
from irnflow.services.registration.pace import NotBegun
from irnflow.services.registration.parts import Addressed, Parts
from irnflow.store.database import queries

_SQL: Final = queries("registration")


class Trial:
    """How a GSTIN fares at a family of portals, as this process knows it."""

    def __init__(self) -> None:
        self.is_proven = False  # the last answer was not about its account
        self._refused = False
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, parts: Parts, leased: Addressed) -> AsyncIterator[None]:
        """Wait until this call may begin. Raises NotBegun where an earlier one has stopped the GSTIN."""
        if not self.is_proven:
            async with self._alone:
                if not self.is_proven:
                    await self._check(parts, leased)
                    yield
                    return
        yield

    def proven(self) -> None:
        self.is_proven, self._refused = True, False

    def refused(self) -> None:
        self.is_proven, self._refused = False, True

    async def _check(self, parts: Parts, leased: Addressed) -> None:
        if not self._refused:
            return
        try:
            rows = await parts.database.fetch(_SQL["why_stopped"], leased.gstin, parts.line(leased).family)
        except Unavailable as error:
            raise NotBegun(str(error)) from error
        if rows and rows[0]["stopped"]:
            raise NotBegun(f"GSTIN {leased.gstin} is stopped: {rows[0]['stopped']}")
        self._refused = False  # a person has resumed it


def trial_of(parts: Parts, leased: Addressed) -> Trial:
    """That of a GSTIN at the family of the portal that is called."""
    return parts.trials.setdefault((leased.gstin, parts.line(leased).family), Trial())
