"""XLSX as any program writes it: each cell with its type, its formula and its number format, a row at a time.

Office Open XML, transitional and strict, whatever its prefixes, the order of attributes, the quotes, the encoding;
cells with and without a reference, texts shared and inline. Source: ECMA-376 part 1, 18.3 (worksheets), 18.4 (shared
strings), 18.8 (styles). A reader of values alone would not do: a formula that was never calculated and an error are
blank to it, and it does not know what a format shows.
"""

import codecs
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from html import unescape
from typing import BinaryIO, Final
from xml.etree import ElementTree

from irnflow.errors import BadInput
from irnflow.files import shown
from irnflow.files.shown import Format, Shown

# A cell as the file has it: "" if it is blank, a text, a number that its format does not change, a number with the
# place of its format, or anything else with one of the marks below.
Cell = str | float | tuple[float | str, int]
BROKEN: Final = -1  # the text says why the cell can't be read
ISO: Final = -2  # the text is a date (t="d")
BOOLEAN: Final = -3  # 0 or 1

UNPACKED_BYTES_MAX: Final = 512 * 1024 * 1024
_ROW_CHARACTERS_MAX: Final = 16 * 1024 * 1024
_COLUMNS_MAX: Final = 16_384  # 18.3.1.4: XFD is the last one
_CHUNK_BYTES: Final = 1024 * 1024
_SMALL_BYTES_MAX: Final = 16 * 1024 * 1024  # of the parts that are read as a whole
_FROM_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001  a civil date; right from 1 March 1900
_FROM_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
_DAYS_MAX: Final = 2_958_465  # 31 December 9999
_RELATION: Final = re.compile(r"\{.*/relationships\}id")  # transitional and strict have names of their own
_ERRORS: Final = (zipfile.BadZipFile, KeyError, ElementTree.ParseError, NotImplementedError, RuntimeError, EOFError,
                  UnicodeDecodeError, zipfile.zlib.error)  # type: ignore[attr-defined]  # fmt: skip

ERROR: Final = "the cell holds an error of the spreadsheet, such as #DIV/0! or #N/A"
NEVER: Final = "its formula was never calculated: open the file in a spreadsheet, save it there"
STALE: Final = "its formula was not calculated when the file was written: open the file in a spreadsheet, save it there"
ODD: Final = "the cell holds something that is not a value"
# xlsxwriter and openpyxl write this number; the first gives a formula 0 where it was not told another value.
_CALC_ID_OF_WRITERS: Final = "124519"


class Workbook:
    """The sheets of a file, and what turns a cell into a value."""

    def __init__(self, stream: BinaryIO) -> None:
        """Raises BadInput for what is not an XLSX workbook, with its name and what to do."""
        try:
            self._zip = zipfile.ZipFile(stream)
            if sum(part.file_size for part in self._zip.infolist()) > UNPACKED_BYTES_MAX:
                raise BadInput(f"it unpacks to more than {UNPACKED_BYTES_MAX >> 20} MiB: save it as CSV")
            self._open()
        except _ERRORS as error:
            raise BadInput(f"it can't be read as XLSX: {error}") from error

    def _open(self) -> None:
        _check_kind(self._zip)
        main = _target(self._zip, "", "officeDocument") or "xl/workbook.xml"
        if main.endswith(".bin"):
            raise BadInput("it is a binary workbook (.xlsb): save it as .xlsx")
        tree = self._xml(main)
        properties, calculation = tree.find("{*}workbookPr"), tree.find("{*}calcPr")
        self._day_0 = _FROM_1904 if _is_true(properties, "date1904") else _FROM_1900
        self._stale = _is_true(calculation, "fullCalcOnLoad") or _is_false(calculation, "calcCompleted")
        self._zero_only = calculation is not None and calculation.get("calcId") == _CALC_ID_OF_WRITERS
        parts = {each.get("Id"): path for each, path in _relations(self._zip, main)}
        inside = set(self._zip.namelist())
        sheets = tree.findall(".//{*}sheet")
        found = [(str(each.get("name")), _id(each)) for each in sheets]
        self.hidden = {str(each.get("name")) for each in sheets if each.get("state", "visible") != "visible"}
        self._parts = {name: parts[key] for name, key in found if parts.get(key, "") in inside}
        styles, strings = _target(self._zip, main, "styles"), _target(self._zip, main, "sharedStrings")
        self._formats = _formats(self._xml(styles)) if styles in inside else [shown.PLAIN]
        self.plain = {"", *(str(at) for at, form in enumerate(self._formats) if form.kind is shown.Kind.PLAIN)}
        # Styles that show more than the text itself: 17 in the format "INV/"@ is INV/17.
        self.around = {str(at): around for at, form in enumerate(self._formats) if (around := shown.of_text(form.code))}
        self.texts = _shared(self._text(strings)) if strings in inside else []

    @property
    def names(self) -> Sequence[str]:
        return list(self._parts)

    def rows(self, name: str) -> Iterator[tuple[int, list[Cell]]]:
        """The rows of a sheet that hold something. Raises BadInput where its XML ends being that of a sheet."""
        try:
            with self._zip.open(self._parts[name]) as part:
                yield from _Rows(self, part).all()
        except _ERRORS as error:
            raise BadInput(f"sheet {name} can't be read: {error}") from error

    def value(self, cell: tuple[float | str, int]) -> object:
        """What a cell with a format holds: a datetime, or a number with its format. Raises ValueError."""
        held, style = cell
        if style == BROKEN:
            raise ValueError(str(held))
        if style == ISO:
            return _iso(str(held))
        if style == BOOLEAN:
            return bool(held)
        assert isinstance(held, float)
        form = self._formats[style] if style < len(self._formats) else shown.PLAIN
        if form.kind is not shown.Kind.DAY:
            return Shown(held, form)
        if not 1 <= held <= _DAYS_MAX:
            raise ValueError(f"{held:g} is shown as a date, and is not one")
        return self._day_0 + timedelta(seconds=round(held * 86_400))

    def _xml(self, part: str) -> ElementTree.Element:
        return _parsed(self._zip, part)

    def _text(self, part: str) -> str:
        with self._zip.open(part) as stream:
            return "".join(_decoded(stream))

    def _as_shown(self, said: str, style: str) -> str:
        before, behind = self.around.get(style, ("", "")) if said.strip() else ("", "")
        return f"{before}{said}{behind}"

    # -- what a cell holds ------------------------------------------------------------------------------------------

    def _number(self, written: str, style: str) -> Cell:
        try:
            return float(written) if style in self.plain else (float(written), int(style))
        except ValueError:
            return (ODD, BROKEN)

    def cell(self, kind: str, style: str, body: str) -> Cell:
        """A cell by its type (t), the place of its format (s) and what stands in it."""
        formula = _FORMULA.search(body) is not None
        found = _VALUE.search(body)
        written = found[1] or "" if found else ""
        if kind == "e":
            return (ERROR, BROKEN)
        if kind == "s":
            known = written.isdecimal() and int(written) < len(self.texts)
            return self._as_shown(self.texts[int(written)], style) if known else (ODD, BROKEN)
        if kind == "inlineStr":
            return self._as_shown(_rich(body), style)
        said = _unescaped(written)
        if kind == "b":
            held: Cell = (1.0 if said.strip() in ("1", "true") else 0.0, BOOLEAN)
        elif kind == "str":
            held = self._as_shown(said, style)
        elif kind == "d":
            held = (said, ISO)
        elif not said.strip():
            return (NEVER, BROKEN) if formula else ""
        else:
            held = self._number(said, style)
        if formula and self._stale and not (self._zero_only and said not in ("0", "")):
            return (STALE, BROKEN)
        return held


_FORMULA: Final = re.compile(r"<(?:[\w.-]+:)?f[\s/>]")
_VALUE: Final = re.compile(r"<(?:[\w.-]+:)?v(?:\s[^<>]*)?>([^<]*)")
_TEXT: Final = re.compile(r"<(?:[\w.-]+:)?t(?:\s[^<>]*)?(?<!/)>([^<]*)")
_SPOKEN: Final = re.compile(r"<(?:[\w.-]+:)?rPh\b(?:(?!<(?:[\w.-]+:)?rPh\b).)*?</(?:[\w.-]+:)?rPh\s*>", re.DOTALL)
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _unescaped(text: str) -> str:
    """18.4.8: characters that XML has no place for are written as _x000D_."""
    if "&" in text:
        text = unescape(text)
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _rich(body: str) -> str:
    """The texts of all runs, without what helps to pronounce them."""
    if "rPh" in body:
        body = _SPOKEN.sub("", body)
    return _unescaped("".join(_TEXT.findall(body)))


# -- rows ------------------------------------------------------------------------------------------------------------

# A tag and whether it closes, its attributes, and whether it is the whole element. No pattern here may go over the same
# text twice: whoever wrote the file may have wished that.
_TAGS: Final = {name: re.compile(rf"<(/?)(?:[\w.-]+:)?{name}(?=[\s/>])([^<>]*?)(/?)>") for name in ("row", "c", "si")}
_ATTRIBUTE: Final = re.compile(r"([\w.:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
# As most programs write them. What does not look so is read by the patterns above.
_USUAL: Final = re.compile(
    r'<c r="([A-Z]+)[0-9]+"(?: s="([0-9]+)")?(?: t="(\w+)")?(?:/>|>(?:<v>([^<&]*)</v>|((?:(?!<c ).)*?))</c>)', re.DOTALL
)
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


_Found = tuple[str, str, str, str, str]  # of a usual cell: letters, format, type, value, or what else is in it


class _Rows:
    """The rows of one sheet's XML."""

    def __init__(self, book: Workbook, stream: object) -> None:
        self._book = book
        self._stream = stream
        self._number = 0
        self._at = _Columns()
        self._above: tuple[Sequence[_Found], Sequence[Cell]] = (), ()

    def all(self) -> Iterator[tuple[int, list[Cell]]]:
        rest = ""
        for chunk in _decoded(self._stream):
            text, aside = rest + chunk, ""
            if "<!" in text:
                text, aside = _without_asides(text)
            ended = 0
            for attributes, body, end in _split(text):
                ended = end
                if cells := self._row(attributes, body):
                    yield self._number, cells
            rest = text[ended:] + aside
            if len(rest) > _ROW_CHARACTERS_MAX:
                raise BadInput(f"row {self._number + 1} has more than {_ROW_CHARACTERS_MAX >> 20} MiB")
        if _TAGS["row"].search(rest):
            raise BadInput(f"row {self._number + 1} never ends")

    def _row(self, attributes: str, body: str) -> list[Cell]:
        number = _attributes(attributes).get("r", "")
        self._number = int(number) if number.isdecimal() else self._number + 1
        if not body:
            return []
        found = _USUAL.findall(body)
        if len(found) == body.count("<c") and ":c" not in body:
            try:
                return self._usual(found)
            except (ValueError, IndexError):
                pass  # a number that is none: the other way says so
        return self._other(body)

    def _usual(self, found: list[_Found]) -> list[Cell]:
        cells = self._as_above(found)
        if cells is None:
            cells = []
            for each in found:
                cell, at = self._cell(each), self._at[each[0]]
                if at == len(cells):
                    cells.append(cell)
                    continue
                found = []  # not one beside the other: the row below can't be compared with it place by place
                if cell != "":
                    _put(cells, at, cell)
        self._above = found, tuple(cells)
        return cells

    def _as_above(self, found: list[_Found]) -> list[Cell] | None:
        """A row of the same columns as the one above, most of whose cells say the same."""
        above, cells_above = self._above
        if not len(above) == len(found) == len(cells_above):
            return None
        cells = []
        for each, before, was in zip(found, above, cells_above, strict=True):
            if each == before:
                cells.append(was)
            elif each[0] == before[0]:
                cells.append(self._cell(each))
            else:
                return None
        return cells

    def _cell(self, found: _Found) -> Cell:
        _, style, kind, value, body = found
        if not value:
            return self._book.cell(kind, style, body)
        if kind == "s" and style not in self._book.around:
            return self._book.texts[int(value)]
        if kind and kind != "n":
            return self._book.cell(kind, style, f"<v>{value}</v>")
        return float(value) if style in self._book.plain else (float(value), int(style))

    def _other(self, body: str) -> list[Cell]:
        cells: list[Cell] = []
        at = -1
        for attributes, inside, _ in _elements(body, "c"):
            said = _attributes(attributes)
            reference = _REFERENCE.fullmatch(said.get("r", ""))
            at = self._at[reference[1]] if reference else at + 1
            cell = self._book.cell(said.get("t", ""), said.get("s", ""), inside)
            if cell != "":
                _put(cells, at, cell)
        return cells


class _Columns(dict[str, int]):
    """The places of columns, from 0, by their letters."""

    def __missing__(self, letters: str) -> int:
        at = 0
        for letter in letters:
            at = at * 26 + ord(letter) - 64
        if at > _COLUMNS_MAX:
            raise BadInput(f"there is no column {letters[:10]}")
        self[letters] = at - 1
        return at - 1


def _put(cells: list[Cell], at: int, cell: Cell) -> None:
    cells.extend([""] * (at - len(cells) + 1))
    cells[at] = cell


def _split(text: str) -> Iterator[tuple[str, str, int]]:
    """The attributes and the body of each whole row, and where it ends."""
    if ":row" in text or text.count("</row") != text.count("</row>"):
        yield from _elements(text, "row")
        return
    ended = 0
    while (end := text.find("</row>", ended)) >= 0:
        begin = text.find("<row", ended, end)
        close = text.find(">", max(begin, 0))
        while begin >= 0 and text[close - 1] == "/":  # a row without cells
            yield text[begin + 4 : close - 1], "", close + 1
            begin = text.find("<row", close, end)
            close = text.find(">", max(begin, 0))
        if begin < 0:
            return
        ended = end + 6
        yield text[begin + 4 : close], text[close + 1 : end], ended


def _elements(text: str, name: str) -> Iterator[tuple[str, str, int]]:
    """The attributes and the body of each whole element, and where it ends."""
    begun: re.Match[str] | None = None
    for tag in _TAGS[name].finditer(text):
        closes, attributes, is_whole = tag.groups()
        if is_whole and not closes:
            yield attributes, "", tag.end()
        elif not closes:
            begun = tag
        elif begun:
            yield begun[2], text[begun.end() : tag.start()], tag.end()
            begun = None


def _attributes(text: str) -> dict[str, str]:
    return {name: double or single for name, double, single in _ATTRIBUTE.findall(text)}


_ENCODINGS: Final = {
    "utf-8": "utf-8-sig", "utf8": "utf-8-sig", "us-ascii": "ascii", "iso-8859-1": "latin-1", "windows-1252": "cp1252",
}  # fmt: skip


def _decoded(stream: object) -> Iterator[str]:
    """XML is UTF-8, or says in its first line what else it is."""
    first = stream.read(_CHUNK_BYTES)  # type: ignore[attr-defined]
    encoding = "utf-8-sig"
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif first.startswith((b"<\0", b"\0<")):
        encoding = "utf-16-le" if first.startswith(b"<\0") else "utf-16-be"
    elif told := re.match(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]+)[\"']", first):
        encoding = _ENCODINGS.get(told[1].decode().lower(), "")
        if not encoding:
            raise BadInput(f"its XML is written in {told[1].decode()[:40]}: save it as .xlsx again")
    decoder = codecs.getincrementaldecoder(encoding)()
    while first:
        yield decoder.decode(first)
        first = stream.read(_CHUNK_BYTES)  # type: ignore[attr-defined]


_ASIDES: Final = {"<!--": "-->", "<![CDATA[": "]]>"}


def _without_asides(text: str) -> tuple[str, str]:
    """The text without comments, marked texts written as others are; and from where the last of them has no end yet."""
    kept, at = [], 0
    while (begin := text.find("<!", at)) >= 0:
        mark = next((mark for mark in _ASIDES if text.startswith(mark, begin)), None)
        if mark is None and len(text) - begin >= len("<![CDATA["):
            raise BadInput("its XML has a document type, which no spreadsheet writes")
        kept.append(text[at:begin])
        end = text.find(_ASIDES[mark], begin + len(mark)) if mark else -1
        if mark is None or end < 0:
            return "".join(kept), text[begin:]
        if mark != "<!--":
            kept.append(text[begin + len(mark) : end].replace("&", "&amp;").replace("<", "&lt;"))
        at = end + 3
    return "".join([*kept, text[at:]]), ""


# -- the other parts -------------------------------------------------------------------------------------------------


def _check_kind(inside: zipfile.ZipFile) -> None:
    """Raises BadInput for another kind of ZIP archive, by its name."""
    names = set(inside.namelist())
    if "mimetype" in names:
        kind = inside.read("mimetype")[:100].decode("ascii", "replace")
        if "opendocument" in kind:
            raise BadInput("it is an OpenDocument file (.ods): save it as .xlsx")
    if any(name.endswith(".iwa") for name in names):
        raise BadInput("it is a file of Apple Numbers: export it as Excel (.xlsx)")
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise BadInput("it is a document of Word or PowerPoint: put the table into a workbook (.xlsx)")
    if not any(name.startswith("_rels/") or name.lower().startswith("xl/") for name in names):
        raise BadInput("it can't be read as XLSX: it is a ZIP archive without a workbook; unpack it")


def _parsed(inside: zipfile.ZipFile, part: str) -> ElementTree.Element:
    if inside.getinfo(part).file_size > _SMALL_BYTES_MAX:
        raise BadInput(f"it can't be read as XLSX: its part {part[:60]} is too large")
    text = inside.read(part)
    if b"<!DOCTYPE" in text or b"<\0!\0D\0" in text:
        raise BadInput("its XML has a document type, which no spreadsheet writes")
    return ElementTree.fromstring(text)  # noqa: S314 (no document type, so no entities)


def _relations(inside: zipfile.ZipFile, of: str) -> Iterator[tuple[ElementTree.Element, str]]:
    """What a part refers to, with the place of each."""
    folder, _, name = of.rpartition("/")
    place = f"{folder}/_rels/{name}.rels".lstrip("/") if of else "_rels/.rels"
    if place not in inside.namelist():
        return
    for each in _parsed(inside, place):
        target = str(each.get("Target"))
        path = target.lstrip("/") if target.startswith("/") or not folder else f"{folder}/{target}"
        while "/../" in path:
            path = re.sub(r"[^/]+/\.\./", "", path, count=1)
        yield each, path.replace("/./", "/").removeprefix("./")


def _target(inside: zipfile.ZipFile, of: str, kind: str) -> str:
    return next((path for each, path in _relations(inside, of) if str(each.get("Type")).endswith(f"/{kind}")), "")


def _iso(said: str) -> datetime:
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        raise ValueError(ODD) from None


def _id(sheet: ElementTree.Element) -> str:
    return next((value for name, value in sheet.attrib.items() if _RELATION.fullmatch(name)), "")


def _is_true(element: ElementTree.Element | None, name: str) -> bool:
    return element is not None and element.get(name, "").lower() in ("1", "true", "on")


def _is_false(element: ElementTree.Element | None, name: str) -> bool:
    return element is not None and element.get(name, "").lower() in ("0", "false", "off")


def _formats(styles: ElementTree.Element) -> list[Format]:
    """The format of each style that a cell may have."""
    own = {str(each.get("numFmtId")): each.get("formatCode", "") for each in styles.iterfind("{*}numFmts/{*}numFmt")}
    codes: Mapping[str, str] = {str(number): code for number, code in shown.BUILT_IN.items()} | own
    found = [each.get("numFmtId", "0") for each in styles.iterfind("{*}cellXfs/{*}xf")]
    return [shown.read(codes.get(number, "General") or "General") for number in found] or [shown.PLAIN]


_USUAL_ITEM: Final = re.compile(r"<si><t(?: xml:space=\"preserve\")?>([^<]*)</t></si>")


def _shared(text: str) -> list[str]:
    if "<!" in text:
        text, _ = _without_asides(text)
    usual = _USUAL_ITEM.findall(text)
    if len(usual) == text.count("<si>") and ":si" not in text and "<si/" not in text and "<si " not in text:
        return [_unescaped(each) for each in usual]
    return [_rich(body) for _, body, _ in _elements(text, "si")]
