"""Workbooks that nobody should trust, built in code: one function for each, named after its line in the catalogue.

``@refused(code, words)``: the file is refused, with this code and these words in its sentence.
``@read(cells)``: it is read, and its first sheet holds these rows; other expectations have their own test.
Names that do not begin with a number of the catalogue are attacks of the same kinds found elsewhere or thought of here.
"""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from siao.socle.workbook.cells import BadCell

TRAP = "127.0.0.1:9"
"""Where hostile files ask to connect; the tests listen there."""

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
RELATIONS = f"{OFFICE}/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
moment = datetime.fromisoformat
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"


@dataclass(frozen=True)
class Case:
    build: Callable[[], bytes]
    code: str | None = None
    words: str = ""
    rows: list | None = None

    @property
    def name(self) -> str:
        return self.build.__name__


CASES: list[Case] = []


def refused(code: str, words: str = ""):
    def keep(build):
        CASES.append(Case(build, code, words))
        return build

    return keep


def read(rows: list | None = None):
    def keep(build):
        CASES.append(Case(build, rows=rows))
        return build

    return keep


# Parts of a workbook


def zipped(parts: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def sheet(rows: str = "", after: str = "", before: str = "") -> str:
    return f'<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def relations(*items: tuple[str, str, str]) -> str:
    """A .rels part from (id, type, target); the target may end with other attributes after a quote."""
    lines = (f'<Relationship Id="{name}" Type="{kind}" Target="{target}"/>' for name, kind, target in items)
    return f'<Relationships xmlns="{PACKAGE}/relationships">{"".join(lines)}</Relationships>'


def types(*overrides: tuple[str, str], main: str = f"{SPREADSHEET}.sheet.main+xml") -> str:
    lines = (
        f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in [("/xl/workbook.xml", main), *overrides]
    )
    return (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{"".join(lines)}</Types>'
    )


def workbook(sheets: str, properties: str = "", after: str = "") -> str:
    return f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{properties}<sheets>{sheets}</sheets>{after}</workbook>'


def strings(*items: str) -> str:
    return f'<sst xmlns="{MAIN}">{"".join(f"<si>{item}</si>" for item in items)}</sst>'


STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy;@"/>'
    '<numFmt numFmtId="165" formatCode="&quot;jour&quot; 0"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="22"/><xf numFmtId="165"/><xf numFmtId="46"/>'
    '</cellXfs><dxfs><dxf><numFmt numFmtId="165" formatCode="dd"/></dxf></dxfs></styleSheet>'
)
A1 = '<row r="1"><c r="A1" t="inlineStr"><is><t>Nom</t></is></c></row>'


def package(rows: str = A1, **sheet_parts: str) -> dict[str, str | bytes]:
    """The parts of a workbook of two sheets, « Entités » (``rows``) and « Dispositifs »."""
    return {
        "[Content_Types].xml": types(),
        "_rels/.rels": relations(("r1", f"{RELATIONS}/officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": workbook(
            '<sheet name="Entités" sheetId="1" r:id="r1"/><sheet name="Dispositifs" sheetId="2" r:id="r2"/>'
        ),
        "xl/_rels/workbook.xml.rels": relations(
            ("r1", f"{RELATIONS}/worksheet", "worksheets/sheet1.xml"),
            ("r2", f"{RELATIONS}/worksheet", "/xl/worksheets/sheet2.xml"),
            ("r3", f"{RELATIONS}/styles", "styles.xml"),
            ("r4", f"{RELATIONS}/sharedStrings", "sharedStrings.xml"),
        ),
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": strings("<t>Oui</t>", "<t>Non</t>"),
        "xl/worksheets/sheet1.xml": sheet(rows, **sheet_parts),
        "xl/worksheets/sheet2.xml": sheet(A1),
    }


def xlsx(rows: str = A1, replaced: dict | None = None, **sheet_parts: str) -> bytes:
    """A workbook; ``replaced`` gives other contents to its parts (None: no such part)."""
    parts = package(rows, **sheet_parts) | (replaced or {})
    return zipped({name: content for name, content in parts.items() if content is not None})


def cells(*contents: str) -> str:
    """One row of cells, each given as its attributes and content: ``t="s"><v>0</v>``."""
    return f'<row r="1">{"".join(f"<c {content}</c>" for content in contents)}</row>'


def texts(*values: str) -> str:
    return cells(*(f't="inlineStr"><is><t>{value}</t></is>' for value in values))


def repeated(block: bytes, times: int, before: bytes = b"", after: bytes = b"") -> tuple[bytes, int, int]:
    """(deflated, size, checksum) of a content too long to be built; the checksum is that of nothing."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    count = max(1, (1 << 20) // len(block))
    first = pack.compress(before) + pack.flush(zlib.Z_FULL_FLUSH)
    again = pack.compress(block * count) + pack.flush(zlib.Z_FULL_FLUSH)
    last = pack.compress(after) + pack.flush()
    turns = -(-times // count)
    return first + again * turns + last, len(before) + len(block) * count * turns + len(after), 0


def raw_zip(entries: list[dict]) -> bytes:
    """An archive written by hand; each entry may lie: name, packed, size, crc, method, flags, local (its own lies)."""
    body, directory = io.BytesIO(), io.BytesIO()
    for entry in entries:
        entry = {"size": None, "crc": None, "method": 0, "flags": 0, "extra": b"", "local": {}} | entry
        name, packed = entry["name"], entry["packed"]
        size = len(packed) if entry["size"] is None else entry["size"]
        crc = zlib.crc32(packed) if entry["crc"] is None else entry["crc"]
        told = {"name": name, "packed": len(packed), "size": size, "crc": crc, "flags": entry["flags"]}
        told |= {"method": entry["method"], "sign": b"PK\x03\x04"} | entry["local"]
        header = entry.get("header", body.tell())
        body.write(
            struct.pack(
                "<4s5H3L2H",
                told["sign"],
                20,
                told["flags"],
                told["method"],
                0,
                0,
                told["crc"],
                told["packed"],
                told["size"],
                len(told["name"]),
                0,
            )
            + told["name"]
            + packed
        )
        directory.write(
            struct.pack(
                "<4s6H3L5H2L",
                b"PK\x01\x02",
                20,
                20,
                entry["flags"],
                entry["method"],
                0,
                0,
                crc,
                entry.get("told_packed", len(packed)),
                size,
                len(name),
                len(entry["extra"]),
                0,
                0,
                0,
                0,
                header,
            )
            + name
            + entry["extra"]
        )
    head, tail = body.getvalue(), directory.getvalue()
    return (
        head + tail + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(tail), len(head), 0)
    )


def with_part(name: str, part: tuple[bytes, int, int] | None = None, **lies) -> bytes:
    """A workbook where one part is written by hand: (deflated, size, checksum), or lies about the true part."""
    entries = []
    for known, content in package().items():
        content = content.encode() if isinstance(content, str) else content
        pack = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        entry = {"packed": pack.compress(content) + pack.flush(), "size": len(content), "crc": zlib.crc32(content)}
        if known == name and part:
            entry = dict(zip(("packed", "size", "crc"), part, strict=True))
        entries.append({"name": known.encode(), "method": 8} | entry | (lies if known == name else {}))
    return raw_zip(entries)


SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
START, END = sheet().encode().split(b"</sheetData>")
END = b"</sheetData>" + END


# What the file is


@refused("vide", "Le fichier est vide.")
def i01_vide():
    return b""


@refused("pas_un_classeur", "Ce fichier n'est pas un classeur .xlsx.")
def i02_html():
    return b"<!DOCTYPE html><html><body><table><tr><td>Nom;SIREN</td></tr></table></body></html>"


@refused("csv", "Enregistrer sous > Classeur Excel")
def i03_csv():
    return "Nom;Code SIREN\r\nAssociation Été;123456789\r\n".encode("cp1252")


@refused("csv", "Ce fichier n'est pas un classeur .xlsx")
def i03_csv_utf16():
    return "Nom\tCode SIREN\r\n".encode("utf-16")


def compound(*names: str) -> bytes:
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(504)
        + b"".join(name.encode("utf-16-le") + bytes(64) for name in names)
    )


@refused("ancien_format", "ancien format Excel (.xls)")
def i04_xls():
    return compound("Root Entry", "Workbook")


@refused("mot_de_passe", "protégé par un mot de passe")
def i04_mot_de_passe():
    return compound("Root Entry", "EncryptionInfo", "EncryptedPackage")


@refused("pas_un_classeur")
def i04_doc():
    return compound("Root Entry", "WordDocument")


@refused("macros", "contient des macros")
def i05_macros():
    return xlsx(replaced={"xl/vbaProject.bin": compound("VBA")})


@refused("macros", "contient des macros")
def i06_type_a_macros():
    main = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    return xlsx(replaced={"[Content_Types].xml": types(main=main)})


@refused("macros", "contient des macros")
def macros_xlm():
    return xlsx(replaced={"xl/macrosheets/sheet1.xml": sheet()})


@refused("autre_document", "n'est pas un classeur .xlsx")
def i07_docx():
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    content = types().replace("/xl/workbook.xml", "/word/document.xml").replace(f"{SPREADSHEET}.sheet.main+xml", main)
    rels = relations(("r1", f"{RELATIONS}/officeDocument", "word/document.xml"))
    return zipped({"[Content_Types].xml": content, "_rels/.rels": rels, "word/document.xml": "<w/>"})


@refused("xlsb", ".xlsb")
def i08_xlsb():
    main = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
    content = types(main=main).replace("/xl/workbook.xml", "/xl/workbook.bin")
    rels = relations(("r1", f"{RELATIONS}/officeDocument", "xl/workbook.bin"))
    return zipped({"[Content_Types].xml": content, "_rels/.rels": rels, "xl/workbook.bin": b"\x83\x01"})


@refused("endommage", "endommagé ou incomplet")
def i09_coupe():
    whole = xlsx()
    return whole[: len(whole) // 2]


@refused("endommage", "endommagé ou incomplet")
def i10_octet_change():
    whole = bytearray(xlsx(replaced={"docProps/app.xml": "<a>intact</a>" * 50}))
    whole[whole.index(b"docProps/app.xml") + 20] ^= 0x10
    return bytes(whole)


@refused("endommage", "endommagé ou incomplet")
def i10_octet_change_dans_un_onglet():
    content = sheet(A1).encode()
    changed = content.replace(b"Nom", b"Non")
    return with_part(SHEET, packed=changed, method=0, size=len(changed), crc=zlib.crc32(content))


@refused("mot_de_passe", "mot de passe")
def i11_chiffre():
    return with_part(SHEET, flags=1, local={"flags": 1})


@refused("mot_de_passe")
def i11_chiffre_dans_l_en_tete_seul():
    return with_part(SHEET, local={"flags": 1})


@refused("compression")
def i12_lzma():
    return zipped(package(), zipfile.ZIP_LZMA)


@refused("compression")
def i12_bzip2():
    return zipped(package(), zipfile.ZIP_BZIP2)


@refused("doublon", "deux fois le même élément")
def i14_doublon():
    content = {"packed": b"<a/>"}
    return raw_zip([{"name": b"[Content_Types].xml"} | content, {"name": b"[content_types].XML"} | content])


def named(name: bytes) -> bytes:
    return raw_zip([{"name": b"[Content_Types].xml", "packed": b"<a/>"}, {"name": name, "packed": b"<a/>"}])


@refused("chemin", "noms interdits")
def i16_remonte():
    return named(b"xl/../../../tmp/siao_i16")


@refused("chemin")
def i16_absolu():
    return named(b"/tmp/siao_i16")


@refused("chemin")
def i16_windows():
    return named(b"C:\\siao_i16")


@refused("chemin")
def i16_nul():
    return named(b"xl/a\0.xml")


@refused("trop_d_elements", "plus de 200 éléments")
def i17_cent_mille_parties():
    name = b"xl/media/%06d"
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 15, 0)
    central = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0)
    count = 65_000
    head = b"".join(local + name % index for index in range(count))
    tail = b"".join(central + name % index for index in range(count))
    return head + tail + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(tail), len(head), 0)


@refused("endommage")
def nombre_de_parties_menti():
    whole = bytearray(xlsx())
    end = whole.rindex(b"PK\x05\x06")
    whole[end + 8 : end + 12] = struct.pack("<2H", 3, 3)
    return bytes(whole)


@refused("trop_gros", "10 Mo")
def trop_gros():
    return b"PK\x03\x04" + bytes(10_000_000)


@refused("trop_volumineux", "60 Mo")
def i19_un_giga_d_espaces():
    return with_part(SHEET, repeated(b" ", 1 << 30, START, END))


@refused("endommage")
def i19_espaces_caches():
    deflated, size, _ = repeated(b" ", 200 << 20, START, END)
    return with_part(SHEET, (deflated, 20_000, size))


@refused("trop_volumineux")
def i20_cinq_millions_de_textes():
    return with_part(STRINGS, repeated(b"<si><t/></si>", 5_000_000, f'<sst xmlns="{MAIN}">'.encode(), b"</sst>"))


@refused("cellules", "1\u202f000\u202f000")
def i20_textes_sous_la_limite():
    content = f'<sst xmlns="{MAIN}">'.encode() + b"<si><t/></si>" * 1_500_000 + b"</sst>"
    return xlsx(replaced={STRINGS: content})


@refused("trop_volumineux")
def i21_texte_de_512_mo():
    return with_part(STRINGS, repeated(b"a", 512 << 20, f'<sst xmlns="{MAIN}"><si><t>'.encode(), b"</t></si></sst>"))


@refused("structure")
def i21_texte_sous_la_limite():
    return xlsx(replaced={STRINGS: strings(f"<t>{'é' * 20_000_000}</t>")})


@refused("lignes", "plus de 5\u202f000 lignes")
def i22_un_million_de_lignes():
    return xlsx("<row><c><v>1</v></c></row>" * 1_048_000)


@refused("lignes", "L'onglet « Entités » contient plus de 5\u202f000 lignes")
def i22_hors_du_tableau():
    return xlsx("".join(f'<row r="{10 * n}"><c r="ZZ{10 * n}"><v>1</v></c></row>' for n in range(1, 5_100)))


@refused("trop_volumineux")
def i23_mille_lignes_de_16384_cellules():
    line = b"<row>" + b"<c><v>1</v></c>" * 16_384 + b"</row>"
    return with_part(SHEET, repeated(line, 1000, START, END))


@refused("trop_compresse", "le même contenu")
def i23_sous_la_limite():
    return xlsx(("<row>" + "<c><v>1</v></c>" * 16_384 + "</row>") * 40)


@refused("endommage")
def i25_sans_content_types():
    return xlsx(replaced={"[Content_Types].xml": None})


@refused("endommage")
def i26_sans_workbook():
    return xlsx(replaced={"xl/workbook.xml": None})


@refused("onglet_illisible", "L'onglet « Entités » est illisible")
def i27_sans_onglet():
    return xlsx(replaced={SHEET: None})


@refused("endommage")
def i28_sans_textes():
    return xlsx(cells('t="s"><v>0</v>'), replaced={STRINGS: None})


def linked(kind: str, target: str) -> bytes:
    rels = package()["xl/_rels/workbook.xml.rels"]
    link = f'<Relationship Id="r1" Type="{RELATIONS}/{kind}" Target="{target}" TargetMode="External"/>'
    return xlsx(replaced={"xl/_rels/workbook.xml.rels": rels.replace("</Rel", f"{link}</Rel")})


@refused("lien_externe", "dans un autre fichier ou sur internet")
def i29_onglet_http():
    return linked("worksheet", f"http://{TRAP}/sheet.xml")


@refused("lien_externe")
def i29_textes_fichier():
    return linked("sharedStrings", "file:///etc/passwd")


@refused("lien_externe")
def i29_onglet_unc():
    return linked("worksheet", f"\\\\{TRAP}\\partage\\sheet.xml")


@refused("lien_externe")
def i29_racine():
    return xlsx(replaced={"_rels/.rels": relations(("r1", f"{RELATIONS}/officeDocument", f"http://{TRAP}/"))})


@refused("lien_externe")
def cible_hors_du_fichier():
    rels = package()["xl/_rels/workbook.xml.rels"].replace("worksheets/sheet1.xml", "../../../etc/passwd")
    return xlsx(replaced={"xl/_rels/workbook.xml.rels": rels})


@read([(1, ["Nom"])])
def i30_liens_externes():
    rels = relations(("r1", f"{RELATIONS}/externalLinkPath", f"http://{TRAP}/autre.xlsx"))
    return xlsx(
        replaced={
            "xl/externalLinks/externalLink1.xml": f'<externalLink xmlns="{MAIN}"/>',
            "xl/externalLinks/_rels/externalLink1.xml.rels": rels.replace("/>", ' TargetMode="External"/>'),
        }
    )


@refused("objet", "objet incorporé")
def i31_ole():
    return xlsx(replaced={"xl/embeddings/oleObject1.bin": compound("Package")})


@refused("objet")
def i31_activex():
    return xlsx(replaced={"xl/activeX/activeX1.xml": "<ax/>"})


@refused("objet")
def i31_menu():
    rels = relations(
        ("r1", f"{RELATIONS}/officeDocument", "xl/workbook.xml"),
        ("r2", "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility", "menu.xml"),
    )
    return xlsx(replaced={"_rels/.rels": rels, "menu.xml": "<customUI/>"})


@refused("strict", 'pas en "Open XML Strict"')
def i32_strict():
    strict = "http://purl.oclc.org/ooxml"
    parts = {
        name: content.replace(MAIN, f"{strict}/spreadsheetml/main").replace(OFFICE, f"{strict}/officeDocument")
        for name, content in package().items()
    }
    return zipped(parts)


# XML


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>'


@refused("dtd", "DTD")
def i33_rires_dans_un_onglet():
    return xlsx(replaced={SHEET: LAUGHS + sheet(texts("&l9;"))})


@refused("dtd")
def i33_rires_dans_les_textes():
    return xlsx(replaced={STRINGS: LAUGHS + strings("<t>&l9;</t>")})


@refused("dtd")
def i33_rires_dans_le_classeur():
    return xlsx(replaced={"xl/workbook.xml": LAUGHS + package()["xl/workbook.xml"]})


@refused("dtd")
def dtd_dans_un_onglet_non_lu():
    return xlsx(replaced={"docProps/app.xml": LAUGHS + "<a/>"})


@refused("dtd")
def dtd_en_utf16():
    return xlsx(replaced={SHEET: ('<?xml version="1.0" encoding="UTF-16"?>' + LAUGHS + sheet()).encode("utf-16")})


@refused("dtd")
def dtd_apres_un_long_commentaire():
    return xlsx(replaced={SHEET: f"<!--{'x' * 300_000}-->" + LAUGHS + sheet()})


@refused("dtd")
def i34_quadratique():
    entity = f'<!DOCTYPE x [<!ENTITY a "{"a" * 70_000}">]>'
    return xlsx(replaced={STRINGS: entity + strings(f"<t>{'&a;' * 70_000}</t>")})


@refused("dtd")
def i35_xxe_fichier():
    entity = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    return xlsx(cells('t="s"><v>0</v>'), replaced={STRINGS: entity + strings("<t>&a;</t>")})


@refused("dtd")
def i36_xxe_parametre():
    entity = f'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://{TRAP}/x.dtd"> %a;]>'
    return xlsx(replaced={STRINGS: entity + strings("<t>a</t>")})


@refused("dtd")
def i36_xxe_externe():
    return xlsx(replaced={SHEET: f'<!DOCTYPE worksheet SYSTEM "http://{TRAP}/x.dtd">' + sheet(A1)})


@refused("encodage", "codage de caractères")
def i39_utf7():
    return xlsx(replaced={SHEET: '<?xml version="1.0" encoding="UTF-7"?>' + sheet(A1)})


@refused("encodage")
def i39_inconnu():
    return xlsx(replaced={SHEET: '<?xml version="1.0" encoding="x-siao"?>' + sheet(A1)})


@refused("onglet_illisible")
def i39_octets_faux():
    return xlsx(replaced={SHEET: sheet(texts("Été")).encode("latin-1")})


@refused("structure", "structure anormale")
def i40_cent_mille_niveaux():
    return xlsx(after="<a>" * 100_000 + "</a>" * 100_000)


@refused("structure")
def i40_dans_une_cellule():
    return xlsx(cells("><is>" + "<r>" * 100_000 + "</r>" * 100_000 + "</is>"))


@refused("structure")
def i40_dans_les_textes():
    return xlsx(replaced={STRINGS: strings("<r>" * 100_000 + "</r>" * 100_000)})


@refused("onglet_illisible", "« Entités »")
def i41_coupe_avant_la_fin():
    return xlsx(replaced={SHEET: sheet(A1).partition("</sheetData>")[0]})


@refused("structure")
def attribut_gigantesque():
    return xlsx(before=f'<sheetPr a="{"x" * 50_000_000}"/>')


@read([(1, ["Nom"])])
def attributs_longs():
    """Each just short enough to be read, again and again."""
    return xlsx(before="".join(f'<sheetPr a="{os.urandom(440_000).hex()}"/>' for _ in range(15)))


@refused("structure")
def commentaire_gigantesque():
    return xlsx(before=f"<!--{'x' * 50_000_000}-->")


@read([(1, ["Nom"])])
def attributs_innombrables():
    attributes = " ".join(f"a{n}='{n}'" for n in range(60_000))
    return xlsx(before=f"<sheetPr {attributes}/>")


@read([(1, ["Nom"])])
def espaces_de_noms_innombrables():
    names = " ".join(f'xmlns:n{n}="urn:{n}" n{n}:a="{n}"' for n in range(20_000))
    return xlsx(before=f"<sheetPr {names}/>")


@refused("structure")
def un_tableau_cent_mille_fois():
    tables = relations(*((f"r{n}", f"{RELATIONS}/table", "../tables/table1.xml") for n in range(100_000)))
    content = f'<table xmlns="{MAIN}" ref="A1:C3"><!--{"x" * 500_000}--></table>'
    return xlsx(replaced={"xl/worksheets/_rels/sheet1.xml.rels": tables, "xl/tables/table1.xml": content})


@refused("structure")
def un_million_d_onglets():
    sheets = "".join(f'<sheet name="{n}" r:id="r1"/>' for n in range(300_000))
    return xlsx(replaced={"xl/workbook.xml": workbook(sheets)})


@refused("onglet_illisible", "« Copie »")
def deux_onglets_pour_une_partie():
    sheets = '<sheet name="Entités" r:id="r1"/><sheet name="Copie" r:id="r1"/>'
    return xlsx(replaced={"xl/workbook.xml": workbook(sheets)})


@refused("structure")
def deux_onglets_du_meme_nom():
    sheets = '<sheet name="Entités" r:id="r1"/><sheet name="ENTITÉS" r:id="r2"/>'
    return xlsx(replaced={"xl/workbook.xml": workbook(sheets)})


@refused("onglet_illisible")
def onglet_qui_est_le_classeur():
    rels = package()["xl/_rels/workbook.xml.rels"].replace("worksheets/sheet1.xml", "workbook.xml")
    return xlsx(replaced={"xl/_rels/workbook.xml.rels": rels})


@read([(1, ["Nom"])])
def relations_en_boucle():
    loop = relations(("r1", f"{RELATIONS}/worksheet", "sheet1.xml"), ("r2", f"{RELATIONS}/comments", "sheet1.xml"))
    return xlsx(replaced={"xl/worksheets/_rels/sheet1.xml.rels": loop})


# The archive lies


@refused("endommage")
def nom_local_different():
    return with_part(SHEET, local={"name": b"xl/worksheets/sheet9.xml"})


@refused("endommage")
def taille_locale_differente():
    return with_part(SHEET, local={"size": 1})


@refused("endommage")
def en_tete_local_absent():
    return with_part(SHEET, local={"sign": b"PK\x00\x00"})


@refused("endommage")
def parties_superposees():
    return with_part("xl/worksheets/sheet2.xml", header=0)


@refused("endommage")
def parties_emboitees():
    content = {"method": 0}
    inner = raw_zip([{"name": b"a.xml", "packed": b"<a/>"}])
    return raw_zip(
        [
            {"name": b"[Content_Types].xml", "packed": inner} | content,
            {"name": b"a.xml", "packed": b"<a/>", "header": 49},
        ]
    )


@refused("endommage")
def zip64_menteur():
    huge = struct.pack("<2H3Q", 1, 24, 1 << 62, 1 << 62, 1 << 62)
    return with_part(SHEET, size=0xFFFFFFFF, told_packed=0xFFFFFFFF, header=0xFFFFFFFF, extra=huge)


@refused("endommage")
def zip64_sans_suite():
    return with_part(SHEET, size=0xFFFFFFFF, told_packed=0xFFFFFFFF)


@refused("endommage")
def repertoire_ailleurs():
    whole = bytearray(xlsx())
    end = whole.rindex(b"PK\x05\x06")
    whole[end + 16 : end + 20] = struct.pack("<L", 0xFFFFFFF0)
    return bytes(whole)


@refused("endommage")
def suite_apres_la_fin():
    return xlsx() + b"\0" * 10


@refused("endommage")
def deflate_tronque():
    deflated, size, crc = repeated(b"<row/>", 1, START, END)
    return with_part(SHEET, (deflated[:-8], size, crc))


@refused("pas_un_classeur")
def zip_quelconque():
    return zipped({"lisez-moi.txt": "bonjour"})


@refused("endommage")
def zip_vide():
    return b"PK\x03\x04" + zipped({})


@read([(1, ["Nom"])])
def zip64_honnete():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in package().items():
            with archive.open(name, "w", force_zip64=True) as part:
                part.write(content.encode())
    return target.getvalue()


class _Unseekable(io.RawIOBase):
    """A file that only goes forward: what is written to it has its sizes after it, in data descriptors."""

    def __init__(self):
        self.written = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.written += data
        return len(data)


@read([(1, ["Nom"])])
def tailles_apres_le_contenu():
    target = _Unseekable()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in package().items():
            archive.writestr(name, content)
    return bytes(target.written)


# Sheets


@read([(1, ["Nom"])])
def i42_valeur_egaree():
    return xlsx(A1 + '<row r="1048576"><c r="XFD1048576"><v>7</v></c></row>')


@read([(1, ["Nom"])])
def i42_format_egare():
    return xlsx(A1 + '<row r="1048576"><c r="XFD1048576" s="1"/></row>')


@read([(1, ["Nom"])])
def i44_dimension_menteuse():
    return xlsx(before='<dimension ref="A1:XFD1048576"/>')


@read([(1, ["Nom"])])
def i45_fusion_de_tout():
    return xlsx(after='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')


@refused("fusions", "fusionnées")
def i45_cent_mille_fusions():
    merges = "".join(f'<mergeCell ref="A{n}:B{n}"/>' for n in range(1, 100_001))
    return xlsx(after=f"<mergeCells>{merges}</mergeCells>")


@refused("onglet_illisible")
def fusion_absurde():
    return xlsx(after='<mergeCells><mergeCell ref="A0:ZZZZ9"/></mergeCells>')


@read([(1, ["a"]), (5, [None, "b"]), (6, ["c"])])
def i49_lignes_vides():
    line = '<row r="{0}"><c r="{1}{0}" t="inlineStr"><is><t>{2}</t></is></c></row>'
    return xlsx(line.format(1, "A", "a") + '<row r="3"/>' + line.format(5, "B", "b") + line.format(6, "A", "c"))


@read([(1, ["Nom"])])
def i56_validations():
    one = '<dataValidation type="list" sqref="A{0}"><formula1>"Oui,{0}"</formula1></dataValidation>'
    return xlsx(after=f"<dataValidations>{''.join(map(one.format, range(200_000)))}</dataValidations>")


@read([(1, ["Nom"])])
def i56_mises_en_forme():
    one = '<conditionalFormatting sqref="A{0}"><cfRule><formula>{0}</formula></cfRule></conditionalFormatting>'
    return xlsx(after="".join(map(one.format, range(100_000))))


@read([(1, ["Nom"])])
def i56_noms_definis():
    names = "".join(f'<definedName name="n{n}">Entités!$A${n}</definedName>' for n in range(300_000))
    sheets = '<sheet name="Entités" sheetId="1" r:id="r1"/>'
    return xlsx(replaced={"xl/workbook.xml": workbook(sheets, after=f"<definedNames>{names}</definedNames>")})


@refused("trop_compresse")
def styles_innombrables():
    formats = "".join(f'<numFmt numFmtId="{n}" formatCode="{"[" * 250}"/>' for n in range(5_000))
    return xlsx(
        replaced={
            "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts>'
            f"<cellXfs>{'<xf/>' * 500_000}</cellXfs></styleSheet>"
        }
    )


@read([(1, ["Nom", None, "Total"]), (3, [12])])
def i57_rien_d_anormal():
    rows = cells('t="inlineStr"><is><t>Nom</t></is>', 's="1">', 't="inlineStr"><is><t>Total</t></is>')
    rels = relations(
        ("r1", f"{RELATIONS}/table", "../tables/table1.xml"),
        ("r2", f"{RELATIONS}/comments", "../comments1.xml"),
        ("r3", f"{RELATIONS}/drawing", "../drawings/drawing1.xml"),
        ("r4", f"{RELATIONS}/hyperlink", f'http://{TRAP}/" TargetMode="External'),
    )
    return xlsx(
        rows + '<row r="3"><c r="A3"><f>SUBTOTAL(109,T[Nom])</f><v>12</v></c></row>',
        before='<sheetViews><sheetView><pane ySplit="1" state="frozen"/></sheetView></sheetViews>',
        after='<sheetProtection sheet="1" password="CC1A"/>',
        replaced={
            "xl/worksheets/_rels/sheet1.xml.rels": rels,
            "xl/tables/table1.xml": f'<table xmlns="{MAIN}" ref="A1:C3" totalsRowCount="1"><tableColumns/></table>',
            "xl/comments1.xml": f'<comments xmlns="{MAIN}"/>',
            "xl/drawings/drawing1.xml": "<wsDr/>",
            "xl/media/image1.png": b"\x89PNG",
        },
    )


@read(
    [
        (
            1,
            [
                BadCell("nombre", "abc"),
                BadCell("nombre", "NaN"),
                BadCell("booleen", "maybe"),
                BadCell("date", "2024-13-45"),
                date(2024, 1, 31),
                moment("2024-01-31T08:30"),
                BadCell("texte", "99"),
                BadCell("texte", "-1"),
                BadCell("type", "siao"),
                True,
                BadCell("date", "2958466"),
                BadCell("date", "-3"),
            ],
        )
    ]
)
def i58_contenus_faux():
    return xlsx(
        cells(
            "><v>abc</v>",
            "><v>NaN</v>",
            't="b"><v>maybe</v>',
            't="d"><v>2024-13-45</v>',
            't="d"><v>2024-01-31</v>',
            't="d"><v>2024-01-31T08:30:00Z</v>',
            't="s"><v>99</v>',
            't="s"><v>-1</v>',
            't="siao"><v>1</v>',
            't="b"><v>1</v>',
            's="1"><v>2958466</v>',
            's="1"><v>-3</v>',
        )
    )


@read([(1, ["Oui", None, None, "Non"]), (2, [4])])
def i58_adresses_fausses():
    wrong = ("ZZZZ1", "A0", "B2", "a1", "A1", "", "AB", "-1")
    lost = "".join(f'<c r="{address}"><v>9</v></c>' for address in wrong)
    first, last = '<c r="A1" t="s"><v>0</v></c>', '<c r="D1" t="s"><v>1</v></c>'
    return xlsx(f'<row r="1">{first}{lost}{last}</row><row><c><v>4</v></c></row>')


@refused("ligne_en_desordre", "ligne 1 est")
def lignes_en_double():
    return xlsx(A1 + A1)


@refused("ligne_en_desordre", "ligne 2 est")
def lignes_en_desordre():
    return xlsx('<row r="3"/><row r="2"/>')


@refused("ligne_en_desordre", "ligne -5 est")
def ligne_negative():
    return xlsx('<row r="-5"/>')


@refused("ligne_en_desordre")
def ligne_impossible():
    return xlsx('<row r="1048577"/>')


@read([(1, [BadCell("erreur", "#REF!"), BadCell("erreur", "#N/A"), BadCell("erreur", "#VALEUR!")])])
def i60_erreurs():
    return xlsx(cells('t="e"><f>A0</f><v>#REF!</v>', 't="e"><v>#N/A</v>', 't="e"><v>#VALEUR!</v>'))


@read([(1, [BadCell("formule", "SUM(A1:A9)"), BadCell("formule", "1+1"), None, BadCell("formule", "B1"), 3])])
def i61_formules_sans_valeur():
    return xlsx(
        cells(
            "><f>SUM(A1:A9)</f>",
            "><f>1+1</f><v></v>",
            't="str"><f>T(1)</f><v></v>',
            't="str"><f>B1</f>',
            "><f>1+2</f><v>3</v>",
        )
    )


@read([(1, ["=cmd|'/c calc'!A1", "résultat", "=HYPERLINK"])])
def i62_formules_dangereuses():
    return xlsx(
        cells(
            "t=\"str\"><f>cmd|'/c calc'!A1</f><v>=cmd|'/c calc'!A1</v>",
            f't="str"><f>WEBSERVICE("http://{TRAP}/")</f><v>résultat</v>',
            f't="str"><f>HYPERLINK("http://{TRAP}/")</f><v>=HYPERLINK</v>',
        )
    )


@read([(1, [12345678, 123456789, 123456789.5, 12345678901234, -5, 2.5, 0, 1e22, 100])])
def i63_i66_i79_nombres():
    values = ("12345678", "1.23456789E8", "123456789.5", "12345678901234", "-5", "2.5", "-0", "1e22", " 100 ")
    return xlsx(cells(*(f"><v>{value}</v>" for value in values)))


@read(
    [
        (
            1,
            [
                BadCell("nombre", "1e999"),
                BadCell("nombre", "9" * 59 + "…"),
                BadCell("nombre", "-INF"),
                BadCell("nombre", "1_000"),
                BadCell("nombre", "٣"),
                BadCell("nombre", "0x1F"),
                BadCell("trop_long", "z" * 59 + "…"),
            ],
        )
    ]
)
def i79_nombres_absurdes():
    values = ("1e999", "9" * 5_000, "-INF", "1_000", "٣", "0x1F")
    too_long = f't="inlineStr"><is><t>{"z" * 40_000}</t></is>'
    return xlsx(cells(*(f"><v>{value}</v>" for value in values), too_long))


@read([(1, ["Rosa Parks", "東京", "Oui", "ab"])])
def i83_textes_riches():
    return xlsx(
        cells(
            't="s"><v>0</v>',
            't="s"><v>1</v>',
            't="s"><v> 2 </v>',
            't="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is>',
        ),
        replaced={
            STRINGS: strings(
                '<r><rPr><b/></rPr><t xml:space="preserve">Rosa </t></r><r><t>Parks</t></r>',
                '<t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/>',
                "<t>Oui</t>",
            )
        },
    )


@read([(1, ["=Un nom", "+ Ensemble", "-", "@toit"])])
def i85_texte_qui_ressemble_a_une_formule():
    return xlsx(texts("=Un nom", "+ Ensemble", "-", "@toit"))


@read([(1, ["AB", "a\nb", "_x0041_", "😀", "x", None, "a\tb", "1234", "<b>"])])
def caracteres_interdits():
    return xlsx(
        texts(
            "A_x0000_B_x0007_",
            "a_x000D_\nb",
            "_x005F_x0041_",
            "_xD83D__xDE00_",
            "_xD800_x\x7f\x85",
            "_x0000_",
            "a\tb",
            "12<!-- -->34",
            "<![CDATA[<b>]]>",
        )
    )


@read(
    [(1, [date(2024, 2, 29), moment("2024-02-29T18:00"), 45351, 1.25, date(1900, 2, 28), BadCell("date", "60"), 0.5])]
)
def dates_de_1900():
    return xlsx(
        cells(
            's="1"><v>45351</v>',
            's="2"><v>45351.75</v>',
            's="3"><v>45351</v>',
            's="4"><v>1.25</v>',
            's="1"><v>59</v>',
            's="1"><v>60</v>',
            's="2"><v>0.5</v>',
        )
    )


@read([(1, [date(2024, 2, 29), date(1904, 1, 1)])])
def dates_de_1904():
    parts = package(cells('s="1"><v>43889</v>', 's="1"><v>0</v>'))
    since_1904 = parts["xl/workbook.xml"].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    return zipped(parts | {"xl/workbook.xml": since_1904})


@read([(1, ["Nom", 1]), (2, ["Été"])])
def ecrit_autrement():
    """Prefixes, UTF-16, spaces everywhere, no address: all of this is allowed."""
    content = (
        f'<?xml version="1.0" encoding="UTF-16"?>\n<x:worksheet xmlns:x="{MAIN}">\n <x:sheetData>\n'
        "<x:row>\n <x:c t='inlineStr'>\n<x:is>\n<x:t>Nom</x:t>\n</x:is>\n</x:c>\n"
        "<x:c>\n<x:v>\n1\n</x:v>\n</x:c>\n</x:row>\n"
        "<x:row><x:c t='str'><x:v>Été</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    return xlsx(replaced={SHEET: content.encode("utf-16")})


# OpenDocument


ODS_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text", "style")
)


def ods(tables: str, styles: str = "", before: str = "", **parts: str | bytes) -> bytes:
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {ODS_NAMES} '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    mimetype = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": mimetype, "content.xml": content} | parts)


def table(rows: str, name: str = "Entités", attributes: str = "") -> str:
    return f'<table:table table:name="{name}" {attributes}>{rows}</table:table>'


def text(value: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'


ODS_END = (
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/>'
    "</table:table-row>"
)


@read(
    [
        (1, ["Nom", None, None, 12, 2.5, date(2024, 1, 31), moment("2024-01-31T08:30"), True]),
        (4, ["deux  espaces\nligne\tet", "x", "x", BadCell("erreur", "#REF!"), BadCell("formule", "of:=A1"), "=1"]),
        (5, ["répétée"]),
        (6, ["répétée"]),
    ]
)
def i99_ods():
    value = '<table:table-cell office:value-type="{}" office:{}="{}"><text:p>vu</text:p></table:table-cell>'
    rows = (
        "<table:table-header-rows><table:table-row>"
        + text("Nom")
        + '<table:table-cell table:number-columns-repeated="2"/>'
        + value.format("float", "value", "12")
        + value.format("currency", "value", "2.5")
        + value.format("date", "date-value", "2024-01-31")
        + value.format("date", "date-value", "2024-01-31T08:30:00")
        + value.format("boolean", "boolean-value", "true")
        + "</table:table-row></table:table-header-rows>"
        '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row><table:table-row>'
        + text(
            'deux<text:s text:c="2"/>espaces<office:annotation><text:p>note</text:p></office:annotation>'
            "</text:p>\n<text:p> <text:span>ligne</text:span><text:tab/>et\n "
        )
        + '<table:table-cell office:value-type="string" table:number-columns-repeated="2"><text:p>x</text:p>'
        "</table:table-cell>"
        '<table:table-cell table:formula="of:=A0" office:value-type="string" office:string-value="" '
        'calcext:value-type="error"><text:p>#REF!</text:p></table:table-cell><table:table-cell table:formula="of:=A1"/>'
        + text("=1")
        + '</table:table-row><table:table-row table:number-rows-repeated="2">'
        + text("répétée")
        + f"</table:table-row>{ODS_END}"
    )
    return ods(table(rows) + table("", "Dispositifs"))


@read([(1, [BadCell("erreur", "#REF!"), BadCell("erreur", "Err:522"), "#1"])])
def ods_par_openoffice():
    zero = '<table:table-cell table:formula="of:=A1" office:value-type="float" office:value="0"><text:p>{}</text:p>'
    shown = "".join(f"{zero.format(error)}</table:table-cell>" for error in ("#REF!", "Err:522"))
    word = text("#1").replace("office:value-type", 'table:formula="of:=A2" office:value-type')
    return ods(table(f"<table:table-row>{shown}{word}</table:table-row>"))


@refused("onglet_illisible")
def i100_lignes_repetees():
    return ods(table(f'<table:table-row table:number-rows-repeated="100000000">{text("a")}</table:table-row>'))


@refused("lignes", "plus de 5\u202f000 lignes")
def i100_lignes_et_colonnes_repetees():
    cell = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="16384"/>'
    return ods(table(f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>'))


@refused("onglet_illisible")
def i100_espaces():
    return ods(table(f'<table:table-row>{text("""<text:s text:c="2000000000"/>""")}</table:table-row>'))


@refused("onglet_illisible")
def i100_espaces_cumules():
    return ods(table("<table:table-row>" + text('<text:s text:c="30000"/>' * 100_000) + "</table:table-row>"))


@refused("dtd")
def i100_dtd():
    return ods(table(f"<table:table-row>{text('&l9;')}</table:table-row>"), before=LAUGHS)


@refused("mot_de_passe")
def i100_chiffre():
    names = 'xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
    manifest = (
        f'<m:manifest {names}><m:file-entry m:full-path="content.xml"><m:encryption-data/></m:file-entry></m:manifest>'
    )
    return ods("", **{"META-INF/manifest.xml": manifest, "content.xml": b"\x8a\x00" * 50})


@refused("onglet_illisible")
def ods_repetition_negative():
    return ods(table('<table:table-row table:number-rows-repeated="-1"><table:table-cell/></table:table-row>'))


@refused("structure")
def ods_tableaux_emboites():
    return ods(table(table("", "B")))


@refused("structure")
def ods_groupes_emboites():
    return ods(table("<table:table-row-group>" * 100 + "</table:table-row-group>" * 100))


@refused("structure")
def ods_textes_emboites():
    spans = "<text:span>" * 2_000 + "</text:span>" * 2_000
    return ods(table(f"<table:table-row>{text(spans)}{text('a')}</table:table-row>"))


@refused("trop_de_texte", "20 Mo")
def ods_texte_repete():
    cell = text("é" * 30_000).replace("office:v", 'table:number-columns-repeated="64" office:v', 1)
    return ods(table(f'<table:table-row table:number-rows-repeated="5000">{cell}</table:table-row>'))


@refused("macros")
def ods_macros():
    return ods("", **{"Basic/Standard/Module1.xml": "<a/>"})


@refused("autre_document")
def odt():
    return zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"})


@refused("endommage")
def ods_sans_contenu():
    return zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"})


@read([(1, ["a"])])
def ods_valeur_egaree():
    far = '<table:table-cell table:number-columns-repeated="5000"/>'
    return ods(table(f"<table:table-row>{text('a')}{far}{text('b')}</table:table-row>"))
