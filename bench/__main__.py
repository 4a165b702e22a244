"""`./run bench [N]`: N five-line vouchers through all services, each a process, on a real RabbitMQ and PostgreSQL.

Durable and confirmed, as in production; the portal costs nothing (bench/portal.py), so what is measured is ours.
Prints vouchers a second, and CPU milliseconds a voucher for pipeline, broker and PostgreSQL, by process.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench import profile
from bench.machine import Slowdown
from bench.processes import cpu_seconds, memory_mb
from irnflow.books import sample
from irnflow.local import deployment
from irnflow.local.demo import BOOKS
from irnflow.local.deployment import Deployment

_DEADLINE_S: Final = 900
_POLL_S: Final = 0.1
_WARM_UP: Final = 300  # vouchers that nobody measures: connections, caches, first plans


async def main(n: int, *, profiled: bool) -> None:
    """Measure and print."""
    slowdown = Slowdown()
    with tempfile.TemporaryDirectory(prefix="irnflow-bench-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run as another user
        instead = {"registration": ("-m", "bench.portal")}
        async with deployment.running(Path(folder), instead=instead) as deployed:
            ids = sample.synthetic(deployed.books_url, n + _WARM_UP)
            await _registered(deployed, ids[:_WARM_UP], slowdown)
            groups = _groups(deployed)
            async with profile.recorded(_services(deployed) if profiled else {}, Path(folder)) as shares:
                before, began = cpu_seconds(groups), time.monotonic()
                accepted_s = await _registered(deployed, ids[_WARM_UP:], slowdown)
                took_s, after = time.monotonic() - began, cpu_seconds(groups)
            cpu_ms = {name: (after[name] - before[name]) * 1000 / n for name in groups}
            profile.show(shares, cpu_ms)
            _print(n, took_s, accepted_s, cpu_ms, memory_mb(groups["pipeline"]), slowdown.factor)


def _services(deployed: Deployment) -> dict[str, int]:
    return {name: child.pid for name, child in deployed.processes.items() if name != "sandbox"}


def _groups(deployed: Deployment) -> dict[str, list[int]]:
    services = _services(deployed)
    return {
        **{name: [pid] for name, pid in services.items()},
        "pipeline": list(services.values()),
        "broker": [deployed.broker.child.pid],
        "PostgreSQL": [deployed.store.child.pid],
    }


async def _registered(deployed: Deployment, ids: Sequence[str], slowdown: Slowdown) -> float:
    """Submit one batch and wait until each of its vouchers is registered; gives the seconds until it was accepted."""
    async with deployed.call() as api, asyncio.timeout(_DEADLINE_S):
        began = time.monotonic()
        async with api.post("/api/v1/batches", json={"voucher_ids": ids, "books": BOOKS}) as answer:
            accepted = await answer.json()
            assert answer.status == 202, accepted
        accepted_s = time.monotonic() - began
        while True:
            async with api.get(f"/api/v1/batches/{accepted['batch_no']}") as answer:
                counts = (await answer.json())["counts"]
            if counts.get("REGISTERED") == len(ids):
                return accepted_s
            failed = {state: count for state, count in counts.items() if "FAILED" in state and count}
            assert not failed, failed
            slowdown.sample()
            await asyncio.sleep(_POLL_S)


def _print(n: int, took_s: float, accepted_s: float, cpu_ms: Mapping[str, float], pss_mb: float, slower: float) -> None:
    total_ms = cpu_ms["pipeline"] + cpu_ms["broker"] + cpu_ms["PostgreSQL"]
    print(f"{n} vouchers of five lines in {took_s:.1f} s: {n / took_s:.0f} a second (accepted in {accepted_s:.2f} s)")
    print(f"CPU {total_ms:.2f} ms a voucher; our Python processes hold {pss_mb:.0f} MB (PSS)")
    print(f"a fixed piece of work took {slower:.2f} times as long as at rest: at rest {total_ms / slower:.2f} ms")
    for name, ms in cpu_ms.items():
        print(f"  {name:<22}{ms:6.2f} ms")
    from bench import crypto

    print("beside it, what the portal's cryptography costs a voucher:")
    for name, ms in crypto.costs().items():
        print(f"  {name:<22}{ms:6.2f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        default="5000",
        help="how many vouchers (5000), or `intake`, `law`, `check`, `pace`, `urgent`, `live`",
    )
    parser.add_argument("--count", type=int, help="of `law`: invoices over which memory is watched (1000000); "
                        "of `urgent`: vouchers in front (100000); of `live`: vouchers (5000)")  # fmt: skip
    parser.add_argument("--profile", action="store_true", help="of N vouchers: show where our processes spend it, too")
    parser.add_argument("--against", metavar="REV", help="of `check`: compare with this revision, alternately")
    asked = parser.parse_args()
    # Each is imported when asked for: pytest, which runs `law`, wants to be there before others.
    match asked.what:
        case "law":
            from bench import law

            law.main(asked.count or 1_000_000)
        case "check":
            from bench import check

            check.main(asked.against)
        case "pace":
            from bench import pace

            asyncio.run(pace.main())
        case "urgent":
            from bench import urgent

            asyncio.run(urgent.main(asked.count or 100_000))
        case "live":
            from bench import live

            asyncio.run(live.main(asked.count or 5_000))
        case "intake":
            from bench import intake

            asyncio.run(intake.main())
        case n:
            asyncio.run(main(int(n), profiled=asked.profile))
