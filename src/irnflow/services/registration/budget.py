"""The error budget: the portal blocks a GSTIN, or a whole client, that collects too many refusals; we stop before.

More than 20,000 errors of a GSTIN or 100,000 of a client id, says the portal, and not in what time (domain.md section
6.1): limits and days are settings.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from irnflow.gst.dates import in_india
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Fared
from irnflow.store.database import queries

_SQL: Final = queries("registration")


async def spend(parts: Parts, results: Sequence[Fared]) -> None:
    """Count what the portal refused; warn, and stop a GSTIN, or all logins of a client, in time. Raises Unavailable."""
    refused = Counter[tuple[str, str]]()  # by GSTIN and family
    for result in results:
        refused[result.leased.gstin, parts.line(result.leased).family] += result.refusals
    refused = +refused
    if not refused:
        return
    budget, today = parts.budget, in_india(parts.now())
    since = today - timedelta(days=budget.days - 1)
    gstins, families = zip(*refused, strict=True)
    columns = list(gstins), list(families), list(refused.values())
    for row in await parts.database.fetch(_SQL["errors"], *columns, today, since):
        whose = f"GSTIN {row['gstin']}", f"client {row['client_id']}"
        counts = (row["of_gstin"], budget.of_gstin), (row["of_client"], budget.of_client)
        for name, (n, most) in zip(whose, counts, strict=True):
            if n >= budget.stop * most:
                reason = (
                    f"the portal has refused {n:,} calls of {name} in {budget.days} days and blocks at {most:,}: "
                    "mend what is refused, then resume"
                )
                stop = _SQL["stop"] if name == whose[0] else _SQL["stop_client"]
                await parts.database.fetch(stop, row["gstin" if name == whose[0] else "client_id"], reason)
                parts.log.error("error budget spent", whose=name, errors=n, blocked_at=most)
            elif n >= budget.warn * most:
                parts.log.warning("error budget half spent", whose=name, errors=n, blocked_at=most)
