"""Number formats of a spreadsheet: what a cell shows, where that is not simply the number that it holds.

    "INV/"000000     17 is shown as INV/000017
    0.00%            0.12 is shown as 12.00%
    dd/mm/yyyy       46354 is shown as 28/11/2026

Source: ECMA-376 part 1, 18.8.30 (numFmt) and 18.8.31 (numFmts).
"""

import re
from enum import Enum, auto
from functools import lru_cache
from typing import Final, NamedTuple


class Kind(Enum):
    """What a format makes of a number."""

    PLAIN = auto()  # its digits
    NUMBER = auto()  # digits with something around, between or before them
    PERCENT = auto()
    DAY = auto()
    TIME = auto()
    OTHER = auto()  # a fraction, an exponent, thousands cut off, a condition: the digits are not to be seen


class Format(NamedTuple):
    """A format code that has been read."""

    code: str
    kind: Kind
    parts: tuple[str, ...] = ()  # of NUMBER: a placeholder each (0, #, ?), and the texts between them
    grouped: bool = False
    decimals: int = 0

    @property
    def around(self) -> str:
        """The texts around the digits."""
        return " ".join(part for part in self.parts if part not in _PLACES).strip()

    def digits(self, number: int) -> str:
        """A whole number as a NUMBER format shows it, without the commas and the decimals."""
        left, shown = str(number), []
        places = [at for at, part in enumerate(self.parts) if part in _PLACES]
        for at in reversed(range(len(self.parts))):
            part = self.parts[at]
            if part not in _PLACES:
                shown.append(part)
            elif at == places[0]:
                shown.append(left if left or part != "0" else "0")
            else:
                shown.append(left[-1:] or ("0" if part == "0" else ""))
                left = left[:-1]
        return "".join(reversed(shown)).strip()


class Shown(NamedTuple):
    """A number and the format of its cell."""

    value: float
    format: Format


PLAIN: Final = Format("General", Kind.PLAIN)
_PLACES: Final = ("0", "#", "?")
_TOKEN: Final = re.compile(
    r'"([^"]*)"|\\(.)|[_*].|\[([^\]]*)\]|(General)|(E[+-])|(AM/PM|A/P)|(.)', re.IGNORECASE | re.DOTALL
)
_OF_DAYS: Final = frozenset("dmyhsegb")
_TEXT_OF_CURRENCY: Final = re.compile(r"\$([^-]*)(?:-[0-9A-F,]*)?", re.IGNORECASE)
_COLOURS: Final = re.compile(r"black|blue|cyan|green|magenta|red|white|yellow|color ?\d+", re.IGNORECASE)

# 18.8.30: the formats that a file need not write out; dates of East Asia (27 to 36, 50 to 58) among them.
BUILT_IN: Final = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0", 6: "$#,##0", 7: "$#,##0.00",
    8: "$#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "dd/mm/yyyy",
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    22: "dd/mm/yyyy h:mm", **dict.fromkeys(range(27, 37), "yyyy-mm-dd"), 37: "#,##0", 38: "#,##0", 39: "#,##0.00",
    40: "#,##0.00", 41: "#,##0", 42: "$#,##0", 43: "#,##0.00", 44: "$#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss",
    47: "mm:ss.0", 48: "##0.0E+0", 49: "@", **dict.fromkeys(range(50, 59), "yyyy-mm-dd"),
}  # fmt: skip


@lru_cache(maxsize=1000)
def read(code: str) -> Format:
    """What a format code does to a number that is not negative."""
    parts: list[str] = []
    letters: set[str] = set()
    other = grouped = percent = False
    decimals = -1
    tokens = list(_TOKEN.finditer(code))
    for token in tokens:
        quoted, escaped, bracket, general, exponent, half, plain = token.groups()
        if plain == ";":
            break  # what follows is for negative numbers, zero and texts
        if quoted is not None or escaped is not None:
            parts.append(quoted if quoted is not None else escaped)
        elif bracket is not None:
            if currency := _TEXT_OF_CURRENCY.fullmatch(bracket):
                parts.append(currency[1])
            elif not _COLOURS.fullmatch(bracket):
                other = True  # a condition, an elapsed time, digits of another script
        elif general is not None:
            parts.append("#")
        elif exponent is not None or half is not None:
            other = True
        elif plain is None:
            continue  # a blank as wide as a character, or a character that fills the cell
        elif plain in _PLACES:
            if decimals < 0:
                parts.append(plain)
            else:
                decimals += 1
        elif plain == "." and decimals < 0:
            decimals = 0
        elif plain == ",":
            grouped = True
        elif plain == "%":
            percent = True
        elif plain == "@":
            return Format(code, Kind.OTHER if of_text(code) else Kind.PLAIN)
        elif plain.lower() in _OF_DAYS:
            letters.add(plain.lower())
        elif plain == "/" and not letters:
            other = True  # a fraction
        else:
            parts.append(plain)
    found = tuple(part for part in parts if part)
    if letters & {"d", "y"} or letters == {"m"}:
        return Format(code, Kind.DAY)
    places = [part for part in found if part in _PLACES]
    if letters:
        return Format(code, Kind.TIME)
    if other or not places or _cuts_thousands(code):
        return Format(code, Kind.OTHER)
    if percent:
        return Format(code, Kind.PERCENT)
    plain = len(found) == len(places) and places.count("0") <= 1 and not grouped and decimals <= 0
    return Format(code, Kind.PLAIN if plain else Kind.NUMBER, found, grouped, max(decimals, 0))


def of_text(code: str) -> tuple[str, str] | None:
    """What a format shows before and behind a text; None: the text alone."""
    if "@" not in code:
        return None
    texts = [""]
    for token in _TOKEN.finditer(code):
        quoted, escaped, _, _, _, _, plain = token.groups()
        if plain == ";":
            texts = [""]  # the texts' section is the last one
        elif plain == "@":
            texts.append("")
        elif quoted or escaped or plain:
            texts[-1] += quoted or escaped or plain
    return (texts[0], texts[1]) if len(texts) == 2 and any(texts) else None


def _cuts_thousands(code: str) -> bool:
    """A comma behind the last digit divides by a thousand."""
    bare = re.sub(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]', "", code.partition(";")[0])
    return bool(re.search(r"[0#?],+(?![,0#?])", bare))
