"""Telephones: the digits alone say the territory, what is shown is read again as the same number."""

import pytest

from siao.socle.columns import phones

KEPT = [
    ("FR", "02 40 12 34 56", "+33240123456"),
    ("RE", "0240123456", "+33240123456"),
    ("RE", "0612345678", "+33612345678"),
    ("FR", "0262 20 00 00", "+262262200000"),
    ("GP", "0262200000", "+262262200000"),
    ("FR", "+33 262 20 00 00", "+262262200000"),
    ("FR", "+262 0692 12 34 56", "+262692123456"),
    ("FR", "0639 12 34 56", "+262639123456"),
    ("FR", "0269 61 00 00", "+262269610000"),
    ("FR", "0590 82 56 00", "+590590825600"),
    ("FR", "0594 12 34 56", "+594594123456"),
    ("FR", "0596 12 34 56", "+596596123456"),
    ("FR", "0697123456", "+596697123456"),
    ("FR", "0508 41 12 34", "+508411234"),
    ("PM", "41 12 34", "+508411234"),
    ("FR", "0708123456", "+508708123456"),
    ("FR", "+33 508 41 12 34", "+508411234"),
    ("NC", "25 12 34", "+687251234"),
    ("FR", "+687 25 12 34", "+687251234"),
    ("FR", "00 687 25.12.34", "+687251234"),
    ("PF", "40 41 12 34", "+68940411234"),
    ("PF", "87123456", "+68987123456"),
    ("WF", "72 25 11", "+681722511"),
    ("NC", "02 40 12 34 56", "+33240123456"),
    ("FR", "0976 12 34 56", "+33976123456"),
    ("RE", "0976123456", "+33976123456"),
    ("FR", "0 870 12 34 56", "+33870123456"),
    ("RE", "0800 840 800", "+33800840800"),
    ("FR", "0806 00 12 34", "+33806001234"),
    ("FR", "+33 (0)2 40 12 34 56", "+33240123456"),
    ("FR", "0033 (0) 2 40 12 34 56", "+33240123456"),
    ("FR", "00 33 2 40 12 34 56", "+33240123456"),
    ("FR", "(+33) 2-40-12-34-56", "+33240123456"),
    ("FR", "(0)2 40 12 34 56", "+33240123456"),
    ("FR", "02/40/12/34/56", "+33240123456"),
    ("FR", "+44 20 7946 0958", "+442079460958"),
    *((region, text, text.replace(" ", "")) for region in ("FR", "RE", "NC") for text in (
        "15", "17", "18", "112", "114", "115", "119", "3919", "3949", "36 46", "3114", "116 117", "116000", "1006"
    )),
]  # fmt: skip


@pytest.mark.parametrize(("region", "text", "value"), KEPT)
def test_a_number_of_any_plan_exists_and_is_read_back_as_it_is_shown(region, text, value):
    assert phones.parse(text, region) == phones.Number(value, exists=True)
    for anywhere in ("FR", "RE", "NC", "PF", "PM"):
        assert phones.parse(phones.show(value), anywhere).value == value


@pytest.mark.parametrize("text", ["07 00 00 00 00", "+33 7 00 00 00 00", "+687 01 23 45"])
def test_a_number_that_no_plan_has_does_not_exist(text):
    assert not phones.parse(text, "FR").exists


@pytest.mark.parametrize(
    "text",
    ["240123456", "02 40 12 34", "999", "12", "33240123456", "++33240123456", "+33 508", "+33", "00", "(0)", "٠٢"],
)
def test_what_is_no_number_is_not_completed(text):
    assert phones.parse(text, "FR") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("240123456", "zéro initial a pu être perdu : peut-être 02 40 12 34 56"),
        ("692123456", "zéro initial a pu être perdu : peut-être 0692 12 34 56"),
        ("33240123456", "« + » : peut-être 02 40 12 34 56"),
        ("Tél. 02 40 12 34 56", "peut-être 02 40 12 34 56"),
        ("02 40 12 34", ""),
    ],
)
def test_what_was_perhaps_meant_is_said(text, said):
    suggestion = phones.suggestion(text, "FR")
    assert said in suggestion
    assert bool(said) == bool(suggestion)


@pytest.mark.parametrize(
    "text", ["0240123456 poste 12", "02 40 12 34 56 p.12", "0240123456 ext. 3", "0240123456#12", "0240123456x12"]
)
def test_an_extension_is_seen(text):
    assert phones.has_extension(text)
    assert phones.parse(text, "FR") is None


@pytest.mark.parametrize(
    "text",
    [
        "02 40 12 34 56 / 06 12 34 56 78",
        "0240123456;0612345678",
        "02 40 12 34 56 ou 06 12 34 56 78",
        "02 40 12 34 56\n06 12 34 56 78",
        "02 40 12 34 56 06 12 34 56 78",
        "02 40 12 34 56 - 115",
    ],
)
def test_two_numbers_in_a_cell_are_seen(text):
    assert phones.parse(text, "FR") is None
    assert len(phones.parts(text, "FR")) == 2
