"""`irnflow cancel` and `irnflow ewaybill`: what becomes of an IRN after its registration."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from irnflow.commands.environment import settings
from irnflow.store.lifecycle import REASONS

if TYPE_CHECKING:
    from irnflow.store.database import Database, Row
    from irnflow.store.lifecycle import Asked, Windows

_IRN: Final = re.compile(r"[0-9a-fA-F]{64}")
_POLL_S: Final = 0.5
_IRNS_MOST: Final = 1_000
# What an action's state means to whoever waits for it.
_STANDS: Final = {
    "WAITING": "waits for its first half, action {first_half}",
    "READY": "waits to be asked of the portal",
    "INTENT": "the portal is being asked",
    "UNKNOWN": "in doubt: the portal's answer was lost, and it is being looked up",
    "DONE": "done",
    "FAILED": "failed",
}
WHAT: Final = {
    "CANCEL": "cancel IRN",
    "EWAY_BILL": "make e-way bill",
    "EWAY_BILL_CANCEL": "cancel e-way bill",
    "EWAY_BILL_FETCH": "fetch e-way bill",
}
_END: Final = ("DONE", "FAILED")

Ask = Callable[["Database", int], Awaitable["list[Asked]"]]


def _irn(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    for each in value if isinstance(value, tuple) else (value,):
        if not _IRN.fullmatch(each):
            raise click.BadParameter(f"{each!r} is no IRN: it has 64 hexadecimal digits")
    return tuple(dict.fromkeys(each.lower() for each in value)) if isinstance(value, tuple) else value.lower()


def _remark(most: int) -> Callable[[click.Context, click.Parameter, str], str]:
    def check(context: click.Context, parameter: click.Parameter, value: str) -> str:
        if not 1 <= len(value) <= most or set(value) & set('"\\') or not value.isprintable():
            raise click.BadParameter(f'1 to {most} printable characters without " and \\')
        return value

    return check


_REASONS: Final = ", ".join(f"{number} {words}" for number, words in REASONS.items())


class _Reason(click.ParamType[int]):
    """The law's four, by number."""

    name = "1|2|3|4"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value not in map(str, REASONS):
            self.fail(f"{value} is none; there are: {_REASONS}", param, ctx)
        return int(value)


_reason = click.option("--reason", required=True, type=_Reason(), help=f"{_REASONS}.")
_account = click.option("--account", help="Name of the account; may be left out where there is one.")
_wait = click.option("--wait", "wait_s", type=click.FloatRange(0), default=30.0, show_default=True, metavar="SECONDS",
                     help="How long to wait for what comes of it.")  # fmt: skip


@click.command()
@click.argument("irns", metavar="IRN...", nargs=-1, required=True, callback=_irn)
@_reason
@click.option("--remark", required=True, callback=_remark(100), help="Why, for the portal.")
@click.option("--eway-bill", is_flag=True, help="Cancel its active e-way bill first, where it has one.")
@_account
@_wait
def cancel(
    irns: tuple[str, ...], reason: int, remark: str, eway_bill: bool, account: str | None, wait_s: float
) -> int:  # fmt: skip
    """Cancel IRNs, within 24 hours of their acknowledgement, and tell the books.

    1 when one is refused or has not come to its end. When the same is asked for again, the portal is not asked a second
    time, and the books are told anew.
    """
    from irnflow.store import lifecycle

    if len(irns) > _IRNS_MOST:
        raise click.UsageError(f"at most {_IRNS_MOST} at once")

    async def ask(store: "Database", account_id: int) -> "list[Asked]":
        why = lifecycle.Cancellation(reason=reason, remark=remark)
        return await lifecycle.cancel(
            store, account_id, irns, why, eway_bill=eway_bill, windows=_windows(), by="command", at=_now()
        )

    return asyncio.run(_asked(ask, account, wait_s))


@click.group()
def ewaybill() -> None:
    """E-way bills of registered invoices."""


@ewaybill.command()
@click.argument("irn", callback=_irn)
@click.option("--distance", type=click.IntRange(0, 4000), required=True, help="km; 0: as the portal has it.")
@click.option("--mode", type=click.Choice(["1", "2", "3", "4"]), help="1 road, 2 rail, 3 air, 4 ship.")
@click.option("--vehicle", help="Its number, as KA01AB1234.")
@click.option("--vehicle-type", type=click.Choice(["R", "O"]), help="R regular, O over-dimensional.")
@click.option("--transporter", help="GSTIN or enrolment number; alone it makes Part A.")
@click.option("--transporter-name")
@click.option("--document", help="Number of the transport document.")
@click.option("--document-date", help="Its date, dd/mm/yyyy.")
@_account
@_wait
def make(
    irn: str, distance: int, mode: str | None, vehicle: str | None, vehicle_type: str | None, transporter: str | None,
    transporter_name: str | None, document: str | None, document_date: str | None, account: str | None, wait_s: float,
) -> int:  # fmt: skip
    """Make the e-way bill of an IRN.

    What speaks against it (an invoice of more than 180 days, a vehicle number in another form) is printed first, and
    the portal is asked all the same.
    """
    from irnflow.store import lifecycle

    said = {
        "distance": distance, "transport_mode": mode, "vehicle_number": vehicle, "vehicle_type": vehicle_type,
        "transporter_id": transporter, "transporter_name": transporter_name, "transport_document_number": document,
        "transport_document_date": document_date,
    }  # fmt: skip
    request = {name: value for name, value in said.items() if value is not None}

    async def ask(store: "Database", account_id: int) -> "list[Asked]":
        for doubt in await _doubts(store, account_id, irn, request):
            click.echo(f"{irn}  warning: {doubt}", err=True)
        return [await lifecycle.eway_bill(store, account_id, irn, request, by="command", at=_now())]

    return asyncio.run(_asked(ask, account, wait_s))


async def _doubts(store: "Database", account_id: int, irn: str, request: dict[str, Any]) -> list[str]:
    """What the rules of e-way bills find in what is asked for."""
    import msgspec

    from irnflow.gst import dates, inv01
    from irnflow.gst.invoice import EwayBill
    from irnflow.gst.rules import Facts, check_eway_bill
    from irnflow.services.registration.lifecycle.portal import details
    from irnflow.store import lifecycle

    payload = await lifecycle.payload(store, account_id, irn)
    if payload is None:  # unknown, as the answer to the request says
        return []
    facts = Facts(day=dates.in_india(_now()), accept_sandbox_gstins=settings().accept_sandbox_gstins)
    bill = msgspec.convert(details(request), EwayBill)
    return [
        fault.says + (f" [{fault.portal_code}]" if fault.portal_code else "")
        for fault in check_eway_bill(inv01.decode(payload), bill, facts)
    ]


@ewaybill.command("cancel")
@click.argument("irn", callback=_irn)
@_reason
@click.option("--remark", required=True, callback=_remark(50), help="Why, for the e-way bill system.")
@_account
@_wait
def cancel_(irn: str, reason: int, remark: str, account: str | None, wait_s: float) -> int:
    """Cancel the e-way bill of an IRN."""
    from irnflow.store import lifecycle

    async def ask(store: "Database", account_id: int) -> "list[Asked]":
        why = lifecycle.Cancellation(reason=reason, remark=remark)
        return [
            await lifecycle.cancel_eway_bill(store, account_id, irn, why, windows=_windows(), by="command", at=_now())
        ]

    return asyncio.run(_asked(ask, account, wait_s))


@ewaybill.command()
@click.argument("irn", callback=_irn)
@_account
@_wait
def fetch(irn: str, account: str | None, wait_s: float) -> int:
    """Ask the portal which e-way bill an IRN has: somebody may have made or cancelled it elsewhere."""
    from irnflow.store import lifecycle

    async def ask(store: "Database", account_id: int) -> "list[Asked]":
        return [await lifecycle.fetch_eway_bill(store, account_id, irn, by="command", at=_now())]

    return asyncio.run(_asked(ask, account, wait_s))


async def _asked(ask: Ask, account: str | None, wait_s: float) -> int:
    """Put on record, wait for the end, say what came of it; 0 when all is done."""
    from irnflow.store import accounts, database, lifecycle

    async with database.connect(settings("database_url").database_url, connections=1) as store:
        whose = await accounts.named(store, account)
        answers = await ask(store, whose.account_id)
        ids = [answer.action_id for answer in answers if answer.action_id is not None and not answer.refused]
        rows = await lifecycle.actions(store, whose.account_id, ids=ids, most=_IRNS_MOST)
        waited_s = 0.0
        while waited_s < wait_s and any(row["state"] not in _END for row in rows):
            await asyncio.sleep(_POLL_S)
            waited_s += _POLL_S
            rows = await lifecycle.actions(store, whose.account_id, ids=ids, most=_IRNS_MOST)
        halves = [row["first_half"] for row in rows if row["first_half"] is not None]
        rows = [*rows, *await lifecycle.actions(store, whose.account_id, ids=halves, most=_IRNS_MOST)]
    for answer in answers:
        if answer.refused:
            click.echo(f"{answer.irn}  refused: {answer.says}", err=True)
    for row in sorted(rows, key=lambda row: int(row["action_id"])):
        click.echo(_line(row))
    is_done = all(row["state"] == "DONE" for row in rows)
    return 0 if is_done and not any(answer.refused for answer in answers) else 1


def _line(row: "Row") -> str:
    stands = _STANDS[row["state"]].format(first_half=row["first_half"])
    bill = f" {row['ewb_no']}" if row["ewb_no"] else ""
    says = f": {row['says']}" if row["says"] and row["state"] in _END else ""
    fix = f"\n    {row['fix']}" if row["fix"] and row["state"] == "FAILED" else ""
    return f"{row['irn']}  action {row['action_id']}, {WHAT[row['kind']]}{bill}: {stands}{says}{fix}"


def _windows() -> "Windows":
    from irnflow.store.lifecycle import windows_of

    return windows_of(settings())


def _now() -> datetime:
    return datetime.now(UTC)
