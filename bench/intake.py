"""`./run bench intake`: 100,000 voucher ids in one request, five times: seconds until 202, and the service's memory.

Durable. The dispatcher is at work meanwhile; data_fetch stands still, so that only intake is measured.
"""

import os
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.processes import memory_mb
from irnflow.local import deployment
from irnflow.local.demo import BOOKS
from irnflow.local.deployment import Deployment

_VOUCHERS: Final = 100_000
_TIMES: Final = 5


async def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="irnflow-bench-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run as another user
        async with deployment.running(Path(folder)) as deployed:
            os.kill(deployed.processes["data_fetch"].pid, signal.SIGSTOP)
            took_s = [await _accepted(deployed, number) for number in range(_TIMES)]
            os.kill(deployed.processes["data_fetch"].pid, signal.SIGKILL)  # it would fetch for minutes
    print(f"{_VOUCHERS} ids accepted in {statistics.median(took_s):.2f} s (median of {_TIMES})")


async def _accepted(deployed: Deployment, number: int) -> float:
    """Submit one batch of ids that were never sent; gives the seconds until the answer."""
    ids = [f"X{number}/{voucher:06}" for voucher in range(_VOUCHERS)]
    async with deployed.call() as api:
        began = time.monotonic()
        async with api.post("/api/v1/batches", json={"voucher_ids": ids, "books": BOOKS}) as answer:
            await answer.read()
            assert answer.status == 202, answer.status
    took_s = time.monotonic() - began
    print(f"  {took_s:.2f} s, irn_service holds {memory_mb([deployed.processes['irn_service'].pid]):.0f} MB (PSS)")
    return took_s
