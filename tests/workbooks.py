"""Writes small workbooks as spreadsheet programs do: SpreadsheetML (ECMA-376), OpenDocument 1.3.

They hold only what tests need: texts, numbers, booleans, errors, days and moments.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

Cell = str | int | float | bool | date | datetime | None
Sheet = Sequence[Sequence[Cell]]

_EPOCH = datetime(1899, 12, 30)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def xlsx(sheets: Mapping[str, Sheet]) -> bytes:
    """A workbook of Excel. Style 1 is a day, style 2 a moment, style 3 a number in E notation."""
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>'
        for n, name in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    styles = len(sheets) + 1
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}'
        f'<Relationship Id="rId{styles}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="4"><xf numFmtId="0"/>'
        '<xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="11"/></cellXfs></styleSheet>',
    }
    for n, sheet in enumerate(sheets.values(), 1):
        rows = "".join(
            f'<row r="{number}">' + "".join(map(_ooxml, _names(number), row)) + "</row>"
            for number, row in enumerate(sheet, 1)
            if row
        )
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return _zipped(parts)


def _names(row: int) -> list[str]:
    return [f"{chr(65 + column)}{row}" for column in range(26)]


def _ooxml(place: str, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
        case int() | float():
            return f'<c r="{place}"><v>{cell!r}</v></c>'
        case datetime():
            return f'<c r="{place}" s="2"><v>{(cell - _EPOCH) / timedelta(days=1)!r}</v></c>'
        case date():
            return f'<c r="{place}" s="1"><v>{(cell - _EPOCH.date()).days}</v></c>'
        case "#N/A":
            return f'<c r="{place}" t="e"><v>#N/A</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'


def ods(sheets: Mapping[str, Sheet]) -> bytes:
    """A workbook of LibreOffice."""
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>"
        + "".join(
            "<table:table-row>" + "".join(map(_odf, row)) + "</table:table-row>" for row in sheet
        )
        + "</table:table>"
        for name, sheet in sheets.items()
    )
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    space = f'xmlns:office="{office}"' + "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("table", "text")
    )
    return _zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": f'<office:document-content {space} office:version="1.3"><office:body>'
            f"<office:spreadsheet>{tables}</office:spreadsheet></office:body>"
            "</office:document-content>",
            "META-INF/manifest.xml": "<manifest:manifest "
            'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
            'manifest:version="1.3"/>',
        }
    )


def _odf(cell: Cell) -> str:
    match cell:
        case None:
            return "<table:table-cell/>"
        case bool():
            value = f'office:value-type="boolean" office:boolean-value="{str(cell).lower()}"'
        case int() | float():
            value = f'office:value-type="float" office:value="{cell!r}"'
        case datetime() | date():
            value = f'office:value-type="date" office:date-value="{cell.isoformat()}"'
        case str():
            value = 'office:value-type="string"'
    return f"<table:table-cell {value}><text:p>{escape(str(cell))}</text:p></table:table-cell>"


def _zipped(parts: Mapping[str, str]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as made:
        for name, part in parts.items():
            head = '<?xml version="1.0" encoding="UTF-8"?>' if name != "mimetype" else ""
            made.writestr(name, head + part)
    return body.getvalue()
