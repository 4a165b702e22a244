"""`irnflow serve validation`, which stumbles over the voucher that the file `STUMBLE_OVER` names after its trouble.

"passing SYN-7": the first time only, and it may succeed later; "defect SYN-7": each time, for a reason nobody foresaw.
"""

import os
import sys
from pathlib import Path
from typing import Any

from irnflow.cli import main
from irnflow.errors import Transient
from irnflow.messages import DataFetched
from irnflow.services import validation


def stumble(fetched: DataFetched) -> None:
    """Fail, if it is the one that the file says; whoever meets a trouble that passes takes the file away."""
    file = Path(os.environ["STUMBLE_OVER"])
    said = file.read_text() if file.exists() else ""
    if said == f"passing {fetched.transaction_id}":
        file.unlink()
        raise Transient("busy for a moment")
    if said == f"defect {fetched.transaction_id}":
        raise ZeroDivisionError("nobody foresaw this")


if __name__ == "__main__":
    right = validation.handle

    def stumbles(fetched: DataFetched, **options: Any) -> Any:
        stumble(fetched)
        return right(fetched, **options)

    validation.handle = stumbles
    sys.argv[1:] = ["serve", "validation", "--quiet"]
    main()
