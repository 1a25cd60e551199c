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


Parts = dict[str, bytes]


def parts_of(data: bytes) -> Parts:
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


def remove_part(parts: Parts, chance: random.Random):
    if len(parts) > 2:
        del parts[chance.choice(list(parts))]


def swap_parts(parts: Parts, chance: random.Random):
    first, second = chance.sample(list(parts), 2)
    parts[first], parts[second] = parts[second], parts[first]


def flip_inside(parts: Parts, chance: random.Random):
    name = chance.choice([name for name, content in parts.items() if content])
    parts[name] = flip_bytes(parts[name], chance)


def change_text(parts: Parts, chance: random.Random):
    """Attributes, texts or kinds of cells."""
    pattern, values = chance.choice(
        [
            (r' [\w:]+="([^"]*)"', VALUES),
            (r">([^<>]*)<", VALUES),
            (r' (?:t|office:value-type)="([^"]*)"', KINDS),
        ]
    )
    name = chance.choice([name for name in parts if name.endswith((".xml", ".rels"))])
    text = parts[name].decode(errors="replace")
    spots = list(re.finditer(pattern, text))
    for spot in sorted(chance.sample(spots, min(3, len(spots))), key=re.Match.start, reverse=True):
        text = text[: spot.start(1)] + chance.choice(values) + text[spot.end(1) :]
    parts[name] = text.encode()


def mutated(data: bytes, chance: random.Random) -> bytes:
    parts = parts_of(data)
    for _ in range(chance.choice([0, 1, 1, 2])):
        chance.choice([remove_part, swap_parts, flip_inside, change_text, change_text, change_text])(parts, chance)
    data = hostiles.zipped(parts)
    return chance.choice([flip_bytes, cut])(data, chance) if chance.random() < 0.3 else data


def outcome(path) -> str:
    """The code of the refusal, or « lu »."""
    try:
        book = read_workbook(path, limits=Limits(cpu_seconds=10))
    except Refused as refusal:
        return refusal.code
    return "lu" if isinstance(book, Workbook) else repr(book)


@pytest.mark.parametrize("number", range(FILES))
def test_a_mutated_workbook_is_read_or_refused(number, tmp_path):
    chance = random.Random(f"{SEED} {number}")
    data = chance.choice([written_by_xlsxwriter, written_by_xlsxwriter, hostiles.i99_ods])()
    path = tmp_path / "classeur"
    path.write_bytes(mutated(data, chance))
    # Refused by name: neither the death of the child nor a surprise inside it is how these files should end.
    assert outcome(path) in SENTENCES.keys() - {"illisible", "trop_complexe", "trop_long"} | {"lu"}
