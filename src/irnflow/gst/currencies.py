"""Currencies (ExpDtls.ForCur).

Codes: `codes/currencies.csv`. Our snapshot may be older than the portal's master.
"""

from functools import cache

from irnflow.gst import codes


def is_listed(code: str) -> bool:
    """Whether our snapshot of the master has it."""
    return code in _listed()


@cache
def _listed() -> frozenset[str]:
    return codes.column("currencies.csv")
