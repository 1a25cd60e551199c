"""What can be done to places: groups created and changed, places freed and taken in one click, closed for a while.

Every function is safe to repeat: it says what the place is to be, never « the contrary of what it was ».
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from comptes.journal import journalise
from comptes.models import Habilitation
from comptes.models.journal import ACTIONS
from offre.models import (
    CapaciteFinancee,
    CategoriePlace,
    Composition,
    Configuration,
    DeclarationPlace,
    Dispositif,
    GroupePlaces,
    Indisponibilite,
    Place,
    TypePlace,
)
from offre.models.nomenclature import AVEC_PLACES_OU_LOGEMENTS
from offre.models.places import Etat
from siao.socle.database import lock_in_order, refusing
from siao.socle.refusal import Refusal

ACTIONS.update(
    {
        "offre.creer_groupe": "Groupe de places créé",
        "offre.modifier_groupe": "Groupe de places modifié",
        "offre.retirer_financees": "Capacité financée retirée",
        "offre.ajouter_places": "Places ajoutées",
        "offre.modifier_place": "Place modifiée",
        "offre.supprimer_place": "Place supprimée",
        "offre.rendre_indisponible": "Place rendue indisponible",
        "offre.modifier_indisponibilite": "Indisponibilité modifiée",
        "offre.remettre_en_service": "Place remise en service",
    }
)


class Perime(Refusal):
    """The fiche was changed since its form was opened."""


@dataclass(frozen=True)
class Accueil:
    """One composition that a group receives, from so many people to so many."""

    composition: Composition
    taille_min: int
    taille_max: int


def _journalise(action: str, auteur: Habilitation, objet, **details) -> None:
    journalise(action=f"offre.{action}", utilisateur=auteur.utilisateur, habilitation=auteur, objet=objet, **details)


def check_open(dispositif: Dispositif) -> None:
    if dispositif.fige:
        raise Refusal(f"Ce dispositif est {dispositif.get_statut_display().lower()} : son offre ne change plus.")


# --- Groups -----------------------------------------------------------------------------------------------------


@transaction.atomic
def create_groupe(
    *,
    auteur: Habilitation,
    dispositif: Dispositif,
    libelle: str,
    type: TypePlace,  # noqa: A002
    categorie: CategoriePlace,
    pmr: bool,
    couchages: int,
    accueils: Iterable[Accueil],
    noms: Iterable[str],
    ouverte_le: datetime.date,
    financees: int | None = None,
    financees_depuis: datetime.date | None = None,
) -> GroupePlaces:
    """Create a group of places that receive the same ménages, with its first places."""
    check_open(dispositif)
    if dispositif.categorie not in AVEC_PLACES_OU_LOGEMENTS:
        raise Refusal("Seuls les hébergements et les logements ont des places.")
    with refusing():
        groupe = GroupePlaces.objects.create(
            dispositif=dispositif,
            categorie_dispositif=dispositif.categorie,
            libelle=libelle,
            type=type,
            categorie=categorie,
            pmr=pmr,
            couchages=couchages,
            cree_par=auteur.utilisateur,
            modifie_par=auteur.utilisateur,
        )
        _receive(groupe, accueils)
        _fund(groupe, financees, financees_depuis)
        Place.objects.bulk_create(Place(groupe=groupe, nom=nom, ouverte_le=ouverte_le) for nom in noms)
    _journalise("creer_groupe", auteur, groupe)
    return groupe


@transaction.atomic
def change_groupe(
    *,
    auteur: Habilitation,
    groupe: GroupePlaces,
    version: int,
    libelle: str,
    type: TypePlace,  # noqa: A002
    categorie: CategoriePlace,
    pmr: bool,
    couchages: int,
    accueils: Iterable[Accueil],
    financees: int | None = None,
    financees_depuis: datetime.date | None = None,
) -> None:
    """Change a group that is still at ``version``; otherwise ``Perime``, and nothing is written."""
    check_open(groupe.dispositif)
    [current] = lock_in_order(GroupePlaces.objects.filter(pk=groupe.pk), waiting_inserts=False)
    if current.version != version:
        raise Perime("Ce groupe a été modifié pendant que vous l'aviez sous les yeux.")
    with refusing():
        # The sizes first: what was received before may not fit in the new number of couchages.
        current.configurations.all().delete()
        GroupePlaces.objects.filter(pk=groupe.pk).update(
            libelle=libelle,
            type=type,
            categorie=categorie,
            pmr=pmr,
            couchages=couchages,
            **GroupePlaces.trace(auteur.utilisateur),
        )
        current.couchages = couchages
        _receive(current, accueils)
        _fund(current, financees, financees_depuis)
    _journalise("modifier_groupe", auteur, groupe)


def _receive(groupe: GroupePlaces, accueils: Iterable[Accueil]) -> None:
    Configuration.objects.bulk_create(
        Configuration(
            groupe=groupe,
            composition=accueil.composition,
            couchages=groupe.couchages,
            taille_min=accueil.taille_min,
            taille_max=accueil.taille_max,
        )
        for accueil in accueils
    )


def _fund(groupe: GroupePlaces, nombre: int | None, depuis: datetime.date | None) -> None:
    if nombre is not None:
        CapaciteFinancee.objects.update_or_create(groupe=groupe, depuis=depuis, defaults={"nombre": nombre})


@transaction.atomic
def unfund(*, auteur: Habilitation, ligne: CapaciteFinancee) -> None:
    """Take back a line typed by mistake: the one before it counts again."""
    check_open(ligne.groupe.dispositif)
    _journalise("retirer_financees", auteur, ligne.groupe)
    ligne.delete()


@transaction.atomic
def add_places(*, auteur: Habilitation, groupe: GroupePlaces, noms: Iterable[str], ouverte_le: datetime.date) -> int:
    check_open(groupe.dispositif)
    with refusing():
        added = Place.objects.bulk_create(Place(groupe=groupe, nom=nom, ouverte_le=ouverte_le) for nom in noms)
    _journalise("ajouter_places", auteur, groupe, nombre=len(added))
    return len(added)


# --- One place --------------------------------------------------------------------------------------------------


@transaction.atomic
def change_place(
    *,
    auteur: Habilitation,
    place: Place,
    vu: str,
    nom: str,
    ouverte_le: datetime.date,
    fermee_le: datetime.date | None,
) -> None:
    """Change a place that is still as the author saw it (``Place.vu``); otherwise ``Perime``."""
    check_open(place.groupe.dispositif)
    [current] = lock_in_order(Place.objects.filter(pk=place.pk), waiting_inserts=False)
    if current.vu != vu:
        raise Perime("Cette place a été modifiée pendant que vous l'aviez sous les yeux.")
    with refusing():
        Place.objects.filter(pk=place.pk).update(nom=nom, ouverte_le=ouverte_le, fermee_le=fermee_le)
    _journalise("modifier_place", auteur, place)


@transaction.atomic
def delete_place(*, auteur: Habilitation, place: Place) -> None:
    """Delete a place created by mistake. One that served is closed instead: its past stays."""
    used = "Cette place a déjà servi : donnez-lui une date de fermeture, son histoire reste."
    [place] = lock_in_order(Place.objects.filter(pk=place.pk))
    if place.etat:
        raise Refusal(used)
    _journalise("supprimer_place", auteur, place)
    try:
        with transaction.atomic():
            place.delete()
    except ProtectedError as error:
        raise Refusal(used) from error


@transaction.atomic
def declare(*, auteur: Habilitation, place: Place, etat: Etat) -> bool:
    """Say that a place is free or taken, now. False when it already was: the declaration is then a confirmation."""
    [place] = lock_in_order(
        Place.objects.filter(pk=place.pk).select_related("groupe__dispositif__departement"), waiting_inserts=False
    )
    _check_in_service(place)
    now = timezone.now()
    changed = place.etat != etat
    if changed:
        place.etat, place.etat_depuis = etat, now
        DeclarationPlace.objects.create(
            place=place, etat=etat, quand=now, auteur=auteur.utilisateur, habilitation=auteur
        )
    place.declare_le, place.declare_par = now, auteur.utilisateur
    place.save(update_fields=["etat", "etat_depuis", "declare_le", "declare_par"])
    return changed


def _check_in_service(place: Place) -> None:
    dispositif = place.groupe.dispositif
    check_open(dispositif)
    today = dispositif.departement.aujourdhui
    if not place.is_open_at(today):
        raise Refusal(f"« {place} » n'est pas ouverte aujourd'hui : changez d'abord ses dates.")
    if unavailable := place.indisponibilites.at(today).first():
        raise Refusal(f"« {place} » est indisponible ({unavailable}) : remettez-la d'abord en service.")


@transaction.atomic
def confirm(*, auteur: Habilitation, dispositif: Dispositif, vues: dict[int, str]) -> int:
    """Say that nothing has changed: the places of ``dispositif`` that are still as they were seen are fresh again.

    ``vues``: what the author had under the eyes, place by place. A place that somebody changed since is left alone.
    """
    check_open(dispositif)
    places = Place.objects.filter(groupe__dispositif=dispositif, pk__in=vues).declared(
        dispositif.departement.aujourdhui
    )
    same = [place.pk for place in lock_in_order(places, waiting_inserts=False) if place.etat == vues[place.pk]]
    return Place.objects.filter(pk__in=same).update(declare_le=timezone.now(), declare_par=auteur.utilisateur)


# --- Places that cannot be used ---------------------------------------------------------------------------------


@transaction.atomic
def make_unavailable(
    *,
    auteur: Habilitation,
    place: Place,
    motif: str,
    precision: str,
    date_debut: datetime.date,
    date_fin: datetime.date | None,
) -> Indisponibilite:
    check_open(place.groupe.dispositif)
    with refusing():
        made = Indisponibilite.objects.create(
            place=place, motif=motif, precision=precision, date_debut=date_debut, date_fin=date_fin
        )
    _journalise("rendre_indisponible", auteur, place)
    return made


@transaction.atomic
def change_unavailability(
    *,
    auteur: Habilitation,
    indisponibilite: Indisponibilite,
    vu: str,
    motif: str,
    precision: str,
    date_debut: datetime.date,
    date_fin: datetime.date | None,
) -> None:
    """Change its dates and motive, if they are still those that the author saw; otherwise ``Perime``."""
    check_open(indisponibilite.place.groupe.dispositif)
    found = lock_in_order(Indisponibilite.objects.filter(pk=indisponibilite.pk), waiting_inserts=False)
    if [one.vu for one in found] != [vu]:
        raise Perime("Ces dates ont été modifiées pendant que vous les aviez sous les yeux.")
    with refusing():
        Indisponibilite.objects.filter(pk=indisponibilite.pk).update(
            motif=motif, precision=precision, date_debut=date_debut, date_fin=date_fin
        )
    _journalise("modifier_indisponibilite", auteur, indisponibilite.place)


@transaction.atomic
def back_in_service(*, auteur: Habilitation, indisponibilite: Indisponibilite) -> None:
    """Use the place again from today on. One that had not begun never happened."""
    place = indisponibilite.place
    check_open(place.groupe.dispositif)
    today = place.groupe.dispositif.departement.aujourdhui
    found = Indisponibilite.objects.from_day(today).filter(pk=indisponibilite.pk)
    if indisponibilite.date_debut >= today:
        found.delete()
    else:
        found.update(date_fin=today - datetime.timedelta(days=1))
    _journalise("remettre_en_service", auteur, place)
