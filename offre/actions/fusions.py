"""Merging two entités entered twice in a département, moving a dispositif to another entité.

``suites_*`` say all that will follow, from the same rows that the action then moves: the page shows them first.
"""

from dataclasses import dataclass, field

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from comptes.actions import withdraw
from comptes.journal import journalise
from comptes.models import Habilitation, Octroi
from offre.actions.transitions import record
from offre.colonnes.ecriture import change_dispositifs, change_entites
from offre.colonnes.fiches import TABLE_ENTITES, fiches_by_id
from offre.colonnes.listes import Listes
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
    octrois: "Octrois" = field(default_factory=lambda: Octrois())
    differences: dict[str, list] = field(default_factory=dict)
    """{column: [kept, absorbed]}: where the two fiches do not say the same."""
    completes: dict[str, str] = field(default_factory=dict)
    """Of these, the values of the absorbed fiche that fill an empty one."""
    empeche: str = ""
    """Why it cannot be done, empty when it can."""


def suites_de_la_fusion(garde: Rattachement, absorbe: Rattachement) -> Suites:
    """What merging ``absorbe`` into ``garde`` does."""
    suites = _suites(list(_dispositifs_of(absorbe)), garde)
    suites.octrois = sorted_out(garde, absorbe)
    suites.propositions = absorbe.propositions.en_attente().count()
    fiches = fiches_by_id(TABLE_ENTITES, [garde.pk, absorbe.pk], Listes())
    kept, absorbed = fiches[garde.pk].values, fiches[absorbe.pk].values
    suites.differences = {
        key: [kept[key], absorbed[key]]
        for key in TABLE_ENTITES.attributes
        if absorbed[key] and kept[key] != absorbed[key]
    }
    suites.completes = {key: new for key, (old, new) in suites.differences.items() if key in COMPLETES and not old}
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


@dataclass
class Octrois:
    """What becomes of those that hold the two entités of a merge."""

    passes: list[Octroi] = field(default_factory=list)
    """Will hold the entité that stays."""
    superflus: list[Octroi] = field(default_factory=list)
    """Deleted: another octroi of the same person does the same, and their habilitation holds something else."""
    retirees: list[Habilitation] = field(default_factory=list)
    """Withdrawn: they held nothing else."""


def sorted_out(garde: Rattachement, absorbe: Rattachement) -> Octrois:
    """Who held the same profil on both keeps one habilitation: the one whose dates cover those of the other.

    Dates of which neither covers the other keep both: nobody loses a day.
    """
    kind = ContentType.objects.get_for_model(Rattachement)
    octrois = Octroi.objects.filter(content_type=kind).select_related("habilitation__utilisateur").order_by("pk")
    living = set(
        Habilitation.objects.not_over()
        .filter(octrois__in=octrois.filter(object_pk__in=[garde.pk, absorbe.pk]))
        .values_list("pk", flat=True)
    )
    held = list(octrois.filter(object_pk=str(garde.pk)))
    found, useless = Octrois(), []
    for octroi in octrois.filter(object_pk=str(absorbe.pk)):
        mine = octroi.habilitation
        twins = [
            other
            for other in held
            if {mine.pk, other.habilitation_id} <= living
            and (mine.utilisateur_id, mine.profil) == (other.habilitation.utilisateur_id, other.habilitation.profil)
        ]
        if any(_covers(other.habilitation, mine) for other in twins):
            useless.append(octroi)
        else:
            found.passes.append(octroi)
            useless += [other for other in twins if _covers(mine, other.habilitation)]
    for octroi in useless:
        if octroi.habilitation.octrois.count() > 1:
            found.superflus.append(octroi)
        else:
            found.retirees.append(octroi.habilitation)
    return found


def _covers(one: Habilitation, other: Habilitation) -> bool:
    """Whether ``one``, from now on, is open whenever ``other`` is."""
    begins = one.date_debut <= max(other.date_debut, timezone.localdate())
    return begins and (one.date_fin is None or (other.date_fin is not None and other.date_fin <= one.date_fin))


def _pass_on(octrois: Octrois, garde: Rattachement, absorbe: Rattachement, auteur: Habilitation) -> None:
    for octroi in octrois.superflus:
        octroi.delete()
    for habilitation in octrois.retirees:
        withdraw(auteur=auteur, habilitation=habilitation)
    # A withdrawn one, and one that is over, keeps what it held, under the name that this now has.
    kind = ContentType.objects.get_for_model(Rattachement)
    Octroi.objects.filter(content_type=kind, object_pk=str(absorbe.pk)).update(object_pk=str(garde.pk))


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
        _pass_on(suites.octrois, garde, absorbe, auteur)
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
        changed = {key: suites.differences[key] for key in suites.completes}
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
