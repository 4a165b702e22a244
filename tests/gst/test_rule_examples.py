"""What `irnflow explain` shows as an example is what the rule says."""

from pathlib import Path

from tests.gst.rule_examples import table

FILE = Path(__file__).parents[2] / "src/irnflow/gst/rules/examples.csv"


def test_the_examples_are_what_the_rules_say() -> None:
    renewed = table()

    assert FILE.read_text(encoding="utf-8") == renewed, f"renew it: python -m tests.gst.rule_examples > {FILE}"
