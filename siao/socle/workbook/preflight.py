"""What a file is, said by its content alone, and the reasons to refuse it before reading any cell.

The name of the file and the type that a browser announces are never looked at: they lie.
"""

from .archive import Archive
from .markup import found
from .refusals import Refused

REFERENCE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT = "http://purl.oclc.org/ooxml/"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
_RELATIONS, _RELATION = (f"{{{_PACKAGE}relationships}}Relationship{plural}" for plural in ("s", ""))
_TYPES, _DEFAULT, _OVERRIDE = (f"{{{_PACKAGE}content-types}}{name}" for name in ("Types", "Default", "Override"))
_MANIFEST = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"
_OPENDOCUMENT = b"application/vnd.oasis.opendocument."

LINKS_IGNORED = "Les liens externes du classeur sont ignorés : les dernières valeurs enregistrées sont lues."

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_EXCEL = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")
_BLANK = b" \t\r\n"

# A word found in the name of a part, in its announced type or in the type of a relationship: the reason to refuse.
_FORBIDDEN = (
    (("vbaproject", "macrosheet", "macroenabled"), "macros"),
    (("/embeddings/", "/activex/", "customui/", "oleobject", "activex+", "ui/extensibility"), "objet"),
)


def check_file(data: bytes, limits):
    """Refuse what is not a zip archive, saying what it is."""
    if not data:
        raise Refused("vide")
    if len(data) > limits.file_bytes:
        raise Refused("trop_gros", limit=limits.file_bytes // 1_000_000)
    if data.startswith(b"PK\x03\x04"):
        return
    if data.startswith(_COMPOUND):
        raise Refused(_compound_kind(data))
    if data.startswith(_OLD_EXCEL):
        raise Refused("ancien_format")
    raise Refused("csv" if _is_table_of_text(data[:4096]) else "pas_un_classeur")


def family(archive: Archive) -> str:
    """ "xlsx" or "ods"; anything else is refused."""
    if "mimetype" in archive:
        kind = b"".join(archive.read("mimetype")).strip(_BLANK)
        if kind.startswith(_OPENDOCUMENT + b"spreadsheet"):
            return "ods"
        raise Refused("autre_document" if kind.startswith(_OPENDOCUMENT) else "pas_un_classeur")
    if "[Content_Types].xml" in archive or "xl/workbook.xml" in archive:
        return "xlsx"
    raise Refused("pas_un_classeur")


def check_ods(archive: Archive):
    """Refuse an .ods file that is encrypted or carries macros."""
    if "META-INF/manifest.xml" in archive:
        containers = {_MANIFEST + "manifest", _MANIFEST + "file-entry"}
        encrypted = {_MANIFEST + "encryption-data", _MANIFEST + "encrypted-key"}
        if next(found(archive.read("META-INF/manifest.xml"), containers, encrypted), None) is not None:
            raise Refused("mot_de_passe")
    if any(name.startswith(("basic/", "scripts/")) for name in archive):
        raise Refused("macros")


def check_xlsx(archive: Archive) -> tuple[str, list[str]]:
    """The name of the workbook part and the warnings, or refused: macros, objects, other documents, Strict format."""
    if "xl/workbook.bin" in archive:
        raise Refused("xlsb")
    defaults, overrides = _content_types(archive)
    relations = inside(archive, "")
    kinds = [kind for kind, _ in relations.values()]
    for words in (archive, defaults.values(), overrides.values(), kinds):
        for word in words:
            _check_word(f"/{word}")
    main = next((target for kind, target in relations.values() if kind.endswith("/officeDocument")), "")
    if main not in archive:
        raise Refused("endommage")
    kind = overrides.get(main) or defaults.get(main.rpartition(".")[2], "")
    if "spreadsheetml" not in kind:
        raise Refused("autre_document" if kind.endswith(".main+xml") else "endommage")
    if any(kind.startswith(_STRICT) for kind in kinds):
        raise Refused("strict")
    linked = any(name.startswith("xl/externallinks/") for name in archive)
    return main, [LINKS_IGNORED] if linked else []


def relationships(archive: Archive, part: str) -> dict[str, tuple[str, str, bool]]:
    """Relationships of ``part`` ("" for the package): id → (type, name of the target, external)."""
    folder, _, name = part.rpartition("/")
    source = f"{folder}/_rels/{name}.rels".lstrip("/")
    if source not in archive:
        return {}
    relations = {}
    for element in found(archive.read(source), {_RELATIONS}, {_RELATION}):
        external = element.get("TargetMode", "").lower() == "external"
        target = _resolved(folder, element.get("Target", ""))
        relations[element.get("Id", "")] = (element.get("Type", ""), target, external)
    return relations


def inside(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Relationships of ``part`` that all stay in the file: id → (type, name of the target); else refused."""
    relations = relationships(archive, part)
    if any(external or target is None for _, target, external in relations.values()):
        raise Refused("lien_externe")
    return {name: (kind, target) for name, (kind, target, _) in relations.items()}


def _resolved(folder: str, target: str) -> str | None:
    """The part that ``target`` names from ``folder``, in lower case; None when it points out of the file."""
    if ":" in target or "\\" in target or target.startswith("//"):
        return None
    steps = [] if target.startswith("/") else [step for step in folder.split("/") if step]
    for step in target.split("/"):
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps).lower()


def _content_types(archive: Archive) -> tuple[dict[str, str], dict[str, str]]:
    """Announced types: by extension, and by part; in lower case."""
    defaults, overrides = {}, {}
    for element in found(archive.read("[Content_Types].xml"), {_TYPES}, {_DEFAULT, _OVERRIDE}):
        kind = element.get("ContentType", "").lower()
        if element.tag == _DEFAULT:
            defaults[element.get("Extension", "").lower()] = kind
        else:
            overrides[element.get("PartName", "").lstrip("/").lower()] = kind
    return defaults, overrides


def _check_word(text: str):
    text = text.lower()
    if "sheet.binary.macroenabled" in text:
        raise Refused("xlsb")
    for words, code in _FORBIDDEN:
        if any(word in text for word in words):
            raise Refused(code)


def _compound_kind(data: bytes) -> str:
    """What the container of the old Office formats holds, from the names of its streams."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "mot_de_passe"
    if any(f"{name}\0".encode("utf-16-le") in data for name in ("Workbook", "Book")):
        return "ancien_format"
    return "pas_un_classeur"


def _is_table_of_text(start: bytes) -> bool:
    """Whether a file that begins so looks like lines of values, and not like a page or anything else."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)
    lines = start.splitlines()
    looks_like_text = not any(byte < 32 and byte not in _BLANK for byte in start)
    return (
        bool(lines)
        and looks_like_text
        and not start.startswith((b"<", b"%PDF", b"{"))
        and any(separator in lines[0] for separator in (b";", b",", b"\t"))
    )
