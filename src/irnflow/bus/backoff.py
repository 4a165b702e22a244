"""Pauses between tries of what everybody waits for."""

from collections.abc import Iterator


def backoff(first_s: float = 0.1, most_s: float = 10.0) -> Iterator[float]:
    """Pauses in seconds that double up to a bound, for ever."""
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, most_s)
