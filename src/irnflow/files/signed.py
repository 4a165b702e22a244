"""What a portal signed, in files: signed texts (JWS), the portal's JSON answers, and QR codes in pictures and PDFs."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from irnflow.errors import BadInput
from irnflow.portal.envelope import NO_JSON
from irnflow.portal.signature import compact, looks_signed

if TYPE_CHECKING:
    from PIL.Image import Image

_BYTES_MAX: Final = 32 * 1024 * 1024
_PIXELS_MAX: Final = 100_000_000
_PIXELS_AT_WORK: Final = 50_000_000  # of a picture with transparency, and of one that is enlarged
_PAGES_MAX: Final = 50  # of a PDF
_DEPTH_MAX: Final = 8  # of the JSON around the signed texts
# Pages at 216 dpi; where no code is found again at 432, and at last sharpened, for scans.
_PDF_ATTEMPTS: Final = ((3.0, False), (6.0, False), (6.0, True))
_SCALES: Final = (1, 2, 3, 4)  # of a picture that is blurred or small
_GROUNDS: Final = (255, 0)  # what a transparent picture is laid on: white, black
_PICTURES: Final = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
# A signed text with all of its signature: of a key of 2048, 3072 or 4096 bits.
_WHOLE: Final = re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.(?:[\w-]{342}|[\w-]{512}|[\w-]{683})(?![\w-])", re.ASCII)
_QUOTED: Final = re.compile(r"^[>|\s]+", re.MULTILINE)  # marks of a letter that is answered
_BREAKS: Final = dict.fromkeys(map(ord, "\r\n\t"))
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
    if content.startswith(_PICTURES) or content[4:8] == b"ftyp":  # AVIF, and HEIC, which Pillow can't open
        return _of_codes(_in_pictures(_opened(content, path)), "", path)
    return _of_text(content, path)


# -- texts and JSON --------------------------------------------------------------------------------------------------


def _of_text(content: bytes, path: Path) -> list[SignedText]:
    text = _decoded(content)
    whole = compact(_QUOTED.sub("", text)).strip("\"',;")
    if looks_signed(whole):
        return [SignedText(place="", jws=whole)]
    try:
        value = _unpacked(_json(text))
    except NO_JSON as error:
        if found := _in_words(text):
            return found
        raise BadInput(
            f"{path} is neither a signed text, nor the portal's JSON, nor a picture or PDF with a QR code"
        ) from error
    found = list(_in_json(value, "", 0))
    if found:
        return found
    if isinstance(value, dict) and isinstance(value.get("Data"), str):
        raise BadInput(f"{path} is an answer of the portal whose Data is still encrypted: save it decrypted")
    raise BadInput(f"{path} has neither SignedInvoice nor SignedQRCode: nothing in it is signed")


def _in_words(text: str) -> list[SignedText]:
    """The signed texts in any other text: a letter that quotes one, a table, XML, JSON line by line."""
    for each in (text, compact(_QUOTED.sub("", text))):
        if found := _WHOLE.findall(each):
            many = len(found) > 1
            return [
                SignedText(place=f"signed text {number}" if many else "", jws=jws)
                for number, jws in enumerate(found, start=1)
            ]
    return []


def _decoded(content: bytes) -> str:
    """Text as editors write it: UTF-8, or UTF-16 with its byte order mark."""
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if utf_16 else "utf-8-sig", "replace")


def _json(text: str) -> Any:
    """JSON, also where mail has broken its lines inside the texts."""
    try:
        return msgspec.json.decode(text)
    except NO_JSON:
        return msgspec.json.decode(text.translate(_BREAKS))


def _in_json(value: Any, place: str, depth: int) -> Iterator[SignedText]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, dict):
        for name, each in value.items():
            where = _NAMES.get(str(name).lower())
            if where and isinstance(each, str) and each:
                yield SignedText(place=f"{place}{where}", jws=compact(each))
            else:
                yield from _in_json(_unpacked(each), place, depth + 1)
    elif isinstance(value, list):
        for number, each in enumerate(value, start=1):
            yield from _in_json(each, f"{place}document {number}, " if len(value) > 1 else place, depth + 1)
    elif isinstance(value, str) and looks_signed(jws := compact(value)):
        yield SignedText(place=f"{place}signed text", jws=jws)


def _unpacked(value: Any) -> Any:
    """JSON in a string, as some interfaces wrap the portal's answer, some of them twice."""
    for _ in range(_DEPTH_MAX):
        if not isinstance(value, str) or not value.lstrip().startswith(("{", "[", '"')):
            break
        try:
            value = _json(value)
        except NO_JSON:
            break
    return value


# -- pictures and PDFs -----------------------------------------------------------------------------------------------


def _opened(content: bytes, path: Path) -> "list[list[Image]]":
    """The pages of a picture in grey; one with transparency is laid on each of the grounds."""
    import io
    import warnings

    from PIL import Image, ImageSequence, UnidentifiedImageError

    try:
        with warnings.catch_warnings(action="ignore"):  # what Pillow finds odd, in the file's metadata and elsewhere
            picture = Image.open(io.BytesIO(content))
            pages = getattr(picture, "n_frames", 1)
            if pages > _PAGES_MAX:
                raise BadInput(f"{path} has {pages} pages, more than {_PAGES_MAX}: give one invoice")
            pixels_max = _PIXELS_AT_WORK if picture.has_transparency_data else _PIXELS_MAX
            if picture.width * picture.height * pages > pixels_max:
                of_pages = f"{pages} pages of " if pages > 1 else ""
                raise BadInput(
                    f"{path} has {of_pages}{picture.width} x {picture.height} pixels: cut the QR code out of it"
                )
            return [_on_grounds(page) for page in ImageSequence.Iterator(picture)]
    except UnidentifiedImageError as error:  # its words quote an object in memory
        raise BadInput(f"{path} is not a picture that can be opened: save it as PNG or JPEG") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadInput(f"{path} is not a picture that can be opened ({error}): save it as PNG or JPEG") from error


def _on_grounds(picture: "Image") -> "list[Image]":
    from PIL import Image

    if picture.mode.startswith("I") or not picture.has_transparency_data:  # 16 bits: Pillow knows no RGBA of it
        return [picture.convert("L")]
    whole = picture.convert("RGBA")
    grey, mask = whole.convert("L"), whole.getchannel("A")
    return [Image.composite(grey, Image.new("L", grey.size, ground), mask) for ground in _GROUNDS]


def _in_pictures(pages: "Sequence[Sequence[Image]]") -> list[str]:
    """The texts of the QR codes on all pages, as they are, or else sharpened and enlarged: until one is signed."""
    codes = [text for page in pages for text in _first(page)]
    if any(map(looks_signed, codes)):
        return codes
    return [text for page in pages for text in _first(_attempts(page))] or codes


def _first(attempts: "Iterable[Image]") -> list[str]:
    """The texts of the first picture in which a code is signed, else of the last that has any code."""
    codes: list[str] = []
    for attempt in attempts:
        codes = _codes(attempt) or codes
        if any(map(looks_signed, codes)):
            break
    return codes


def _attempts(pictures: "Sequence[Image]") -> "Iterator[Image]":
    for scale in _SCALES:
        if scale == 1 or pictures[0].width * pictures[0].height * scale * scale <= _PIXELS_AT_WORK:
            yield from (_sharpened(picture, scale) for picture in pictures)


def _sharpened(picture: "Image", scale: int) -> "Image":
    """Enlarged, with the edges that blur took away: a code of 2 dots a square becomes legible so."""
    from PIL import Image, ImageFilter

    enlarged = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.LANCZOS)
    return enlarged.filter(ImageFilter.UnsharpMask(radius=1.5 * scale, percent=500, threshold=0))


def _of_pdf(content: bytes, path: Path) -> list[SignedText]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise BadInput(f"{path} is no PDF that can be opened: {error}") from error
    try:
        if len(document) > _PAGES_MAX:
            raise BadInput(f"{path} has {len(document)} pages, more than {_PAGES_MAX}: give one invoice")
        for scale, sharper in _PDF_ATTEMPTS:
            codes = [
                (f"page {number + 1}, " if len(document) > 1 else "", text)
                for number in range(len(document))
                for text in _codes(_page(document[number], scale, sharper, path))
            ]
            if any(looks_signed(text) for _, text in codes):
                break
        found = [SignedText(place=f"{page}QR code", jws=text) for page, text in codes if looks_signed(text)]
        return found or _of_codes([text for _, text in codes], "", path)
    finally:
        document.close()


def _page(page: Any, scale: float, sharper: bool, path: Path) -> "Image":
    width, height = page.get_size()
    if width * height * scale * scale > _PIXELS_MAX:
        raise BadInput(f"{path} has a page too large to be drawn: cut the QR code out of it")
    picture: Image = page.render(scale=scale, grayscale=True).to_pil()
    return _sharpened(picture.convert("L"), 1) if sharper else picture.convert("L")


def _codes(picture: "Image") -> list[str]:
    """The texts of the QR codes in it."""
    import zxingcpp

    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [compact(code.text) for code in found]


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
