"""The life of an IRN by the commands, through real processes: books, store and portal agree after each step."""

import asyncio
import os

import pytest

from tests.commands.running import Ran, process
from tests.flow.conftest import Flow

pytestmark = [
    pytest.mark.xdist_group("flow"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
]

LORRY = ("--distance", "120", "--mode", "1", "--vehicle", "KA01AB1234", "--vehicle-type", "R")
WHY = ("--reason", "2", "--remark", "wrong price")


async def irnflow(flow: Flow, *words: str) -> Ran:
    environment = os.environ | {
        "IRNFLOW_DATABASE_URL": flow.deployed.store.url,
        "IRNFLOW_DATA": str(flow.deployed.folder),
    }
    return await asyncio.to_thread(process, *words, environment=environment)


async def test_a_voucher_gets_its_bill_and_both_are_cancelled_by_the_commands(flow: Flow) -> None:
    (voucher,) = flow.synthetic(1)
    batch_no = await flow.submit([voucher])
    await flow.settled(batch_no)
    [row] = await flow.rows("select irn from irnflow.registration where voucher_id = $1::text", voucher)
    irn = row["irn"]

    made = await irnflow(flow, "ewaybill", "make", irn, *LORRY)
    refused = await irnflow(flow, "cancel", irn, *WHY)
    cancelled = await irnflow(flow, "cancel", irn, *WHY, "--eway-bill")
    again = await irnflow(flow, "cancel", irn, *WHY, "--eway-bill")

    [bill] = (await flow.desk("GET", "eway_bills", params={"limit": "10000"}))["items"]
    ewb_no = bill["ewb_no"]
    assert (made.code, refused.code, cancelled.code, again.code) == (0, 1, 0, 0)
    assert f"make e-way bill {ewb_no}: done" in made.out
    assert f"E-way bill {ewb_no} is active" in refused.err
    assert [line.partition(", ")[2] for line in cancelled.out.splitlines()] == [
        f"cancel e-way bill {ewb_no}: done", "cancel IRN: done",
    ]  # fmt: skip
    assert (bill["irn"], bill["status"]) == (irn, "CNL")
    await flow.until(flow.counts, batch_no, lambda counts: counts == {"CANCELLED": 1})
    await flow.agrees()
    [in_books] = await flow.rows("select einvoice_status, irn from books.voucher where voucher_id = $1::text", voucher)
    assert dict(in_books) == {"einvoice_status": "eInvoice Cancelled", "irn": irn}
