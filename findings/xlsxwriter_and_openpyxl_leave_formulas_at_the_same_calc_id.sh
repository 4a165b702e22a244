#!/bin/sh
# xlsxwriter 3.3.1 and openpyxl 3.1.5 never calculate. Both mark the workbook with the calcId of Excel 2007 and
# fullCalcOnLoad; xlsxwriter caches 0 for each formula, openpyxl an empty value. A reader that takes cached values gets
# 0 rupees where Excel will show 500, and can't tell that 0 from one that was calculated. Seen 2026-11-30.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q xlsxwriter==3.3.1 openpyxl==3.1.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import re, zipfile
import openpyxl, xlsxwriter

with xlsxwriter.Workbook("a.xlsx") as book:
    book.add_worksheet().write_formula(0, 0, "=250*2")
book = openpyxl.Workbook()
book.active["A1"] = "=250*2"
book.save("b.xlsx")

def parts(name):
    with zipfile.ZipFile(name) as file:
        return [file.read(part).decode() for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml")]

seen = {}
for name in ("a.xlsx", "b.xlsx"):
    workbook, sheet = parts(name)
    mark = re.search(r"<calcPr[^>]*>", workbook)[0]
    assert 'calcId="124519"' in mark and 'fullCalcOnLoad="1"' in mark, mark
    seen[name] = re.search(r"<f>.*?</f>(.*?)</c>", sheet)[1]
    print(name, mark, seen[name])
assert seen == {"a.xlsx": "<v>0</v>", "b.xlsx": seen["b.xlsx"]} and re.fullmatch(r"<v ?/>|<v></v>", seen["b.xlsx"]), seen
PYTHON
