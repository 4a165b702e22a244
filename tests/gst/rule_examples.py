"""What each rule says of a document that breaks it, for `irnflow explain`:
`python -m tests.gst.rule_examples > src/irnflow/gst/rules/examples.csv`."""

import csv
import io
import sys

from irnflow.gst.faults import in_words
from tests.gst.documents import changed, check
from tests.gst.test_rules import BREAKS


def table() -> str:
    """The whole file: one document a rule, the first of those in the tests."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(("code", "place", "says"))
    for breaks in {breaks.code: breaks for breaks in reversed(BREAKS)}.values():
        fault = next(each for each in check(changed(breaks.document, breaks.changes), **breaks.facts)
                     if each.code == breaks.code)  # fmt: skip
        rows.writerow((fault.code, in_words(fault.path), fault.says))
    head, *body = written.getvalue().splitlines()
    return "\n".join((head, *sorted(body))) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
