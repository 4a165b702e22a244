"""The portal's error codes with their texts, and the refusal that carries them.

`data/error_texts.csv` holds every published code of the groups VITAL, INV, EWB, SYS and GSP, with `{0}` where the
portal fills something in. Texts known to be stale were mended there: 2163 and 2193 read as they do since 2020.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

_PLACE = re.compile(r"\{(\d)\}")


def _read_texts() -> dict[str, str]:
    with (Path(__file__).parent / "data" / "error_texts.csv").open(newline="", encoding="utf-8") as file:
        return {row["code"]: row["text"] for row in csv.DictReader(file)}


TEXTS: Final = _read_texts()


def error(code: str, *values: str) -> dict[str, str]:
    """One entry of ErrorDetails; a place without a value stays empty.

    >>> error("2240", "1001")
    {'ErrorCode': '2240', 'ErrorMessage': 'Invalid GST rate for HSN -1001'}
    """
    filled = _PLACE.sub(lambda place: "".join(values[int(place[1]) :][:1]), TEXTS.get(code, ""))
    return {"ErrorCode": code, "ErrorMessage": filled.strip()}


class Refused(Exception):
    """The portal says no: Status 0 with these ErrorDetails and InfoDtls."""

    def __init__(self, errors: Sequence[dict[str, str]], infos: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(", ".join(each["ErrorCode"] for each in errors))
        self.errors = list(errors)
        self.infos = list(infos)


def refused(code: str, *values: str) -> Refused:
    """A refusal for one reason."""
    return Refused([error(code, *values)])


def refuse_any(errors: list[dict[str, str]]) -> None:
    """Refuse for all of these reasons, if there is one."""
    if errors:
        raise Refused(errors)
