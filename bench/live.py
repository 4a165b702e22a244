"""`./run bench live [--count N]`: from an event's commit until its count is on the screen, in a real Chromium.

All services, each a process, at work on one batch of N (5000) vouchers; the portal costs nothing (bench/portal.py).
Each "E-Invoice Registered" counts: committed when PostgreSQL notifies of it, seen in the first frame that is painted
after the console shows at least so many. Prints percentiles.
"""

import asyncio
import os
import statistics
import tempfile
import time
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg
from playwright.async_api import Page, async_playwright

from irnflow.books import sample
from irnflow.local import deployment
from irnflow.local.demo import BOOKS
from irnflow.local.deployment import Deployment

_CHROMIUM: Final = os.environ.get("IRNFLOW_CHROMIUM", "/usr/bin/chromium")
_DEADLINE_S: Final = 900
# Each number of registered vouchers that is painted, with the time.
_WATCH: Final = """() => {
    window.seen = [];
    const figure = document.querySelector('dl.figures dd');
    const look = () => requestAnimationFrame(() =>
        window.seen.push([Number(figure.textContent.replaceAll(/[^0-9]/g, '')), Date.now()]));
    new MutationObserver(look).observe(figure, {childList: true, characterData: true, subtree: true});
}"""
_SEQS: Final = """
    select e.seq from irnflow.event e join irnflow.batch b using (batch_id)
     where b.batch_no = $1 and e.status = 'REGISTERED' order by e.seq
"""
Moment = tuple[int, float]  # a number that only grows, and when it was reached: seconds since 1970


async def main(n: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="irnflow-bench-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run as another user
        instead = {"registration": ("-m", "bench.portal")}
        async with deployment.running(Path(folder), instead=instead) as deployed, async_playwright() as playwright:
            ids = sample.synthetic(deployed.books_url, n)
            store = await asyncpg.connect(deployed.store.url)
            browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
            page = await browser.new_page()
            await page.goto(await deployed.link())
            await page.get_by_role("heading", name="Batches").wait_for()

            committed: list[Moment] = []
            await store.add_listener(
                "irnflow_event", lambda *said: committed.append((_last_seq(said[-1]), time.time()))
            )
            batch_no = await _submit(deployed, ids)
            await page.evaluate(f"location.hash = '/batches/{batch_no}'")
            await page.locator("dl.figures dd").first.wait_for()
            await page.evaluate(_WATCH)
            seen = await _all_seen(page, n)
            seqs = [row["seq"] for row in await store.fetch(_SEQS, batch_no)]
            await store.close()
            await browser.close()
    _print(_latencies_ms(seqs, committed, seen))


async def _submit(deployed: Deployment, ids: Sequence[str]) -> str:
    async with deployed.call() as api, api.post("/api/v1/batches", json={"voucher_ids": ids, "books": BOOKS}) as answer:
        accepted = await answer.json()
        assert answer.status == 202, accepted
    return str(accepted["batch_no"])


def _last_seq(told: object) -> int:
    """Of the only batch there is: `batch_id:seq`."""
    return int(str(told).rpartition(":")[2])


async def _all_seen(page: Page, n: int) -> list[Moment]:
    async with asyncio.timeout(_DEADLINE_S):
        while True:
            seen: list[list[float]] = await page.evaluate("window.seen")
            if seen and seen[-1][0] >= n:
                return [(int(registered), at_ms / 1000) for registered, at_ms in seen]
            await asyncio.sleep(1)


def _latencies_ms(seqs: Sequence[int], committed: Sequence[Moment], seen: Sequence[Moment]) -> list[float]:
    """Of each event that was committed after the page began to watch."""
    latencies = []
    for nth, seq in enumerate(seqs, 1):
        committed_at = committed[bisect_left(committed, seq, key=lambda moment: moment[0])][1]
        seen_at = seen[bisect_left(seen, nth, key=lambda moment: moment[0])][1]
        if committed_at >= seen[0][1]:
            latencies.append((seen_at - committed_at) * 1000)
    return latencies


def _print(latencies_ms: Sequence[float]) -> None:
    cuts = statistics.quantiles(latencies_ms, n=100)
    print(f"event committed to painted in the browser, {len(latencies_ms)} events: median {cuts[49]:.0f} ms, "
          f"p99 {cuts[98]:.0f} ms, at most {max(latencies_ms):.0f} ms")  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(5_000))
