"""Both laws say the same of invoices that nobody thought of."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from irnflow.gst.invoice import Invoice
from tests.agreement.corpus import leaves
from tests.agreement.judges import Document, judge, judge_sent
from tests.agreement.made_up import invoices
from tests.gst.documents import changed, json

some = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
others = st.one_of(
    st.none(), st.text(max_size=20), st.integers(-5, 10**6), st.decimals("-10", "1000000", places=2),
    st.sampled_from(["Y", "N", "URP", "96", "97", "27", "B2B", "SEZWP", "EXPWP", "998314", "94036000", "NOS"]),
)  # fmt: skip


@some
@given(invoices())
def test_we_pass_a_made_up_invoice_and_the_sandbox_registers_it(made: tuple[Document, Facts]) -> None:
    judged = judge_sent(*made)

    assert judged is not None  # not refused
    assert (judged.refusals, judged.codes) == (set(), set())


@some
@given(invoices(), st.data())
def test_both_say_the_same_of_a_made_up_invoice_with_one_place_changed(
    made: tuple[Document, Facts], data: st.DataObject
) -> None:
    document, facts = written(*made)
    path = data.draw(st.sampled_from([path for path, _ in leaves(document)]))
    broken = changed(document, {path: data.draw(others)})

    assume(is_inv01(broken))
    assert judge(broken, facts).differences == []


def written(document: Document, facts: Facts) -> tuple[Document, Facts]:
    """As irnflow sends it."""
    return json(examine(msgspec.convert(document, Invoice), facts).invoice), facts


def is_inv01(document: Any) -> bool:
    try:
        msgspec.convert(document, Invoice)
    except msgspec.ValidationError:
        return False
    return True
