"""What a portal signed, in files: signed texts (JWS), the portal's JSON answers, and QR codes in pictures and PDFs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from irnflow.errors import BadInput
from irnflow.portal.envelope import NO_JSON

if TYPE_CHECKING:
    from PIL.Image import Image

_BYTES_MAX: Final = 32 * 1024 * 1024
_PIXELS_MAX: Final = 100_000_000
_PAGES_MAX: Final = 50  # of a PDF
_DEPTH_MAX: Final = 8  # of the JSON around the signed texts
_PDF_SCALES: Final = (3.0, 6.0)  # pages at 216 dpi; and again at 432, where no code is found
_PICTURES: Final = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
_NAMES: Final = {"signedinvoice": "signed invoice", "signedqrcode": "signed QR code"}


class SignedText(msgspec.Struct, frozen=True, kw_only=True):
    """A signed text, not verified yet."""

    place: str  # in the file; empty: it is the file
    jws: str


def read(path: Path) -> list[SignedText]:
    """The signed texts of a file. Raises BadInput saying what is there instead, and what to do."""
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES_MAX + 1)
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from error
    if len(content) > _BYTES_MAX:
        raise BadInput(f"{path} is larger than {_BYTES_MAX // 2**20} MiB")
    if content.startswith(b"%PDF"):
        return _of_pdf(content, path)
    if content.startswith(_PICTURES):
        return _of_codes(_codes(_picture(content, path)), "", path)
    return _of_text(content, path)


def looks_signed(text: str) -> bool:
    """Whether a text has the shape of a JWS."""
    return text.count(".") == 2 and text.startswith("eyJ")  # base64 of {"


# -- texts and JSON --------------------------------------------------------------------------------------------------


def _of_text(content: bytes, path: Path) -> list[SignedText]:
    text = content.removeprefix(b"\xef\xbb\xbf").strip()
    whole = text.strip(b'"').decode("utf-8", "replace")
    if looks_signed(whole):
        return [SignedText(place="", jws=whole)]
    try:
        value = msgspec.json.decode(text)
    except NO_JSON as error:
        raise BadInput(
            f"{path} is neither a signed text, nor the portal's JSON, nor a picture or PDF with a QR code"
        ) from error
    found = list(_in_json(value, "", 0))
    if found:
        return found
    if isinstance(value, dict) and isinstance(value.get("Data"), str):
        raise BadInput(f"{path} is an answer of the portal whose Data is still encrypted: save it decrypted")
    raise BadInput(f"{path} has neither SignedInvoice nor SignedQRCode: nothing in it is signed")


def _in_json(value: Any, place: str, depth: int) -> Iterator[SignedText]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, dict):
        for name, each in value.items():
            where = _NAMES.get(str(name).lower())
            if where and isinstance(each, str) and each:
                yield SignedText(place=f"{place}{where}", jws=each.strip())
            else:
                yield from _in_json(_unpacked(each), place, depth + 1)
    elif isinstance(value, list):
        for number, each in enumerate(value, start=1):
            yield from _in_json(each, f"{place}document {number}, " if len(value) > 1 else place, depth + 1)


def _unpacked(value: Any) -> Any:
    """JSON in a string, as some interfaces wrap the portal's answer."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return msgspec.json.decode(value)
    except NO_JSON:
        return value


# -- pictures and PDFs -----------------------------------------------------------------------------------------------


def _picture(content: bytes, path: Path) -> "Image":
    import io

    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(content))
        if picture.width * picture.height > _PIXELS_MAX:
            raise BadInput(f"{path} has {picture.width} x {picture.height} pixels: cut the QR code out of it")
        return picture.convert("L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadInput(f"{path} is no picture that can be opened: {error}") from error


def _of_pdf(content: bytes, path: Path) -> list[SignedText]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise BadInput(f"{path} is no PDF that can be opened: {error}") from error
    try:
        if len(document) > _PAGES_MAX:
            raise BadInput(f"{path} has {len(document)} pages, more than {_PAGES_MAX}: give one invoice")
        for scale in _PDF_SCALES:
            codes = [
                (f"page {number + 1}, " if len(document) > 1 else "", text)
                for number in range(len(document))
                for text in _codes(_page(document[number], scale, path))
            ]
            if any(looks_signed(text) for _, text in codes):
                break
        found = [SignedText(place=f"{page}QR code", jws=text) for page, text in codes if looks_signed(text)]
        return found or _of_codes([text for _, text in codes], "", path)
    finally:
        document.close()


def _page(page: Any, scale: float, path: Path) -> "Image":
    width, height = page.get_size()
    if width * height * scale * scale > _PIXELS_MAX:
        raise BadInput(f"{path} has a page too large to be drawn: cut the QR code out of it")
    picture: Image = page.render(scale=scale, grayscale=True).to_pil()
    return picture.convert("L")


def _codes(picture: "Image") -> list[str]:
    """The texts of the QR codes in it."""
    import zxingcpp

    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [code.text.strip() for code in found]


def _of_codes(codes: Sequence[str], place: str, path: Path) -> list[SignedText]:
    signed = [SignedText(place=f"{place}QR code", jws=text) for text in codes if looks_signed(text)]
    if signed:
        return signed
    if codes:
        raise BadInput(
            f"the QR code in {path} is not a portal's: it is not signed. A payment code (UPI, or of a B2C invoice) "
            "looks the same"
        )
    raise BadInput(f"no QR code can be read in {path}: take a sharper picture, of 4 pixels a square or more")
