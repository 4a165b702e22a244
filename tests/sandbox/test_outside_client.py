"""Somebody else's client, gst-e-invoicing from PyPI, told nothing but what `irnflow serve sandbox` prints."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import gst_irn
import pytest
from gst_irn.session import RequestError

SELLER, BUYER = "27AAPFU0939F1ZV", "29AABCD1234E1Z4"
INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.fixture
async def printed(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """What a sandbox of its own process printed, by its label."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "irnflow", "serve", "sandbox",
        env=os.environ | {"IRNFLOW_DATA": str(tmp_path)}, stdout=PIPE,
    )  # fmt: skip
    assert process.stdout
    try:
        text = (await process.stdout.readuntil(b"point a client at it.\n")).decode()
        yield dict(re.findall(r"^  (\w+(?: \w+)*)  +(\S+)", text, re.MULTILINE))
    finally:
        process.kill()
        await process.wait()


@pytest.fixture
def session(printed: dict[str, str], tmp_path: Path) -> gst_irn.Session:
    """The outsider's session, logged in."""
    session = gst_irn.Session(
        SELLER,
        client_id=printed["client id"],
        client_secret=printed["client secret"],
        username=printed["user name"],
        password=printed["password"],
        public_key=Path(printed["public key"]).read_text(),
        base_url=printed["address"],
    )
    session.generate_token(cache_dir=str(tmp_path / "tokens"))
    return session


def invoice(number: str) -> dict[str, Any]:
    """As the package's own helpers make it."""
    today = datetime.now(UTC).astimezone(INDIA).strftime("%d/%m/%Y")
    place = {"addr1": "14 Mahatma Gandhi Road", "loc": "Camp"}
    document: dict[str, Any] = gst_irn.get_invoice(
        tran_dtls=gst_irn.get_tran_dtls(),
        doc_dtls=gst_irn.get_doc_dtls(typ="INV", no=number, dt=today),
        seller_dtls=gst_irn.get_seller_dtls(gstin=SELLER, lgl_nm="Deccan", pin=411001, stcd="27", **place),
        buyer_dtls=gst_irn.get_buyer_dtls(gstin=BUYER, lgl_nm="Mysore", pos="29", pin=560001, stcd="29", **place),
        item_list=[
            gst_irn.get_item(
                sl_no="1", is_servc="Y", hsn_cd="998313", unit_price=100, tot_amt=100, ass_amt=100, gst_rt=18,
                igst_amt=18, tot_item_val=118,
            )
        ],
        val_dtls=gst_irn.get_val_dtls(tot_inv_val=118, ass_val=100, igst_val=18),
    )  # fmt: skip
    return document


async def test_it_logs_in_generates_gets_and_cancels(session: gst_irn.Session) -> None:
    made = await asyncio.to_thread(session.generate_e_invoice, invoice("OUT-1"))
    got = await asyncio.to_thread(session.get_e_invoice_by_irn, made["Irn"])
    wish = {"Irn": made["Irn"], "CnlRsn": "2", "CnlRem": "wrong entry"}
    cancelled = await asyncio.to_thread(session.post, f"{session.base_url}/eicore/v1.03/Invoice/Cancel", wish)
    after = await asyncio.to_thread(session.get_e_invoice_by_irn, made["Irn"])

    assert got == made
    assert (made["Status"], after["Status"]) == ("ACT", "CNL")
    assert cancelled["Irn"] == made["Irn"]


async def test_it_is_told_of_a_duplicate_in_its_own_error(session: gst_irn.Session) -> None:
    await asyncio.to_thread(session.generate_e_invoice, invoice("OUT-2"))

    with pytest.raises(RequestError, match="2150"):
        await asyncio.to_thread(session.generate_e_invoice, invoice("OUT-2"))


async def test_it_asks_about_a_taxpayer(session: gst_irn.Session) -> None:
    told = await asyncio.to_thread(session.get_gst_info, BUYER)

    assert (told["Gstin"], told["Status"], told["DtReg"]) == (BUYER, "ACT", "2017-07-01")


async def test_it_works_with_the_second_portal(session: gst_irn.Session) -> None:
    session.base_url += "/NIC2"

    made = await asyncio.to_thread(session.generate_e_invoice, invoice("OUT-3"))

    assert (await asyncio.to_thread(session.get_e_invoice_by_irn, made["Irn"]))["AckNo"] == made["AckNo"]
