"""`./run bench urgent [N]`: five urgent vouchers behind N (100,000): from their request until INTENT is committed.

All services, each a process; the portal costs nothing (bench/portal.py). Five times, while the large batch is at work;
prints each and the median, and the memory of our Python processes when all of it is registered.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

import asyncpg

from bench.processes import memory_mb
from irnflow.books import sample
from irnflow.local import deployment
from irnflow.local.demo import BOOKS
from irnflow.local.deployment import Deployment

_TIMES: Final = 5
_URGENT: Final = 5
_BETWEEN_S: Final = 5.0
_DEADLINE_S: Final = 3600
_INTENTS: Final = """
    select count(*) from irnflow.batch b join irnflow.attempt a using (batch_id)
     where b.batch_no = $1 and a.what = 'send' and a.outcome = 'INTENT'
"""
_REGISTERED: Final = "select n from irnflow.batch_count where batch_id = $1 and state = 'REGISTERED'"


async def main(n: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="irnflow-bench-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run as another user
        instead = {"registration": ("-m", "bench.portal")}
        async with deployment.running(Path(folder), instead=instead) as deployed:
            ids = sample.synthetic(deployed.books_url, n + _TIMES * _URGENT)
            store = await asyncpg.connect(deployed.store.url)
            large = await _submit(deployed, ids[:n])
            took_s, held_mb = [], []
            for turn in range(_TIMES):
                await asyncio.sleep(_BETWEEN_S)
                held_mb.append(_memory_mb(deployed))
                urgent = ids[n + turn * _URGENT :][:_URGENT]
                began = time.monotonic()
                batch_no = await _submit(deployed, urgent)
                while await store.fetchval(_INTENTS, batch_no) < _URGENT:
                    await asyncio.sleep(0.02)
                took_s.append(time.monotonic() - began)
                print(f"  INTENT of five urgent vouchers after {took_s[-1]:.2f} s", flush=True)
            print(
                f"five behind {n}: {statistics.median(took_s):.2f} s (median of {_TIMES}, at most {max(took_s):.2f} s)"
            )
            await _until_registered(store, large, n, deployed, most_mb=max(held_mb))
            await store.close()


async def _submit(deployed: Deployment, ids: list[str]) -> str:
    async with deployed.call() as api, api.post("/api/v1/batches", json={"voucher_ids": ids, "books": BOOKS}) as answer:
        accepted = await answer.json()
        assert answer.status == 202, accepted
    return str(accepted["batch_no"])


async def _until_registered(
    store: "asyncpg.Connection", batch_no: str, n: int, deployed: Deployment, *, most_mb: float
) -> None:
    batch_id = await store.fetchval("select batch_id from irnflow.batch where batch_no = $1", batch_no)
    began = time.monotonic()
    async with asyncio.timeout(_DEADLINE_S):
        while (await store.fetchval(_REGISTERED, batch_id) or 0) < n:
            most_mb = max(most_mb, _memory_mb(deployed))
            await asyncio.sleep(2)
    print(f"the {n} are registered {time.monotonic() - began:.0f} s later; our Python processes held at most "
          f"{most_mb:.0f} MB (PSS)")  # fmt: skip


def _memory_mb(deployed: Deployment) -> float:
    return memory_mb([child.pid for name, child in deployed.processes.items() if name != "sandbox"])
