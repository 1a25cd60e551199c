# ruff: noqa: T201
"""``python -m tests.socle.compare_workbook_readers [--calamine PYTHON]``: our reader beside openpyxl and calamine.

The same job for all: 10 000 rows (500 × 6, 4 500 × 37, 5 000 × 11 cells) read by a fresh process and handed to this one
as lines of JSON; seconds from the start of the process to the last cell (median of 5, the readers taking turns), and
the most memory that the process took. Then what each makes of a few cells that matter.

calamine is no dependency of this project: ``--calamine`` names the Python of a virtual environment that holds
``python-calamine``.
"""

import argparse
import datetime
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import openpyxl
import xlsxwriter

from . import classeurs_hostiles as hostiles

SHEETS = {"Entités": (500, 6), "Dispositifs": (4_500, 37), "Financement": (5_000, 11)}

OPENPYXL = """
import json, sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1], read_only=True, data_only=True, keep_links=False)
for sheet in book.worksheets:
    sheet.reset_dimensions()
    for row in sheet.iter_rows(values_only=True):
        print(json.dumps(row, default=str, ensure_ascii=False))
"""
CALAMINE = """
import json, sys, python_calamine
book = python_calamine.CalamineWorkbook.from_path(sys.argv[1])
for name in book.sheet_names:
    for row in book.get_sheet_by_name(name).iter_rows():
        print(json.dumps(row, default=str, ensure_ascii=False))
"""

FACTS = {
    "formula without a value": ("><f>SUM(B1:B9)</f>", "><f>1+1</f><v></v>"),
    "error": ('t="e"><v>#REF!</v>',),
    "« _x0000_ »": ('t="inlineStr"><is><t>A_x0000_B</t></is>',),
    "SIREN as text": ('t="inlineStr"><is><t>012345678</t></is>',),
    "SIREN as number": ("><v>1.23456789E8</v>",),
    "date, format dd/mm/yyyy;@": ('s="1"><v>45351</v>',),
    "29 February 1900": ('s="1"><v>60</v>',),
    "number that is none": ("><v>abc</v>",),
    "1e999": ("><v>1e999</v>",),
    "text number out of range": ('t="s"><v>99</v>',),
    "phonetic runs": ('t="inlineStr"><is><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></is>',),
}


def value(row: int, column: int):
    kinds = (
        f"Association Résidence n°{row} de la colonne {column}",
        f"{(row * 7919 + column) % 10**9:09d}",
        row * column % 97,
        datetime.date(2020, 1, 1) + datetime.timedelta(days=row * column % 1500),
        ("Pérenne", "Temporaire", "Hivernal", "Oui", "Non")[(row + column) % 5],
        "12 rue de l'Église & des Lilas",
    )
    return kinds[column % 6]


def write_with_shared_texts(path: Path):
    book = xlsxwriter.Workbook(path)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, (rows, columns) in SHEETS.items():
        sheet = book.add_worksheet(name)
        for row in range(rows):
            for column in range(columns):
                content = value(row, column)
                sheet.write(row, column, content, day if isinstance(content, datetime.date) else None)
    book.close()


def write_with_texts_in_place(path: Path):
    book = openpyxl.Workbook(write_only=True)
    for name, (rows, columns) in SHEETS.items():
        sheet = book.create_sheet(name)
        for row in range(rows):
            sheet.append([value(row, column) for column in range(columns)])
    book.save(path)


# Each reader is a function of the path that gives all rows, run in a process that holds nothing else: the memory told
# is that of its child, which counts from the memory of the process that started it.
OURS = """
from siao.socle.workbook.sandbox import read_workbook
def read(path):
    return [row for sheet in read_workbook(path).sheets for _, row in sheet.rows]
"""
PEER = """
import json, subprocess
def read(path):
    child = subprocess.Popen([{python!r}, "-c", {program!r}, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    rows = [json.loads(line) for line in child.stdout]
    if child.wait():
        raise RuntimeError("the reader died")
    return rows
"""
MEASURE = """
import resource, sys, time
start = time.perf_counter()
count = len(read(sys.argv[1]))
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, count)
"""


def run(program: str, path: Path) -> str:
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def measured(reader: str, path: Path) -> tuple[float, float]:
    """Seconds, and most memory of the process that reads, in MB."""
    seconds, memory, count = run(reader + MEASURE, path).split()
    if count != "10000":
        raise RuntimeError(f"{count} rows read")
    return float(seconds), float(memory)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calamine", help="a Python that has python-calamine")
    options = parser.parse_args()
    readers = {"ours": OURS, "openpyxl read-only": PEER.format(python=sys.executable, program=OPENPYXL)}
    if options.calamine:
        readers["calamine"] = PEER.format(python=options.calamine, program=CALAMINE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "classeur.xlsx"
        for write in (write_with_shared_texts, write_with_texts_in_place):
            write(path)
            figures = {name: [] for name in readers}
            for _ in range(5):
                for name, read in readers.items():
                    figures[name].append(measured(read, path))
            print(f"\n{write.__name__.replace('_', ' ')}, {path.stat().st_size / 1e6:.1f} MB")
            for name, taken in figures.items():
                seconds = statistics.median(seconds for seconds, _ in taken)
                print(f"  {name:20} {seconds:6.2f} s  {max(memory for _, memory in taken):6.0f} MB")
        print("\nwhat each reads")
        for fact, cells in FACTS.items():
            path.write_bytes(
                hostiles.xlsx(hostiles.cells(*cells), replaced={"xl/worksheets/sheet2.xml": hostiles.sheet()})
            )
            for name, read in readers.items():
                print(f"  {fact:28} {name:20} {run(read + 'import sys; print(*read(sys.argv[1])[:1])', path)}")


if __name__ == "__main__":
    main()
