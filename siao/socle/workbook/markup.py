"""Reading XML that nobody should trust, on expat: no DTD, hence no entity; UTF-8 or UTF-16; nothing deep, nothing huge.

Expat of before 2.6 reads a token again from its start each time a piece of the file ends inside it; a token that does
not end within ``_TOKEN`` bytes is refused, which keeps reading linear.
"""

from collections.abc import Callable, Iterable
from pyexpat import ExpatError, ParserCreate

from .refusals import Refused

DEPTH = 64
_TOKEN = 2_000_000


def parser(namespaces: bool = True):
    """A parser without handlers of elements or text; with ``namespaces`` names read "uri local"."""
    made = ParserCreate(namespace_separator=" ") if namespaces else ParserCreate()
    made.buffer_text = True
    made.specified_attributes = True
    made.StartDoctypeDeclHandler = _refuse_doctype
    made.XmlDeclHandler = _check_encoding
    return made


def feed(made, pieces: Iterable[bytes], damaged: Callable[[], Refused]):
    """Parse ``pieces`` to their end. Whatever is not well-formed XML raises ``damaged()``."""
    fed = 0
    try:
        for piece in pieces:
            made.Parse(piece)
            fed += len(piece)
            if fed - made.CurrentByteIndex > _TOKEN:
                raise Refused("structure")
        made.Parse(b"", True)
    except (ExpatError, ValueError, LookupError):
        # ValueError and LookupError: encodings that expat or Python do not know.
        raise damaged() from None


def elements(pieces: Iterable[bytes], names: Iterable[str], most: int = 10_000) -> list[tuple[str, dict]]:
    """``(name, attributes)`` of the elements of these names, in order. More than ``most`` is refused."""
    found, wanted, depth = [], frozenset(names), 0

    def start(name, attributes):
        nonlocal depth
        depth += 1
        if depth > DEPTH or (name in wanted and len(found) >= most):
            raise Refused("structure")
        if name in wanted:
            found.append((name, attributes))

    def end(name):
        nonlocal depth
        depth -= 1

    made = parser()
    made.StartElementHandler, made.EndElementHandler = start, end
    feed(made, pieces, lambda: Refused("endommage"))
    return found


def _refuse_doctype(*declaration):
    raise Refused("dtd")


def _check_encoding(version, encoding, standalone):
    if encoding is not None and encoding.lower() not in {"utf-8", "utf8", "utf-16", "us-ascii"}:
        raise Refused("encodage")
