"""Who a person is, who may see where they are, and the gel of their data."""

import pghistory
from django.db import transaction
from django.utils import timezone

from comptes.models import Habilitation, Utilisateur
from menages.actions.journal import log
from menages.models import AccesProtege, Appartenance, Personne
from menages.verrous import lock_menages, lock_personnes
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
def protect(*, auteur: Habilitation, personne: Personne) -> None:
    """Hide where a person is from everybody but the named users and the team of the place; the author is named."""
    lock_personnes([personne.pk])
    # Whoever opens the dossier to others locks it too, then asks who is hidden.
    lock_menages(Appartenance.objects.current().filter(personne=personne).values_list("menage", flat=True))
    Personne.objects.filter(pk=personne.pk).update(protegee=True, **Personne.trace(auteur.utilisateur))
    _name(auteur, personne, auteur.utilisateur)
    log(auteur, "menages.proteger", personne)


@transaction.atomic
def stop_protecting(*, auteur: Habilitation, personne: Personne) -> None:
    lock_personnes([personne.pk])
    Personne.objects.filter(pk=personne.pk).update(protegee=False, **Personne.trace(auteur.utilisateur))
    AccesProtege.objects.filter(personne=personne).delete()
    log(auteur, "menages.ne_plus_proteger", personne)


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
            "cette personne."
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
