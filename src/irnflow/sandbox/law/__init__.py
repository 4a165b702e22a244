"""The portal's business rules, as rows: code, sentence, the function that finds the places. Pure.

Written from NIC's published validations (schema 1.03, release notes 2020 to 2025, Masters India's API document) and
GSTN's advisories, not from irnflow's own rules: what both read wrongly in the same way would pass both. A document
comes here only in the shape of INV-01 (`shape`). The text of a code is in `codes`; what a finder yields fills its
places. Whether goods may travel by the e-way bill that a document asks for is judged elsewhere: it refuses no IRN.
"""

from itertools import islice
from typing import Final

from irnflow.sandbox.codes import error
from irnflow.sandbox.law import items, parties, supplies, tax, totals
from irnflow.sandbox.law.case import Case, agrees, case_of
from irnflow.sandbox.shape import ERRORS_MAX

__all__ = ["RULES", "agrees", "breaches", "case_of"]

RULES: Final = (*parties.RULES, *supplies.RULES, *items.RULES, *tax.RULES, *totals.RULES)


def breaches(case: Case, *, held_rules: bool = False) -> list[dict[str, str]]:
    """ErrorDetails for every breach of every rule, each said once, at most ERRORS_MAX; empty when all hold.

    The rules that are on hold are tried only when `held_rules` says so.
    """
    tried = [rule for rule in RULES if held_rules or not rule.on_hold]
    found = dict.fromkeys((rule.code, values) for rule in tried for values in rule.finds(case))
    return [error(code, *values) for code, values in islice(found, ERRORS_MAX)]
