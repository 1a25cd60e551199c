"""Who a person is, who may see where they are, and the gel of their data."""

from collections.abc import Collection
from contextlib import nullcontext

import pghistory
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import Habilitation, Utilisateur
from menages.actions.journal import log
from menages.actions.protection import close_openings
from menages.models import AccesProtege, Appartenance, Personne
from menages.verrous import lock_menages, lock_personnes
from siao.socle import courriels
from siao.socle.refusal import Refusal, Stale


@transaction.atomic
def edit_personne(*, auteur: Habilitation, personne: Personne, version: int, identite: dict, motif: str = "") -> None:
    """Correct an identity. ``version``: that of the page; ``motif`` is kept with the change. Raises ``Stale``."""
    locked = lock_personnes([personne.pk])[personne.pk]
    if locked.version != version:
        raise Stale(f"L'identité de {locked.designation} a été modifiée entre-temps.")
    with pghistory.context(motif=motif):
        Personne.objects.filter(pk=personne.pk).update(**identite, **Personne.trace(auteur.utilisateur))
    log(auteur, "menages.modifier_personne", personne)


# --- Protection -------------------------------------------------------------------------------------------------


@transaction.atomic
def protect(*, auteur: Habilitation, personne: Personne, garder: Collection[str] = ()) -> None:
    """Hide where a person is from everybody but the named users and the team of the place; the author is named.

    What is open on her dossier ends, but what ``garder`` names (keys of ``Ouverture``), which the history tells.
    """
    if lock_personnes([personne.pk])[personne.pk].protegee:
        raise Refusal("Quelqu'un vient de protéger cette situation.")
    # Whoever opens the dossier to others locks it too, then asks who is hidden.
    lock_menages(Appartenance.objects.current().filter(personne=personne).values_list("menage", flat=True))
    if not Personne.objects.entiers_pour(auteur).filter(pk=personne.pk).exists():
        raise Refusal("Une situation de ce ménage est protégée : demandez à un agent désigné.")
    kept = close_openings(auteur, personne, garder)
    with pghistory.context(motif=f"gardé : {' ; '.join(kept)}") if kept else nullcontext():
        Personne.objects.filter(pk=personne.pk).update(protegee=True, **Personne.trace(auteur.utilisateur))
    _name(auteur, personne, auteur.utilisateur)
    log(auteur, "menages.proteger", personne)


@transaction.atomic
def stop_protecting(*, auteur: Habilitation, personne: Personne, motif: str) -> None:
    """Show again where a person is. Asked of a named agent; ``motif`` is kept in the history, outside of the journal.

    All who were named, the author too, and the administrators of the SIAO are told by e-mail, without a name.
    """
    if not lock_personnes([personne.pk])[personne.pk].protegee:
        raise Refusal("Cette situation n'est plus protégée.")
    if not is_named(auteur, personne):
        raise Refusal(ASK_A_NAMED_AGENT)
    if not motif.strip():
        raise Refusal("Donnez le motif.")
    named = set(AccesProtege.objects.filter(personne=personne).values_list("utilisateur", flat=True))
    with pghistory.context(motif=motif.strip()):
        Personne.objects.filter(pk=personne.pk).update(protegee=False, **Personne.trace(auteur.utilisateur))
        AccesProtege.objects.filter(personne=personne).delete()
    log(auteur, "menages.ne_plus_proteger", personne)
    _tell_of_lifting(personne, named)


ASK_A_NAMED_AGENT = (
    "Seul un agent désigné lève une protection : demandez-le à l'un d'eux. S'il n'y en a plus, l'administrateur du "
    "SIAO en désigne un autre que lui."
)


def is_named(habilitation: Habilitation, personne: Personne) -> bool:
    return AccesProtege.objects.filter(personne=personne, utilisateur=habilitation.utilisateur_id).exists()


def _tell_of_lifting(personne: Personne, named: set[int]) -> None:
    siao = Appartenance.objects.current().select_related("menage__siao").get(personne=personne).menage.siao
    admins = Habilitation.objects.current().filter(profil=Profil.ADMIN_SIAO, siao=siao)
    told = named | set(admins.values_list("utilisateur", flat=True))
    for utilisateur in Utilisateur.objects.filter(pk__in=told, is_active=True).order_by("pk"):
        courriels.post(
            a=utilisateur.courriel,
            gabarit="menages/courriels/protection_levee.txt",
            siao=siao,
            quand=timezone.now(),
            url=f"{settings.SITE_URL}{reverse('fiche_personne', args=[personne.pk])}",
        )


@transaction.atomic
def name_user(*, auteur: Habilitation, personne: Personne, utilisateur: Utilisateur) -> None:
    """Let one more user see where a protected person is: somebody else than the author."""
    if utilisateur.pk == auteur.utilisateur_id:
        raise Refusal("Personne ne se désigne soi-même : demandez-le à un agent désigné, ou désignez un collègue.")
    lock_personnes([personne.pk])
    _name(auteur, personne, utilisateur)
    log(auteur, "menages.designer", personne)


def _name(auteur: Habilitation, personne: Personne, utilisateur: Utilisateur) -> None:
    AccesProtege.objects.get_or_create(
        personne=personne, utilisateur=utilisateur, defaults={"accorde_par": auteur.utilisateur}
    )


@transaction.atomic
def unname_user(*, auteur: Habilitation, acces: AccesProtege) -> None:
    lock_personnes([acces.personne_id])
    if not AccesProtege.objects.filter(personne=acces.personne_id).exclude(pk=acces.pk).exists():
        raise Refusal(
            "C'est le dernier agent désigné : désignez-en d'abord un autre, sinon plus personne ne pourrait suivre "
            "cette personne. Aucun collègue à désigner ? Demandez à l'administrateur de votre SIAO d'en inviter un."
        )
    AccesProtege.objects.filter(pk=acces.pk).delete()
    log(auteur, "menages.retirer_designation", acces.personne)


# --- Gel --------------------------------------------------------------------------------------------------------


@transaction.atomic
def freeze(*, auteur: Habilitation, personne: Personne, motif: str) -> None:
    """Stop all reading and writing of a person's data, at their request (RGPD, article 18)."""
    lock_personnes([personne.pk])
    Personne.objects.filter(pk=personne.pk).update(
        gelee_le=timezone.now(), gel_motif=motif, **Personne.trace(auteur.utilisateur)
    )
    log(auteur, "menages.geler", personne)


@transaction.atomic
def unfreeze(*, auteur: Habilitation, personne: Personne) -> None:
    Personne.objects.filter(pk=personne.pk).update(gelee_le=None, gel_motif="", **Personne.trace(auteur.utilisateur))
    log(auteur, "menages.degeler", personne)
