"""A pencil, or a deletion, of what is not current any more says what closed it, and where to go on."""

import html
import re

import pytest
from django.urls import reverse

from menages.actions.deplacement import move_personnes
from menages.actions.fusion import merge
from menages.models import Personne
from tests.comptes.fabrique import client_of
from tests.menages.fabrique import chain_of, jour, make_menage, make_operateur, make_personne
from tests.situations.saisie import ajouter, current_of, modifier, supprimer, typed

pytestmark = pytest.mark.django_db
GESTES = ["modifier_situation", "supprimer_situation"]


@pytest.fixture
def collegue():
    return make_operateur().utilisateur


def words(page) -> str:
    """The content of a page, as it is read."""
    content = re.search(r"<main.*</main>", page.text, re.DOTALL)[0]
    said = html.unescape(" ".join(re.sub(r"<[^>]*>", "", content).split()))
    return said.partition("Numéro de la demande")[0]  # which each request has of its own


def closed(client, geste, pk, personne):
    """What both ways of asking say: the link, and the form that was open."""
    url = reverse(geste, args=[pk])
    before = chain_of(personne)
    pages = [client.get(url), client.post(url, typed([personne], "III.2", jour(1)))]
    assert [page.status_code for page in pages] == [404, 404]
    assert chain_of(personne) == before
    return pages


@pytest.mark.parametrize("geste", GESTES)
def test_closed_by_the_next_situation(operateur, menage, rosa, collegue, geste):
    old = current_of(rosa).pk
    ajouter(client_of(collegue), menage, [rosa], "III.1", jour(9))
    for page in closed(operateur, geste, old, rosa):
        said = words(page)
        assert f"Rosa Exemple : « I.3 {_libelle('I.3')} », depuis le {jour(20):%d/%m/%Y}, a été close le" in said
        assert f", par {collegue}." in said
        assert (
            f"Sa situation actuelle est maintenant « III.1 {_libelle('III.1')} », depuis le {jour(9):%d/%m/%Y}." in said
        )
    # What was typed goes on to the form that works.
    url = f"{reverse('modifier_situation', args=[current_of(rosa).pk])}?date={jour(1):%d/%m/%Y}&sr2=III.2"
    form = operateur.get(url).context["form"]
    assert (form["date_debut"].value(), form["sr2"].value()) == (f"{jour(1):%d/%m/%Y}", "III.2")
    assert url.replace("/", "%2F").partition("date=")[2].replace("&", "&amp;") in page.text


@pytest.mark.parametrize("geste", GESTES)
def test_deleted(operateur, menage, rosa, collegue, geste):
    old = current_of(rosa).pk
    assert supprimer(client_of(collegue), rosa).status_code == 302
    for page in closed(operateur, geste, old, rosa):
        assert "a été supprimée le" in words(page)
        assert f", par {collegue}." in words(page)
        assert "Sa situation actuelle est maintenant « VII.1" in words(page)


def test_who_closed_it_is_not_who_changed_it_afterwards(operateur, menage, rosa, collegue):
    old = current_of(rosa).pk
    ajouter(client_of(collegue), menage, [rosa], "III.1", jour(9))
    modifier(client_of(make_operateur().utilisateur), rosa, "III.1", jour(8))
    assert f"par {collegue}." in words(operateur.get(reverse("modifier_situation", args=[old])))


@pytest.mark.parametrize("geste", GESTES)
def test_absorbed(operateur, menage, rosa, geste):
    maitre = make_personne(make_menage(), "Rosa Autre", depuis=50, parcours=[("I.1", 50)])
    auteur, old = make_operateur(), current_of(rosa).pk
    merge(auteur=auteur, maitre=maitre, absorbee=rosa, identite={})
    for page in closed(operateur, geste, old, rosa):
        assert "La fiche de Rosa Exemple a été fusionnée dans celle de Rosa Autre le" in words(page)
        assert f"par {auteur.utilisateur}." in words(page)
        assert reverse("modifier_situation", args=[current_of(maitre).pk]) in page.text


@pytest.mark.parametrize("geste", GESTES)
def test_what_is_not_ones_own_is_like_nothing(operateur, menage, rosa, geste):
    ailleurs = make_menage("35")
    autre = make_personne(ailleurs, "Secrète Exemple", depuis=100, parcours=[("VII.1", 100), ("I.3", 20)])
    current, old = current_of(autre).pk, autre.situations.get(date_fin__isnull=False).pk
    supprimer(client_of(make_operateur("35").utilisateur), autre)
    nothing = [words(page) for page in _asked(operateur, geste, 987654321)]
    assert [words(page) for page in _asked(operateur, geste, current)] == nothing
    assert [words(page) for page in _asked(operateur, geste, old)] == nothing
    # Nor of somebody who left for elsewhere, is protected, or whose data are frozen.
    old = rosa.situations.get(date_fin__isnull=False).pk
    Personne.objects.filter(pk=rosa.pk).update(protegee=True)
    assert [words(page) for page in _asked(operateur, geste, old)] == nothing
    Personne.objects.filter(pk=rosa.pk).update(protegee=False)
    assert [words(page) for page in _asked(operateur, geste, old)] != nothing
    move_personnes(auteur=make_operateur(), origine=menage, personnes=[rosa.pk], destination=ailleurs, jour=jour(0))
    assert [words(page) for page in _asked(operateur, geste, old)] == nothing


def _asked(client, geste, pk):
    url = reverse(geste, args=[pk])
    pages = [client.get(url), client.post(url, {})]
    assert [page.status_code for page in pages] == [404, 404]
    return pages


def _libelle(code):
    from situations.models import Sr2

    return Sr2.objects.get(pk=code).libelle
