"""Opening, composing and closing dossiers; the dispositifs that accompany a ménage."""

import datetime
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef

from comptes.models import Habilitation, Siao
from menages.actions.distinctions import AUCUNE, Ecartees, tell_apart
from menages.actions.journal import log
from menages.models import Accompagnement, Appartenance, Menage, Personne
from menages.verrous import lock_menages
from offre.models import Composition, Dispositif
from siao.socle.database import refusing, reserve_ids
from siao.socle.refusal import Refusal, Stale

IDENTITE = ("nom", "nom_usage", "prenom", "date_naissance", "sexe")
"""The fields that say who a person is; ``naissance_precision`` goes with the date of birth."""


@transaction.atomic
def open_menage(*, auteur: Habilitation, siao: Siao, dispositifs: Iterable[Dispositif] = ()) -> Menage:
    """Open an empty dossier, attached to ``siao`` and accompanied by ``dispositifs`` from today."""
    key = reserve_ids(Menage, 1)[0]
    menage = Menage(pk=key, numero=f"{siao.pk}-{key:06d}", siao=siao, cree_par=auteur.utilisateur)
    menage.save(force_insert=True)
    for dispositif in dispositifs:
        _accompany(auteur, menage, dispositif)
    log(auteur, "menages.ouvrir", menage)
    return menage


@transaction.atomic
def create_personnes(
    *,
    auteur: Habilitation,
    menage: Menage,
    identites: list[dict],
    arrivee: datetime.date,
    ecartees: Ecartees = AUCUNE,
) -> list[Personne]:
    """Create persons in ``menage``, where they arrived on ``arrivee``; each of ``identites`` has fields of IDENTITE.

    Who was born since is there since their birth.
    ``ecartees``: whom they were said not to be.
    Whoever creates a person also gives them a first situation (``situations.actions``).
    """
    utilisateur = auteur.utilisateur
    reopen(menage.pk)
    personnes = Personne.objects.bulk_create(
        Personne(cree_par=utilisateur, modifie_par=utilisateur, **identite) for identite in identites
    )
    Appartenance.objects.bulk_create(
        Appartenance(
            personne=personne,
            menage=menage,
            date_debut=max(arrivee, personne.date_naissance or arrivee),
            saisie_par=utilisateur,
        )
        for personne in personnes
    )
    known = ((personnes[place].pk, pk) for place, pk in ecartees.connues)
    together = ((personnes[one].pk, personnes[two].pk) for one, two in ecartees.entre_elles)
    tell_apart(auteur=auteur, paires=[*known, *together])
    for personne in personnes:
        log(auteur, "menages.creer_personne", personne)
    return personnes


@transaction.atomic
def describe_menage(*, auteur: Habilitation, menage: Menage, version: int, composition: Composition | None) -> None:
    """Change what is said of a ménage as a whole. ``version``: that of the page. Raises ``Stale``."""
    changed = Menage.objects.filter(pk=menage.pk, version=version).update(
        composition=composition, **Menage.trace(auteur.utilisateur)
    )
    if not changed:
        raise Stale("Ce dossier a été modifié entre-temps.")
    log(auteur, "menages.modifier", menage)


def archive_if_empty(keys: Iterable[int]) -> None:
    """Archive, among the ménages ``keys``, those where nobody is left, and lock them. An absorbed fiche is nobody."""
    lock_menages(keys)
    left = Appartenance.objects.current().actives().filter(menage=OuterRef("pk"))
    empty = Menage.objects.filter(pk__in=keys, archive_le__isnull=True).exclude(Exists(left))
    for menage in empty.select_related("siao__departement").order_by("pk"):
        Menage.objects.filter(pk=menage.pk).update(archive_le=menage.siao.departement.aujourdhui)


def reopen(key: int) -> None:
    """Lock a ménage and take it out of the archives: somebody comes. Before they do: their row locks it too, less."""
    lock_menages([key])
    Menage.objects.filter(pk=key, archive_le__isnull=False).update(archive_le=None)


# --- Accompagnements --------------------------------------------------------------------------------------------


@transaction.atomic
def accompany(*, auteur: Habilitation, menage: Menage, dispositif: Dispositif) -> None:
    """Let the team of ``dispositif`` see the dossier. Only who sees the whole of it opens it to others."""
    lock_menages([menage.pk])
    if not Menage.objects.entiers_pour(auteur).filter(pk=menage.pk).exists():
        raise Refusal(
            "Une situation de ce ménage est protégée ou gelée. Protégée : demandez à un agent désigné ; gelée : à "
            "l'administrateur de votre SIAO."
        )
    with refusing():
        _accompany(auteur, menage, dispositif)
    log(auteur, "menages.accompagner", menage)


def _accompany(auteur: Habilitation, menage: Menage, dispositif: Dispositif) -> None:
    Accompagnement.objects.create(
        menage=menage,
        dispositif=dispositif,
        date_debut=menage.siao.departement.aujourdhui,
        cree_par=auteur.utilisateur,
    )


@transaction.atomic
def stop_accompanying(*, auteur: Habilitation, accompagnement: Accompagnement) -> None:
    """End an accompagnement: its team does not see the dossier any more."""
    menage = accompagnement.menage
    Accompagnement.objects.filter(pk=accompagnement.pk, date_fin__isnull=True).update(
        date_fin=menage.siao.departement.aujourdhui
    )
    log(auteur, "menages.cesser_d_accompagner", menage)
