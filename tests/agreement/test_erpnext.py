"""The sums of a real ERPNext: what India Compliance 15.13.5 made of vouchers that were entered and submitted there.

The page docs/agreement.md shows what irnflow says of each, and why.
"""

from datetime import date
from decimal import Decimal

import pytest

from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from tests.agreement.erpnext import DECIDED, DIFFERS, Sale, codes, sales
from tests.agreement.test_sums import ALL, OF_LINES, filled, without
from tests.gst.documents import json, read

FACTS = Facts(day=date(2026, 11, 30), turnover_crore=Decimal(8))
OF_SUMS = ("totals.", "line.", "tax.", "cess.", "state_cess.", "field.")
# Where ERPNext rounds in the other currency, or carries parts of a paisa from line to line: nearer can't be calculated.
PAISE_OFF = {"discount_on_grand_total", "export_with_payment_usd", "export_without_payment_eur",
             "inter_usd_within_india", "intra", "no_rounding", "rounding", "same_item_many_lines"}  # fmt: skip


ENTRIES = [sale for sale in sales() if sale.app]
each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


@each
def test_its_sums_are_sent_as_they_are(entry: Sale) -> None:
    given = entry.document

    examined = examine(read(given), FACTS)

    sent = json(examined.invoice)
    assert [fault for fault in examined.refusals if fault.code.startswith(OF_SUMS)] == []
    assert [fault for fault in examined.warnings if fault.code.startswith("calculated.")] == []
    assert filled(sent["ValDtls"]) == filled(given["ValDtls"])
    assert [filled(line) for line in sent["ItemList"]] == [
        filled({**line, "PrdDesc": done["PrdDesc"]})
        for line, done in zip(given["ItemList"], sent["ItemList"], strict=True)
    ]


@each
def test_the_amounts_of_its_lines_follow_from_its_totals(entry: Sale) -> None:
    examined = examine(read(without(entry.document, *OF_LINES)), FACTS)

    assert [fault for fault in examined.refusals if fault.code.startswith(OF_SUMS)] == []
    assert [fault for fault in examined.warnings if fault.code.startswith("calculated.")] == []
    assert filled(json(examined.invoice)["ValDtls"]) == filled(entry.document["ValDtls"])


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.name not in PAISE_OFF], ids=lambda entry: entry.name
)
def test_its_sums_are_calculated_as_it_does(entry: Sale) -> None:
    examined = examine(read(without(entry.document, *ALL)), FACTS)

    assert filled(json(examined.invoice)["ValDtls"]) == filled(entry.document["ValDtls"])


def test_each_finding_is_decided_and_no_decision_is_idle() -> None:
    examined = [one for sale in sales() for one in (sale.of_the_app, sale.of_the_books) if one]

    assert {code for one in examined for code in codes(one)} == DECIDED.keys()


def test_each_differing_document_is_decided_and_no_decision_is_idle() -> None:
    assert {sale.name for sale in sales() if sale.differences} == DIFFERS.keys()


def test_only_what_the_law_forbids_is_refused() -> None:
    refused = {sale.name for sale in sales() for one in (sale.of_the_app, sale.of_the_books) if one and one.refusals}

    assert refused == {"b2c", "older_than_thirty_days"}


@each
def test_the_invoice_value_is_the_one_of_the_app(entry: Sale) -> None:
    sent = entry.of_the_books.invoice.val_dtls

    assert sent
    assert sent.tot_inv_val == entry.document["ValDtls"]["TotInvVal"]
