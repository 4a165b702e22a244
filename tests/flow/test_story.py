"""What the processes logged tells the whole story of each transaction."""

from collections import defaultdict

import pytest

from irnflow.settings import SERVICES
from tests.flow.conftest import Flow

pytestmark = [
    pytest.mark.xdist_group("flow"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
]

REGISTERED = {
    "irn_service": {"PROCESSING"},
    "data_fetch": {"DATA_FETCHED"},
    "validation": {"VALIDATION_SUCCESS"},
    "registration": {"done", "GENERATION_SUCCESS"},  # put on record; told
    "database_update": {"REGISTERED"},
    "websocket": {"DATA_FETCHED", "VALIDATION_SUCCESS", "GENERATION_SUCCESS", "REGISTERED"},
}
NOT_FOUND = {
    "irn_service": {"PROCESSING"},
    "data_fetch": {"DATA_FETCH_FAILED"},
    "error_desk": {"done"},
    "websocket": {"DATA_FETCH_FAILED"},
}


async def test_each_transaction_is_in_the_logs_of_its_services_with_each_state_it_came_to(flow: Flow) -> None:
    sound = flow.synthetic(5)
    batch_no = await flow.submit([*sound, "there is none such"])
    await flow.settled(batch_no)

    wanted = dict.fromkeys(sound, REGISTERED) | {"there is none such": NOT_FOUND}
    assert await flow.until(stories, flow, batch_no, lambda found: found == wanted) == wanted


async def stories(flow: Flow, batch_no: str) -> dict[str, dict[str, set[str]]]:
    """For each transaction of the batch, by service, what its log says became of it."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    lines = [line for name in SERVICES for line in flow.lines(name)]
    named = [(line["service"], line["transactions"]) for line in lines if "transactions" in line]
    for service, transactions in named:
        for became, batches in transactions.items():
            for transaction_id in of_batch(batches, batch_no):
                found[transaction_id][service].add(became)
    return found  # type: ignore[return-value]


def of_batch(batches: dict[str, list[str]], batch_no: str) -> list[str]:
    return [id_ for batch, ids in batches.items() if batch.endswith(f"/{batch_no}") for id_ in ids]
