"""Messages for the tests of the bus."""

from datetime import UTC, datetime

from irnflow.messages import FetchData

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def fetch(transaction_id: str) -> FetchData:
    return FetchData(batch_id=1, batch_no="B1", transaction_id=transaction_id, account_id=1, books="main")
