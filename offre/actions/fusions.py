"""Merging two entités entered twice in a département, moving a dispositif to another entité.

``suites_*`` say all that will follow, from the same rows that the action then moves: the page shows them first.
"""

from dataclasses import dataclass, field

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from comptes.journal import journalise
from comptes.models import Habilitation, Octroi
from offre.actions.transitions import record
from offre.colonnes.ecriture import change_dispositifs, change_entites
from offre.models import Dispositif, Financement, Import, Rattachement
from offre.models.imports import EN_COURS
from offre.models.nomenclature import Statut
from siao.socle.database import lock_in_order, refusing
from siao.socle.refusal import Refusal

COMPLETES = ("telephone", "courriel")
"""Values of the absorbed fiche that fill the empty ones of the fiche that stays."""


@dataclass
class Suites:
    """All that follows, as its preview says it."""

    dispositifs: list[Dispositif] = field(default_factory=list)
    sirets: list[Dispositif] = field(default_factory=list)
    """Those whose SIRET, of another SIREN, will be emptied."""
    financements: int = 0
    propositions: int = 0
    habilitations: list[Habilitation] = field(default_factory=list)
    """Those that will hold the entité that stays."""
    completes: dict[str, str] = field(default_factory=dict)
    empeche: str = ""
    """Why it cannot be done, empty when it can."""


def suites_de_la_fusion(garde: Rattachement, absorbe: Rattachement) -> Suites:
    """What merging ``absorbe`` into ``garde`` does."""
    suites = _suites(list(_dispositifs_of(absorbe)), garde)
    suites.habilitations = [octroi.habilitation for octroi in _octrois_to_move(garde, absorbe)]
    suites.propositions = absorbe.propositions.en_attente().count()
    suites.completes = {
        key: getattr(absorbe, key) for key in COMPLETES if not getattr(garde, key) and getattr(absorbe, key)
    }
    suites.empeche = suites.empeche or _against(garde, absorbe, suites.propositions)
    return suites


def _against(garde: Rattachement, absorbe: Rattachement, propositions: int) -> str:
    if garde.pk == absorbe.pk:
        return "Choisissez deux entités différentes."
    if garde.departement_id != absorbe.departement_id:
        return "Les deux entités ne sont pas dans le même département."
    if Statut.FERME in (garde.statut, absorbe.statut):
        return "Une des deux entités est fermée : il n'y a rien à fusionner."
    if propositions:
        return "Un changement proposé attend sur l'entité absorbée : traitez-le d'abord."
    return ""


def _dispositifs_of(entite: Rattachement):
    return Dispositif.objects.filter(entite=entite.entite_id, departement=entite.departement_id).order_by("pk")


def _octrois_to_move(garde: Rattachement, absorbe: Rattachement) -> list[Octroi]:
    """Those of habilitations that do not hold both already."""
    kind = ContentType.objects.get_for_model(Rattachement)
    octrois = Octroi.objects.filter(content_type=kind)
    already = octrois.filter(object_pk=str(garde.pk)).values("habilitation")
    return list(
        octrois.filter(object_pk=str(absorbe.pk))
        .exclude(habilitation__in=already)
        .select_related("habilitation__utilisateur")
        .order_by("pk")
    )


def suites_du_deplacement(dispositif: Dispositif, vers: Rattachement) -> Suites:
    """What moving ``dispositif`` to the entité ``vers`` does."""
    suites = _suites([dispositif], vers)
    suites.propositions = dispositif.propositions.en_attente().count()
    if dispositif.departement_id != vers.departement_id:
        suites.empeche = "Cette entité n'est pas dans le département du dispositif."
    elif dispositif.entite_id == vers.entite_id:
        suites.empeche = "Le dispositif appartient déjà à cette entité."
    elif vers.statut == Statut.FERME:
        suites.empeche = "Cette entité est fermée."
    return suites


def _suites(dispositifs: list[Dispositif], vers: Rattachement) -> Suites:
    suites = Suites(
        dispositifs=dispositifs,
        sirets=[one for one in dispositifs if one.siret and not one.siret.startswith(vers.entite.siren)],
        financements=Financement.objects.filter(dispositif__in=dispositifs).count(),
    )
    # An import under way would bring the entité back: its preview was computed on another base.
    running = Import.objects.covering([vers.departement_id]).filter(etat__in=EN_COURS).first()
    if running:
        suites.empeche = f"Le classeur n° {running.pk} est en cours d'import : terminez-le, ou remplacez-le, d'abord."
    return suites


@transaction.atomic
def merge_entites(
    *, auteur: Habilitation, garde: Rattachement, absorbe: Rattachement, versions: tuple[int, int]
) -> None:
    """Move everything of ``absorbe`` to ``garde``; the absorbed fiche stays, closed, and leads to the other."""
    keys = (garde.pk, absorbe.pk)
    locked = {one.pk: one for one in lock_in_order(Rattachement.objects.filter(pk__in=keys))}
    if (locked[garde.pk].version, locked[absorbe.pk].version) != versions:
        raise Refusal("Une des deux fiches a changé depuis l'aperçu : relisez-le, puis recommencez.")
    lock_in_order(_dispositifs_of(absorbe))
    garde, absorbe = locked[garde.pk], locked[absorbe.pk]
    suites = suites_de_la_fusion(garde, absorbe)
    if suites.empeche:
        raise Refusal(suites.empeche)
    with refusing():
        _change_entite(suites.dispositifs, garde, auteur, motif=f"Fusion de l'entité {absorbe.entite.siren}")
        for octroi in _octrois_to_move(garde, absorbe):
            octroi.object_pk = str(garde.pk)
            octroi.save(update_fields=["object_pk"])
        kind = ContentType.objects.get_for_model(Rattachement)
        Octroi.objects.filter(content_type=kind, object_pk=str(absorbe.pk)).delete()
        today = garde.departement.aujourdhui.isoformat()
        change_entites([(absorbe.pk, {"statut": Statut.FERME, "date_fermeture": today})], auteur.utilisateur)
        Rattachement.objects.filter(pk=absorbe.pk).update(fusionne_dans=garde)
        # Those that had been merged into it follow.
        Rattachement.objects.filter(fusionne_dans=absorbe).update(fusionne_dans=garde)
        if suites.completes:
            change_entites([(garde.pk, suites.completes)], auteur.utilisateur)
    motif = f"Fusionnée dans {garde.entite.siren}"
    record(absorbe, auteur=auteur, de=absorbe.statut, vers=Statut.FERME, motif=motif)
    if suites.completes:
        changed = {key: [getattr(garde, key), value] for key, value in suites.completes.items()}
        record(garde, auteur=auteur, de=garde.statut, vers=garde.statut, changements=changed, motif="Fusion")
    journalise(action="offre.fusionner", utilisateur=auteur.utilisateur, habilitation=auteur, objet=absorbe)


@transaction.atomic
def move_dispositif(*, auteur: Habilitation, dispositif: Dispositif, vers: Rattachement, version: int) -> None:
    """Give a dispositif to another entité of its département; all that it has follows."""
    [dispositif] = lock_in_order(Dispositif.objects.filter(pk=dispositif.pk))
    if dispositif.version != version:
        raise Refusal("La fiche a changé depuis l'aperçu : relisez-le, puis recommencez.")
    suites = suites_du_deplacement(dispositif, vers)
    if suites.empeche:
        raise Refusal(suites.empeche)
    with refusing():
        _change_entite([dispositif], vers, auteur, motif="Déplacé vers une autre entité")
    journalise(action="offre.deplacer", utilisateur=auteur.utilisateur, habilitation=auteur, objet=dispositif)


def _change_entite(dispositifs: list[Dispositif], vers: Rattachement, auteur: Habilitation, *, motif: str) -> None:
    siren = vers.entite.siren
    changes = {}
    for one in dispositifs:
        values = {"siren": siren}
        if one.siret and not one.siret.startswith(siren):
            values["siret"] = ""
        changes[one.pk] = values
    change_dispositifs(list(changes.items()), auteur.utilisateur)
    for one in dispositifs:
        changed = {key: [getattr(one, key), value] for key, value in changes[one.pk].items()}
        record(one, auteur=auteur, de=one.statut, vers=one.statut, changements=changed, motif=motif)
