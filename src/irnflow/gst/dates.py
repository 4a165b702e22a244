"""Days as the law counts them: civil days in India, written dd/mm/yyyy."""

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
# INV-01's own pattern: years 2010 to 2029. It lets 39/19/2020 pass, so the calendar is asked as well.
_WRITTEN: Final = re.compile(r"[0-3][0-9]/[0-1][0-9]/20[12][0-9]")
# Documents older than this are not taken any more (NIC release notes).
OLDEST: Final = date(2022, 10, 1)
# Days within which a document must be reported, that of its date included (GSTN advisory of 13 September 2023).
DAYS_TO_REPORT: Final = 30


def parse(written: str) -> date | None:
    """The day of `dd/mm/yyyy`, or None when INV-01 or the calendar knows no such day."""
    return _parse(written) if len(written) == 10 else None


@lru_cache(maxsize=4096)
def _parse(written: str) -> date | None:
    if _WRITTEN.fullmatch(written) is None:
        return None
    try:
        return date(int(written[6:]), int(written[3:5]), int(written[:2]))
    except ValueError:
        return None


def write(day: date) -> str:
    """As INV-01 writes it."""
    return f"{day:%d/%m/%Y}"


def in_india(moment: datetime) -> date:
    """The civil day in India at an aware moment."""
    return moment.astimezone(IST).date()


def time_in_india(moment: datetime) -> str:
    """An aware moment as people read it: 2026-11-22 15:30:00 IST."""
    return f"{moment.astimezone(IST):%Y-%m-%d %H:%M:%S} IST"


def last_day_to_report(dated: date) -> date:
    """The last day on which a document of this date may be sent, by whom the limit binds.

    Dated 1 April 2025: 30 April 2025.
    """
    return dated + timedelta(days=DAYS_TO_REPORT - 1)


def financial_year(day: date) -> str:
    """April to March.

    >>> financial_year(date(2026, 3, 31))
    '2025-26'
    """
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02}"
