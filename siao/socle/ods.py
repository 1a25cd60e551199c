"""Writing small .ods files (OpenDocument spreadsheets): typed cells, colours, comments, links, lists.

No living library writes them; the format needs four short parts in a zip.
"""

import datetime
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from xml.sax.saxutils import escape, quoteattr

from siao.socle.xlsx import writable

_MIME = "application/vnd.oasis.opendocument.spreadsheet"
_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office",
        "style": "style",
        "table": "table",
        "text": "text",
        "number": "datastyle",
        "of": "of",
    }.items()
)
_NAMESPACES += (
    ' xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'
    ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


@dataclass(frozen=True)
class Cell:
    value: Any = None
    style: str = ""
    comment: str = ""
    link: str = ""
    """Address in the same file, such as ``#Entités.B12``."""
    rule: str = ""
    """Name of the list of values that the cell chooses from."""


@dataclass(frozen=True)
class Style:
    background: str = ""
    colour: str = ""
    bold: bool = False
    wrap: bool = False
    text: bool = False
    """What is typed stays text: codes keep their zeros."""


@dataclass
class Tab:
    name: str
    widths: Sequence[int]
    rows: Iterable[Sequence[Cell]]
    hidden: bool = False


@dataclass
class File:
    tabs: list[Tab]
    styles: dict[str, Style] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    """Range of cells that each list takes its values from, such as ``$Listes.$A$1:.$A$14``."""


def write(stream: BinaryIO, file: File) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        # The format wants this part first, and not compressed.
        archive.writestr(zipfile.ZipInfo("mimetype"), _MIME)
        archive.writestr("META-INF/manifest.xml", _manifest())
        archive.writestr("styles.xml", f'<?xml version="1.0"?><office:document-styles {_NAMESPACES}/>')
        with archive.open("content.xml", "w") as part:
            for text in _content(file):
                part.write(text.encode())


def _manifest() -> str:
    name = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    entries = {"/": _MIME, "content.xml": "text/xml", "styles.xml": "text/xml"}
    lines = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in entries.items()
    )
    root = f'<manifest:manifest xmlns:manifest="{name}" manifest:version="1.2">'
    return f'<?xml version="1.0"?>{root}{lines}</manifest:manifest>'


def _content(file: File):
    yield f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMESPACES} office:version="1.2">'
    yield "<office:automatic-styles>"
    yield '<number:text-style style:name="texte"><number:text-content/></number:text-style>'
    for name, style in file.styles.items():
        yield _style(name, style)
    widths = sorted({width for tab in file.tabs for width in tab.widths})
    for width in widths:
        yield (
            f'<style:style style:name="largeur{width}" style:family="table-column">'
            f'<style:table-column-properties style:column-width="{width * 0.22:.2f}cm"/></style:style>'
        )
    yield (
        '<style:style style:name="cache" style:family="table">'
        '<style:table-properties table:display="false"/></style:style>'
    )
    yield "</office:automatic-styles><office:body><office:spreadsheet><table:content-validations>"
    for name, cells in file.lists.items():
        condition = quoteattr(f"of:cell-content-is-in-list([{cells}])")
        yield (
            f'<table:content-validation table:name="{name}" table:condition={condition} '
            'table:allow-empty-cell="true" table:display-list="unsorted"><table:error-message table:display="true" '
            'table:message-type="stop"><text:p>Choisissez une valeur de la liste.</text:p></table:error-message>'
            "</table:content-validation>"
        )
    yield "</table:content-validations>"
    for tab in file.tabs:
        yield from _tab(tab)
    yield "</office:spreadsheet></office:body></office:document-content>"


def _style(name: str, style: Style) -> str:
    background = f' fo:background-color="{style.background}"' if style.background else ""
    wrap = ' fo:wrap-option="wrap"' if style.wrap else ""
    bold = ' fo:font-weight="bold"' if style.bold else ""
    colour = f' fo:color="{style.colour}"' if style.colour else ""
    data = ' style:data-style-name="texte"' if style.text else ""
    return (
        f'<style:style style:name="{name}" style:family="table-cell"{data}>'
        f'<style:table-cell-properties style:vertical-align="top"{background}{wrap}/>'
        f"<style:text-properties{bold}{colour}/></style:style>"
    )


def _tab(tab: Tab):
    hidden = ' table:style-name="cache"' if tab.hidden else ""
    yield f"<table:table table:name={quoteattr(tab.name)}{hidden}>"
    for width in tab.widths:
        yield f'<table:table-column table:style-name="largeur{width}"/>'
    for cells in tab.rows:
        yield "<table:table-row>"
        for cell in cells:
            yield _cell(cell)
        yield "</table:table-row>"
    yield "</table:table>"


def _cell(cell: Cell) -> str:
    attributes = f' table:style-name="{cell.style}"' if cell.style else ""
    attributes += f' table:content-validation-name="{cell.rule}"' if cell.rule else ""
    note = ""
    if cell.comment:
        note = f"<office:annotation>{_paragraphs(cell.comment)}</office:annotation>"
    value = cell.value
    if value is None:
        return f"<table:table-cell{attributes}>{note}</table:table-cell>"
    if isinstance(value, bool):
        kind, shown = f'office:value-type="boolean" office:boolean-value="{str(value).lower()}"', str(value)
    elif isinstance(value, int | float):
        kind, shown = f'office:value-type="float" office:value="{value}"', str(value)
    elif isinstance(value, datetime.date):
        date = value.date() if isinstance(value, datetime.datetime) else value
        kind, shown = f'office:value-type="date" office:date-value="{date}"', f"{date:%d/%m/%Y}"
    else:
        kind, shown = 'office:value-type="string"', str(value)
    content = _paragraphs(shown)
    if cell.link:
        content = f"<text:p><text:a xlink:href={quoteattr(cell.link)}>{escape(writable(shown))}</text:a></text:p>"
    return f"<table:table-cell {kind}{attributes}>{note}{content}</table:table-cell>"


def _paragraphs(text: str) -> str:
    return "".join(f"<text:p>{escape(line)}</text:p>" for line in writable(text).split("\n"))
