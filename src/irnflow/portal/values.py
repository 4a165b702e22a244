"""Whether two JSON values say the same, however each of them is written.

The portal takes names in any case and numbers in quotes, and signs them as INV-01 writes them; it leaves out what is
null. So none of these is a difference between what was sent and what was signed.
"""

import re
from decimal import Decimal
from typing import Any, Final

_NUMBER: Final = re.compile(r"\s*[+-]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})\s*")


def same(one: Any, other: Any) -> bool:
    """Numbers by value: 1 is 1.0, and "560001" is 560001. Two texts only when they are equal."""
    if isinstance(one, str) != isinstance(other, str):
        one, other = _number(one), _number(other)
    return bool(one == other)


def _number(value: Any) -> Any:
    """A text that is a number as that number, anything else as it is."""
    return Decimal(value.strip()) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def is_absent(value: Any) -> bool:
    """Whether nothing is said: null, an empty text, a zero, or a section or list that holds nothing else."""
    values = [value]
    for each in values:  # which grows as sections and lists are opened
        if isinstance(each, dict):
            values += each.values()
        elif isinstance(each, list):
            values += each
        elif each is not None and each != "" and each != 0:
            return False
    return True


def member(section: Any, name: str) -> Any:
    """What a section has under a name in any case of letters; None where it has nothing or is not a section."""
    if not isinstance(section, dict):
        return None
    if name in section:
        return section[name]
    wanted = name.lower()
    return next((value for each, value in section.items() if each.lower() == wanted), None)
