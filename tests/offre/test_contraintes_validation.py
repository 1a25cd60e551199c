"""What PostgreSQL holds of the circuit of validation, whoever writes."""

import pytest
from django.db import IntegrityError, transaction

from offre.models import Remarque, Transition
from offre.models.nomenclature import Statut
from siao.socle.database import sentence_of
from tests.comptes.fabrique import make_utilisateur
from tests.offre.fabrique import make_dispositif, make_proposition, make_rattachement

# (constraint, row of the world, fields that the database refuses to change or to add)
REFUSED = [
    ("rattachement_fusionne_est_ferme", "rattachement", {"fusionne_dans_id": "autre"}),
    (
        "rattachement_fusionne_est_ferme",
        "rattachement",
        {"fusionne_dans_id": "rattachement", "statut": Statut.FERME, "date_fermeture": "2026-01-01"},
    ),
    ("proposition_sur_une_fiche", "proposition", {"rattachement_id": "rattachement"}),
    ("proposition_sur_une_fiche", "proposition", {"dispositif_id": None}),
    ("proposition_statut_connu", "proposition", {"statut": Statut.BROUILLON}),
    ("transition_d_une_fiche", "transition", {"rattachement_id": "rattachement"}),
    ("transition_du_circuit", "transition", {"de": Statut.REFUSE}),
    ("remarque_remplie", "remarque", {"texte": ""}),
]
TWINS = {
    "proposition_unique_par_dispositif": "proposition",
    "proposition_unique_par_rattachement": "sur_entite",
    "remarque_unique_par_champ": "remarque",
}


@pytest.fixture
def monde(db):
    auteur = make_utilisateur()
    rattachement, autre = make_rattachement("44"), make_rattachement("44")
    dispositif = make_dispositif(rattachement)
    transition = Transition.objects.create(
        dispositif=dispositif, de=Statut.SOUMIS, vers=Statut.A_CORRIGER, motif="Capacité", auteur=auteur
    )
    return {
        "rattachement": rattachement,
        "autre": autre,
        "proposition": make_proposition(dispositif, auteur),
        "sur_entite": make_proposition(rattachement, auteur),
        "transition": transition,
        "remarque": Remarque.objects.create(transition=transition, champ="places", texte="À revoir"),
    }


@pytest.mark.parametrize(("name", "row", "fields"), REFUSED, ids=[f"{r[0]}-{i}" for i, r in enumerate(REFUSED)])
def test_the_database_refuses_and_says_why(monde, name, row, fields):
    values = {field: monde[value].pk if field.endswith("_id") and value else value for field, value in fields.items()}
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        type(monde[row]).objects.filter(pk=monde[row].pk).update(**values)
    assert caught.value.__cause__.diag.constraint_name == name
    assert sentence_of(caught.value).endswith(".")


@pytest.mark.parametrize("name", TWINS)
def test_a_second_one_is_refused(monde, name):
    twin = monde[TWINS[name]]
    twin.pk = None
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        twin.save(force_insert=True)
    assert caught.value.__cause__.diag.constraint_name == name
    assert sentence_of(caught.value)
