"""Mutated workbooks: each is read or refused, nothing else. ``make fuzz`` tries 300 of them."""

import io
import os
import random
import re
import zipfile

import pytest

from siao.socle.workbook.cells import Workbook
from siao.socle.workbook.limits import Limits
from siao.socle.workbook.refusals import SENTENCES, Refused
from siao.socle.workbook.sandbox import read_workbook

from . import classeurs_hostiles as hostiles
from .test_workbook import written_by_xlsxwriter

FILES = int(os.environ.get("FUZZ_FILES", "30"))
SEED = int(os.environ.get("FUZZ_SEED", "2026"))

VALUES = [
    "",
    "0",
    "-1",
    "1e999",
    "NaN",
    "9" * 400,
    "XFD1048576",
    "A0",
    "../../x",
    "#REF!",
    "_x0000_",
    "é" * 40_000,
    "true",
]
KINDS = ["s", "n", "b", "e", "d", "str", "inlineStr", "zzz"]


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def flip_bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 3, 30])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    first, last = sorted(chance.sample(range(len(data)), 2))
    return data[:first] + data[last:]


def remove_part(data: bytes, chance: random.Random) -> bytes:
    parts = parts_of(data)
    del parts[chance.choice(list(parts))]
    return hostiles.zipped(parts)


def swap_parts(data: bytes, chance: random.Random) -> bytes:
    parts = parts_of(data)
    first, second = chance.sample(list(parts), 2)
    parts[first], parts[second] = parts[second], parts[first]
    return hostiles.zipped(parts)


def _change_text(data: bytes, chance: random.Random, pattern: str, new: list[str]) -> bytes:
    parts = parts_of(data)
    name = chance.choice([name for name in parts if name.endswith((".xml", ".rels"))])
    text = parts[name].decode()
    for found in reversed(chance.sample(spots := list(re.finditer(pattern, text)), min(3, len(spots)))):
        text = text[: found.start(1)] + chance.choice(new) + text[found.end(1) :]
    return hostiles.zipped(parts | {name: text.encode()})


def change_attributes(data: bytes, chance: random.Random) -> bytes:
    return _change_text(data, chance, r' [\w:]+="([^"]*)"', VALUES)


def change_texts(data: bytes, chance: random.Random) -> bytes:
    return _change_text(data, chance, r">([^<>]*)<", VALUES)


def change_kinds(data: bytes, chance: random.Random) -> bytes:
    return _change_text(data, chance, r' (?:t|office:value-type)="([^"]*)"', KINDS)


def flip_inside(data: bytes, chance: random.Random) -> bytes:
    """Bytes of a part, in an archive that is right about it."""
    parts = parts_of(data)
    name = chance.choice([name for name, content in parts.items() if content])
    return hostiles.zipped(parts | {name: flip_bytes(parts[name], chance)})


MUTATIONS = [flip_bytes, cut, remove_part, swap_parts, change_attributes, change_texts, change_kinds, flip_inside]


def outcome(path) -> str:
    """The code of the refusal, or « lu »."""
    try:
        book = read_workbook(path, limits=Limits(wall_seconds=10))
    except Refused as refusal:
        return refusal.code
    return "lu" if isinstance(book, Workbook) else repr(book)


@pytest.mark.parametrize("number", range(FILES))
def test_a_mutated_workbook_is_read_or_refused(number, tmp_path):
    chance = random.Random(f"{SEED} {number}")
    data = chance.choice([written_by_xlsxwriter, written_by_xlsxwriter, hostiles.i99_ods])()
    for _ in range(chance.choice([1, 1, 2])):
        data = chance.choice(MUTATIONS)(data, chance)
        if not zipfile.is_zipfile(io.BytesIO(data)):
            break
    path = tmp_path / "classeur"
    path.write_bytes(data)
    # Refused by name: neither the death of the child nor a surprise inside it is how these files should end.
    assert outcome(path) in SENTENCES.keys() - {"illisible", "trop_complexe", "trop_long"} | {"lu"}
