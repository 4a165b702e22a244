from irnflow.sandbox.codes import TEXTS, error
from irnflow.sandbox.law import RULES


def test_a_value_fills_its_place_in_the_text() -> None:
    entry = error("2193", "1001", "7")

    assert entry == {
        "ErrorCode": "2193",
        "ErrorMessage": "For HSN - 1001 and Sl. No - 7, AssAmt value should be equal to (TotAmt - Discount)",
    }


def test_a_place_without_a_value_stays_empty() -> None:
    assert error("2140")["ErrorMessage"] == "Error while validating invoice"


def test_every_rule_has_a_code_of_its_own_with_a_text() -> None:
    codes = [rule.code for rule in RULES]

    assert len(codes) == len(set(codes))
    assert set(codes) <= set(TEXTS)
