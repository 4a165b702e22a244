"""hatch_build.py, in a checkout of its own, with a Node.js that only writes down what it is asked."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NODE = """#!/bin/sh
[ "$1" != --version ] || { echo v99.0.0; exit; }
shift
echo "$@" >>asked
mkdir -p node_modules
"""


def test_a_check_installs_the_packages_where_they_are_gone_and_only_there(tmp_path: Path) -> None:
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui/package-lock.json").write_text("{}")
    (tmp_path / "node").write_text(NODE)
    (tmp_path / "node").chmod(0o755)
    (tmp_path / "npm").symlink_to(tmp_path / "node")

    for _ in range(2):
        subprocess.run(
            [sys.executable, "hatch_build.py", "check"], cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            check=True,
        )  # fmt: skip

    asked = (tmp_path / "ui/asked").read_text().splitlines()
    assert asked == ["ci --no-audit --no-fund --loglevel=error", "run --silent check", "run --silent check"]
