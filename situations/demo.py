"""Invented dossiers for the demonstration: the example of the source (Léon, Rosa, Louise), and a few more.

Written with the actions that users use, as the Opérateur SIAO of the demonstration.
"""

import datetime
from collections.abc import Iterable

from comptes.models import Habilitation, Siao
from menages.actions.personnes import protect
from menages.models import Menage, Personne
from offre.models import Dispositif
from situations.actions.dossiers import create_dossier
from situations.actions.saisie import add_situation, modify_situation, parcours_of
from situations.models import SituationResidentielle, Sr2
from situations.parcours import Choix

Etape = tuple[str, int]
"""Code of a situation, and how many days ago it began."""

MENAGES: tuple[dict[str, tuple[str, datetime.date | None, str, list[Etape]]], ...] = (
    # « Le parcours résidentiel, ça ressemble à quoi ? »
    {
        "Léon Exemple": ("H", datetime.date(1984, 5, 2), "", [("VII.1", 330), ("IV.2", 240), ("III.1", 90)]),
        "Rosa Exemple": ("F", datetime.date(1986, 9, 17), "", [("VII.1", 330), ("I.1", 240), ("III.1", 160)]),
        "Louise Exemple": ("F", datetime.date(2012, 1, 25), "", [("VII.1", 330), ("I.1", 240), ("III.1", 160)]),
    },
    {"Amadou Modèle": ("H", datetime.date(1991, 3, 8), "", [("VI.5", 700), ("I.3", 420), ("II.2", 300), ("I.1", 280)])},
    {
        "Inès Spécimen": ("F", datetime.date(1995, 12, 1), "protegee", [("VII.4", 150), ("III.2", 60)]),
        "Noé Spécimen": ("H", datetime.date(2019, 6, 30), "", [("VII.4", 150), ("III.2", 60)]),
    },
    {
        "Marek Échantillon": ("H", datetime.date(1978, 11, 11), "", [("V.3", 900), ("III.6", 200)]),
        "Ana Échantillon": ("F", datetime.date(1980, 4, 4), "", [("V.3", 900), ("III.6", 200)]),
        "Ilan Échantillon": ("H", datetime.date(2008, 2, 14), "", [("V.3", 900), ("IV.8", 400), ("III.6", 120)]),
        "Mila Échantillon": ("F", datetime.date(2015, 10, 20), "", [("V.3", 900), ("III.6", 200)]),
    },
    {"Jeanne Témoin": ("F", datetime.date(1959, 7, 7), "", [("VIII.10", 1500), ("VII.5", 500), ("VIII.5", 100)])},
    {"Samir Essai": ("H", datetime.date(2004, 8, 19), "", [])},
    # A duplicate to find and to merge.
    {"Rosa Exemples": ("F", datetime.date(1986, 9, 17), "", [("I.4", 260)])},
)


def load_dossiers(auteur: Habilitation, siao: Siao) -> list[Menage]:
    """Create the dossiers of ``MENAGES`` in ``siao``; the first is accompanied by a dispositif."""
    accompanying = Dispositif.objects.filter(departement=siao.departement_id)[:1]
    return [_load(auteur, siao, persons, accompanying if rank == 0 else ()) for rank, persons in enumerate(MENAGES)]


def _load(auteur: Habilitation, siao: Siao, persons: dict, dispositifs: Iterable[Dispositif]) -> Menage:
    identites = [
        {"prenom": name.split()[0], "nom": name.split()[1], "sexe": sexe, "date_naissance": naissance}
        for name, (sexe, naissance, _, _) in persons.items()
    ]
    menage = create_dossier(auteur=auteur, siao=siao, identites=identites, dispositifs=dispositifs)
    people = Personne.objects.filter(appartenances__menage=menage).order_by("pk")
    for personne, (_, _, particularite, etapes) in zip(people, persons.values(), strict=True):
        tell(auteur, menage, personne, etapes)
        if particularite == "protegee":
            protect(auteur=auteur, personne=personne)
    _age(menage)
    return menage


def tell(auteur: Habilitation, menage: Menage, personne: Personne, etapes: Iterable[Etape]) -> None:
    """Enter the path of one person, the first step in place of « Non renseignée »."""
    today = menage.siao.departement.aujourdhui
    for action, (code, ago) in zip((modify_situation, *[add_situation] * 20), etapes, strict=False):
        [chain] = parcours_of(menage, {personne.pk: personne})
        choix = Choix(Sr2.objects.get(pk=code), today - datetime.timedelta(days=ago))
        action(auteur=auteur, menage=menage, jetons={personne.pk: chain.jeton}, choix=choix)


def _age(menage: Menage) -> None:
    """As if each situation had been entered the day it began, and the persons had arrived with the first one."""
    for personne in Personne.objects.filter(appartenances__menage=menage).order_by("pk"):
        path = SituationResidentielle.objects.filter(personne=personne).order_by("date_debut")
        for situation in path:
            SituationResidentielle.objects.filter(pk=situation.pk).update(confirmee_le=situation.date_debut)
        personne.appartenances.update(date_debut=path[0].date_debut)
