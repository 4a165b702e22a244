"""HSN and SAC."""

from datetime import date
from decimal import Decimal

import pytest

from irnflow.gst import codes, hsn


@pytest.mark.parametrize(("code", "service"), [("998314", True), ("9983", True), ("94036000", False), ("0901", False)])
def test_services_start_with_99(code: str, service: bool) -> None:
    assert hsn.is_service(code) is service


@pytest.mark.parametrize(("crore", "digits"), [("0", 4), ("5", 4), ("5.01", 6), ("500", 6)])
def test_digits_depend_on_turnover(crore: str, digits: int) -> None:
    assert hsn.digits_at_least(Decimal(crore)) == digits


@pytest.mark.parametrize(
    "code", ["9403", "94036000", "010121", "998314", "21069020", "0101", "01011010", "98076000", "9999"]
)
def test_codes_of_the_tariff_are_listed(code: str) -> None:
    assert hsn.is_listed(code)


@pytest.mark.parametrize(
    "code", ["85371010", "57032921", "27101933", "29242980", "38180030", "19059051", "20081921", "71131911", "98071000"]
)
def test_lines_of_the_finance_acts_2024_and_2025_are_listed(code: str) -> None:
    assert hsn.is_listed(code)


@pytest.mark.parametrize(
    "code",
    ["94039999", "9984999", "", "99", "0000", "1234", "00000000", "99999999", "9403\n9404", "٩٤٠٣", "94_3", " 9403"],
)
def test_other_codes_are_not(code: str) -> None:
    assert not hsn.is_listed(code)


@pytest.mark.parametrize("digits", [4, 6, 8])
def test_the_lists_are_in_order_and_of_one_width(digits: int) -> None:
    listed = codes.lines(f"hsn{digits}.txt")

    assert listed == sorted({*listed})
    assert [code for code in listed if len(code) != digits or not code.isdecimal()] == []
    assert all(map(hsn.is_listed, listed[:: len(listed) // 100]))


@pytest.mark.parametrize(
    ("code", "instead"),
    [
        ("19053219", ("19053211",)),
        ("29222933", ("29242980",)),
        ("57032920", ("57032921", "57032922", "57032929")),
        ("69149000", ("69149010", "69149090")),
        ("73081000", ("73081010", "73081090")),
        ("76109020", ("76109021", "76109029")),
        ("84306900", ("84306910", "84306990")),
        ("85371000", ("85371010", "85371090")),
        ("87059000", ("87059010", "87059090")),
        ("88073000", ("88073010", "88073020")),
        ("89069000", ("89069010", "89069090")),
        ("93059900", ("93059910", "93059990")),
    ],
)
def test_a_line_is_dropped_since_its_day_for_lines_that_are_listed(code: str, instead: tuple[str, ...]) -> None:
    assert hsn.dropped_on(date(2024, 9, 30)) == {}
    assert hsn.dropped_on(date(2024, 10, 1))[code] == hsn.Dropped(date(2024, 10, 1), instead)
    assert [line for line in instead if not hsn.is_listed(line) or line in hsn.dropped_on(date.max)] == []


def test_the_table_above_is_the_whole_list_of_dropped_lines() -> None:
    assert len(codes.lines("hsn_dropped.csv")) == 1 + 12


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("521211", "52121100"),
        ("630411", "63041100"),
        ("8537", "85371000, 85371010, 85371090 and 1 more"),
        ("382491", "38249100"),  # of Notification 90/2020, which asks for eight digits
        ("293131", "29313100"),
        ("000000", "none"),
        ("999999", "none"),
        ("9983", "998311, 998312, 998313 and 56 more"),
    ],
)
def test_a_head_is_told_by_the_codes_that_begin_with_it(head: str, words: str) -> None:
    assert hsn.some(hsn.children(head)) == words


@pytest.mark.parametrize(
    "code", ["21069020", "2401", "2403", "24012010", "24022010", "24039910", "24041100", "24041900"]
)
def test_tobacco_and_pan_masala_are_priced_at_retail(code: str) -> None:
    assert hsn.is_retail_priced(code, date(2026, 2, 1))


@pytest.mark.parametrize("code", ["21069099", "24041200", "2404", "94036000", "24031921", "24031929", "210690"])
def test_other_goods_are_not(code: str) -> None:
    assert not hsn.is_retail_priced(code, date(2026, 2, 1))


@pytest.mark.parametrize(
    ("code", "lines"),
    [("210690", ("21069020",)), ("2106", ("21069020",)), ("2404", ("24041100", "24041900")), ("240419", ("24041900",)),
     ("21069020", ()), ("240412", ()), ("2402", ()), ("9403", ())],
)  # fmt: skip
def test_fewer_digits_may_hide_goods_priced_at_retail(code: str, lines: tuple[str, ...]) -> None:
    assert hsn.retail_priced_within(code) == lines


def test_nor_were_tobacco_and_pan_masala_before_february_2026() -> None:
    assert not hsn.is_retail_priced("24022010", date(2026, 1, 31))
