"""Reading XML that nobody should trust, as it streams by.

No DTD, hence no entity; UTF-8 or UTF-16; nothing deep. The tree is built in C and taken down as it grows: elements are
handed over once complete, then forgotten, so that memory holds one piece of the file and what is asked for.

Expat reads a tag again from its start each time a piece of the file ends inside it: a tag or a text that does not end
within ``_LONGEST`` bytes is refused, which keeps reading linear. (From 2.6 on it may wait for more instead; it is asked
not to, for a DTD to be seen before the tree is built, and a file to end the same way with any version.)
"""

from collections.abc import Callable, Container, Iterable, Iterator
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.parsers.expat import ExpatError, ParserCreate

from .refusals import Refused

OPENED, FOUND, CLOSED = "opened", "found", "closed"
DEPTH = 64
_LONGEST = 1_000_000


def damaged_file() -> Refused:
    return Refused("endommage")


def events(
    pieces: Iterable[bytes],
    containers: Container[str],
    wanted: Container[str],
    damaged: Callable[[], Refused] = damaged_file,
) -> Iterator[tuple[str, Element]]:
    """What happens in a document, in order, with "{uri}local" names; the root must be one of the ``containers``.

    ``OPENED`` and ``CLOSED`` around what a container holds (its attributes are there, its children come next);
    ``FOUND`` for a ``wanted`` element, complete, found in a container. Other elements are passed over with all they
    hold. Whatever is not well-formed raises ``damaged()``.
    """
    builder = TreeBuilder()
    root = builder.start("", {})
    parser, prolog = XMLParser(target=builder), _Prolog()  # noqa: S314 (this module is what makes it safe)
    flush = getattr(parser, "flush", lambda: None)
    stream = _Stream(containers, wanted)
    same, size = 0, 0
    try:
        for piece in pieces:
            prolog.check(piece)
            parser.feed(piece)
            flush()
            same = same + len(piece) if _size(root) == size else 0
            if same > _LONGEST:
                raise Refused("structure")
            if len(root) and root[0].tag not in containers:
                raise damaged()
            yield from stream.settled(root, False, 0)
            size = _size(root)
        builder.end("")
        parser.close()
    except (ParseError, ExpatError):
        raise damaged() from None
    yield from stream.settled(root, True, 0)


def found(pieces: Iterable[bytes], containers: Container[str], wanted: Container[str]) -> Iterator[Element]:
    """The ``wanted`` elements of a document."""
    return (element for event, element in events(pieces, containers, wanted) if event is FOUND)


class _Stream:
    """Hands over what is complete in a growing tree, and takes it down."""

    def __init__(self, containers: Container[str], wanted: Container[str]):
        self.containers, self.wanted = containers, wanted
        self.open: list[Element] = []

    def settled(self, parent: Element, complete: bool, level: int) -> Iterator[tuple[str, Element]]:
        """Events of the children of ``parent``, the last of which is still growing unless ``complete``."""
        if level > DEPTH:
            raise Refused("structure")
        children = parent[:]
        growing = None if complete or not children else children.pop()
        for child in children:
            if child.tag in self.wanted:
                yield FOUND, child
            elif child.tag in self.containers:
                yield from self._opened(child, level)
                yield from self.settled(child, True, level + 1)
                del self.open[level:]
                yield CLOSED, child
        del parent[: len(children)]
        if growing is None or growing.tag in self.wanted:
            return
        if growing.tag in self.containers:
            yield from self._opened(growing, level)
            yield from self.settled(growing, False, level + 1)
        else:
            while len(growing):
                del growing[:-1]
                growing = growing[0]

    def _opened(self, container: Element, level: int) -> Iterator[tuple[str, Element]]:
        if len(self.open) <= level or self.open[level] is not container:
            self.open[level:] = [container]
            yield OPENED, container


class _Prolog:
    """What comes before the root element: the only place for a DTD and for the name of an encoding."""

    def __init__(self):
        self.parser = ParserCreate()
        if hasattr(self.parser, "SetReparseDeferralEnabled"):
            self.parser.SetReparseDeferralEnabled(False)
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.XmlDeclHandler = self._check_encoding
        self.parser.StartElementHandler = self._end

    def check(self, piece: bytes):
        if self.parser is not None:
            self.parser.Parse(piece)

    def _refuse_doctype(self, *declaration):
        raise Refused("dtd")

    def _check_encoding(self, version, encoding, standalone):
        if encoding is not None and encoding.lower() not in {"utf-8", "utf8", "utf-16", "us-ascii"}:
            raise Refused("encodage")

    def _end(self, name, attributes):
        self.parser = None


def _size(element: Element) -> int:
    """Number of elements beside the ones that are growing, and these; too deep is refused."""
    size = depth = 0
    while len(element):
        size += len(element)
        element = element[-1]
        depth += 1
        if depth > DEPTH:
            raise Refused("structure")
    return size
