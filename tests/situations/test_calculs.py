"""Errance, overcrowding, the questionnaire: what is computed without a database."""

import csv
import datetime
import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest

from menages.models import Personne
from situations.errance import Errance, errance_of
from situations.questionnaire import QUESTIONNAIRE, Conseil, conseils, walk
from situations.suroccupation import Occupants, rooms_needed, surface_needed

D = datetime.date


def spell(sr1, debut, fin=None):
    return SimpleNamespace(sr2=SimpleNamespace(sr1_id=sr1), date_debut=debut, date_fin=fin)


def test_errance_adds_up_the_spells_that_count_and_knows_whether_it_goes_on():
    today = D(2026, 1, 31)
    path = [spell("I", D(2025, 1, 1), D(2025, 1, 10)), spell("III", D(2025, 1, 11), D(2025, 12, 31))]
    assert errance_of(path, today).depuis is None
    assert errance_of(path, today).jours == 10
    path += [spell("VI", D(2026, 1, 1), D(2026, 1, 15)), spell("II", D(2026, 1, 16))]
    assert errance_of(path, today).depuis == D(2026, 1, 1)
    assert errance_of(path, today).jours == 10 + 31
    assert errance_of([], today).cumul == ""
    assert errance_of([spell("I", today)], today).cumul == "1 jour"
    assert errance_of(path, today).cumul == "41 jours"


def test_errance_never_counts_before_the_birth():
    today, born = D(2026, 1, 31), D(2026, 1, 22)
    path = [spell("VI", D(1950, 1, 1), D(1999, 12, 31)), spell("I", D(2000, 1, 1))]
    assert errance_of(path, today, naissance=born) == Errance(depuis=born, jours=10)
    assert errance_of(path, today).depuis == D(1950, 1, 1)


@pytest.mark.parametrize(
    ("jours", "said"),
    [
        (1, "1 jour"),
        (59, "59 jours"),
        (60, "2 mois"),
        (92, "3 mois"),
        (365, "12 mois"),
        (731, "2 ans"),
        (800, "2 ans et 2 mois"),
    ],
)
def test_errance_is_said_as_people_do(jours, said):
    assert Errance(None, jours).cumul == said


@pytest.mark.parametrize(
    ("born", "said"),
    [
        (D(2026, 1, 31), "moins d'un mois"),
        (D(2026, 2, 1), "moins d'un mois"),
        (D(2025, 12, 31), "1 mois"),
        (D(2025, 2, 1), "11 mois"),
        (D(2025, 1, 31), "1 an"),
        (D(2024, 1, 31), "2 ans"),
        (None, ""),
    ],
)
def test_a_baby_has_an_age_in_months(born, said):
    assert Personne(date_naissance=born).age_on(D(2026, 1, 31)) == said


@pytest.mark.parametrize(
    ("occupants", "rooms"),
    [
        (Occupants(adultes=1), 2),
        (Occupants(couples=1), 2),
        (Occupants(couples=1, garcons=2), 3),
        (Occupants(couples=1, garcons=1, filles=1), 4),
        (Occupants(couples=1, petits_garcons=1, petites_filles=1), 3),
        (Occupants(couples=1, garcons=1, petits_garcons=1, petites_filles=1, filles=1), 4),
        (Occupants(couples=2, adultes=1, garcons=3, petites_filles=2), 7),
    ],
)
def test_rooms(occupants, rooms):
    assert rooms_needed(occupants) == rooms


def test_children_are_paired_as_well_as_they_can_be():
    """Against every way of pairing, for up to two children of each kind."""
    for counts in itertools.product(range(3), repeat=4):
        children = [kind for kind, count in zip(("B", "G", "b", "g"), counts, strict=True) for _ in range(count)]
        computed = rooms_needed(Occupants(0, 0, *counts)) - 1
        assert computed == len(children) - _most_pairs(tuple(children)), counts


def _most_pairs(children) -> int:
    if len(children) < 2:
        return 0
    first, rest = children[0], children[1:]
    best = _most_pairs(rest)
    for index, other in enumerate(rest):
        both_small = first.islower() and other.islower()
        if both_small or first.lower() == other.lower():
            best = max(best, 1 + _most_pairs(rest[:index] + rest[index + 1 :]))
    return best


def test_surfaces_are_those_of_the_source():
    assert [surface_needed(n) for n in range(1, 11)] == [9, 16, 25, 34, 43, 52, 61, 70, 70, 70]


def test_every_advice_is_a_situation_of_the_grid_and_almost_all_are_advised():
    with (Path(__file__).parents[2] / "fixtures" / "sr2.csv").open(encoding="utf-8", newline="") as file:
        codes = {row["code"] for row in csv.DictReader(file)}
    advised = {conseil.sr2 for conseil in conseils()}
    assert advised <= codes
    assert codes - advised == {"VI.2"}  # the value that is about to disappear
    assert all(conseil.raison.endswith(".") for conseil in conseils())


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"ou": "hebergement", "hebergement": "hotel", "payeur": "177"}, "III.6"),
        ({"ou": "hebergement", "hebergement": "hotel", "payeur": "soi"}, "II.3"),
        ({"ou": "hebergement", "hebergement": "hotel", "payeur": "ase"}, "IV.8"),
        ({"ou": "hebergement", "hebergement": "hotel", "payeur": "asile"}, "IV.9"),
        ({"ou": "etablissement", "etablissement": "hopital", "urgences": "attente"}, "I.4"),
        ({"ou": "etablissement", "etablissement": "hopital", "urgences": "service"}, "IV.2"),
        ({"ou": "etablissement", "etablissement": "act", "act": "oui"}, "VIII.8"),
        ({"ou": "rue", "rue": "squat", "squat": "mobile", "terrain": "caravane"}, "V.5"),
        ({"ou": "rue", "rue": "squat", "squat": "mobile", "terrain": "bidonville"}, "V.3"),
        ({"ou": "logement", "rester": "non", "quitter": "expulsion"}, "VII.1"),
        ({"ou": "tiers", "tiers": "violence"}, "VI.4"),
    ],
)
def test_the_doctrine_of_the_source(answers, code):
    done, step = walk(answers)
    assert isinstance(step, Conseil)
    assert step.sr2 == code
    assert len(done) == len(answers)


def test_answers_that_do_not_exist_ask_again():
    assert walk({"ou": "lune"}) == ([], QUESTIONNAIRE)
    done, step = walk({"ou": "rue", "payeur": "177"})
    assert len(done) == 1
    assert step.cle == "rue"
