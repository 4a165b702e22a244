"""PAN: the income-tax number of a person, 10 characters. It stands inside the GSTINs of taxpayers.

    AAFCC 9980 M
    |     |    | check letter, whose rule is not public
    |     number
    five letters

Source: NIC's patterns by kind of taxpayer.
"""

import re
from typing import Final

_FORM: Final = re.compile(r"[A-Z]{5}[0-9]{4}[A-Z]")


def is_sound(pan: str) -> bool:
    """Whether it has the form of a PAN."""
    return _FORM.fullmatch(pan) is not None
