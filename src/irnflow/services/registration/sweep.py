"""The sweep: asks each portal, day by day, which registrations it has struck off since.

When the look-up between portals was down, two of them may have registered the same document; the later one loses and
gets status REJ (domain.md section 4.9). Nobody tells: the portal lists them by day, for each GSTIN.
"""

import asyncio
from datetime import date, timedelta
from typing import Final, TypeAlias

import msgspec

from irnflow.errors import Permanent, Transient
from irnflow.gst import dates
from irnflow.gst.dates import in_india
from irnflow.portal.client import Answer, Credentials, Portal, Session
from irnflow.services.registration import meaning
from irnflow.services.registration.heeding import Asker, ask
from irnflow.services.registration.pace import ways
from irnflow.services.registration.parts import Parts
from irnflow.store.database import Row, queries

_SQL: Final = queries("registration")
_EVERY_S: Final = 60.0
_LEASE: Final = timedelta(minutes=10)
_MOST: Final = 100
DAYS_BACK: Final = 2  # yesterday and the day before, should all of yesterday have been an outage


class _StruckOff(msgspec.Struct, frozen=True, rename="pascal"):
    irn: str


_List: TypeAlias = list[str | _StruckOff]  # which of the two the portal sends is not published


async def sweep_forever(parts: Parts) -> None:
    """Look for days to ask for, again and again."""
    while True:
        while await sweep(parts):
            pass
        await asyncio.sleep(_EVERY_S)


async def sweep(parts: Parts) -> bool:
    """Ask for the days that are due; whether there may be more."""
    now = parts.now()
    last = in_india(now) - timedelta(days=1)
    due = await parts.database.fetch(_SQL["sweep_due"], last, DAYS_BACK, now, now + _LEASE, _MOST, *ways(parts.portals))
    for row in (each for each in due if each["is_leased"]):
        try:
            struck_off = await _ask(parts, row)
        except (Transient, Permanent) as error:  # its lease runs out, and it is asked for again
            parts.log.warning("rejected IRNs can't be asked for yet", gstin=row["gstin"], error=str(error))
            continue
        whose = row["portal"], row["gstin"], row["day"]
        told = await parts.database.fetch(_SQL["swept"], *whose, struck_off, parts.now())
        if told[0]["struck_off"]:
            parts.log.error("struck off: another portal had them first", gstin=row["gstin"], irns=struck_off)
            parts.to_tell.set()
    return len(due) == _MOST


async def _ask(parts: Parts, row: Row) -> list[str]:
    """The IRNs of a day that a portal has struck off. Raises Transient, Permanent."""
    day = row["day"]
    assert isinstance(day, date)

    async def listed(portal: Portal, credentials: Credentials, session: Session) -> Answer:
        return await portal.rejected_irns(credentials, session, day=dates.write(day))

    answer = await ask(parts, Asker(row["portal"], row["gstin"]), listed)
    if meaning.not_there(answer):
        return []
    if not answer.ok:
        raise Transient("; ".join(f"{said.code} {said.text}" for said in answer.errors))
    try:
        irns = msgspec.json.decode(answer.data, type=_List)
    except msgspec.MsgspecError as error:
        raise Transient(f"the list of rejected IRNs can't be read: {error}") from error
    return [(each if isinstance(each, str) else each.irn).lower() for each in irns]
