"""The catalogue of portal codes."""

import pytest

from irnflow.gst.portal_codes import PortalClass, catalogue, portal_code


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
    ],
)
def test_a_code_says_what_is_to_be_done(code: str, klass: PortalClass) -> None:
    entry = portal_code(code)

    assert entry is not None
    assert entry.klass is klass


def test_a_code_that_no_list_has_is_none() -> None:
    assert portal_code("2099") is None


def test_spaces_around_a_code_are_overlooked() -> None:
    assert portal_code(" 2150 ") is portal_code("2150")


def test_all_codes_of_the_lists_are_there() -> None:
    groups = [entry.group for entry in catalogue().values()]

    assert len(groups) == 262
    assert set(groups) == {"VITAL", "INV", "EWB", "SYS", "GSP"}


def test_what_the_portals_own_pages_say_of_an_account_stops_its_queue() -> None:
    entry = portal_code("3033")  # "Your account has been Freezed as GSTIN is inactive"

    assert entry is not None
    assert entry.klass is PortalClass.CONFIG
