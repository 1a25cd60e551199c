"""Days are typed in the same way in every form of the product."""

import datetime

import pytest
from django import forms
from django.urls import reverse

import offre.views.places
import siao.urls  # noqa: F401 - every form is declared
from comptes.champs import _forms
from comptes.droits import Profil
from comptes.models import Message
from menages.forms import NaissanceField
from menages.models import Personne
from offre.models import Dispositif, GroupeMesures
from siao.socle.forms import Formulaire, JourField, MomentField
from tests.classeurs import DISPOSITIF
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import chain_of, make_menage, make_operateur, make_personne
from tests.offre.fabrique import make_accompagnement, make_rattachement
from tests.offre.formulaires import champs
from tests.situations.saisie import ajouter, typed

pytestmark = pytest.mark.django_db

ECRITURES = ["27/11/2024", "27112024", "27/11/24", "271124", "27-11-2024", "27.11.2024", "2024-11-27", "27 / 11/2024"]


@pytest.fixture(params=ECRITURES)
def ecrit(request):
    return request.param


@pytest.fixture
def operateur():
    return client_of(make_operateur().utilisateur)


def test_one_field_of_days_for_the_whole_product():
    assert offre.views.places
    for form in _forms(Formulaire):
        for name, field in form.base_fields.items():
            if isinstance(field, forms.DateField | forms.DateTimeField | forms.SplitDateTimeField):
                assert isinstance(field, JourField | MomentField), (form, name)
            if isinstance(field, JourField) and not isinstance(field, NaissanceField):  # « vers 1986 » has letters
                assert field.widget.attrs["inputmode"] == "numeric"


def test_a_situation(operateur, ecrit):
    personne = make_personne(menage := make_menage(), "Rosa Exemple", depuis=2_000, parcours=[("I.1", 2_000)])
    assert ajouter(operateur, menage, [personne], "III.1", ecrit).status_code == 302
    assert chain_of(personne)[-1] == ("III.1", datetime.date(2024, 11, 27), None)


def test_a_situation_without_its_year_says_the_day_that_it_understood(operateur, time_machine):
    time_machine.move_to("2026-11-28T10:00:00Z", tick=False)
    personne = make_personne(menage := make_menage(), "Rosa Exemple", depuis=2_000, parcours=[("I.1", 2_000)])
    address = reverse("ajouter_situation", args=[menage.pk])
    said = operateur.post(address, typed([personne], "III.1", "27/11"))
    assert "cela clôturera « I.1 Rue, place, parc, pont, bois » au 26/11/2026" in words(said)
    assert 'value="27/11"' in said.text
    assert ajouter(operateur, menage, [personne], "III.1", "27/11").status_code == 302
    assert chain_of(personne)[-1] == ("III.1", datetime.date(2026, 11, 27), None)


def test_the_last_such_day_is_counted_where_the_person_is(time_machine):
    """In Réunion it is already the 21st when it is still the 20th in Paris."""
    time_machine.move_to("2026-11-20T21:30:00Z", tick=False)
    personne = make_personne(menage := make_menage("974"), "Léa Exemple", depuis=800, parcours=[("I.1", 800)])
    client = client_of(make_operateur("974").utilisateur)
    assert ajouter(client, menage, [personne], "I.3", "21/11").status_code == 302
    assert chain_of(personne)[-1] == ("I.3", datetime.date(2026, 11, 21), None)


def test_a_birth(operateur, ecrit):
    personne = make_personne(make_menage(), "Rosa Exemple", depuis=30, parcours=[("I.3", 30)])
    address = reverse("modifier_personne", args=[personne.pk])
    fields = {"version": personne.version, "nom": "Exemple", "prenom": "Rosa", "motif": "Pièce vue"}
    answer = operateur.post(address, {**fields, "date_naissance": ecrit})
    if ecrit in ("27/11/24", "271124"):  # a child, or somebody of 102: asked, and nothing typed is lost
        assert "Écrivez l'année en entier : 27/11/1924 ou 27/11/2024 ?" in words(answer)
        assert f'value="{ecrit}"' in answer.text
    else:
        assert answer.status_code == 302
        assert Personne.objects.get().date_naissance == datetime.date(2024, 11, 27)


def test_the_birth_of_an_adult_in_two_digits(operateur):
    personne = make_personne(make_menage(), "Rosa Exemple", depuis=30, parcours=[("I.3", 30)])
    fields = {"version": personne.version, "nom": "Exemple", "prenom": "Rosa", "motif": "Pièce vue"}
    operateur.post(reverse("modifier_personne", args=[personne.pk]), {**fields, "date_naissance": "17-9-86"})
    assert Personne.objects.get().date_naissance == datetime.date(1986, 9, 17)


def test_a_fiche(ecrit):
    page = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL))
    address = reverse("offre:creer_dispositif", args=[make_rattachement("44").pk])
    page.post(address, champs("Dispositifs", DISPOSITIF) | {"date_ouverture": ecrit})
    assert Dispositif.objects.get().date_ouverture == datetime.date(2024, 11, 27)


def test_a_fiche_asks_for_a_year_once(time_machine):
    time_machine.move_to("2026-11-28T10:00:00Z", tick=False)
    page = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL))
    address = reverse("offre:creer_dispositif", args=[make_rattachement("44").pk])
    answer = page.post(address, champs("Dispositifs", DISPOSITIF) | {"date_ouverture": "15/05"})
    assert answer.context["form"].errors == {
        "date_ouverture": ["Écrivez l'année en entier : 15/05/2026 ou 15/05/2027 ?"]
    }
    assert 'value="15/05"' in answer.text
    assert not Dispositif.objects.exists()


def test_mesures(ecrit):
    dispositif = make_accompagnement(rattachement := make_rattachement("44"))
    page = client_of(make_utilisateur(Profil.ASSISTANT, objets=[rattachement]))
    fields = {"libelle": "Ménages DALO", "nombre": "20", "financees": "18", "ouvert_le": ecrit}
    page.post(reverse("offre:creer_mesures", args=[dispositif.pk]), fields)
    assert GroupeMesures.objects.get().ouvert_le == datetime.date(2024, 11, 27)


@pytest.mark.parametrize("heure", [" 08:30", " à 8h30", ", 8 h 30", "T08:30:00"])
def test_a_message(ecrit, heure):
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    fields = {"nature": "MAINTENANCE", "titre": "Coupure", "texte": "Texte", "territoire": "departement-44"}
    admin.post(reverse("publier_message"), {**fields, "debut": ecrit + heure, "fin": "01/01/2100 8h"})
    debut = Message.objects.get().debut
    assert f"{debut:%d/%m/%Y %H:%M}" == "27/11/2024 07:30"  # UTC


@pytest.mark.parametrize("debut", ["27/11/2024", "27/11/2024 25:00", "27/11/2024 8", "08:30", "hier 8h"])
def test_a_message_without_its_hour_is_refused(debut):
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    fields = {"nature": "MAINTENANCE", "titre": "Coupure", "texte": "Texte", "territoire": "departement-44"}
    answer = admin.post(reverse("publier_message"), {**fields, "debut": debut, "fin": "01/01/2100 8h"})
    assert "Écrivez un jour et une heure, comme 31/12/2026 08:00." in words(answer)
    assert not Message.objects.exists()


def test_a_list_of_accesses_is_asked_for_a_day(ecrit):
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    answer = admin.get(reverse("journal"), {"jour": ecrit})
    assert answer.context["form"].cleaned_data["jour"] == datetime.date(2024, 11, 27)
