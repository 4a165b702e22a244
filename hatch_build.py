"""Build the console from `ui/` into `src/irnflow/console/`, for `./run` and for the package alike.

Nothing is done when nothing in `ui/` changed since the last build (the stamp in the output says so), and
nothing when there is no `ui/` (a source package that carries the built console).
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Puts the built console into wheels; an editable install is left to `./run`."""
