#!/bin/sh
# A QR code of about 950 bytes at two dots a square under a 3 x 3 box blur, as an office scanner gives it at 25 mm: zxing-cpp
# 3.1.1 reads it neither as it is nor enlarged twice by Pillow's bilinear filter, and reads it enlarged by Lanczos and
# sharpened. The filter decides, not the size. Seen 2026-11-30 with Pillow 13.0.0.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q zxing-cpp==3.1.1 pillow==13.0.0 segno==1.6.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import io, random
import segno, zxingcpp
from PIL import Image, ImageFilter

letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
def small(seed):
    text = "".join(random.Random(seed).choices(letters, k=950))
    out = io.BytesIO()
    segno.make(text, error="l", mode="byte", boost_error=False).save(out, kind="png", scale=2, border=4)
    return text, Image.open(out).convert("L").filter(ImageFilter.BoxBlur(1))

def read(picture, text):
    return any(found.text == text for found in zxingcpp.read_barcodes(picture))

def larger(picture, how):
    return picture.resize((picture.width * 2, picture.height * 2), how)

counts = {"as it is": 0, "bilinear": 0, "Lanczos, sharpened": 0}
for seed in range(8):
    text, picture = small(seed)
    counts["as it is"] += read(picture, text)
    counts["bilinear"] += read(larger(picture, Image.Resampling.BILINEAR), text)
    counts["Lanczos, sharpened"] += read(larger(picture, Image.Resampling.LANCZOS).filter(ImageFilter.UnsharpMask(2, 200)), text)
print(counts, "of 8")
assert counts["as it is"] == counts["bilinear"] == 0 and counts["Lanczos, sharpened"] == 8, counts
PYTHON
