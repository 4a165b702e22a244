"""What the portal's error codes mean, what irnflow does about each, and what a person does.

`codes/portal_codes.csv` holds codes, literal texts and classes: NIC's three lists (VITAL, INV, EWB), the e-way bill
system's own numbers (EWBSYS), the portal's system errors (SYS), and what service providers put in front (GSP). Our own
words stand in `codes/portal_words.csv`; what they leave out is said once for the whole class in
`codes/portal_classes.csv`. Match on the code, never on the text: the portal fills its `{0}` and mends its words.
"""

import difflib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Final, TypeAlias

import msgspec

from irnflow.gst import codes
from irnflow.gst.rules import RULES


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
    """One code of the portal, in its words and in ours."""

    code: str  # "2150"
    group: str  # VITAL INV EWB EWBSYS SYS GSP
    klass: PortalClass = msgspec.field(name="class")
    portal_text: str  # {0} standing for what the portal fills in
    text_is: str  # how sure that wording is: exact, near-exact, partial, paraphrase
    means: str
    does: str  # irnflow
    fix: str  # what a person does
    fix_hi: str  # the same in Hindi; of the whole class, where the code has none of its own
    rules: tuple[str, ...]  # our rules that find it before anything is sent; none that is on hold


class ClassWords(msgspec.Struct, frozen=True, kw_only=True):
    """What is said once of many codes."""

    title: str  # the class, and of which of its codes when not of all
    means: str
    does: str
    fix: str
    fix_hi: str


_Key: TypeAlias = tuple[str, str]  # class as the list has it, and the group when it has words of its own, or ""

EWAY_BILL_SYSTEM: Final = "EWBSYS"  # the group of codes that only that system says

# Marks what the portal's own pages say when a user registers or changes a password. Through the API it can only
# mean that this account is not in order there.
_OF_ITS_PAGES: Final = "PORTAL"


def portal_code(code: str) -> PortalCode | None:
    """The entry for a code, or None when no list we know has it. Spaces around it and its case don't matter."""
    return catalogue().get(code.strip().upper())


def invoice_code(code: str) -> PortalCode | None:
    """The same of an answer about an invoice: the e-way bill system's numbers mean nothing there."""
    entry = portal_code(code)
    return None if entry is None or entry.group == EWAY_BILL_SYSTEM else entry


def near(code: str) -> list[str]:
    """The known codes that look most like it."""
    return difflib.get_close_matches(code.strip().upper(), catalogue(), n=5)


@cache
def catalogue() -> Mapping[str, PortalCode]:
    """Every known code, in the order of the lists."""
    words = {row["code"]: row for row in codes.rows("portal_words.csv")}
    return {row["code"]: _entry(row, words[row["code"]]) for row in codes.rows("portal_codes.csv")}


def class_words(klass: PortalClass) -> ClassWords:
    """What is said of a class where its codes have no words of their own."""
    return _said_once()[klass, ""]


def chapters() -> Iterator[tuple[ClassWords, list[PortalCode]]]:
    """Every code once, under what is said of it and its like."""
    keys = {row["code"]: _key(row) for row in codes.rows("portal_codes.csv")}
    for key, words in _said_once().items():
        yield words, [entry for entry in catalogue().values() if keys[entry.code] == key]


@cache
def _said_once() -> Mapping[_Key, ClassWords]:
    return {(row["class"], row["group"]): msgspec.convert(row, ClassWords) for row in codes.rows("portal_classes.csv")}


def _key(row: Mapping[str, str]) -> _Key:
    of_group = (row["class"], row["group"])
    return of_group if of_group in _said_once() else (row["class"], "")


def _entry(row: Mapping[str, str], own: Mapping[str, str]) -> PortalCode:
    shared = _said_once()[_key(row)]
    return PortalCode(
        code=row["code"],
        group=row["group"],
        klass=PortalClass.CONFIG if row["class"] == _OF_ITS_PAGES else PortalClass[row["class"]],
        portal_text=row["portal_text"],
        text_is=row["text_is"],
        means=own["means"],
        does=own["does"] or shared.does,
        fix=own["fix"] or shared.fix,
        fix_hi=own["fix_hi"] or shared.fix_hi,
        rules=tuple(rule.code for rule in RULES if rule.portal_code == row["code"] and not rule.on_hold),
    )
