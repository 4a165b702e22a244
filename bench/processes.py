"""What processes cost, from the operating system's accounting: CPU seconds and memory, by group."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

Groups = Mapping[str, Iterable[int]]  # name -> the processes that were started for it


def cpu_seconds(groups: Groups) -> dict[str, float]:
    """User and system time of each group: its processes, all their children, and those that have ended."""
    return {name: sum(_cpu(process) for pid in pids for process in _family(pid)) for name, pids in groups.items()}


def memory_mb(pids: Iterable[int]) -> float:
    """Proportional set size of these processes: shared pages count once over all who share them."""
    return sum(_pss_kb(pid) for pid in pids) / 1024


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # its parent's `children_` times have it by now
    return times.user + times.system + times.children_user + times.children_system


def _pss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
