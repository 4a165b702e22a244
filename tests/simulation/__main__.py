"""Runs of the simulation, by hand and in the long proofs: `python -m tests.simulation` and

SEED                     shows one run, step by step
FIRST LAST               runs all these seeds, on every core
mutations [MOST [WORD]]  shows that each broken promise (that has the word) is seen within so many seeds
"""

# ruff: noqa: T201 (it talks to whoever runs it)

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.servers import TEMPLATE, Servers, ask
from tests.simulation import loop
from tests.simulation.ground import Ground
from tests.simulation.mutations import MUTATIONS, seen_by
from tests.simulation.trace import Trace
from tests.simulation.world import World

MOST: Final = 100  # seeds, until one sees a mutation


def main(words: list[str]) -> int:
    """The exit code."""
    match words:
        case ["mutations", *rest]:
            with standing() as ground:
                return mutations(int(rest[0]) if rest else MOST, " ".join(rest[1:]), ground)
        case [first, last]:
            return many(range(int(first), int(last) + 1), os.cpu_count() or 1)
        case [seed]:
            with standing() as ground:
                return one(int(seed), ground)
    print(__doc__)
    return 2


@contextmanager
def standing() -> Iterator[Ground]:
    """A ground on a PostgreSQL of its own."""
    servers = Servers()
    try:
        url = str(ask("postgres")["url"]).rpartition("/")[0]
        with tempfile.TemporaryDirectory() as folder:
            ground = Ground(f"{url}/{TEMPLATE}", Path(folder))
            yield ground
            ground.close()
    finally:
        servers.close()


def one(seed: int, ground: Ground) -> int:
    wrong = what_is_wrong(seed, ground, aloud=True)
    print(f"seed {seed}: {wrong or 'holds'}")
    return 1 if wrong else 0


def many(seeds: range, jobs: int) -> int:
    """Deal the seeds out to so many processes, each on a ground of its own."""
    began = time.monotonic()
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        failed = sum(pool.map(hand, [seeds[at::jobs] for at in range(jobs)]))
    print(f"seeds {seeds[0]} to {seeds[-1]}: {failed} fail, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def hand(seeds: range) -> int:
    """How many of these seeds fail."""
    failed = 0
    with standing() as ground:
        for number, seed in enumerate(seeds, 1):
            if wrong := what_is_wrong(seed, ground):
                failed += 1
                print(f"seed {seed}: {wrong}", flush=True)
            if number % 250 == 0:
                print(f"{number} of {len(seeds)} seeds in this process, {failed} fail", flush=True)
    return failed


def mutations(most: int, word: str, ground: Ground) -> int:
    unseen = 0
    names = [name for name in MUTATIONS if word in name]
    for name, seed in seen_by(ground, lambda seed: not what_is_wrong(seed, ground), names=names, seeds=most):
        unseen += seed is None
        print(f"{name}: " + (f"not seen by {most} seeds" if seed is None else f"seen by seed {seed}"), flush=True)
    return 1 if unseen else 0


def what_is_wrong(seed: int, ground: Ground, *, aloud: bool = False) -> str:
    """Empty when the seed holds."""
    try:
        loop.run(World(seed, ground, trace=Trace(aloud=aloud)).run())
    except AssertionError as error:
        return str(error)[:2000] or repr(error)
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
