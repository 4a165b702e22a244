"""Whether our PostgreSQL answers, for /readyz."""

import asyncio
from typing import Final

from irnflow.errors import Unavailable
from irnflow.store.database import Database

BEAT_S: Final = 2.0


class Pulse:
    """Asks now and then; `missing` says what the last answer was."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.missing: dict[str, str] = {}

    async def beat(self) -> None:
        """Ask for ever."""
        while True:
            try:
                await self._database.fetch("select 1")
                self.missing = {}
            except Unavailable as error:
                self.missing = {"postgresql": str(error)}
            await asyncio.sleep(BEAT_S)
