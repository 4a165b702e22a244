"""The settings that a command works with."""

import os
from pathlib import Path

from irnflow.errors import BadInput
from irnflow.settings import Settings, from_environment


def settings(*needed: str) -> Settings:
    """The environment's settings, and for what it doesn't say those of the running `irnflow up`.

    Raises BadInput when one of `needed` is in neither.
    """
    found = from_environment(variables())
    for name in needed:
        if not getattr(found, name):
            raise BadInput(f"IRNFLOW_{name.upper()} is not set, and no `irnflow up` runs on {found.data.resolve()}: "
                           "start that, or set it")  # fmt: skip
    return found


def variables() -> dict[str, str]:
    """The environment's variables, and beneath them those of the running `irnflow up`."""
    from irnflow.local.home import remembered

    data = Path(os.environ.get("IRNFLOW_DATA", Settings().data))
    return remembered(data) | os.environ
