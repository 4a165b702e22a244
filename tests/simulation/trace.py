"""What happened in a run, a line each."""

import asyncio
import hashlib
from typing import Any

import structlog


class Trace:
    """Lines in the order of things; two runs of one seed have the same."""

    def __init__(self, *, aloud: bool = False) -> None:
        self.lines: list[str] = []
        self._aloud = aloud

    def say(self, who: str, what: str) -> None:
        self.lines.append(f"{asyncio.get_running_loop().time():11.4f}  {who:18}  {what}")
        if self._aloud:
            print(self.lines[-1])  # noqa: T201

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

    def logger(self, who: str) -> Any:
        """A logger whose warnings and errors stand in the trace."""

        def keep(_: object, level: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
            words = event.pop("event")
            if level not in ("debug", "info"):
                self.say(who, f"[{level}] {words} " + " ".join(f"{name}={value}" for name, value in event.items()))
            raise structlog.DropEvent

        return structlog.wrap_logger(None, processors=[keep], wrapper_class=structlog.make_filtering_bound_logger(30))
