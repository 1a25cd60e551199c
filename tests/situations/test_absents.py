"""W23, W27: persons ticked on a page, absorbed or moved before it is sent. ``test_concurrence`` has the other order."""

import pytest
from django.urls import reverse
from django.utils import timezone

from menages.actions.deplacement import move_personnes
from menages.actions.fusion import merge
from menages.models import Personne
from tests.comptes.fabrique import plain
from tests.menages.fabrique import chain_of, jour, make_menage, make_operateur, make_personne
from tests.situations.saisie import current_of, jeton, typed

pytestmark = pytest.mark.django_db
PARTIE = "Plus dans ce ménage : Rosa Exemple. Rechargez la page, puis recommencez."
GENERIQUE = "Une des personnes cochées n'est pas dans ce ménage"


@pytest.fixture
def louise(menage):
    return make_personne(menage, "Louise Exemple", depuis=100, parcours=[("VII.1", 100), ("I.3", 20)])


def leave(rosa, menage, destination=None):
    move_personnes(auteur=make_operateur(), origine=menage, personnes=[rosa.pk], destination=destination, jour=jour(0))


def absorb(rosa, maitre):
    merge(auteur=make_operateur(), maitre=maitre, absorbee=rosa, identite={})


FORMS = ["ajouter", "modifier", "modifier une autre", "supprimer", "supprimer une autre", "confirmer", "deplacer"]


def prepared(form: str, menage, rosa, louise):
    """Address and fields of a form opened on ``menage``, where Rosa and Louise are ticked."""
    ticked = {"menage": menage.pk, "personnes": [rosa.pk, louise.pk], **jeton(rosa), **jeton(louise)}
    who = louise if form.endswith("une autre") else rosa
    match form.split()[0]:
        case "ajouter":
            return reverse("ajouter_situation", args=[menage.pk]), typed([rosa, louise], "III.1", jour(1))
        case "modifier":
            fields = typed([rosa, louise], "III.1", jour(1), menage=menage.pk)
            return reverse("modifier_situation", args=[current_of(who).pk]), fields
        case "supprimer":
            return reverse("supprimer_situation", args=[current_of(who).pk]), ticked
        case "confirmer":
            return reverse("confirmer_situations", args=[menage.pk]), ticked
        case "deplacer":
            return reverse("deplacer", args=[menage.pk]), ticked | {
                "vers": "nouveau",
                "date_debut": f"{jour(0):%d/%m/%Y}",
            }


@pytest.mark.parametrize("form", FORMS)
def test_moved_before_the_form_is_read(operateur, menage, rosa, louise, form):
    url, fields = prepared(form, menage, rosa, louise)
    leave(rosa, menage)
    before = chain_of(rosa), chain_of(louise)
    answer = operateur.post(url, fields, follow=True)
    assert answer.status_code == 200
    text = plain(answer)
    assert PARTIE in text
    assert GENERIQUE not in text
    assert f'<a href="{reverse("personne", args=[rosa.pk])}">Ouvrir le dossier de Rosa Exemple</a>' in answer.text
    assert (chain_of(rosa), chain_of(louise)) == before
    if "sr2" in fields:  # nothing of what was typed is lost
        assert f'value="{fields["date_debut"]}"' in answer.text
        assert 'value="III.1" checked' in " ".join(answer.text.split())


@pytest.mark.parametrize("form", FORMS)
def test_absorbed_before_the_form_is_read(operateur, menage, rosa, louise, form):
    maitre = make_personne(make_menage(), "Rosa Autre", depuis=50, parcours=[("I.1", 50)])
    url, fields = prepared(form, menage, rosa, louise)
    absorb(rosa, maitre)
    answer = operateur.post(url, fields, follow=True)
    assert answer.status_code == 200
    text = plain(answer)
    assert f"La fiche de Rosa Exemple ({rosa.numero}) a été fusionnée entre-temps" in text
    assert GENERIQUE not in text
    assert f'<a href="{reverse("personne", args=[maitre.pk])}">Ouvrir la fiche gardée</a>' in answer.text


@pytest.mark.parametrize("form", FORMS)
def test_where_she_went_is_not_told_outside_the_perimeter(operateur, menage, rosa, louise, form):
    """Moved to another SIAO, or absorbed by a fiche of another one: what happened, and no address."""
    ailleurs = make_menage("35")
    url, fields = prepared(form, menage, rosa, louise)
    leave(rosa, menage, ailleurs)
    answer = operateur.post(url, fields, follow=True)
    assert PARTIE in plain(answer)
    assert ailleurs.numero not in answer.text
    assert reverse("personne", args=[rosa.pk]) not in answer.text
    maitre = make_personne(ailleurs, "Bretonne Autre", depuis=50, parcours=[("I.1", 50)])
    absorb(rosa, maitre)
    text = operateur.post(url, fields, follow=True).text
    assert "a été fusionnée entre-temps" in text
    assert reverse("personne", args=[maitre.pk]) not in text
    assert "Bretonne" not in text


@pytest.mark.parametrize("form", FORMS)
def test_an_arbitrary_number_names_nobody(operateur, menage, rosa, louise, form):
    """Only those who were in this ménage are told of, even within the perimeter."""
    for stranger in (
        make_personne(make_menage(), "Secrète Voisine", depuis=50, parcours=[("I.1", 50)]),
        make_personne(make_menage("35"), "Secrète Bretonne", depuis=50, parcours=[("I.1", 50)]),
    ):
        url, fields = prepared(form, menage, rosa, louise)
        answer = operateur.post(url, {**fields, "personnes": [stranger.pk, louise.pk]}, follow=True)
        assert GENERIQUE in plain(answer)
        assert "Secrète" not in answer.text
        assert reverse("personne", args=[stranger.pk]) not in answer.text


@pytest.mark.parametrize("pk", ["x", "-1", "9" * 30, "٣"])
def test_what_is_no_number_names_nobody(operateur, menage, rosa, louise, pk):
    url, fields = prepared("modifier", menage, rosa, louise)
    assert GENERIQUE in plain(operateur.post(url, {**fields, "personnes": [pk], "menage": pk}))


def test_frozen_data_are_told_of_without_a_name(operateur, menage, rosa, louise):
    url, fields = prepared("ajouter", menage, rosa, louise)
    leave(rosa, menage)
    Personne.objects.filter(pk=rosa.pk).update(gelee_le=timezone.now(), gel_motif="Vérification")
    text = operateur.post(url, fields).text
    assert f"Les données de {rosa.numero} sont gelées" in plain(operateur.post(url, fields))
    assert "Rosa" not in text


def test_a_menage_that_is_not_ones_own_is_not_opened_by_the_field_that_names_it(operateur, menage, rosa, louise):
    ailleurs = make_menage("35")
    bretonne = make_personne(ailleurs, "Bretonne Exemple", depuis=50, parcours=[("I.1", 50)])
    url, fields = prepared("modifier", menage, rosa, louise)
    leave(bretonne, ailleurs)
    url = reverse("modifier_situation", args=[current_of(bretonne).pk])
    assert operateur.post(url, {**fields, "menage": ailleurs.pk}).status_code == 404
    assert operateur.post(url, {**fields, "menage": menage.pk}).status_code == 404


def test_who_was_alone_leaves_what_was_typed_on_the_page(operateur, menage, rosa):
    fields = typed([rosa], "III.1", jour(1))
    leave(rosa, menage)
    answer = operateur.post(reverse("ajouter_situation", args=[menage.pk]), fields)
    assert PARTIE in plain(answer)
    assert f'value="{fields["date_debut"]}"' in answer.text
