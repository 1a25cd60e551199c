"""A new installation is entered by its first Administrateur national, invited from the command line."""

import io

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from comptes import actions
from comptes.droits import Profil
from comptes.models import EntreeJournal, Habilitation, Lien, Utilisateur
from tests.comptes.fabrique import habilitation_of, make_utilisateur

pytestmark = pytest.mark.django_db
NATIONAL = {"courriel": "Premiere@test.example", "prenom": "Première", "nom": "Personne"}


def create(**other) -> str:
    out = io.StringIO()
    call_command("creer_administrateur_national", stdout=out, **NATIONAL | other)
    return out.getvalue()


def test_the_first_administrator_receives_a_link_and_is_the_last_created_so():
    assert "Invitation à premiere@test.example" in create()
    premiere = Utilisateur.objects.get()
    assert habilitation_of(premiere).profil == Profil.ADMIN_NATIONAL
    assert not premiere.has_usable_password()
    [line] = EntreeJournal.objects.filter(action="comptes.premier_administrateur")
    assert (line.objet_type, line.objet_id) == ("comptes.utilisateur", str(premiere.pk))
    assert actions.send_pending_links() == 1
    assert mail.outbox[-1].to == [premiere.courriel]

    # The link may be lost, or the address wrong: until somebody has come, it can be done again.
    create()
    assert Habilitation.objects.count() == 1
    assert Lien.objects.count() == 2
    create(courriel="seconde@test.example")
    Utilisateur.objects.filter(pk=premiere.pk).update(last_login=timezone.now())
    for courriel in (premiere.courriel, "troisieme@test.example"):
        with pytest.raises(CommandError, match="s'est déjà connecté"):
            create(courriel=courriel)
    assert Habilitation.objects.count() == 2


def test_neither_a_wrong_address_nor_a_disabled_account():
    gone = make_utilisateur(None)
    Utilisateur.objects.filter(pk=gone.pk).update(is_active=False)
    for courriel, sentence in {"sans arobase": "adresse", gone.courriel: "désactivé"}.items():
        with pytest.raises(CommandError, match=sentence):
            create(courriel=courriel)
    assert not Habilitation.objects.exists()
    assert not EntreeJournal.objects.exists()


def test_createsuperuser_says_what_to_do_instead():
    with pytest.raises(CommandError, match="creer_administrateur_national"):
        call_command("createsuperuser", interactive=False, courriel="a@test.example")
    assert not Utilisateur.objects.exists()
