"""Writing small .ods files (OpenDocument spreadsheets): typed cells, colours, comments, links, lists, print settings.

No living library writes them; the format needs five short parts in a zip. Formulas are given as for .xlsx
(``AND($E9="Autre",'Entités'!$A$9<>"")``) and written in the language of the format.
"""

import datetime
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from xml.sax.saxutils import escape, quoteattr

from siao.socle.xlsx import writable

_MIME = "application/vnd.oasis.opendocument.spreadsheet"
_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}"'
    for prefix, name in {
        "office": "office:1.0",
        "style": "style:1.0",
        "table": "table:1.0",
        "text": "text:1.0",
        "number": "datastyle:1.0",
        "config": "config:1.0",
        "fo": "xsl-fo-compatible:1.0",
        # The only one that is not 1.0: with another, spreadsheets take a list of values for « anything goes ».
        "of": "of:1.2",
    }.items()
)
_NAMESPACES += (
    ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:ooo="http://openoffice.org/2004/office"'
    ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)
_BLANKS = re.compile("^ +|(?<= ) +| +$|\t")
"""Spaces that the format would forget."""
_TEXTS = re.compile(r'("(?:[^"]|"")*")')
_REFERENCE = re.compile(r"(?:('[^']+'|\w+)!)?(\$?[A-Z]{1,3}\$?\d+)(?::(\$?[A-Z]{1,3}\$?\d+))?\b(?!\()")


@dataclass(frozen=True)
class Cell:
    value: Any = None
    style: str = ""
    comment: str = ""
    link: str = ""
    """Address in the same file, such as ``#Entités.B12``."""
    rule: str = ""
    """Name of the rule of typing that holds there."""


@dataclass(frozen=True)
class Row:
    cells: Sequence[Cell]
    times: int = 1
    height: int = 0
    """In points; 0 for what the cells ask."""
    repeated: bool = False
    """At the head of each printed page."""


@dataclass(frozen=True)
class Style:
    background: str = ""
    colour: str = ""
    bold: bool = False
    wrap: bool = False
    form: str = ""
    """« texte » (what is typed stays text: codes keep their zeros), « date », « montant », or nothing."""


@dataclass(frozen=True)
class Typing:
    """What may be typed in a cell: a value of the list that ``source`` says (a formula, or texts between quotes)."""

    source: str = ""
    """Nothing: anything may be typed, and only the help is shown."""
    base: str = ""
    """Cell that the formula is written for: ``Entités.E9``."""
    strict: bool = True
    title: str = ""
    help: str = ""


@dataclass(frozen=True)
class Colours:
    """The colour of cells where a formula, written for the first of them, is true; the first such one wins."""

    cells: Sequence[str]
    """``Entités.E9``, ``Entités.E9:Entités.E5008``."""
    formula: str
    colour: str


@dataclass
class Tab:
    name: str
    widths: Sequence[int]
    rows: Iterable[Row]
    hidden: bool = False
    frozen: tuple[int, int] = (0, 0)
    """Columns on the left and rows on the top that stay in view."""
    pages: int = 1
    """Printed pages that its columns take."""
    colours: Sequence[Colours] = ()


@dataclass
class File:
    tabs: list[Tab]
    styles: dict[str, Style] = field(default_factory=dict)
    rules: dict[str, Typing] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Ranges of cells by the name that formulas give them, such as ``Listes!$A$1:$A$14``."""


def write(stream: BinaryIO, file: File) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        # The format wants this part first, and not compressed.
        archive.writestr(zipfile.ZipInfo("mimetype"), _MIME)
        archive.writestr("META-INF/manifest.xml", _manifest())
        archive.writestr("styles.xml", _common_styles(file))
        archive.writestr("settings.xml", _settings(file))
        with archive.open("content.xml", "w") as part:
            for text in _content(file):
                part.write(text.encode())


def formula(text: str) -> str:
    """A formula of .xlsx in the language of .ods: « [.$A9] », « ; » between arguments."""
    pieces = _TEXTS.split(text)
    pieces[::2] = [_REFERENCE.sub(_reference, piece.replace(",", ";")) for piece in pieces[::2]]
    return "".join(pieces)


def _reference(found: re.Match) -> str:
    sheet, first, last = found.groups()
    return f"[{f'${sheet}' if sheet else ''}.{first}{f':.{last}' if last else ''}]"


def _manifest() -> str:
    name = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    entries = {"/": _MIME, "content.xml": "text/xml", "styles.xml": "text/xml", "settings.xml": "text/xml"}
    lines = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in entries.items()
    )
    root = f'<manifest:manifest xmlns:manifest="{name}" manifest:version="1.2">'
    return f'<?xml version="1.0"?>{root}{lines}</manifest:manifest>'


def _common_styles(file: File) -> str:
    colours = sorted({each.colour for tab in file.tabs for each in tab.colours})
    styles = "".join(
        f'<style:style style:name="{_conditional(colour)}" style:family="table-cell">'
        f'<style:table-cell-properties fo:background-color="{colour}"/></style:style>'
        for colour in colours
    )
    pages = sorted({tab.pages for tab in file.tabs})
    layouts = "".join(
        f'<style:page-layout style:name="papier{n}"><style:page-layout-properties fo:page-width="29.7cm" '
        f'fo:page-height="21cm" style:print-orientation="landscape" fo:margin="1cm" style:print="charts drawings '
        f'objects" style:scale-to-X="{n}" style:scale-to-Y="0"/></style:page-layout>'
        for n in pages
    )
    masters = "".join(f'<style:master-page style:name="pages{n}" style:page-layout-name="papier{n}"/>' for n in pages)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-styles {_NAMESPACES} office:version="1.2">'
        f"<office:styles>{styles}</office:styles><office:automatic-styles>{layouts}</office:automatic-styles>"
        f"<office:master-styles>{masters}</office:master-styles></office:document-styles>"
    )


def _settings(file: File) -> str:
    def item(name: str, kind: str, value) -> str:
        return f'<config:config-item config:name="{name}" config:type="{kind}">{value}</config:config-item>'

    tabs = ""
    for tab in file.tabs:
        items = ""
        for axis, across, count in zip(("Horizontal", "Vertical"), ("Right", "Bottom"), tab.frozen, strict=True):
            if count:
                items += item(f"{axis}SplitMode", "short", 2) + item(f"{axis}SplitPosition", "int", count)
                items += item(f"Position{across}", "int", count)
        if items:
            items += item("ActiveSplitRange", "short", 3 if all(tab.frozen) else 2)
        tabs += (
            f"<config:config-item-map-entry config:name={quoteattr(tab.name)}>{items}</config:config-item-map-entry>"
        )
    shown = next(tab.name for tab in file.tabs if not tab.hidden)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-settings {_NAMESPACES} office:version="1.2">'
        '<office:settings><config:config-item-set config:name="ooo:view-settings">'
        '<config:config-item-map-indexed config:name="Views"><config:config-item-map-entry>'
        + item("ViewId", "string", "view1")
        + f'<config:config-item-map-named config:name="Tables">{tabs}</config:config-item-map-named>'
        + item("ActiveTable", "string", escape(shown))
        + "</config:config-item-map-entry></config:config-item-map-indexed></config:config-item-set>"
        "</office:settings></office:document-settings>"
    )


def _content(file: File):
    yield f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMESPACES} office:version="1.2">'
    yield "<office:automatic-styles>"
    yield _DATA_STYLES
    for name, style in file.styles.items():
        yield _style(name, style)
    for width in sorted({width for tab in file.tabs for width in tab.widths}):
        yield (
            f'<style:style style:name="largeur{width}" style:family="table-column">'
            f'<style:table-column-properties style:column-width="{width * 0.22:.2f}cm"/></style:style>'
        )
    for number, tab in enumerate(file.tabs):
        tab.rows = list(tab.rows)
        yield (
            f'<style:style style:name="onglet{number}" style:family="table" style:master-page-name="pages{tab.pages}">'
            f'<style:table-properties table:display="{str(not tab.hidden).lower()}"/></style:style>'
        )
    for height in sorted({row.height for tab in file.tabs for row in tab.rows if row.height}):
        yield (
            f'<style:style style:name="hauteur{height}" style:family="table-row">'
            f'<style:table-row-properties style:row-height="{height}pt" style:use-optimal-row-height="false"/>'
            "</style:style>"
        )
    yield "</office:automatic-styles><office:body><office:spreadsheet><table:content-validations>"
    for name, rule in file.rules.items():
        yield _rule(name, rule)
    yield "</table:content-validations>"
    for number, tab in enumerate(file.tabs):
        yield from _tab(number, tab)
    yield "<table:named-expressions>"
    for name, cells in file.names.items():
        address = formula(cells).strip("[]")
        yield (
            f'<table:named-range table:name="{name}" table:base-cell-address={quoteattr(address.partition(":")[0])} '
            f"table:cell-range-address={quoteattr(address)}/>"
        )
    yield "</table:named-expressions></office:spreadsheet></office:body></office:document-content>"


_DATA_STYLES = (
    '<number:text-style style:name="texte"><number:text-content/></number:text-style>'
    '<number:date-style style:name="date"><number:day number:style="long"/><number:text>/</number:text>'
    '<number:month number:style="long"/><number:text>/</number:text><number:year number:style="long"/>'
    '</number:date-style><number:number-style style:name="montant"><number:number number:decimal-places="2" '
    'number:min-decimal-places="2" number:min-integer-digits="1" number:grouping="true"/></number:number-style>'
)


def _style(name: str, style: Style) -> str:
    background = f' fo:background-color="{style.background}"' if style.background else ""
    wrap = ' fo:wrap-option="wrap"' if style.wrap else ""
    bold = ' fo:font-weight="bold"' if style.bold else ""
    colour = f' fo:color="{style.colour}"' if style.colour else ""
    data = f' style:data-style-name="{style.form}"' if style.form else ""
    return (
        f'<style:style style:name="{name}" style:family="table-cell"{data}>'
        f'<style:table-cell-properties style:vertical-align="top"{background}{wrap}/>'
        f"<style:text-properties{bold}{colour}/></style:style>"
    )


def _rule(name: str, rule: Typing) -> str:
    attributes = f'table:name="{name}"'
    if rule.source:
        condition = f"of:cell-content-is-in-list({formula(rule.source)})"
        attributes += (
            f' table:condition={quoteattr(condition)} table:allow-empty-cell="true" '
            f'table:display-list="unsorted" table:base-cell-address={quoteattr(rule.base)}'
        )
    title = quoteattr(writable(rule.title))
    messages = ""
    if rule.help:
        messages += (
            f'<table:help-message table:title={title} table:display="true">{_paragraphs(rule.help)}'
            "</table:help-message>"
        )
    if rule.source:
        messages += (
            f'<table:error-message table:title={title} table:display="{str(rule.strict).lower()}" '
            'table:message-type="stop"><text:p>Choisissez une valeur de la liste.</text:p></table:error-message>'
        )
    return f"<table:content-validation {attributes}>{messages}</table:content-validation>"


def _conditional(colour: str) -> str:
    return f"couleur{colour[1:]}"


def _tab(number: int, tab: Tab):
    yield f'<table:table table:name={quoteattr(tab.name)} table:style-name="onglet{number}">'
    for width in tab.widths:
        yield f'<table:table-column table:style-name="largeur{width}"/>'
    repeating = False
    for row in tab.rows:
        if row.repeated != repeating:
            yield "<table:table-header-rows>" if row.repeated else "</table:table-header-rows>"
            repeating = row.repeated
        height = f' table:style-name="hauteur{row.height}"' if row.height else ""
        times = f' table:number-rows-repeated="{row.times}"' if row.times > 1 else ""
        yield f"<table:table-row{height}{times}>"
        for cell in row.cells:
            yield _cell(cell)
        yield "</table:table-row>"
    if repeating:
        yield "</table:table-header-rows>"
    if tab.colours:
        yield "<calcext:conditional-formats>"
        for each in tab.colours:
            base = quoteattr(each.cells[0].partition(":")[0])
            value = quoteattr(f"formula-is({formula(each.formula)})")
            yield (
                f"<calcext:conditional-format calcext:target-range-address={quoteattr(' '.join(each.cells))}>"
                f'<calcext:condition calcext:apply-style-name="{_conditional(each.colour)}" calcext:value={value} '
                f"calcext:base-cell-address={base}/></calcext:conditional-format>"
            )
        yield "</calcext:conditional-formats>"
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
        kind, shown = f'office:value-type="date" office:date-value="{value.isoformat()}"', f"{value:%d/%m/%Y}"
    else:
        kind, shown = 'office:value-type="string"', str(value)
    content = _paragraphs(shown)
    if cell.link:
        content = f"<text:p><text:a xlink:href={quoteattr(cell.link)}>{escape(writable(shown))}</text:a></text:p>"
    return f"<table:table-cell {kind}{attributes}>{note}{content}</table:table-cell>"


def _paragraphs(text: str) -> str:
    return "".join(f"<text:p>{_BLANKS.sub(_blank, escape(line))}</text:p>" for line in writable(text).split("\n"))


def _blank(found: re.Match) -> str:
    return "<text:tab/>" if found[0] == "\t" else f'<text:s text:c="{len(found[0])}"/>'
