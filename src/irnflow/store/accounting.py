"""Accounting: compare what independent tables say of the same vouchers (design: ids, tenants, states).

`differences` finds every disagreement inside the store, in one snapshot. `accepted` gives what the books and the
portal must have as well. Exact when nothing is in flight; live, leave the differences `at_rest` aside.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from irnflow.messages import State
from irnflow.store.database import Database, queries

SQL: Final = queries("accounting")


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Two sources that don't agree."""

    what: str  # which comparison
    at_rest: bool  # it is none while work is in flight
    batch_no: str | None
    transaction_id: str | None
    says: str


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything there is."""

    transactions: int
    by_state: dict[State, int]
    accepted: int  # registered IRNs
    open_failures: int
    buried: int  # dead letters that name no transaction

    @property
    def counted(self) -> int:
        return sum(self.by_state.values())


class AcceptedIrn(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the portal has registered, by our account."""

    irn: str
    account_id: int
    books: str
    voucher_id: str
    gstin: str
    doc_typ: str
    doc_no: str
    doc_dt: str
    ack_no: str | None
    ack_dt: str | None
    signed_qr: str | None


async def differences(database: Database) -> Sequence[Difference]:
    """All there are, the ones at rest included."""
    return [msgspec.convert(dict(row), Difference) for row in await database.fetch(SQL["differences"])]


async def figures(database: Database) -> Figures:
    """The sums."""
    row = dict((await database.fetch(SQL["figures"]))[0])
    by_state = msgspec.json.decode(row.pop("by_state"), type=dict[State, int])
    return msgspec.convert(row | {"by_state": by_state}, Figures)


async def accepted(database: Database) -> Sequence[AcceptedIrn]:
    """Every IRN that is registered."""
    return [msgspec.convert(dict(row), AcceptedIrn) for row in await database.fetch(SQL["accepted"])]
