"""Services by name, and all of them in one process, each started again when it fails."""

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from irnflow import log
from irnflow.settings import Settings

LOG = log.logger("local")
_PAUSE_FIRST_S: Final = 0.5
_PAUSE_MOST_S: Final = 15.0
_HEALTHY_S: Final = 60.0  # having run so long, a service is forgiven its former failures

Main = Callable[[Settings], Coroutine[Any, Any, None]]


def main_of(name: str) -> Main:
    """The `main` of a service."""
    module = importlib.import_module(f"irnflow.services.{name}")
    main: Main = module.main
    return main


async def kept_up(name: str, main: Main, settings: Settings) -> None:
    """Run one service for ever; a failure is logged and costs a pause that doubles."""
    loop = asyncio.get_running_loop()
    pause_s = _PAUSE_FIRST_S
    while True:
        started = loop.time()
        try:
            await main(settings)
            LOG.error("ended by itself, starting it again", about=name)
        except Exception:
            LOG.exception("failed, starting it again", about=name, pause_s=pause_s)
        pause_s = _PAUSE_FIRST_S if loop.time() - started > _HEALTHY_S else min(2 * pause_s, _PAUSE_MOST_S)
        await asyncio.sleep(pause_s)
