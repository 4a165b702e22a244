"""docs/agreement.md: `python -m tests.agreement > docs/agreement.md`."""

import sys

from tests.agreement.page import page

sys.stdout.write(page())
