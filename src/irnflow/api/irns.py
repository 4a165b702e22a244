"""IRNs: cancelled, with their e-way bills; what became of what was asked; and what the portal knows of GSTINs.

What changes something is put on record and answered 202 with the address of its action: registration asks the portal.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import msgspec

from irnflow.api import cursor, resources
from irnflow.api.doubts import action_number
from irnflow.api.endpoint import Call, Endpoint
from irnflow.api.problem import Refused
from irnflow.store import lifecycle
from irnflow.store.accounts import Account
from irnflow.store.database import Database, Row
from irnflow.store.lifecycle import ActionKind, ActionState

_SHOWN_MOST: Final = 100  # actions beside a document

# What is said of an action that has no words of its own.
_SAYS: Final[Mapping[str, str]] = {
    "WAITING": "Waits until its e-way bill is cancelled.",
    "READY": "Waits to be asked of the portal.",
    "INTENT": "The portal is being asked.",
    "UNKNOWN": "The portal's answer was lost; it is being looked up before anything is asked again.",
    "DONE": "Done.",
}
_KINDS: Final = {outcome: outcome.lower().replace("_", "-") for outcome in lifecycle.REFUSALS}
_REFUSALS: Final = tuple(_KINDS.values())


class Irns:
    """The endpoints over one store."""

    def __init__(self, store: Database, *, now: Callable[[], datetime], windows: lifecycle.Windows) -> None:
        self._store = store
        self._now = now
        self._windows = windows

    def endpoints(self) -> list[Endpoint]:
        irn = "/api/v1/irns/{irn}"
        accepted = HTTPStatus.ACCEPTED
        return [
            Endpoint(
                method="GET", path=irn, name="getIrn", says="A document at the portal, its e-way bills and actions",
                handle=self.document, gives=resources.Document, problems=("unknown-irn",),
            ),
            Endpoint(
                method="POST", path=f"{irn}/cancel", name="cancelIrn", says="Cancel an IRN, within 24 hours",
                handle=self.cancel, body=resources.Cancel, gives=resources.Asked, status=accepted, problems=_REFUSALS,
            ),
            Endpoint(
                method="POST", path="/api/v1/cancellations", name="cancelIrns", says="Cancel several IRNs",
                handle=self.cancel_many, body=resources.CancelMany, gives=resources.Cancellations, status=accepted,
            ),
            Endpoint(
                method="POST", path=f"{irn}/eway-bill", name="makeEwayBill", says="Make the e-way bill of an IRN",
                handle=self.make_bill, body=resources.MakeEwayBill, gives=resources.Asked, status=accepted,
                problems=_REFUSALS,
            ),
            Endpoint(
                method="POST", path=f"{irn}/eway-bill/cancel", name="cancelEwayBill",
                says="Cancel the e-way bill of an IRN",
                handle=self.cancel_bill, body=resources.CancelEwayBill, gives=resources.Asked, status=accepted,
                problems=_REFUSALS,
            ),
            Endpoint(
                method="POST", path=f"{irn}/eway-bill/fetch", name="fetchEwayBill",
                says="Ask the portal which e-way bill an IRN has",
                handle=self.fetch_bill, gives=resources.Asked, status=accepted, problems=_REFUSALS,
            ),
            Endpoint(
                method="GET", path="/api/v1/actions", name="listActions", says="What was asked about IRNs",
                handle=self.actions, query=resources.ActionPage, gives=resources.Actions,
            ),
            Endpoint(
                method="GET", path="/api/v1/actions/{action_id}", name="getAction", says="How one action stands",
                handle=self.action, gives=resources.Action, problems=("unknown-action",),
            ),
            Endpoint(
                method="GET", path="/api/v1/gstins/{gstin}", name="getGstin", says="What the portal knows of a GSTIN",
                handle=self.gstin, query=resources.GstinQuery, gives=resources.GstinDetails,
                problems=("unknown-gstin",),
            ),
        ]  # fmt: skip

    async def document(self, call: Call) -> resources.Document:
        irn, account_id = _irn(call), _account(call).account_id
        row = await lifecycle.irn(self._store, account_id, irn)
        if row is None:
            raise Refused("unknown-irn", f"The account has no IRN {irn}.")
        bills = await lifecycle.bills(self._store, irn)
        actions = await lifecycle.actions(self._store, account_id, irn=irn, most=_SHOWN_MOST)
        return msgspec.convert(
            {name: row[name] for name in row.keys()}  # noqa: SIM118 (a Record is no dict)
            | {"eway_bills": [dict(bill) for bill in bills], "actions": [_shown(action) for action in actions]},
            resources.Document,
        )

    async def cancel(self, call: Call) -> resources.Asked:
        asked: resources.Cancel = call.body
        account = _account(call)
        (answer,) = await lifecycle.cancel(
            self._store, account.account_id, [_irn(call)], _why(asked), eway_bill=asked.eway_bill,
            windows=self._windows, by=account.name, at=self._now(),
        )  # fmt: skip
        return await self._on_record(call, answer)

    async def cancel_many(self, call: Call) -> resources.Cancellations:
        asked: resources.CancelMany = call.body
        account = _account(call)
        irns = list(dict.fromkeys(irn.lower() for irn in asked.irns))
        answers = await lifecycle.cancel(
            self._store, account.account_id, irns, _why(asked), eway_bill=asked.eway_bill,
            windows=self._windows, by=account.name, at=self._now(),
        )  # fmt: skip
        return resources.Cancellations(
            accepted=sum(answer.outcome == "ACCEPTED" for answer in answers),
            repeated=sum(answer.outcome == "REPEATED" for answer in answers),
            refused=sum(answer.refused for answer in answers),
            items=[
                resources.Cancellation(
                    irn=answer.irn, outcome=answer.outcome, says=answer.says, address=_address(answer.action_id)
                )
                for answer in answers
            ],
        )

    async def make_bill(self, call: Call) -> resources.Asked:
        account, request = _account(call), _whole(msgspec.to_builtins(call.body))
        answer = await lifecycle.eway_bill(
            self._store, account.account_id, _irn(call), request, by=account.name, at=self._now()
        )
        return await self._on_record(call, answer)

    async def cancel_bill(self, call: Call) -> resources.Asked:
        account = _account(call)
        answer = await lifecycle.cancel_eway_bill(
            self._store, account.account_id, _irn(call), _why(call.body), windows=self._windows, by=account.name,
            at=self._now(),
        )  # fmt: skip
        return await self._on_record(call, answer)

    async def fetch_bill(self, call: Call) -> resources.Asked:
        account = _account(call)
        answer = await lifecycle.fetch_eway_bill(
            self._store, account.account_id, _irn(call), by=account.name, at=self._now()
        )
        return await self._on_record(call, answer)

    async def actions(self, call: Call) -> resources.Actions:
        page: resources.ActionPage = call.query
        below = cursor.read(page.cursor, cursor.Number).number if page.cursor else lifecycle.NEWEST
        rows = await lifecycle.actions(
            self._store, _account(call).account_id, below=below, irn=page.irn.lower() if page.irn else None,
            kind=page.kind or None,
            state=page.state or None, most=page.limit + 1,
        )  # fmt: skip
        shown = rows[: page.limit]
        return resources.Actions(
            items=[_shown(row) for row in shown],
            next=cursor.write(cursor.Number(shown[-1]["action_id"])) if len(rows) > page.limit else None,
        )

    async def action(self, call: Call) -> resources.Action:
        said = call.path["action_id"]
        found = await self._of_ids(call, action_number(said))
        if not found:
            raise Refused("unknown-action", f"The account has no action {said[:50]!r}.")
        return next(iter(found.values()))

    async def gstin(self, call: Call) -> resources.GstinDetails:
        asked: resources.GstinQuery = call.query
        gstin = str(call.path["gstin"]).upper()
        if not resources.is_gstin(gstin):
            says = f"{gstin[:50]!r} is no GSTIN: it has 15 digits and letters, as 29AAFCC9980M1ZR."
            raise Refused("unknown-gstin", says)
        row = await lifecycle.want_gstin(
            self._store, _account(call).account_id, gstin, sync=asked.sync, at=self._now(),
            max_age=timedelta(seconds=asked.max_age_s),
        )  # fmt: skip
        return _details(row, self._now())

    async def _on_record(self, call: Call, answer: lifecycle.Asked) -> resources.Asked:
        if answer.refused:
            raise Refused(_KINDS[answer.outcome], answer.says)
        assert answer.action_id is not None
        action = (await self._of_ids(call, answer.action_id))[answer.action_id]
        half = int(action.first_half.rpartition("/")[2]) if action.first_half else None
        return resources.Asked(
            irn=answer.irn,
            repeated=answer.outcome == "REPEATED",
            action=action,
            first_half=(await self._of_ids(call, half))[half] if half is not None else None,
        )

    async def _of_ids(self, call: Call, *ids: int) -> dict[int, resources.Action]:
        rows = await lifecycle.actions(self._store, _account(call).account_id, ids=ids, most=len(ids))
        return {row["action_id"]: _shown(row) for row in rows}


def _account(call: Call) -> Account:
    assert call.account is not None  # no public endpoint asks
    return call.account


def _irn(call: Call) -> str:
    return str(call.path["irn"]).lower()


def _why(asked: resources.Cancel | resources.CancelEwayBill) -> lifecycle.Cancellation:
    return lifecycle.Cancellation(reason=asked.reason, remark=asked.remark)


def _whole(value: Any) -> Any:
    """JSON has one kind of number: 60.0 is 60."""
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    return int(value) if isinstance(value, float) else value


def _address(action_id: int | None) -> str | None:
    return f"/api/v1/actions/{action_id}" if action_id is not None else None


def _shown(row: Row) -> resources.Action:
    return resources.Action(
        action_id=row["action_id"],
        address=f"/api/v1/actions/{row['action_id']}",
        irn=row["irn"],
        kind=ActionKind(row["kind"]),
        state=ActionState(row["state"]),
        says=row["says"] or _SAYS.get(row["state"], ""),
        fix=row["fix"],
        cause=row["cause"],
        codes=row["codes"].split(",") if row["codes"] else [],
        first_half=_address(row["first_half"]),
        ewb_no=row["ewb_no"],
        request=msgspec.json.decode(row["request"]),
        asked_by=row["asked_by"],
        asked_at=row["asked_at"],
        updated_at=row["updated_at"],
    )


def _details(row: Row, now: datetime) -> resources.GstinDetails:
    details = msgspec.json.decode(row["details"]) if row["details"] else None
    fetched_at: datetime | None = row["fetched_at"]
    return resources.GstinDetails(
        gstin=row["gstin"],
        details=details,
        status=details.get("Status") if details else None,
        fetched_at=fetched_at,
        age_s=int((now - fetched_at).total_seconds()) if fetched_at else None,
        says=row["says"],
        asking=row["wanted_at"] is not None,
    )
