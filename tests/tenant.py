"""A tenant to test with: an account with its books, batches of it, and what befalls their transactions."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from irnflow.messages import State
from irnflow.store import accounts, batches
from irnflow.store.database import Database, Row

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)  # 15:30 in India


class Tenant(NamedTuple):
    """An account with one books file entry."""

    account_id: int
    books: str


async def make_tenant(store: Database, name: str = "Surya Traders", books: str = "surya") -> Tenant:
    account_id = await accounts.create_account(store, name, at=AT)
    await accounts.add_books(store, account_id, books)
    return Tenant(account_id, books)


async def make_batch(store: Database, tenant: Tenant, *ids: str, batch_no: str | None = None, at: datetime = AT) -> Row:
    return await batches.intake(
        store, tenant.account_id, ids, batch_no=batch_no, books=tenant.books, idempotency_key=None, at=at
    )


async def events(store: Database, batch_id: int, states: Mapping[str, State], *, at: datetime = AT) -> None:
    """What `websocket` would record."""
    await store.fetch(
        """select irnflow.record_events($1::bigint[], $2::text[], $3::irnflow.transaction_state[], $4::smallint[],
                                        $5::timestamptz[], $6::jsonb[])""",
        [batch_id] * len(states), list(states), list(states.values()), [0] * len(states), [at] * len(states),
        ['{"says": "so"}'] * len(states),
    )  # fmt: skip


def later(**by: float) -> datetime:
    return AT + timedelta(**by)
