"""docs/files.md says what the code does."""

import re
from io import BytesIO
from pathlib import Path

from irnflow.files import documents, tables
from irnflow.files.checking import Finding

PAGE = (Path(__file__).parents[2] / "docs/files.md").read_text(encoding="utf-8")


def test_the_table_shown_can_be_imported_as_it_stands() -> None:
    (shown,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)

    found = list(tables.csv_documents("a.csv", BytesIO(shown.encode())))

    assert [(one.document.voucher_id, len(one.document.lines)) for one in found if one.document] == [
        ("29ZZZCS1111A1ZD/2026-27/INV/BLR/117", 2), ("29ZZZCS1111A1ZD/2026-27/INV/BLR/118", 1),
    ]  # fmt: skip


def test_a_finding_and_a_trouble_have_the_keys_shown() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (keys,) = re.findall(r"troubles \((.*?)\)", PAGE.replace("\n", " "))

    assert re.findall(r'"(\w+)":', shown) == [*Finding.__struct_fields__]
    assert re.findall(r"`(\w+)`", keys) == [*documents.Trouble.__struct_fields__]
