"""`./run bench pace`: how near registration keeps to a portal's limit, and how many calls one process has in flight.

The sandbox over HTTP. First it takes 60 calls a minute of a GSTIN, for three minutes; then as many as come, with 300 ms
latency and room for 500. Prints, of the first, calls in each minute and 429s; of the second, calls in flight.
"""

import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from irnflow.books import sample
from irnflow.local import deployment
from irnflow.local.demo import BOOKS
from irnflow.local.deployment import Deployment

_LIMIT: Final = 60
_MINUTES: Final = 3
_ROOM: Final = 500
_CALLS: Final = 6_000
_LATENCY_MS: Final = 300
_DEADLINE_S: Final = 600


async def main() -> None:
    """Measure and print."""
    async with _deployed({"IRNFLOW_PORTAL_PER_MINUTE": str(_LIMIT)}) as deployed:
        await _switch(deployed, {"rate_limit_per_minute": _LIMIT})
        await _submitted(deployed, _LIMIT * (_MINUTES + 1))
        await _keep_to_the_limit(deployed)
    room = {"IRNFLOW_PORTAL_CONCURRENCY": str(_ROOM), "IRNFLOW_PORTAL_CONCURRENCY_GSTIN": str(_ROOM)}
    async with _deployed(room) as deployed:
        await _switch(deployed, {"latency_ms": _LATENCY_MS})
        await _submitted(deployed, _CALLS)
        await _fill_the_room(deployed)


async def _keep_to_the_limit(deployed: Deployment) -> None:
    async with asyncio.timeout(_DEADLINE_S):
        while not await _answered(deployed, "generate"):
            await asyncio.sleep(0.1)
        counts = []
        for _ in range(_MINUTES):
            before = await _answered(deployed, "generate")
            await asyncio.sleep(60)
            counts.append(await _answered(deployed, "generate") - before)
    slower = await _answered(deployed, "generate", outcome="NOT_DONE")
    print(
        f"limit of {_LIMIT} a minute: {', '.join(f'{n:.0f}' for n in counts)} calls in a minute, {slower:.0f} times 429"
    )


async def _fill_the_room(deployed: Deployment) -> None:
    seen: list[float] = []
    began = time.monotonic()
    async with asyncio.timeout(_DEADLINE_S):
        while await _answered(deployed, "generate") < _CALLS:
            seen.append(await _metric(deployed, "irnflow_portal_in_flight"))
            await asyncio.sleep(0.1)
    took_s = time.monotonic() - began
    print(f"{_LATENCY_MS} ms latency, no limit: {max(seen):.0f} calls in flight at the most, "
          f"{statistics.median(seen):.0f} in the middle; {_CALLS / took_s:.0f} a second")  # fmt: skip


def _deployed(environment: Mapping[str, str]) -> Any:
    folder = tempfile.TemporaryDirectory(prefix="irnflow-bench-")
    Path(folder.name).chmod(0o711)  # PostgreSQL may run as another user
    _FOLDERS.append(folder)
    return deployment.running(Path(folder.name), environment=environment)


_FOLDERS: Final[list[Any]] = []


async def _submitted(deployed: Deployment, n: int) -> None:
    ids = sample.synthetic(deployed.books_url, n)
    async with deployed.call() as api, api.post("/api/v1/batches", json={"voucher_ids": ids, "books": BOOKS}) as answer:
        assert answer.status == 202, await answer.text()


async def _switch(deployed: Deployment, order: Mapping[str, Any]) -> None:
    known = msgspec.json.decode((deployed.folder / "sandbox" / "sandbox.json").read_bytes())
    url = f"http://127.0.0.1:{deployed.settings.port_of('sandbox')}/sandbox/switches"
    headers = {"Authorization": f"Bearer {known['switches_token']}"}
    async with aiohttp.ClientSession() as client, client.post(url, json=order, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def _answered(deployed: Deployment, call: str, outcome: str = "[A-Z_]+") -> float:
    return await _metric(deployed, f'irnflow_portal_calls_total{{call="{call}",outcome="{outcome}"}}')


async def _metric(deployed: Deployment, pattern: str) -> float:
    """The sum of the registration process's samples whose line begins so; `pattern` is one of regular expressions."""
    url = f"http://127.0.0.1:{deployed.settings.port_of('registration')}/metrics"
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        text = await answer.text()
    line = re.compile(rf"^{pattern.replace('{', chr(92) + '{').replace('}', chr(92) + '}')} (\S+)$", re.MULTILINE)
    return sum(float(value) for value in line.findall(text))
