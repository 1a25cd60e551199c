"""Users of the tests, with the habilitation that the test is about."""

import datetime
import html
import itertools
import re

from comptes.actions import create_habilitation
from comptes.droits import Niveau, Profil
from comptes.models import Departement, Habilitation, Region, Siao, Utilisateur
from tests.navigateur import Navigateur

_numbers = itertools.count(10_001)
"""Of one width: « Essai 1 » is neither part of « Essai 12 » nor sorted after « Essai 10 »."""

PASSWORD = "une phrase assez longue"


def make_utilisateur(profil: str | None = Profil.ADMIN_DEPARTEMENTAL, *, objets=(), **territoire) -> Utilisateur:
    """A user with one habilitation (none when ``profil`` is None), by default on the département 44.

    ``departement_id`` is that of the SIAO for its profils; ``objets`` are the entités or dispositifs of the others.
    """
    number = next(_numbers)
    utilisateur = Utilisateur.objects.create_user(f"agent{number}@test.example", prenom="Agent", nom=f"Essai {number}")
    if profil:
        habilite(utilisateur, profil, objets=objets, **territoire)
    return utilisateur


def habilite(utilisateur: Utilisateur, profil: str, *, objets=(), **territoire) -> Habilitation:
    niveaux = Profil(profil).niveaux
    if Niveau.SIAO in niveaux:
        code = territoire.get("siao_id") or territoire.get("departement_id", "44")
        where = Siao.objects.get(pk=code)
    elif "region_id" in territoire:
        where = Region.objects.get(pk=territoire["region_id"])
    elif "departement_id" in territoire or (Niveau.DEPARTEMENT in niveaux and "france" not in territoire):
        where = Departement.objects.get(pk=territoire.get("departement_id", "44"))
    else:
        where = None
    # Long ago, so that tests which set the clock find it current whatever the day they are run.
    dates = {"date_debut": datetime.date(2020, 1, 1)}
    dates |= {key: territoire[key] for key in ("date_debut", "date_fin") if key in territoire}
    return create_habilitation(utilisateur=utilisateur, profil=profil, territoire=where, objets=objets, **dates)


def habilitation_of(utilisateur: Utilisateur) -> Habilitation:
    return Habilitation.objects.of(utilisateur).first()


_DRAWN = re.compile(
    r'(?<=name="csrfmiddlewaretoken" value=)"[^"]*"'
    r'|(?<=name="ouvert_par" value=)"[^"]*"'
)


def words(answer) -> str:
    """The page as it is read: entities such as &#x27; are the characters that they stand for.

    Without what was drawn for it alone (the secret of its forms, their stamp, the number of its request), where any
    short text may be found by chance.
    """
    return html.unescape(_DRAWN.sub("", answer.text))


def plain(answer) -> str:
    """The page as it is read, line breaks and indentation of its source apart."""
    return " ".join(words(answer).split())


def client_of(utilisateur: Utilisateur) -> Navigateur:
    client = Navigateur()
    client.force_login(utilisateur)
    return client
