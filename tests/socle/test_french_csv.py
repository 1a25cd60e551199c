import csv
import io

import pytest

from siao.socle.french_csv import encoded, harmless


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("+687 25.12.34", "00687 25.12.34"),
        ("+44 20 7946 0958", "0044 20 7946 0958"),
        ("0262 20 00 00", "0262 20 00 00"),
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("+687 25 12 34+A1", "'+687 25 12 34+A1"),
        ("-1", "'-1"),
        (-1, -1),
    ],
)
def test_no_cell_computes_and_a_telephone_comes_back_as_it_is(value, cell):
    assert harmless(value) == cell
    content = b"".join(encoded([[value]])).decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(content), delimiter=";")) == [str(cell)]
