"""Merging two fiches of one person, and undoing it for thirty days.

The kept fiche keeps its situations and its ménage; those of the absorbed one stay with it, closed to writing and
readable. Everything else that points to the absorbed fiche moves (``menages.relations``).
"""

import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from comptes.models import Habilitation
from menages.actions.dossiers import IDENTITE, archive_if_empty, reopen
from menages.actions.journal import log
from menages.actions.protection import close_openings
from menages.models import AccesProtege, Appartenance, Fusion, Personne
from menages.relations import Relation, relations
from menages.verrous import gelee, lock_menages, lock_personnes
from siao.socle.database import lock_in_order
from siao.socle.refusal import Refusal, Stale

KEPT = (*IDENTITE, "naissance_precision", "protegee")
"""Fields of the kept fiche that a fusion may change, and its undoing gives back."""


def what_points_to(personne: Personne) -> list[tuple[Relation, list]]:
    """The rows that point to ``personne``, by relation, those that have some: what a fusion moves or leaves."""
    found = ((relation, list(relation.rows([personne.pk]))) for relation in relations())
    return [(relation, rows) for relation, rows in found if rows]


@transaction.atomic
def merge(*, auteur: Habilitation, maitre: Personne, absorbee: Personne, identite: dict) -> Fusion:
    """Absorb ``absorbee`` in ``maitre``, whose identity becomes ``identite`` (fields of IDENTITE).

    Both as the page read them: raises ``Stale`` when one was written to since.
    """
    if maitre.pk == absorbee.pk:
        raise Refusal("C'est deux fois la même fiche : choisissez-en une autre.")
    read = {personne.pk: personne.version for personne in (maitre, absorbee)}
    locked = lock_personnes(read)
    for personne in locked.values():
        if personne.version != read[personne.pk]:
            raise Stale(f"La fiche {personne.numero} a été modifiée entre-temps.")
    maitre, absorbee = locked[maitre.pk], locked[absorbee.pk]
    before = {field: getattr(maitre, field) for field in KEPT}
    # A doubt about whether somebody may be located is a no.
    chosen = {**before, **identite, "protegee": maitre.protegee or absorbee.protegee}
    moved = [
        {"modele": relation.model._meta.label, "champ": relation.field.name, "cles": keys}
        for relation in relations()
        if relation.suit and (keys := _move(relation, absorbee, maitre))
    ]
    Personne.objects.filter(pk=maitre.pk).update(**chosen, **Personne.trace(auteur.utilisateur))
    Personne.objects.filter(pk=absorbee.pk).update(fusionnee_dans=maitre, **Personne.trace(auteur.utilisateur))
    fusion = Fusion.objects.create(
        maitre=maitre,
        absorbee=absorbee,
        faite_par=auteur.utilisateur,
        deplace=moved,
        identite_avant=_written(before),
        identite_apres=_written(chosen),
    )
    here = dict(
        Appartenance.objects.current().filter(personne__in=[maitre, absorbee]).values_list("personne", "menage")
    )
    lock_menages(here.values())
    if chosen["protegee"] and not maitre.protegee:
        close_openings(auteur, maitre)
    archive_if_empty([here[absorbee.pk]])
    log(auteur, "menages.fusionner", maitre)
    log(auteur, "menages.fusionner", absorbee)
    return fusion


@transaction.atomic
def undo_merge(*, auteur: Habilitation, fusion: Fusion) -> Personne:
    """Give both fiches back as they were; return the one that was absorbed.

    What was written on the kept fiche since then stays there, an identity corrected since then included, and her
    protection when agents were named for her. If she was protected since then, nobody knows which of the two is: both.
    """
    rows = lock_in_order(Personne.objects.filter(pk__in=[fusion.maitre_id, fusion.absorbee_id]))
    locked = {personne.pk: personne for personne in rows}
    fusion = Fusion.objects.select_for_update(of=("self",)).get(pk=fusion.pk)
    maitre, absorbee = locked[fusion.maitre_id], locked[fusion.absorbee_id]
    if fusion.defaite_le:
        raise Refusal("Cette fusion a déjà été défaite.")
    if not fusion.peut_se_defaire:
        raise Refusal(
            f"Cette fusion pouvait se défaire jusqu'au {timezone.localtime(fusion.fin_du_delai):%d/%m/%Y} ; "
            "il est trop tard. Créez une nouvelle fiche si deux personnes ont été confondues."
        )
    if not maitre.active:
        raise Refusal("La fiche gardée a depuis été fusionnée à son tour : défaites d'abord cette fusion plus récente.")
    if maitre.gelee_le:
        raise Refusal(gelee(maitre))
    Personne.objects.filter(pk=absorbee.pk).update(fusionnee_dans=None, **Personne.trace(auteur.utilisateur))
    by_place = {(relation.model._meta.label, relation.field.name): relation for relation in relations()}
    for moved in fusion.deplace:
        relation = by_place[moved["modele"], moved["champ"]]
        relation.rows([maitre.pk]).filter(pk__in=moved["cles"]).update(**{relation.field.name: absorbee})
    restored = {
        field: fusion.identite_avant[field]
        for field in KEPT
        if _written({field: getattr(maitre, field)})[field] == fusion.identite_apres[field]
    }
    if len(restored.keys() & {"date_naissance", "naissance_precision"}) == 1:
        del restored[(restored.keys() & {"date_naissance", "naissance_precision"}).pop()]  # they go together
    if AccesProtege.objects.filter(personne=maitre).exists():
        restored.pop("protegee", None)  # named since then, for this person
    Personne.objects.filter(pk=maitre.pk).update(**restored, **Personne.trace(auteur.utilisateur))
    Fusion.objects.filter(pk=fusion.pk).update(defaite_le=timezone.now(), defaite_par=auteur.utilisateur)
    reopen(Appartenance.objects.current().get(personne=absorbee).menage_id)
    if maitre.protegee and not fusion.identite_apres["protegee"] and not absorbee.protegee:
        _protect_too(auteur, maitre, absorbee)
    log(auteur, "menages.defaire_fusion", maitre)
    log(auteur, "menages.defaire_fusion", absorbee)
    return absorbee


def _protect_too(auteur: Habilitation, maitre: Personne, absorbee: Personne) -> None:
    """Protect ``absorbee`` as ``maitre`` is, for the same agents."""
    close_openings(auteur, absorbee)
    Personne.objects.filter(pk=absorbee.pk).update(protegee=True, **Personne.trace(auteur.utilisateur))
    AccesProtege.objects.bulk_create(
        AccesProtege(personne=absorbee, utilisateur_id=each.utilisateur_id, accorde_par_id=each.accorde_par_id)
        for each in AccesProtege.objects.filter(personne=maitre)
    )
    log(auteur, "menages.proteger", absorbee)


def _move(relation: Relation, absorbee: Personne, maitre: Personne) -> list:
    """Point the rows of ``absorbee`` to ``maitre``; return their keys. What ``maitre`` already has stays behind."""
    keys = list(relation.rows([absorbee.pk]).values_list("pk", flat=True))
    return [key for key in keys if _moved(relation, key, maitre)]


def _moved(relation: Relation, key, maitre: Personne) -> bool:
    try:
        with transaction.atomic():
            relation.model._base_manager.filter(pk=key).update(**{relation.field.name: maitre})
    except IntegrityError:
        return False
    return True


def _written(values: dict) -> dict:
    """As JSON keeps them."""
    return {field: value.isoformat() if isinstance(value, datetime.date) else value for field, value in values.items()}
