"""What the portal's error codes mean, and the one thing that each obliges us to do.

Codes, literal texts and classes stand in `codes/portal_codes.csv`: NIC's three lists (VITAL, INV, EWB), the
portal's system errors (SYS), and what service providers put in front (GSP). Match on the code, never on the
text: the portal fills its `{0}` and mends its words.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

import msgspec

from irnflow.gst import codes


class PortalClass(StrEnum):
    """What is to be done about an answer with this code."""

    TOKEN = "TOKEN"  # noqa: S105  log in once, repeat once
    CONFIG = "CONFIG"  # login or account is not in order: stop this GSTIN's queue, tell an operator
    CRYPTO = "CRYPTO"  # our defect or the wrong public key: stop
    DUPLICATE = "DUPLICATE"  # success in disguise: fetch, compare, adopt
    NUMBER_SPENT = "NUMBER_SPENT"  # cancelled earlier: the voucher needs another number
    SYNC_GSTIN = "SYNC_GSTIN"  # synchronise the GSTIN, then once more
    RETRY = "RETRY"  # in doubt: look up before sending again
    RETRY_LIMITED = "RETRY_LIMITED"  # two or three tries, then a fault in the data
    STATE = "STATE"  # conflicts with the document's life cycle
    QUERY = "QUERY"  # a look-up found nothing here
    DATA = "DATA"  # a person must mend the invoice; never send it unchanged again


class PortalCode(msgspec.Struct, frozen=True, kw_only=True):
    """One code of the portal."""

    code: str  # "2150"
    group: str  # VITAL INV EWB SYS GSP
    text: str  # as the portal words it, {0} standing for what it fills in
    text_is: str  # how sure that wording is: exact, near-exact, partial, paraphrase, none
    klass: PortalClass
    handling: str  # what is known of this code beyond its class; often empty


def portal_code(code: str) -> PortalCode | None:
    """The entry for a code, or None when no list we know has it."""
    return catalogue().get(code.strip())


@cache
def catalogue() -> Mapping[str, PortalCode]:
    """Every known code."""
    return {row["code"]: _entry(row) for row in codes.rows("portal_codes.csv")}


def _entry(row: Mapping[str, str]) -> PortalCode:
    return PortalCode(
        code=row["code"],
        group=row["group"],
        text=row["portal_text"],
        text_is=row["text_is"],
        # PORTAL marks what the portal's own pages say when a user registers or changes a password.
        # Through the API it can only mean that this account is not in order there.
        klass=PortalClass.CONFIG if row["class"] == "PORTAL" else PortalClass[row["class"]],
        handling=row["handling"],
    )
