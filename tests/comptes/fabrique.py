"""Users of the tests, with the habilitation that the test is about."""

import html
import itertools

from django.test import Client

from comptes.droits import Profil
from comptes.models import Habilitation, Utilisateur

_numbers = itertools.count(1)


def make_utilisateur(profil: str | None = Profil.ADMIN_DEPARTEMENTAL, **territoire) -> Utilisateur:
    """A user with one habilitation (none when ``profil`` is None), by default on the département 44."""
    number = next(_numbers)
    utilisateur = Utilisateur.objects.create_user(f"agent{number}@test.example", prenom="Agent", nom=f"Essai {number}")
    if profil:
        Habilitation.objects.create(utilisateur=utilisateur, profil=profil, **(territoire or {"departement_id": "44"}))
    return utilisateur


def words(answer) -> str:
    """The page as it is read: entities such as &#x27; are the characters that they stand for."""
    return html.unescape(answer.text)


def client_of(utilisateur: Utilisateur) -> Client:
    client = Client()
    client.force_login(utilisateur)
    return client
