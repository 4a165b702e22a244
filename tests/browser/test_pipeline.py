"""The whole road, seen: every service a process of its own, and the console in front of it."""

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from irnflow.books import sample
from irnflow.local import deployment
from irnflow.local.deployment import Deployment

pytestmark = [pytest.mark.xdist_group("flow"), pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def deployed() -> AsyncIterator[Deployment]:
    folder = Path(tempfile.mkdtemp(prefix="irnflow-browser-"))
    folder.chmod(0o711)  # PostgreSQL may run as another user
    async with deployment.running(folder, durable=False) as deployed:
        yield deployed
    shutil.rmtree(folder)


async def test_pasted_vouchers_become_registered_e_invoices_without_a_reload(deployed: Deployment, page: Page) -> None:
    ids = sample.synthetic(deployed.books_url, 20)
    await page.goto(await deployed.link())
    await page.evaluate("window.neverReloaded = true")

    await page.get_by_role("button", name="New batch").click()
    await page.get_by_label("Voucher ids").fill("\n".join([*ids, "no-such-voucher"]))
    await page.get_by_role("button", name="Register 21 vouchers").click()

    await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "21", timeout=60_000)
    await expect(page.get_by_role("definition")).to_have_text(["20", "1", "0"])
    await page.get_by_role("button", name="Data Fetch Failed").click()
    await page.get_by_role("button", name="no-such-voucher").click()
    await expect(page.get_by_role("dialog")).to_contain_text("There is no voucher no-such-voucher")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="E-Invoice Registered").click()
    await page.get_by_role("button", name=ids[0], exact=True).click()
    await expect(page.get_by_role("dialog").get_by_role("listitem")).to_contain_text(
        ["Data Fetched", "Validation Success", "E-Invoice Generated", "E-Invoice Registered"]
    )
    await expect(page.get_by_role("dialog").get_by_text(re.compile("^[0-9a-f]{64}$"))).to_be_visible()
    assert await page.evaluate("window.neverReloaded")
