"""The catalogue of portal codes."""

import re

import pytest

from irnflow.gst import codes
from irnflow.gst.portal_codes import (
    PortalClass,
    PortalCode,
    catalogue,
    chapters,
    class_words,
    invoice_code,
    near,
    portal_code,
)
from irnflow.gst.rules import RULES


def entry_of(code: str) -> PortalCode:
    entry = portal_code(code)
    assert entry is not None
    return entry


@pytest.mark.parametrize(
    ("code", "klass"),
    [
        ("1005", PortalClass.TOKEN),
        ("1019", PortalClass.CONFIG),
        ("1020", PortalClass.CRYPTO),
        ("2150", PortalClass.DUPLICATE),
        ("2295", PortalClass.DUPLICATE),
        ("2278", PortalClass.NUMBER_SPENT),
        ("3028", PortalClass.SYNC_GSTIN),
        ("2139", PortalClass.RETRY),
        ("SYS_5001", PortalClass.RETRY),
        ("5002", PortalClass.RETRY_LIMITED),
        ("2270", PortalClass.STATE),
        ("9999", PortalClass.STATE),
        ("2148", PortalClass.QUERY),
        ("2194", PortalClass.DATA),
        ("3026", PortalClass.CONFIG),
        ("2300", PortalClass.CONFIG),
        ("2324", PortalClass.DATA),
        ("4042", PortalClass.DATA),
        ("4043", PortalClass.DATA),
        ("238", PortalClass.TOKEN),
        ("307", PortalClass.DATA),
        ("308", PortalClass.DATA),
        ("312", PortalClass.STATE),
        ("315", PortalClass.STATE),
        ("316", PortalClass.STATE),
        ("317", PortalClass.RETRY),
        ("604", PortalClass.DUPLICATE),
        ("618", PortalClass.DATA),
        ("658", PortalClass.RETRY),
        ("702", PortalClass.DATA),
        *((str(code), PortalClass.STATE) for code in range(715, 721)),
        ("728", PortalClass.STATE),
        ("813", PortalClass.RETRY),
        ("820", PortalClass.DATA),
        ("821", PortalClass.STATE),
    ],
)
def test_a_code_says_what_is_to_be_done(code: str, klass: PortalClass) -> None:
    entry = portal_code(code)

    assert entry is not None
    assert entry.klass is klass


def test_a_code_that_no_list_has_is_none() -> None:
    assert portal_code("2099") is None


@pytest.mark.parametrize("pasted", [" SYS_5001 ", "sys_5001", "Sys_5001\n"])
def test_spaces_around_a_code_and_its_case_are_overlooked(pasted: str) -> None:
    assert portal_code(pasted) is portal_code("SYS_5001")


def test_all_codes_of_the_lists_are_there() -> None:
    groups = [entry.group for entry in catalogue().values()]

    assert len(groups) == 351
    assert set(groups) == {"VITAL", "INV", "EWB", "EWBSYS", "SYS", "GSP"}


def test_what_the_portals_own_pages_say_of_an_account_stops_its_queue() -> None:
    entry = portal_code("3033")  # "Your account has been Freezed as GSTIN is inactive"

    assert entry is not None
    assert entry.klass is PortalClass.CONFIG


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.code)
def test_each_code_says_in_sentences_what_it_means_what_irnflow_does_and_what_a_person_does(entry: PortalCode) -> None:
    assert re.fullmatch(r"[A-Z].*[.)]", entry.means)
    assert re.fullmatch(r"[A-Z].*\.", entry.does)
    assert re.fullmatch(r"([A-Z]|irnflow ).*\.", entry.fix)
    assert re.fullmatch(r".*[\u0900-\u097f].*।", entry.fix_hi)
    assert entry.means != entry.portal_text


def test_our_words_are_of_the_codes_of_the_lists_and_of_no_other() -> None:
    words = [row["code"] for row in codes.rows("portal_words.csv")]

    assert words == list(catalogue())


def test_what_a_code_leaves_out_is_said_by_its_class() -> None:
    entry, data = entry_of("2182"), class_words(PortalClass.DATA)

    assert entry.does == data.does
    assert entry.fix == "Correct the total (AssVal), or the line that is wrong (AssAmt)."


def test_a_code_may_say_for_itself_what_irnflow_does() -> None:
    assert "without the signed document" in entry_of("2283").does


@pytest.mark.parametrize("code", ["4000", "4001", "4002", "4011", "4037"])
def test_trouble_with_an_e_way_bill_does_not_touch_the_invoice(code: str) -> None:
    assert "takes the invoice as registered" in entry_of(code).does


def test_the_portals_text_is_kept_beside_ours_as_it_stands() -> None:
    assert entry_of("2233").portal_text == "Duplicate SI nos are not allowed in items"
    assert entry_of("2176").portal_text == "Invalid HSN code(s)-{0}"


def test_a_number_of_the_e_way_bill_system_means_nothing_of_an_invoice() -> None:
    of_bills = [entry.code for entry in catalogue().values() if entry.group == "EWBSYS"]

    assert all(portal_code(code) is not None and invoice_code(code) is None for code in of_bills)
    assert invoice_code("2150") is portal_code("2150")


@pytest.mark.parametrize("code", ["3026", "2300"])
def test_what_stops_a_gstin_says_how_it_goes_on(code: str) -> None:
    assert "`irnflow resume gstin GSTIN`" in entry_of(code).fix
    assert "`irnflow resume gstin GSTIN`" in entry_of(code).fix_hi


def test_a_code_names_our_rules_that_find_it_before_anything_is_sent() -> None:
    assert entry_of("2182").rules == ("totals.taxable_value",)
    assert entry_of("1019").rules == ()
    assert entry_of("2323").rules == ()  # its rule is on hold


@pytest.mark.parametrize("code", sorted({rule.portal_code for rule in RULES if rule.portal_code}))
def test_each_code_that_a_rule_names_is_in_the_catalogue(code: str) -> None:
    assert portal_code(code) is not None


def test_each_class_has_codes_and_words() -> None:
    assert {entry.klass for entry in catalogue().values()} == set(PortalClass)
    assert all(class_words(klass).means for klass in PortalClass)


def test_the_chapters_hold_each_code_once() -> None:
    held = [entry.code for _, entries in chapters() for entry in entries]

    assert sorted(held) == sorted(catalogue())


def test_a_mistyped_code_has_others_near_it() -> None:
    assert "GSPERR300" in near("gsperr30")
    assert near("nonsense of all kinds") == []
