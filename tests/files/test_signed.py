"""Signed texts are read out of whatever people keep them in: texts, JSON, and pictures of every kind."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import segno
from PIL import Image, ImageFilter

from irnflow.errors import BadInput
from irnflow.files.signed import read
from tests.portal.test_signature import signed

QR = signed({"SellerGstin": "29AAFCC9980M1ZR", "BuyerGstin": "29AWGPV7107B1Z1", "DocNo": "BLR/26-27/1173",
             "DocTyp": "INV", "DocDt": "20/11/2026", "TotInvVal": 118000.00, "ItemCnt": 5, "MainHsnCode": "85371000",
             "Irn": "3f" * 32, "IrnDt": "2026-11-20 12:00:17"}, kid="8F" * 20)  # fmt: skip
DARK, CLEAR, WHITE = (0, 0, 0, 255), (0, 0, 0, 0), (255, 255, 255, 255)


def code(dots: int = 4) -> Image.Image:
    """A QR code of QR, black on white, of so many dots a square."""
    file = io.BytesIO()
    segno.make(QR, error="l", micro=False, boost_error=False).save(file, kind="png", scale=dots, border=4)
    return Image.open(file).convert("L")


def coloured(dark: tuple[int, ...], light: tuple[int, ...]) -> Image.Image:
    """The code as RGBA."""
    mask = code()
    bands = [Image.composite(Image.new("L", mask.size, on), Image.new("L", mask.size, off), mask)
             for off, on in zip(dark, light, strict=True)]  # fmt: skip
    return Image.merge("RGBA", bands)


def palette() -> Image.Image:
    """The code as two indexes of one colour: black. Only its transparency tells them apart."""
    mask = code()
    picture = Image.frombytes("P", mask.size, mask.point(lambda value: value and 1).tobytes())
    picture.putpalette([0, 0, 0, 0, 0, 0])
    return picture


def sixteen_bits() -> Image.Image:
    return code().convert("I").point(lambda value: value * 257).convert("I;16")


def with_grey(mode: str) -> Image.Image:
    mask = code()
    return Image.merge(mode, (Image.new("L", mask.size, 0), mask.point(lambda value: 255 - value)))


def texts(path: Path) -> list[str]:
    return [each.jws for each in read(path)]


def kept(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "file"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


CLEAR_GROUNDS: list[tuple[str, Callable[[], Image.Image], dict[str, Any]]] = [
    ("rgba.png", lambda: coloured(DARK, CLEAR), {}),
    ("rgba_of_white.png", lambda: coloured(DARK, (255, 255, 255, 0)), {}),
    ("rgba_half_clear.png", lambda: coloured((0, 0, 0, 120), (0, 0, 0, 10)), {}),
    ("white_squares.png", lambda: coloured(WHITE, CLEAR), {}),
    ("white_ground_clear_squares.png", lambda: coloured(CLEAR, WHITE), {}),
    ("la.png", lambda: with_grey("LA"), {}),
    ("palette.png", palette, {"transparency": 1}),
    ("palette_of_bytes.png", palette, {"transparency": b"\xff\x00"}),
    ("rgb_with_a_clear_colour.png", lambda: Image.merge("RGB", [code().point(lambda value: value and 1)] * 3),
     {"transparency": (1, 1, 1)}),
    ("grey_with_a_clear_value.png", lambda: code().point(lambda value: value and 1), {"transparency": 1}),
    ("one_bit.png", lambda: code().convert("1"), {"transparency": 1}),
    ("sixteen_bits.png", sixteen_bits, {"transparency": 65535}),
    ("lossless.webp", lambda: coloured(DARK, CLEAR), {"lossless": True}),
    ("lossy.webp", lambda: coloured(DARK, CLEAR), {"quality": 70}),
    ("palette.gif", palette, {"transparency": 1}),
    ("rgba.tif", lambda: coloured(DARK, CLEAR), {}),
    ("rgba.avif", lambda: coloured(DARK, CLEAR), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "made", "options"), CLEAR_GROUNDS, ids=[each[0] for each in CLEAR_GROUNDS])
@pytest.mark.filterwarnings("error")
def test_a_code_on_transparent_ground_is_read(
    tmp_path: Path, name: str, made: Callable[[], Image.Image], options: dict[str, Any]
) -> None:
    made().save(tmp_path / name, **options)

    assert texts(tmp_path / name) == [QR]


@pytest.mark.parametrize(
    ("dots", "blur"),
    [
        (1, None),
        (1.5, None),
        (2, ImageFilter.BoxBlur(1)),
        (2, ImageFilter.GaussianBlur(1)),
        (2.3, ImageFilter.BoxBlur(1)),
        (2.6, ImageFilter.BoxBlur(1)),
        (3, ImageFilter.GaussianBlur(1.5)),
        (4, ImageFilter.GaussianBlur(2)),
    ],
    ids=lambda value: str(value) if isinstance(value, int | float) else getattr(value, "name", "sharp"),
)
@pytest.mark.parametrize("name", ["small.png", "small.jpg"])
def test_a_small_blurred_code_is_read(tmp_path: Path, dots: float, blur: ImageFilter.Filter | None, name: str) -> None:
    sharp = code(1)
    picture = sharp.resize((round(sharp.width * dots),) * 2, Image.Resampling.NEAREST)
    (picture.filter(blur) if blur else picture).save(tmp_path / name)

    assert texts(tmp_path / name) == [QR]


@pytest.mark.parametrize(("name", "mm"), [("page.png", 25), ("page.pdf", 25), ("page.pdf", 22)])
def test_a_small_blurred_code_is_read_on_a_scanned_page(tmp_path: Path, name: str, mm: int) -> None:
    page = Image.new("L", (2480, 3508), 255)  # A4 at 300 dpi
    size = round(mm / 25.4 * 300)
    page.paste(code(1).resize((size, size), Image.Resampling.NEAREST).filter(ImageFilter.BoxBlur(1)), (2000, 150))
    page.save(tmp_path / name, resolution=300)

    assert texts(tmp_path / name) == [QR]


def test_a_small_blurred_code_on_transparent_ground_is_read(tmp_path: Path) -> None:
    picture = coloured(DARK, CLEAR)
    small = picture.resize((round(picture.width * 0.6),) * 2, Image.Resampling.BICUBIC)
    small.filter(ImageFilter.BoxBlur(1)).save(tmp_path / "small.png")

    assert texts(tmp_path / "small.png") == [QR]


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_a_picture_too_large_to_work_on_is_named(tmp_path: Path, mode: str) -> None:
    size = {"L": (10_000, 10_001), "RGBA": (10_000, 5_001)}[mode]
    Image.new(mode, size).save(tmp_path / "large.png", compress_level=1)

    with pytest.raises(BadInput, match=f"has {size[0]} x {size[1]} pixels: cut the QR code out of it"):
        read(tmp_path / "large.png")


def test_a_kind_of_picture_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    heic = kept(tmp_path, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")

    with pytest.raises(BadInput, match=r"is not a picture that can be opened: save it as PNG or JPEG$"):
        read(heic)


WRAPPED = "\r\n".join(QR[at : at + 76] for at in range(0, len(QR), 76))


@pytest.mark.parametrize(
    "content",
    [
        QR.replace(".", ".\r\n", 1),
        f"\ufeff {WRAPPED}\r\n",
        WRAPPED.replace("\r\n", "\n\t"),
        QR.replace(".", " . "),
        QR.replace(".", "\u00a0.\u200b"),
        f'"{WRAPPED}"',
        QR.encode("utf-16"),
        WRAPPED.replace("\r\n", "=\r\n"),  # quoted-printable mail
        WRAPPED.replace("\r\n", "\\r\\n"),  # copied out of JSON
        json.dumps(WRAPPED),
        json.dumps({"SignedQRCode": WRAPPED}),
        json.dumps({"SignedQRCode": QR}).replace(".", ".\r\n"),  # a text of JSON broken by mail
        json.dumps({"Data": json.dumps({"SignedQRCode": WRAPPED})}),
        json.dumps({"Data": json.dumps({"SignedQRCode": QR}).replace(".", ".\r\n")}),
        json.dumps([WRAPPED]),
    ],
    ids=["after the first point", "wrapped", "wrapped and indented", "around the points", "not seen", "in quotes",
         "UTF-16", "quoted-printable", "escaped", "as JSON", "in an answer", "in a broken answer",
         "in an answer in an answer", "in a broken answer in an answer", "in a list"],
)  # fmt: skip
def test_white_space_inside_a_signed_text_is_left_out(tmp_path: Path, content: str | bytes) -> None:
    assert texts(kept(tmp_path, content)) == [QR]


def test_white_space_inside_the_text_of_a_qr_code_is_left_out(tmp_path: Path) -> None:
    segno.make(QR.replace(".", ".\r\n"), error="l", micro=False).save(tmp_path / "qr.png", scale=4)

    assert texts(tmp_path / "qr.png") == [QR]


OTHER = signed({"Irn": "4e" * 32}, kid="8F" * 20)
ANSWER, SECOND = json.dumps({"SignedQRCode": QR}), json.dumps({"SignedQRCode": OTHER})
AROUND: dict[str, tuple[str, list[str]]] = {
    "a comma behind": (f"{QR},", [QR]),
    "single quotes": (f"'{QR}'", [QR]),
    "a point behind": (f"{QR}.", [QR]),
    "a name before": (f"SignedQRCode: {QR}\n", [QR]),
    "a letter that quotes it": (WRAPPED.replace("\r\n", "\r\n> "), [QR]),
    "a letter with a name and breaks": ("> QR:\r\n> " + WRAPPED.replace("\r\n", "\r\n> "), [QR]),
    "two lines": (f"{QR}\n{OTHER}\n", [QR, OTHER]),
    "JSON line by line": (f"{ANSWER}\n{SECOND}\n", [QR, OTHER]),
    "a table": (f"irn,qr\n1,{QR}\n2,{OTHER}\n", [QR, OTHER]),
    "XML": (f"<SignedQRCode>{QR}</SignedQRCode>", [QR]),
    "an answer as a string": (json.dumps(ANSWER), [QR]),
    "an answer as a string, twice": (json.dumps({"Data": json.dumps(json.dumps(ANSWER))}), [QR]),
}


@pytest.mark.parametrize(("content", "found"), AROUND.values(), ids=AROUND)
def test_a_signed_text_is_found_in_what_is_around_it(tmp_path: Path, content: str, found: list[str]) -> None:
    assert texts(kept(tmp_path, content)) == found


def test_a_signed_text_that_is_cut_is_not_taken_for_a_false_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neither a signed text"):
        read(kept(tmp_path, f"SignedQRCode: {QR[:-9]}"))


@pytest.mark.parametrize("name", ["scan.tif", "scan.gif", "scan.webp"])
def test_each_page_of_a_picture_is_looked_through(tmp_path: Path, name: str) -> None:
    pages = [Image.new("L", code().size, 255), code(), code().rotate(90)]
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:], lossless=True)

    assert texts(tmp_path / name) == [QR, QR]


def test_a_picture_of_too_many_pages_is_named(tmp_path: Path) -> None:
    page = Image.new("1", (8, 8))
    page.save(tmp_path / "scan.tif", save_all=True, append_images=[page] * 50)

    with pytest.raises(BadInput, match="has 51 pages, more than 50"):
        read(tmp_path / "scan.tif")
