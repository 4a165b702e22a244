"""Pace: who may be called how fast, as the store keeps it for all workers (store/migrations/0008_pace.sql).

What an answer said is no matter here, only whether one came. Trouble and 429s are reported at once; that all is well
goes without saying, but for now and then: one answer shuts a breaker that others opened.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from irnflow.errors import Permanent
from irnflow.gst.portal_codes import PortalClass, portal_code
from irnflow.portal.client import Answer, NotDone, NotSent
from irnflow.portal.several import Portals
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Fared, Heard
from irnflow.store.database import queries

_SQL: Final = queries("registration")
OPEN_AFTER: Final = 5  # calls in a row that came to nothing
_WELL_EVERY: Final = timedelta(seconds=1)
_TOO_MANY_REQUESTS: Final = 429


class NotBegun(NotSent):
    """No call was made, for a reason of our own."""


def ways(portals: Portals) -> tuple[list[str], list[str], list[float | None]]:
    """Names, families and limits (calls a second) of the portals, in the order of preference."""
    lines = portals.values()
    limits = [line.per_minute / 60 if line.per_minute else None for line in lines]
    return [line.name for line in lines], [line.family for line in lines], limits


def heard_of(error: Exception) -> Heard:
    """How a call fared that raised this."""
    if isinstance(error, NotBegun | Permanent):
        return Heard.NOTHING
    return Heard.SLOWER if isinstance(error, NotDone) and error.status == _TOO_MANY_REQUESTS else Heard.TROUBLE


def retry_after_s_of(error: Exception) -> float | None:
    """How long the portal asks us to wait, where it does."""
    return error.retry_after_s if isinstance(error, NotDone) else None


def heard(answer: Answer) -> Heard:
    """How a call fared that was answered with this."""
    return Heard.ANSWERED if answer.ok else heard_in([said.code for said in answer.errors])


def heard_in(codes: Sequence[str]) -> Heard:
    """How a call fared that leaves a document in doubt: no readable answer, or one with these codes."""
    entries = [portal_code(code) for code in codes]
    later = any(entry and entry.klass is PortalClass.RETRY for entry in entries)
    return Heard.TROUBLE if later or not codes else Heard.ANSWERED


async def report(parts: Parts, results: Sequence[Fared]) -> None:
    """Tell the store how these calls fared. Raises Unavailable."""
    now = parts.now()
    news = [result for result in results if result.heard is not Heard.NOTHING and _is_news(parts, result)]
    if not news:
        return
    parts.heard_well.update(
        ((each.leased.portal, each.leased.gstin), now) for each in news if each.heard is Heard.ANSWERED
    )
    columns: tuple[list[Any], ...] = (
        [each.leased.portal for each in news],
        [each.leased.gstin for each in news],
        [str(each.heard) for each in news],
        [each.retry_after_s for each in news],
    )
    await parts.database.fetch(_SQL["report"], *columns, OPEN_AFTER, now)


def _is_news(parts: Parts, result: Fared) -> bool:
    if result.heard is not Heard.ANSWERED:
        return True
    last = parts.heard_well.get((result.leased.portal, result.leased.gstin))
    return last is None or parts.now() - last >= _WELL_EVERY
