"""Files that only we may read."""

import os
import secrets
from pathlib import Path


def write(file: Path, content: bytes) -> None:
    """Write it anew, readable by us alone from its first moment."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)


def password(file: Path) -> str:
    """The password kept in the file; a new random one when there is none."""
    if not file.exists():
        write(file, secrets.token_urlsafe(24).encode())
    return file.read_text()
