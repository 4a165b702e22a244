"""What follows from how calls fared, whatever they were about: the pace of the next ones, and the error budget."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec

from irnflow.errors import Permanent, Transient, Unavailable
from irnflow.portal.client import Answer, Credentials, Portal, Session
from irnflow.services.registration.budget import spend
from irnflow.services.registration.pace import heard, heard_of, report, retry_after_s_of
from irnflow.services.registration.parts import Addressed, Parts
from irnflow.services.registration.result import Fared, Heard


class Asker(msgspec.Struct, frozen=True):
    """Where a question goes, and with whose login."""

    portal: str
    gstin: str


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    leased: Addressed
    heard: Heard
    retry_after_s: float | None = None
    refusals: int = 0


async def heed(parts: Parts, calls: Sequence[Fared]) -> None:
    """Tell the store how calls fared; what it can't be told now, the next calls tell."""
    with suppress(Unavailable):
        await report(parts, calls)
        await spend(parts, calls)


async def ask(
    parts: Parts, asker: Addressed, call: Callable[[Portal, Credentials, Session], Awaitable[Answer]]
) -> Answer:
    """The answer to a question that changes nothing at the portal. Raises Permanent, Transient."""
    try:
        answer, _, _ = await parts.call(asker, call)
    except (Permanent, Transient) as error:
        await heed(parts, [_Question(leased=asker, heard=heard_of(error), retry_after_s=retry_after_s_of(error))])
        raise
    await heed(parts, [_Question(leased=asker, heard=heard(answer), refusals=0 if answer.ok else 1)])
    return answer
