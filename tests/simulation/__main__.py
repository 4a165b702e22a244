"""Show runs of the simulation: python -m tests.simulation SEED [SEED ...]"""

import sys
import tempfile
import time
from pathlib import Path

from tests.servers import TEMPLATE, Servers, ask
from tests.simulation import loop
from tests.simulation.ground import Ground
from tests.simulation.trace import Trace
from tests.simulation.world import World


def main(seeds: list[int]) -> None:
    servers = Servers()
    try:
        url = str(ask("postgres")["url"])
        with tempfile.TemporaryDirectory() as folder:
            ground = Ground(url.rpartition("/")[0] + f"/{TEMPLATE}", Path(folder))
            for seed in seeds:
                began = time.perf_counter()
                try:
                    loop.run(World(seed, ground, trace=Trace(aloud=len(seeds) == 1)).run())
                    says = "holds"
                except AssertionError as error:
                    says = f"FAILS: {error}"
                print(f"seed {seed} {says}, {time.perf_counter() - began:.1f} s")  # noqa: T201
    finally:
        servers.close()


main([int(seed) for seed in sys.argv[1:]])
