"""What a person sees in the console."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from irnflow.gst.faults import Fault, Severity
from irnflow.messages import WORDS, Detail, State
from irnflow.services.websocket.feed import EVENTS_MOST
from irnflow.store import accounts
from tests.browser.conftest import Console, now

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = Path(__file__).parents[2] / "ui/node_modules/axe-core/axe.min.js"
IRN = "35054cc24d97033afc24f49ec4444dbab81f542c555f9d30359dc75794e06bbe"
REGISTERED = Detail(says="Registered", irn=IRN, ack_no="112010036563310", ack_dt="2026-11-22 15:30:00")
REFUSED = Detail(
    says="Two rules are broken.",
    faults=(
        Fault(code="gstin.check_digit", path="BuyerDtls.Gstin", says="The GSTIN is mistyped.", fix="Ask the buyer."),
        Fault(code="hsn.short", path="ItemList[0].HsnCd", says="HSN is short.", severity=Severity.WARNING),
    ),
)


def row(page: Page, voucher: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=voucher, exact=True))


# Signing in


async def test_the_link_signs_in_and_leaves_no_token_in_the_address(console: Console, page: Page) -> None:
    token = await console.token()

    await page.goto(f"{console.address}/#token={token}")

    await expect(page.get_by_role("heading", name="Batches")).to_be_visible()
    await expect(page.get_by_text("Surya Traders")).to_be_visible()
    assert page.url == f"{console.address}/"
    assert token not in str(await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])"))


async def test_a_token_in_the_query_signs_in_too(console: Console, page: Page) -> None:
    await page.goto(f"{console.address}/?token={await console.token()}")

    await expect(page.get_by_role("heading", name="Batches")).to_be_visible()
    assert page.url == f"{console.address}/"


async def test_a_link_works_once_and_says_what_to_do(console: Console, browser: Browser, page: Page) -> None:
    link = f"{console.address}/#token={await console.token()}"
    await page.goto(link)
    await expect(page.get_by_role("heading", name="Batches")).to_be_visible()
    other = await browser.new_page()

    await other.goto(link)

    await expect(other.get_by_text("This link has been used already")).to_be_visible()


async def test_a_pasted_api_key_signs_in_until_the_tab_is_closed(console: Console, page: Page) -> None:
    await console.batch("B-1", "V-1")
    await page.goto(console.address)
    await page.get_by_label("One-time token or API key").fill("irnflow_guess")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("This is no valid token or key")).to_be_visible()

    await page.get_by_label("One-time token or API key").fill(await console.key())
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="Batches").wait_for()
    await page.reload()

    async with console.websocket():
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await page.get_by_text("B-1").click()
        await row(page, "V-1").wait_for()
        await console.tell("B-1", State.REGISTERED, "V-1")
        await expect(row(page, "V-1")).to_contain_text("E-Invoice Registered")


async def test_a_page_whose_key_is_revoked_asks_to_sign_in_again(console: Console, page: Page) -> None:
    key = await console.key()
    await page.goto(console.address)
    await page.get_by_label("One-time token or API key").fill(key)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="Batches").wait_for()
    await accounts.revoke_key(console.store, key, at=now())
    console.forget_keys()

    async with console.websocket():
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    assert await page.evaluate("sessionStorage.length") == 0


# A batch, live


async def test_a_batch_goes_from_processing_to_registered_without_a_reload(console: Console, page: Page) -> None:
    await console.batch("B-1", "V/1", "V/2")
    async with console.websocket():
        await console.sign_in(page)
        await page.get_by_text("B-1").click()
        await expect(row(page, "V/1")).to_contain_text("Processing")
        await page.evaluate("window.neverReloaded = true")

        for state, words in (
            (State.DATA_FETCHED, "Data Fetched"),
            (State.VALIDATION_SUCCESS, "Validation Success"),
            (State.GENERATION_SUCCESS, "E-Invoice Generated"),
        ):
            await console.tell("B-1", state, "V/1")
            await expect(row(page, "V/1")).to_contain_text(words)
        await console.tell("B-1", State.REGISTERED, "V/1", "V/2", detail=REGISTERED)

        await expect(row(page, "V/1")).to_contain_text("E-Invoice Registered")
        await expect(row(page, "V/2")).to_contain_text("E-Invoice Registered")
        await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "2")
        await expect(page.get_by_role("definition").first).to_have_text("2")
        assert await page.evaluate("window.neverReloaded")


async def test_the_list_of_batches_moves_by_itself_newest_first(console: Console, page: Page) -> None:
    await console.batch("B-1", "V-1")
    await console.sign_in(page)
    await page.get_by_text("B-1").wait_for()

    await console.batch("B-2", "V-1", "V-2")
    await console.tell("B-2", State.REGISTERED, "V-1")

    await expect(page.get_by_role("listitem")).to_contain_text([re.compile("^B-2.*1 of 2 vouchers done"), "B-1"])


async def test_a_lost_connection_comes_back_by_itself_with_all_that_was_missed(console: Console, page: Page) -> None:
    await console.batch("B-1", "V-1", "V-2")
    async with console.websocket():
        await console.sign_in(page, "#/batches/B-1")
        await console.tell("B-1", State.DATA_FETCHED, "V-1", "V-2")
        await expect(row(page, "V-2")).to_contain_text("Data Fetched")

    await expect(page.get_by_text("Reconnecting")).to_be_visible()
    await console.tell("B-1", State.REGISTERED, "V-1")

    async with console.websocket():
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await expect(row(page, "V-1")).to_contain_text("E-Invoice Registered")
        await expect(row(page, "V-2")).to_contain_text("Data Fetched")


async def test_who_missed_more_than_is_told_one_by_one_sees_every_voucher_as_it_stands(
    console: Console, page: Page
) -> None:
    ids = [f"V-{i:04}" for i in range(EVENTS_MOST + 2)]
    await console.batch("B-1", *ids)
    async with console.websocket():
        await console.sign_in(page, "#/batches/B-1")
        await console.tell("B-1", State.DATA_FETCHED, ids[0])
        await expect(row(page, ids[0])).to_contain_text("Data Fetched")
    await page.get_by_text("Reconnecting").wait_for()

    await console.tell("B-1", State.REGISTERED, *ids)

    async with console.websocket():
        await expect(row(page, ids[0])).to_contain_text("E-Invoice Registered")
        await row(page, ids[0]).get_by_role("button").press("End")
        await expect(row(page, ids[-1])).to_contain_text("E-Invoice Registered")


async def test_only_the_rows_in_sight_are_drawn(console: Console, page: Page) -> None:
    await console.batch("B-1", *(f"V-{i:04}" for i in range(5_000)))

    await console.sign_in(page, "#/batches/B-1")
    await row(page, "V-0000").get_by_role("button").press("End")

    await expect(row(page, "V-4999")).to_be_visible()
    await expect(row(page, "V-4999").get_by_role("button")).to_be_focused()
    assert await page.get_by_role("row").count() < 60
    await expect(page.get_by_role("table")).to_have_attribute("aria-rowcount", "5001")


async def test_a_reload_comes_back_to_the_same_state_and_voucher(console: Console, page: Page) -> None:
    await console.batch("B-1", "V-1", "V-2", "V-3")
    await console.tell("B-1", State.VALIDATION_FAILED, "V-2", detail=REFUSED)
    await console.sign_in(page, "#/batches/B-1")
    await page.get_by_role("button", name="Validation Failed").click()
    await page.get_by_role("button", name="V-2").click()
    await page.get_by_role("dialog").wait_for()

    await page.reload()

    await expect(page.get_by_role("dialog")).to_contain_text("Voucher V-2")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("button", name=re.compile("^V-"))).to_have_text(["V-2"])


async def test_a_filtered_list_follows_the_vouchers(console: Console, page: Page) -> None:
    await console.batch("B-1", "V-1", "V-2")
    async with console.websocket():
        await console.sign_in(page, "#/batches/B-1?state=REGISTERED")
        await expect(page.get_by_text("No voucher is in this state now.")).to_be_visible()

        await console.tell("B-1", State.REGISTERED, "V-2")

        await expect(page.get_by_role("button", name=re.compile("^V-"))).to_have_text(["V-2"])


async def test_a_voucher_tells_what_to_mend_and_all_that_happened(console: Console, page: Page) -> None:
    await console.batch("B-1", "V/1 & Co", "V-2")
    await console.tell("B-1", State.DATA_FETCHED, "V/1 & Co", detail=Detail(says="Read from the books"))
    await console.tell("B-1", State.VALIDATION_FAILED, "V/1 & Co", detail=REFUSED)
    await console.sign_in(page, "#/batches/B-1")

    await row(page, "V/1 & Co").get_by_role("button").press("Enter")

    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading")).to_have_text(
        ["Voucher V/1 & Co", "One thing to mend", "One warning", "History"]
    )
    await expect(dialog).to_contain_text("What to do: Ask the buyer.")
    await expect(dialog.get_by_role("listitem")).to_contain_text(
        ["The GSTIN is mistyped.", "HSN is short.", "Data Fetched", "Validation Failed"]
    )


async def test_what_has_no_faults_tells_what_to_do_too(console: Console, page: Page) -> None:
    await console.batch("B-1", "V-1")
    none = Detail(says="The books have no voucher V-1.", fix="Check the id.")
    await console.tell("B-1", State.DATA_FETCH_FAILED, "V-1", detail=none)

    await console.sign_in(page, "#/batches/B-1?voucher=V-1")

    await expect(page.get_by_role("dialog")).to_contain_text("What to do: Check the id.")


async def test_the_figures_add_up_with_what_was_cancelled(console: Console, page: Page) -> None:
    await console.batch("B-1", "V-1", "V-2", "V-3")
    await console.tell("B-1", State.CANCELLED, "V-1", detail=REGISTERED)
    await console.tell("B-1", State.WITHDRAWN, "V-2")

    await console.sign_in(page, "#/batches/B-1")

    await expect(page.get_by_role("definition")).to_have_text(["0", "0", "1", "2"])


async def test_the_console_uses_the_words_of_the_states(console: Console, page: Page) -> None:
    ids = [f"V-{place:02}" for place in range(len(State))]
    await console.batch("B-1", *ids)
    for id_, state in zip(ids, State, strict=True):
        await console.tell("B-1", state, id_, detail=REGISTERED)

    await console.sign_in(page, "#/batches/B-1")

    await expect(page.locator("[role=row] .state")).to_have_text(list(WORDS.values()))


async def test_an_open_voucher_moves_too(console: Console, page: Page) -> None:
    await console.batch("B-1", "V-1")
    async with console.websocket():
        await console.sign_in(page, "#/batches/B-1?voucher=V-1")
        await expect(page.get_by_role("dialog")).to_contain_text("Nothing has happened yet.")

        await console.tell("B-1", State.REGISTERED, "V-1", detail=REGISTERED)

        await expect(page.get_by_role("dialog")).to_contain_text(IRN)
        await expect(page.get_by_role("dialog").get_by_role("listitem")).to_contain_text(["E-Invoice Registered"])


async def test_the_table_is_walked_with_the_arrow_keys(console: Console, page: Page) -> None:
    await console.batch("B-1", "V-1", "V-2", "V-3")
    await console.sign_in(page, "#/batches/B-1")
    await row(page, "V-1").get_by_role("button").focus()

    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"):
        await page.keyboard.press(key)

    await expect(row(page, "V-2").get_by_role("button")).to_be_focused()


async def test_an_unknown_batch_is_said_to_be_none(console: Console, page: Page) -> None:
    await console.sign_in(page, "#/batches/B-9")

    await expect(page.get_by_text("There is no batch B-9 in this account.")).to_be_visible()


# A new batch


async def test_pasted_ids_become_a_batch_each_once(console: Console, page: Page) -> None:
    await console.sign_in(page)
    await page.get_by_role("button", name="New batch").click()
    await page.get_by_label("Voucher ids").fill("INV/1\r\n  INV/2 \n\nINV/1\n")
    await page.get_by_label("Batch number").fill("NOV-1")

    await page.get_by_role("button", name="Register 2 vouchers").click()

    await expect(page.get_by_role("heading", name="NOV-1")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("^INV"))).to_have_text(["INV/1", "INV/2"])


async def register(page: Page, voucher: str, *, batch_no: str) -> None:
    await page.get_by_role("button", name="New batch").click()
    await page.get_by_label("Voucher ids").fill(voucher)
    await page.get_by_label("Batch number").fill(batch_no)
    await page.get_by_role("button", name="Register 1 voucher").click()


async def test_a_refused_batch_says_why_and_keeps_what_was_pasted(console: Console, page: Page) -> None:
    await console.batch("NOV-1", "V-1")
    await console.sign_in(page)

    await register(page, "INV/1", batch_no="NOV-1")

    await expect(page.get_by_label("Batch number")).to_have_accessible_description(re.compile("Batch NOV-1 stands"))
    await expect(page.get_by_label("Voucher ids")).to_have_value("INV/1")


async def test_a_fault_of_a_field_stands_once_and_beside_it(console: Console, page: Page) -> None:
    await console.sign_in(page)

    await register(page, "INV/1", batch_no="NOV 1")

    await expect(page.get_by_label("Batch number")).to_have_accessible_description(re.compile("Expected "))
    await expect(page.get_by_text("Expected ")).to_have_count(1)
    await expect(page.get_by_role("dialog")).not_to_contain_text("/batch_no")


# For everybody


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
async def test_the_console_is_accessible(console: Console, context: BrowserContext, scheme: Any, width: int) -> None:
    await console.batch("B-1", *(f"V-{i}" for i in range(20)))
    for i, state in enumerate(State):
        await console.tell("B-1", state, f"V-{i}", detail=REFUSED if "FAILED" in state else REGISTERED)
    page = await context.new_page()
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await page.set_viewport_size({"width": width, "height": 800})
    found = {}

    async with console.websocket():
        await page.goto(console.address)
        await page.get_by_role("heading", name="Sign in").wait_for()
        found["sign in"] = await violations(page)
        await console.sign_in(page)
        await page.get_by_text("B-1").wait_for()
        found["list"] = await violations(page)
        await page.get_by_role("button", name="New batch").click()
        await page.get_by_label("Voucher ids").fill("A\nA")
        await page.get_by_label("Batch number").fill("B 1")
        await page.get_by_role("button", name="Register 1 voucher").click()
        await page.get_by_text("Expected ").wait_for()
        found["new batch"] = await violations(page)
        await page.keyboard.press("Escape")
        await page.get_by_text("B-1").click()
        await row(page, "V-0").wait_for()
        found["batch"] = await violations(page)
        too_wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        await row(page, "V-3").get_by_role("button").click()
        await page.get_by_role("dialog").get_by_text("What to do:").wait_for()
        found["voucher"] = await violations(page)

    assert found == {"sign in": [], "list": [], "new batch": [], "batch": [], "voucher": []}
    assert too_wide <= 0


async def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and its own best practices."""
    if not AXE.exists():
        pytest.fail("axe-core is not installed: npm ci, in ui/")
    await page.evaluate(AXE.read_text())
    # Mantine's dialogs have a <header>, which axe takes for a second banner of the page; screen readers don't.
    report = await page.evaluate(
        "axe.run({rules: {'landmark-no-duplicate-banner': {enabled: false}, 'landmark-unique': {enabled: false}}})"
    )
    return [f"{each['id']}: {node['html'][:150]}" for each in report["violations"] for node in each["nodes"]]
