"""Steering: pause and resume of a batch or a GSTIN, and taking back of a batch what is not sent."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from irnflow.api import resources
from irnflow.api.endpoint import Call, Endpoint
from irnflow.api.gstins import gstin_of_path
from irnflow.api.problem import Refused
from irnflow.store import steering
from irnflow.store.accounts import Account
from irnflow.store.database import Database

_BATCH: Final = "/api/v1/batches/{batch_no}"


class Steering:
    """The endpoints over one store."""

    def __init__(self, store: Database, *, now: Callable[[], datetime], log: FilteringBoundLogger) -> None:
        self._store = store
        self._now = now
        self._log = log

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST", path=f"{_BATCH}/withdraw", name="withdrawBatch",
                says="Take back what of a batch is not sent",
                handle=self.withdraw, gives=resources.Withdrawn, problems=("unknown-batch",),
            ),
            Endpoint(
                method="POST", path=f"{_BATCH}/pause", name="pauseBatch",
                says="Send nothing of a batch until it is resumed",
                handle=self.pause_batch, body=resources.Pause, gives=resources.StandingStill,
                problems=("unknown-batch",),
            ),
            Endpoint(
                method="POST", path=f"{_BATCH}/resume", name="resumeBatch", says="Let a paused batch go on",
                handle=self.resume_batch, gives=resources.StandingStill, problems=("unknown-batch",),
            ),
            Endpoint(
                method="POST", path="/api/v1/gstins/{gstin}/pause", name="pauseGstin",
                says="Send nothing of a GSTIN until it is resumed",
                handle=self.pause_gstin, body=resources.Pause, gives=resources.StandingStill,
                problems=("unknown-gstin",),
            ),
            Endpoint(
                method="GET", path="/api/v1/standing", name="listStanding", says="What stands still, and why",
                handle=self.standing, gives=resources.StandingStill,
            ),
        ]  # fmt: skip

    async def withdraw(self, call: Call) -> resources.Withdrawn:
        batch_no = str(call.path["batch_no"])
        taken_back = await steering.withdraw(self._store, _account(call).account_id, batch_no, at=self._now())
        if taken_back is None:
            raise _unknown_batch(batch_no)
        self._tell("withdrawn", call, taken_back=taken_back)
        return resources.Withdrawn(batch_no=batch_no, taken_back=taken_back)

    async def pause_batch(self, call: Call) -> resources.StandingStill:
        account, batch_no, asked = _account(call), str(call.path["batch_no"]), call.body
        if not await steering.pause_batch(
            self._store, account.account_id, batch_no, reason=asked.reason, by=account.name, at=self._now()
        ):
            raise _unknown_batch(batch_no)
        self._tell("paused", call)
        return await self.standing(call)

    async def resume_batch(self, call: Call) -> resources.StandingStill:
        batch_no = str(call.path["batch_no"])
        if not await steering.resume_batch(self._store, _account(call).account_id, batch_no):
            raise _unknown_batch(batch_no)
        self._tell("resumed", call)
        return await self.standing(call)

    def _tell(self, event: str, call: Call, **more: object) -> None:
        self._log.info(event, batch=f"{_account(call).account_id}/{call.path['batch_no']}", **more)

    async def pause_gstin(self, call: Call) -> resources.StandingStill:
        account, gstin, asked = _account(call), gstin_of_path(call), call.body
        if not await steering.pause_gstin(
            self._store, account.account_id, gstin, reason=asked.reason, by=account.name, at=self._now()
        ):
            raise Refused("unknown-gstin", f"The account has no GSTIN {gstin}; GET /api/v1/gstins lists them.")
        return await self.standing(call)

    async def standing(self, call: Call) -> resources.StandingStill:
        rows = await steering.standing(self._store, _account(call).account_id)
        return resources.StandingStill(
            items=[
                resources.Standing(
                    what=row["what"], key=row["key"], reason=row["reason"], by=row["by"], at=row["at"]
                ) for row in rows
            ]
        )  # fmt: skip


def _account(call: Call) -> Account:
    assert call.account is not None  # no public endpoint asks
    return call.account


def _unknown_batch(batch_no: str) -> Refused:
    return Refused("unknown-batch", f"The account has no batch {batch_no[:100]!r}; GET /api/v1/batches lists them.")
