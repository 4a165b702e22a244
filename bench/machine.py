"""How fast this machine is just now: a fixed piece of work, timed at rest and while the bench runs.

Shared and virtual machines slow down under load that isn't ours, and CPU seconds grow with it. The ratio says by how
much, so that figures of different hours can be compared.
"""

import statistics
import time
from typing import Final

_ROUNDS: Final = 20_000  # about a millisecond


def work_s() -> float:
    """CPU seconds of the fixed piece of work."""
    began = time.thread_time()
    total = 0
    for number in range(_ROUNDS):
        total += number * number
    return time.thread_time() - began


def at_rest_s() -> float:
    """The least of many: nothing disturbed that one."""
    return min(work_s() for _ in range(200))


class Slowdown:
    """Collects samples during a run."""

    def __init__(self) -> None:
        self._rest_s = at_rest_s()
        self._samples: list[float] = []

    def sample(self) -> None:
        self._samples.append(work_s())

    @property
    def factor(self) -> float:
        """How many times longer the work took during the run than at rest; the median."""
        return statistics.median(self._samples) / self._rest_s
