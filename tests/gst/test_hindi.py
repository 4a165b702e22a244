"""Every fix of the law in Hindi too, by code."""

import re

import pytest

from irnflow.gst import calculate, hindi, inv01, loose, normalise, rules
from irnflow.gst.faults import Kind
from irnflow.gst.portal_codes import portal_code

KINDS: list[Kind] = [*rules.RULES, *normalise.NOTES, *calculate.NOTES, inv01.TOO_LARGE, *loose.KINDS]
DEVANAGARI = re.compile(r"[\u0900-\u097f]")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_fix_is_there_in_hindi(kind: Kind) -> None:
    fix = hindi.fix_of(kind.code)

    assert fix == kind.fix_hi
    assert DEVANAGARI.search(fix)
    assert fix.endswith("।")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_fix_quotes_nothing_so_that_the_code_alone_leads_to_it(kind: Kind) -> None:
    assert "{" not in kind.fix + kind.fix_hi


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_numbers_and_names_are_the_same_in_both(kind: Kind) -> None:
    words = re.compile(r"\b(?:[0-9]+|[A-Z]{2,}[0-9A-Z]*|[A-Z][a-z]+[A-Z]\w+)\b")

    assert set(words.findall(kind.fix)) <= set(words.findall(kind.fix_hi))


def test_a_code_that_is_not_of_the_law_has_none() -> None:
    assert hindi.fix_of("books.no_such_voucher") is None


def test_what_the_portal_refuses_has_the_hindi_of_its_code() -> None:
    entry = portal_code("2240")

    assert entry is not None
    assert hindi.fix_of("portal.2240") == entry.fix_hi
    assert hindi.fix_of("portal.2099") is None
