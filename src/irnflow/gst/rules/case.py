"""An invoice as the rules look at it: its sections never absent, and what several rules need worked out once."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from irnflow.gst import dates, fields, hsn, rates, supply
from irnflow.gst.facts import Facts
from irnflow.gst.fields import Ill, Misfit
from irnflow.gst.invoice import Dispatch, Document, Export, Invoice, Item, Party, Totals, Transaction
from irnflow.gst.supply import Tax

_COLUMNS: Final = Item.__struct_fields__
_NO_TOTALS: Final = Totals()
_NO_EXPORT: Final = Export()
_NO_DISPATCH: Final = Dispatch()
# Ills that leave no number to reckon with.
_SENSELESS: Final = frozenset({Ill.RANGE, Ill.DECIMALS})


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line, with where it stands."""

    case: "Case"
    item: Item
    at: int  # its place among the lines, from 0
    adds_up: bool  # its numbers are some that an invoice can have, so reckoning makes sense
    rate_holds: bool  # its rate is one of those for documents of this date
    base: Decimal | None  # the taxable value where taxes are it times a rate; None where they need not be

    @property
    def path(self) -> str:
        """ "ItemList[2]." before a name of INV-01."""
        return f"ItemList[{self.at}]."

    @property
    def number(self) -> str:
        """What a sentence calls it: its serial number, or where it stands."""
        return self.item.sl_no or str(self.at + 1)


class Case(msgspec.Struct, kw_only=True):
    """One invoice before the rules."""

    invoice: Invoice
    facts: Facts
    transaction: Transaction
    document: Document
    seller: Party
    buyer: Party
    dispatch: Dispatch
    ship: Party
    totals: Totals
    export: Export
    lines: list[Line]
    columns: Mapping[str, tuple[Any, ...]]  # of the lines, by the names of `Item`
    adds_up: bool  # so do all lines, and each has a taxable value
    sup_typ: str  # "" when absent
    is_export: bool
    is_note: bool  # a credit or debit note
    dated: date | None  # None when absent or no date
    judged: date  # that date, or the day of sending when there is none: whose law is asked
    tax: Tax | None  # None when it can't be told
    misfits: list[Misfit]
    negative: frozenset[str]  # paths of lines whose taxable value is below zero, as "ItemList[2]"
    ill: frozenset[str]  # paths of the misfits: whatever else is wrong there, that comes first


def case_of(invoice: Invoice, facts: Facts) -> Case:
    """Lay an invoice before the rules."""
    misfits = fields.misfits(invoice)
    transaction = invoice.tran_dtls or supply.NO_TRANSACTION
    document = invoice.doc_dtls or supply.NO_DOCUMENT
    dated = dates.parse(document.dt) if document.dt else None
    case = Case(
        invoice=invoice,
        facts=facts,
        transaction=transaction,
        document=document,
        seller=invoice.seller_dtls or supply.NO_PARTY,
        buyer=invoice.buyer_dtls or supply.NO_PARTY,
        dispatch=invoice.disp_dtls or _NO_DISPATCH,
        ship=invoice.ship_dtls or supply.NO_PARTY,
        totals=invoice.val_dtls or _NO_TOTALS,
        export=invoice.exp_dtls or _NO_EXPORT,
        lines=[],
        columns=dict(zip(_COLUMNS, zip(*map(astuple, invoice.item_list), strict=True), strict=False)),
        adds_up=False,
        sup_typ=transaction.sup_typ or "",
        is_export=transaction.sup_typ in supply.EXPORTS,
        is_note=document.typ in supply.NOTES,
        dated=dated,
        judged=dated or facts.day,
        tax=supply.tax_of(invoice, facts),
        misfits=misfits,
        negative=frozenset([misfit.path.rpartition(".")[0] for misfit in misfits if _is_negative_line(misfit)]),
        ill=frozenset([misfit.path for misfit in misfits]),
    )
    case.lines = _lines(case)
    case.adds_up = bool(case.lines) and all(line.adds_up for line in case.lines) and None not in case.columns["ass_amt"]
    return case


def _is_negative_line(misfit: Misfit) -> bool:
    return misfit.field.path == "ItemList[].AssAmt" and is_negative(misfit)


def is_negative(misfit: Misfit) -> bool:
    """Whether the place holds a number that would fit, were it not below zero."""
    value, most = misfit.value, misfit.field.high
    return isinstance(value, Decimal) and most is not None and value.is_finite() and -most <= value < 0


def _lines(case: Case) -> list[Line]:
    senseless = {misfit.path.rpartition(".")[0] for misfit in case.misfits if misfit.ill in _SENSELESS}
    lines = []
    for number, item in enumerate(case.invoice.item_list):
        adds_up = not senseless or f"ItemList[{number}]" not in senseless
        rate_holds = adds_up and item.gst_rt is not None and rates.is_in_force(item.gst_rt, case.judged)
        # The tax of notes is not held to the rate, that of retail-priced goods has another base, and where there is
        # no such rate, it is the rate that must be mended.
        free = case.is_note or not rate_holds or hsn.is_retail_priced(item.hsn_cd or "", case.judged)
        lines.append(Line(case, item, number, adds_up, rate_holds, None if free else item.ass_amt))
    return lines
