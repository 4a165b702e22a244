"""Runs of the simulation, by hand and in the long proofs: `python -m tests.simulation` and

SEED                     shows one run, step by step
FIRST LAST               runs all these seeds, on every core
points [SEEDS]           stops registration at every place between two effects, in the runs of so many seeds
mutations [MOST [WORD]]  shows that each broken promise (that has the word) is seen within so many seeds, or by its
                         test; without a word it writes the table of docs/proof.md anew
"""

# ruff: noqa: T201 (it talks to whoever runs it)

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.servers import TEMPLATE, Servers, ask
from tests.simulation import loop
from tests.simulation.broken import BROKEN, is_seen
from tests.simulation.ground import Ground
from tests.simulation.mutations import MUTATIONS, seen_by
from tests.simulation.points import plans, points, stop_at, ways_to_stop
from tests.simulation.trace import Trace
from tests.simulation.world import World

STOPS: Final = 10  # seeds, to stop at each point
PROOF: Final = Path(__file__).parents[2] / "docs" / "proof.md"
MARK: Final = "<!-- what `python -m tests.simulation mutations` writes -->"
END_MARK: Final = "<!-- until here -->"
MOST: Final = 100  # seeds, until one sees a mutation


def main(words: list[str]) -> int:
    """The exit code."""
    match words:
        case ["mutations", *rest]:
            with standing() as ground:
                return mutations(int(rest[0]) if rest else MOST, " ".join(rest[1:]), ground)
        case ["points", *rest]:
            return stops(range(1, 1 + int(rest[0] if rest else STOPS)), os.cpu_count() or 1)
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


def stops(seeds: range, jobs: int) -> int:
    """Deal the points out to so many processes, as `many` does seeds."""
    began, listed = time.monotonic(), list(points())
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        hands = [pool.submit(hand_of_stops, listed[at::jobs], seeds) for at in range(jobs)]
        failed = sum(each.result() for each in hands)
    print(f"{len(listed)} points, {len(seeds)} stops at each: {failed} fail, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def hand_of_stops(points: list[str], seeds: range) -> int:
    """How many stops at these points fail."""
    failed = 0
    with standing() as ground:
        planned = plans(ground, seeds)
        for number, point in enumerate(points, 1):
            for plan, times in ways_to_stop(planned[point], len(seeds)):
                try:
                    stop_at(point, plan, times, ground)
                except AssertionError as error:
                    failed += 1
                    print(f"{point} ({times}. time, seed {plan.seed}, {plan.before}): {str(error)[:2000]}", flush=True)
            if number % 20 == 0:
                print(f"{number} of {len(points)} points in this process, {failed} fail", flush=True)
    return failed


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
    """Break each promise, and say what sees it."""
    seen: dict[str, str] = {}
    for name, by in _seen(most, word, ground):
        seen[name] = by
        print(f"{name}: {f'seen by {by}' if by else 'not seen'}", flush=True)
    if not word:
        write_down(seen)
    return 0 if all(seen.values()) else 1


def _seen(most: int, word: str, ground: Ground) -> Iterator[tuple[str, str]]:
    """Each broken promise with what sees it; nothing, when nothing does."""
    names = [name for name in MUTATIONS if word in name]
    for name, seed in seen_by(ground, lambda seed: not what_is_wrong(seed, ground), names=names, seeds=most):
        yield name, "" if seed is None else f"the simulation, seed {seed}"
    for name, passage in BROKEN.items():
        if word in name:
            yield name, f"`tests/{passage.test}`" if is_seen(passage) else ""


def write_down(seen: Mapping[str, str]) -> None:
    """Put the table between its two marks in docs/proof.md."""
    rows = "".join(f"| {name} | {by or '**nothing**'} |\n" for name, by in seen.items())
    before, rest = PROOF.read_text(encoding="utf-8").split(MARK, 1)
    after = rest.split(END_MARK, 1)[1]
    table = f"{len(seen)} ways:\n\n| broken on purpose | seen by |\n|---|---|\n{rows}"
    PROOF.write_text(f"{before}{MARK}\n{table}{END_MARK}{after}", encoding="utf-8")


def what_is_wrong(seed: int, ground: Ground, *, aloud: bool = False) -> str:
    """Empty when the seed holds."""
    try:
        loop.run(World(seed, ground, trace=Trace(aloud=aloud)).run())
    except AssertionError as error:
        return str(error)[:2000] or repr(error)
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
