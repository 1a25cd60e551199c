"""B1: one situation per person at any instant, whoever writes. Raw SQL tries; PostgreSQL refuses by name."""

import datetime

import pytest
from django.db import IntegrityError, connection, transaction

from menages.models import Appartenance
from siao.socle.chains import moving_boundaries
from siao.socle.database import sentence_of
from tests.menages.fabrique import chain_of, make_menage, make_personne

D = datetime.date

pytestmark = pytest.mark.django_db

INSERT = """
    INSERT INTO situations_situationresidentielle (personne_id, sr2_id, date_debut, date_fin, confirmee_le, region_id)
    VALUES (%s, %s, %s, %s, now(), %s)
"""


@pytest.fixture
def personne():
    """Rue, then CHRS since 10 March 2025."""
    personne = make_personne(make_menage(), "Rosa Exemple")
    with moving_boundaries("situation"):
        personne.situations.all().delete()
        for values in (
            ("I.1", D(2025, 1, 1), D(2025, 3, 9), None),
            ("III.1", D(2025, 3, 10), None, None),
        ):
            raw(INSERT, personne.pk, *values)
    return personne


def raw(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def current(personne):
    return personne.situations.get(date_fin=None)


ATTEMPTS = {
    "a second open situation": (
        INSERT,
        lambda p: (p.pk, "I.3", D(2025, 5, 1), None, None),
        "situation_une_seule_en_cours",
    ),
    "a second situation on the same day": (
        INSERT,
        lambda p: (p.pk, "I.3", D(2025, 3, 10), D(2025, 3, 12), None),
        "situation_un_debut_par_jour",
    ),
    "an overlap in the past": (
        INSERT,
        lambda p: (p.pk, "I.3", D(2025, 2, 1), D(2025, 2, 10), None),
        "situation_suivie_le_lendemain",
    ),
    "an overlap that joins the next one": (
        INSERT,
        lambda p: (p.pk, "I.3", D(2025, 2, 1), D(2025, 3, 9), None),
        "situation_une_seule_en_cours",
    ),
    "a gap before": (
        INSERT,
        lambda p: (p.pk, "I.3", D(2024, 1, 1), D(2024, 2, 1), None),
        "situation_suivie_le_lendemain",
    ),
    "an end before its start": (
        INSERT,
        lambda p: (p.pk, "I.3", D(2024, 2, 1), D(2024, 1, 1), None),
        "situation_finit_apres_son_debut",
    ),
    "closing the current one": (
        "UPDATE situations_situationresidentielle SET date_fin = %s WHERE id = %s",
        lambda p: (D(2025, 4, 1), current(p).pk),
        "situation_suivie_le_lendemain",
    ),
    "opening the previous one": (
        "UPDATE situations_situationresidentielle SET date_fin = NULL WHERE personne_id = %s AND date_fin IS NOT NULL",
        lambda p: (p.pk,),
        "situation_une_seule_en_cours",
    ),
    "moving a start alone": (
        "UPDATE situations_situationresidentielle SET date_debut = %s WHERE id = %s",
        lambda p: (D(2025, 3, 12), current(p).pk),
        "situation_suivie_le_lendemain",
    ),
    "deleting without opening the previous one": (
        "DELETE FROM situations_situationresidentielle WHERE id = %s",
        lambda p: (current(p).pk,),
        "situation_suivie_le_lendemain",
    ),
    "a SAS without region": (
        "UPDATE situations_situationresidentielle SET sr2_id = 'III.7' WHERE id = %s",
        lambda p: (current(p).pk,),
        "situation_region_si_demandee",
    ),
    "a region without SAS": (
        "UPDATE situations_situationresidentielle SET region_id = '11' WHERE id = %s",
        lambda p: (current(p).pk,),
        "situation_region_si_demandee",
    ),
    "before 1900": (
        "UPDATE situations_situationresidentielle SET date_debut = %s WHERE personne_id = %s AND date_fin IS NOT NULL",
        lambda p: (D(1899, 12, 31), p.pk),
        "situation_commence_apres_1900",
    ),
}


@pytest.mark.parametrize("what", ATTEMPTS)
def test_b1_raw_sql_is_refused(personne, what):
    statement, values, constraint = ATTEMPTS[what]
    before = chain_of(personne)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        raw(statement, *values(personne))
    assert refused.value.__cause__.diag.constraint_name == constraint
    assert sentence_of(refused.value).endswith(".")
    assert chain_of(personne) == before


@pytest.mark.parametrize("what", ATTEMPTS)
def test_b1_waiting_constraints_refuse_before_the_action_returns(personne, what):
    statement, values, constraint = ATTEMPTS[what]
    with pytest.raises(IntegrityError) as refused, transaction.atomic(), moving_boundaries("situation"):
        raw(statement, *values(personne))
    assert refused.value.__cause__.diag.constraint_name == constraint


def test_b1_a_boundary_moves_when_both_sides_do(personne):
    with moving_boundaries("situation"):
        raw(ATTEMPTS["moving a start alone"][0], D(2025, 3, 12), current(personne).pk)
        raw(
            "UPDATE situations_situationresidentielle SET date_fin = %s "
            "WHERE personne_id = %s AND date_fin IS NOT NULL",
            D(2025, 3, 11),
            personne.pk,
        )
    assert chain_of(personne) == [("I.1", D(2025, 1, 1), D(2025, 3, 11)), ("III.1", D(2025, 3, 12), None)]


def test_memberships_are_held_by_the_same_constraints(personne):
    """A person is in exactly one ménage at a time."""
    autre = make_menage()
    appartenance = personne.appartenances.get()
    for change in (
        lambda: Appartenance.objects.create(personne=personne, menage=autre, date_debut=D(2030, 1, 1)),
        lambda: Appartenance.objects.create(
            personne=personne, menage=autre, date_debut=D(2020, 1, 1), date_fin=D(2020, 2, 1)
        ),
        lambda: Appartenance.objects.filter(pk=appartenance.pk).update(date_fin=D(2030, 1, 1)),
    ):
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            change()
        assert refused.value.__cause__.diag.constraint_name.startswith("appartenance_")
