"""Books of another layout, read by a user's own queries, through the whole pipeline."""

import pytest

from tests.flow.conftest import OWN_BOOKS, Flow

pytestmark = [
    pytest.mark.xdist_group("flow"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
]


async def test_vouchers_of_books_with_queries_of_their_own_are_registered_and_marked_there(flow: Flow) -> None:
    batch_no = await flow.submit(["501", "502", "503"], books=OWN_BOOKS)

    assert await flow.settled(batch_no) == {"REGISTERED": 2, "DATA_FETCH_FAILED": 1}
    rows = flow.own_rows("select doc_no, gst_state, edited_by, length(gst_hash) as irn from document order by doc_no")
    assert rows == [
        {"doc_no": 501, "gst_state": "eInvoice Registered", "edited_by": "asha", "irn": 64},
        {"doc_no": 502, "gst_state": "eInvoice Registered", "edited_by": "ravi", "irn": 64},
    ]
    await flow.agrees()
