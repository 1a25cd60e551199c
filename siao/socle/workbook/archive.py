"""The zip archive of a workbook, read from its central directory, which must tell the whole truth.

Everything is checked before the first byte is inflated: number of parts, sizes, names, compression, encryption, and
that each local header says the same as the directory, without overlap. A part never inflates past its declared size.
"""

import zlib
from collections.abc import Iterator
from struct import error, unpack_from

from .refusals import Refused

_CENTRAL, _LOCAL, _END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
_STORED, _DEFLATED = 0, 8
_PIECE = 1 << 16
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_DESCRIPTOR, _UTF8 = 0x0008, 0x0800
_FULL = 0xFFFFFFFF
_DOCTYPES = [text.encode(encoding) for text in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le")]


class Archive:
    """The parts of ``data`` (the bytes of the file) by name, in lower case: names differ by more than case."""

    def __init__(self, data: bytes, limits):
        self._data = memoryview(data)
        self._parts: dict[str, tuple] = {}
        self._verified: set[str] = set()
        try:
            self._read_directory(data, limits)
        except error:  # a header that ends after the file
            raise Refused("endommage") from None

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def read(self, name: str) -> Iterator[bytes]:
        """The part in pieces of at most 64 KB. Its length and checksum are verified at the end."""
        name = name.lower()
        if name not in self._parts:
            raise Refused("endommage")
        method, expected, size, start, stop = self._parts[name]
        checksum = length = 0
        for piece in self._pieces(method, start, stop):
            checksum, length = zlib.crc32(piece, checksum), length + len(piece)
            if length > size:
                break
            yield piece
        if length != size or checksum != expected:
            raise Refused("endommage")
        self._verified.add(name)

    def verify_the_rest(self):
        """Verify the parts that nobody read to their end; a DTD is refused in them too."""
        for name in self._parts.keys() - self._verified:
            tail = b""
            for piece in self.read(name):
                if name.endswith((".xml", ".rels", ".vml")) and any(mark in tail + piece for mark in _DOCTYPES):
                    raise Refused("dtd")
                tail = piece[-20:]

    def _pieces(self, method: int, start: int, stop: int) -> Iterator[bytes]:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        for position in range(start, stop, _PIECE):
            piece = self._data[position : min(position + _PIECE, stop)]
            if method == _STORED:
                yield bytes(piece)
                continue
            while True:
                try:
                    inflated = inflate.decompress(piece, _PIECE)
                except zlib.error:
                    raise Refused("endommage") from None
                piece = inflate.unconsumed_tail
                if not inflated:
                    break
                yield inflated
        if method == _DEFLATED and start < stop and (not inflate.eof or inflate.unused_data):
            raise Refused("endommage")

    def _read_directory(self, data: bytes, limits):
        end = data.rfind(_END, max(0, len(data) - 22 - 0xFFFF))
        if end < 0:
            raise Refused("endommage")
        _, disk, first_disk, here, count, size, position, comment = unpack_from("<4s4H2LH", data, end)
        if count > limits.entries:
            raise Refused("trop_d_elements", limit=limits.entries)
        if not count or disk or first_disk or here != count or end + 22 + comment != len(data) or position + size > end:
            raise Refused("endommage")
        stop, total, extents = position + size, 0, []
        for _ in range(count):
            position, name, part, header = self._read_entry(data, position, stop)
            if name in self._parts:
                raise Refused("doublon")
            self._parts[name] = part
            total += part[2]
            extents.append((header, part[4]))
        if position != stop:
            raise Refused("endommage")
        if total > limits.unzipped_bytes:
            raise Refused("trop_volumineux", limit=limits.unzipped_bytes // 1_000_000)
        self.ratio = total / len(data)
        extents.sort()
        borders = [header for header, _ in extents[1:]] + [stop - size]
        if any(last > border for (_, last), border in zip(extents, borders, strict=True)):
            raise Refused("endommage")

    def _read_entry(self, data: bytes, position: int, stop: int) -> tuple[int, str, tuple, int]:
        """One entry of the directory: (position of the next one, name, part, position of its local header)."""
        fields = unpack_from("<4s4H4x3L5H2L", data, position)
        signature, _, _, flags, method, checksum, packed, size, name_size, extra_size, comment_size = fields[:11]
        header = fields[14]
        first, after = position + 46, position + 46 + name_size + extra_size + comment_size
        if signature != _CENTRAL or after > stop:
            raise Refused("endommage")
        if _FULL in (size, packed, header):
            extra = data[first + name_size : first + name_size + extra_size]
            size, packed, header = _zip64(extra, size, packed, header)
        raw = data[first : first + name_size]
        if flags & _ENCRYPTED:
            raise Refused("mot_de_passe")
        if method not in (_STORED, _DEFLATED):
            raise Refused("compression")
        start = _check_local(data, header, raw, (flags, method, checksum, packed, size))
        if method == _STORED and packed != size:
            raise Refused("endommage")
        name = _checked_name(raw, flags)
        return after, name, (method, checksum, size, start, start + packed), header


def _check_local(data: bytes, header: int, name: bytes, central: tuple) -> int:
    """Where the content begins, once the local header is found to agree with the directory."""
    signature, _, flags, method, checksum, packed, size, name_size, extra_size = unpack_from(
        "<4s3H4x3L2H", data, header
    )
    if flags & _ENCRYPTED:
        raise Refused("mot_de_passe")
    unsaid = (_FULL, 0) if flags & _DESCRIPTOR else (_FULL,)
    agrees = (
        signature == _LOCAL
        and method == central[1]
        and data[header + 30 : header + 30 + name_size] == name
        and all(
            mine == theirs or mine in unsaid for mine, theirs in zip((checksum, packed, size), central[2:], strict=True)
        )
    )
    if not agrees:
        raise Refused("endommage")
    return header + 30 + name_size + extra_size


def _zip64(extra: bytes, *values: int) -> list[int]:
    """The values, where the ones that did not fit in 32 bits are replaced by those of the extra field."""
    position = 0
    while position + 4 <= len(extra):
        kind, size = unpack_from("<2H", extra, position)
        position += 4
        if kind == 1:
            missing = values.count(_FULL)
            if size < 8 * missing:
                break
            found = iter(unpack_from(f"<{missing}Q", extra, position))
            return [next(found) if value == _FULL else value for value in values]
        position += size
    raise Refused("endommage")


def _checked_name(raw: bytes, flags: int) -> str:
    name = raw.decode("utf-8" if flags & _UTF8 else "latin-1", "replace").lower()
    steps = name.removesuffix("/").split("/")
    if any(step in ("", ".", "..") for step in steps) or any(c in "\\:" or c < " " for c in name):
        raise Refused("chemin")
    return name
