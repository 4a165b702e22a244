"""Workbooks as different programs write them: the same cells, another XML."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import NamedTuple
from xml.sax.saxutils import escape

TRANSITIONAL = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


class Held(NamedTuple):
    """A cell: its type (t), what stands in <v>, its formula, and its number format."""

    value: str | None
    kind: str = ""
    formula: str = ""
    format: str = "General"


Cell = str | int | float | Held | None


class Writer(NamedTuple):
    """How a program writes a cell and what is around the cells."""

    cell: Callable[[str, str, int, Held], str]  # letters, row, style
    prefix: str = ""
    namespace: str = TRANSITIONAL
    relations: str = _RELATIONS
    calculation: str = ""
    shared: bool = False
    encoding: str = "utf-8"
    row: Callable[[int], str] = lambda number: f' r="{number}"'
    folder: str = "xl"


def _v(held: Held, p: str = "") -> str:
    formula = f"<{p}f>{escape(held.formula)}</{p}f>" if held.formula else ""
    value = "" if held.value is None else f"<{p}v>{escape(held.value)}</{p}v>"
    return formula + value


def _attribute(name: str, value: object, quote: str = '"') -> str:
    return f" {name}={quote}{value}{quote}" if value else ""


def _openpyxl(letters: str, row: str, style: int, held: Held) -> str:
    kind = held.kind or "n"
    return f'<c r="{letters}{row}"{_attribute("s", style)} t="{kind}">{_v(held)}</c>'


def _excel(letters: str, row: str, style: int, held: Held) -> str:
    kind = _attribute("t", held.kind)
    return f'<c r="{letters}{row}"{_attribute("s", style)}{kind}>{_v(held)}</c>'


def _sdk(letters: str, row: str, style: int, held: Held) -> str:
    kind = _attribute("t", held.kind)
    return f'<x:c{kind}{_attribute("s", style)} r="{letters}{row}">{_v(held, "x:")}</x:c>'


def _without_places(letters: str, row: str, style: int, held: Held) -> str:
    return f"<c{_attribute('t', held.kind)}{_attribute('s', style)}>{_v(held)}</c>"


def _single_quotes(letters: str, row: str, style: int, held: Held) -> str:
    kind, style_ = _attribute("t", held.kind, "'"), _attribute("s", style, "'")
    if held.formula:
        return f"<c{kind} r='{letters}{row}'{style_}>{_v(held)}</c>"
    return f"<c{kind}\n  r = '{letters}{row}'{style_} ><v >{escape(held.value or '')}</v ></c >"


def _aside(letters: str, row: str, style: int, held: Held) -> str:
    value = "" if held.value is None else f"<v><![CDATA[{held.value}]]></v>"
    formula = f"<f>{escape(held.formula)}</f>" if held.formula else ""
    kind = _attribute("t", held.kind)
    return f'<!-- <c t="e"> --><c r="{letters}{row}"{_attribute("s", style)}{kind}>{formula}{value}</c>'


WRITERS: Mapping[str, Writer] = {
    "excel": Writer(_excel, shared=True),
    "openpyxl": Writer(_openpyxl),
    "xlsxwriter": Writer(_excel, calculation='<calcPr calcId="124519" fullCalcOnLoad="1"/>', shared=True),
    "open xml sdk": Writer(_sdk, prefix="x:"),
    "no references": Writer(_without_places, row=lambda number: ""),
    "single quotes": Writer(_single_quotes, row=lambda number: f" r='{number}' spans='1:9'"),
    "comments and cdata": Writer(_aside),
    "strict": Writer(_excel, namespace=STRICT, relations=_RELATIONS_STRICT, shared=True),
    "utf-16": Writer(_excel, encoding="utf-16"),
    "other folder": Writer(_excel, folder="book", shared=True),
}  # fmt: skip


def workbook(writer: Writer, rows: Sequence[Sequence[Cell]], name: str = "Invoices", day_0: str = "") -> BytesIO:
    """A workbook of one sheet."""
    p, texts, formats = writer.prefix, list[str](), ["General"]
    written = []
    for number, row in enumerate(rows, 1):
        cells = "".join(
            writer.cell(_letters(at), str(number), *_held(cell, writer, texts, formats))
            for at, cell in enumerate(row)
            if cell is not None or writer.row(number) == ""
        )
        written.append(f"<{p}row{writer.row(number)}>{cells}</{p}row>")
    parts = {
        f"{writer.folder}/worksheets/sheet1.xml": f"<{p}worksheet {_xmlns(writer)}><{p}sheetData>"
        + "".join(written) + f"</{p}sheetData></{p}worksheet>",
        f"{writer.folder}/styles.xml": _styles(writer, formats),
        f"{writer.folder}/workbook.xml": f'<{p}workbook {_xmlns(writer)} xmlns:r="{writer.relations}">{day_0}'
        f'<{p}sheets><{p}sheet name="{name}" sheetId="1" r:id="rId1"/></{p}sheets>{writer.calculation}</{p}workbook>',
        "_rels/.rels": _relations(writer, {"rId1": ("officeDocument", f"/{writer.folder}/workbook.xml")}),
        f"{writer.folder}/_rels/workbook.xml.rels": _relations(writer, {
            "rId1": ("worksheet", "worksheets/sheet1.xml"), "rId2": ("styles", f"/{writer.folder}/styles.xml"),
            "rId3": ("sharedStrings", "sharedStrings.xml"),
        }),
        f"{writer.folder}/sharedStrings.xml": f"<{p}sst {_xmlns(writer)}>" + "".join(
            f"<{p}si><{p}t>{escape(text)}</{p}t></{p}si>" for text in texts) + f"</{p}sst>",
    }  # fmt: skip
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as inside:
        for place, text in parts.items():
            inside.writestr(place, f'<?xml version="1.0" encoding="{writer.encoding}"?>{text}'.encode(writer.encoding))
    stream.seek(0)
    return stream


def _held(cell: Cell, writer: Writer, texts: list[str], formats: list[str]) -> tuple[int, Held]:
    if isinstance(cell, str):
        if writer.shared:
            texts.append(cell)
            return 0, Held(str(len(texts) - 1), "s")
        return 0, Held(cell, "str")
    if not isinstance(cell, Held):
        return 0, Held(None if cell is None else repr(cell))
    if cell.format not in formats:
        formats.append(cell.format)
    return formats.index(cell.format), cell


def _xmlns(writer: Writer) -> str:
    return f'xmlns{":" if writer.prefix else ""}{writer.prefix.rstrip(":")}="{writer.namespace}"'


def _styles(writer: Writer, formats: Sequence[str]) -> str:
    p = writer.prefix
    own = "".join(
        f'<{p}numFmt numFmtId="{164 + at}" formatCode="{escape(each, {chr(34): "&quot;"})}"/>'
        for at, each in enumerate(formats)
    )
    styles = "".join(f'<{p}xf numFmtId="{164 + at}"/>' for at in range(len(formats)))
    return (f"<{p}styleSheet {_xmlns(writer)}><{p}numFmts>{own}</{p}numFmts><{p}cellXfs>{styles}</{p}cellXfs>"
            f"</{p}styleSheet>")  # fmt: skip


def _relations(writer: Writer, targets: Mapping[str, tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="{name}" Type="{writer.relations}/{kind}" Target="{target}"/>'
        for name, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}">{each}</Relationships>'


def _letters(at: int) -> str:
    return (chr(64 + at // 26) if at >= 26 else "") + chr(65 + at % 26)
