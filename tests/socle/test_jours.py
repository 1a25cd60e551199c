"""Days as people type them, and the rule for a year that is not whole."""

import datetime

import pytest

from siao.socle.jours import Incomplete, Sens, read_day

LE_28 = datetime.date(2026, 11, 28)


def read(typed, sens=Sens.PASSE, aujourdhui=LE_28):
    return f"{read_day(typed, sens=sens, aujourdhui=aujourdhui):%d/%m/%Y}"


@pytest.mark.parametrize("sens", Sens)
@pytest.mark.parametrize(
    "typed",
    [
        "27/11/2026",
        " 27/11/2026 ",
        "27-11-2026",
        "27.11.2026",
        "27 11 2026",
        "27 /11 / 2026",
        "27\u00a0/\u202f11/2026",
        "27\u201111\u20112026",
        "\u200e27/11/2026\u200e",
        "27112026",
        "2026-11-27",
        "2026/11/27",
        "20261127",
    ],
)
def test_a_whole_date_is_read_however_it_is_written(typed, sens):
    assert read(typed, sens) == "27/11/2026"


@pytest.mark.parametrize(
    ("typed", "sens", "found"),
    [
        ("27/11/26", Sens.PASSE, "27/11/2026"),
        ("271126", Sens.PASSE, "27/11/2026"),
        ("27-11-26", Sens.LIBRE, "27/11/2026"),
        ("27/12/26", Sens.PASSE, "27/12/2026"),  # to come: refused as such, never read as 1926
        ("1/3/98", Sens.PASSE, "01/03/1998"),
        ("01/01/74", Sens.LIBRE, "01/01/1974"),
        ("31/12/50", Sens.LIBRE, "31/12/2050"),
        ("31/12/50", Sens.AVENIR, "31/12/2050"),
        ("12/05/86", Sens.NAISSANCE, "12/05/1986"),
        ("12/05/27", Sens.NAISSANCE, "12/05/1927"),
        ("12/05/10", Sens.NAISSANCE, "12/05/2010"),
        ("28/11/26", Sens.AVENIR, "28/11/2026"),
    ],
)
def test_two_digits_are_the_year_that_the_field_can_hold(typed, sens, found):
    assert read(typed, sens) == found


@pytest.mark.parametrize(
    ("typed", "sens", "found"),
    [
        ("27/11", Sens.PASSE, "27/11/2026"),
        ("28/11", Sens.PASSE, "28/11/2026"),
        ("29/11", Sens.PASSE, "29/11/2025"),
        ("1/3/", Sens.PASSE, "01/03/2026"),
        ("27/11", Sens.AVENIR, "27/11/2027"),
        ("28/11", Sens.AVENIR, "28/11/2026"),
        ("27/11", Sens.LIBRE, "27/11/2026"),
        ("05/01", Sens.LIBRE, "05/01/2027"),
    ],
)
def test_no_year_is_the_one_that_the_field_can_hold(typed, sens, found):
    assert read(typed, sens) == found


@pytest.mark.parametrize(
    ("typed", "sens", "asked"),
    [
        ("12/05/20", Sens.NAISSANCE, "12/05/1920 ou 12/05/2020 ?"),
        ("28/11/26", Sens.NAISSANCE, "28/11/1926 ou 28/11/2026 ?"),
        ("27/11", Sens.NAISSANCE, "sur quatre chiffres, comme 27/11/2026."),
        ("15/05", Sens.LIBRE, "15/05/2026 ou 15/05/2027 ?"),
        ("29/02", Sens.PASSE, "sur quatre chiffres"),
        ("01/01/60", Sens.LIBRE, "sur quatre chiffres"),
        ("01/01/40", Sens.PASSE, "sur quatre chiffres"),
    ],
)
def test_a_year_that_could_be_two_is_asked(typed, sens, asked):
    with pytest.raises(Incomplete, match="Écrivez l'année en entier") as refused:
        read(typed, sens)
    assert asked in str(refused.value)


@pytest.mark.parametrize(
    "typed",
    [
        "29/02/2023",
        "31/04",
        "31/04/26",
        "32/01/2026",
        "00/11/2026",
        "27/13/2026",
        "27/11/026",
        "2026",
        "1986",
        "2012",  # a year, not 20 December
        "2711",
        "11/2026",
        "hier",
        "27/11/2026 10:00",
        "2025-11-21T10:00",
        "٢١/١١/٢٠٢٥",
        "27//11//2026",
        "9" * 5_000,
        "20261327",
        "27/11/2026-27/11/2027",
    ],
)
def test_what_is_no_day(typed):
    with pytest.raises(ValueError, match=r"^(?!Écrivez)"):  # not a year to ask
        read(typed)


def test_the_rule_on_29_february():
    assert read("29/02", Sens.PASSE, datetime.date(2028, 2, 29)) == "29/02/2028"
    assert read("28/02/28", Sens.PASSE, datetime.date(2028, 2, 29)) == "28/02/2028"
