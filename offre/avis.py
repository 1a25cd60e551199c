"""Who is told of a transition: the next person of the circuit, by e-mail.

The e-mail names no fiche (an address may be confidential, and so may a name): it says how many wait, and links.
"""

from collections import defaultdict

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse

from comptes.droits import MATRICE, Droit
from comptes.models import Departement, Habilitation, Octroi, Utilisateur
from offre.models import Dispositif, Rattachement, Transition
from offre.models.nomenclature import Statut
from siao.socle.text import counted

LOT = 500
"""Transitions told at once."""

_VALIDEURS = {Statut.SOUMIS: Droit.OFFRE_PREVALIDER, Statut.PREVALIDE: Droit.OFFRE_VALIDER}
_PHRASES = {
    Statut.SOUMIS: "à pré-valider",
    Statut.PREVALIDE: "à valider",
    Statut.A_CORRIGER: "à corriger, avec des remarques",
    Statut.VALIDE: "validé",
    Statut.REFUSE: "refusé",
}


def tell() -> int:
    """Send what is due, one e-mail per person; killed in between, one may be sent twice, none is lost."""
    with transaction.atomic():
        steps = list(
            Transition.objects.filter(a_prevenir=True)
            .select_for_update(of=("self",), skip_locked=True, no_key=True)
            .select_related("rattachement", "dispositif", "proposition")
            .order_by("pk")[:LOT]
        )
        lines: dict[Utilisateur, list] = defaultdict(list)
        departements = Departement.objects.in_bulk({_fiche(step).departement_id for step in steps})
        for step in steps:
            departement = departements[_fiche(step).departement_id]
            for reader in _readers(step, departement):
                lines[reader].append(_line(step, departement))
        for reader, told in lines.items():
            send_mail(
                subject=f"SI SIAO – {counted(len(told), 'nouvelle')} de vos fiches",
                message=render_to_string("offre/courriel_transitions.txt", {"lignes": told}),
                from_email=None,
                recipient_list=[reader.courriel],
            )
        Transition.objects.filter(pk__in=[step.pk for step in steps]).update(a_prevenir=False)
    return len(lines)


def _fiche(step: Transition):
    return step.rattachement or step.dispositif


def _readers(step: Transition, departement: Departement):
    """Those who can do what comes next; when it is over or to correct, those who typed it."""
    if step.vers in _VALIDEURS:
        profils = list(MATRICE[_VALIDEURS[step.vers]])
        where = Q(departement=departement) | Q(region=departement.region_id) | Q(siao__departement=departement)
        found = Habilitation.objects.current().filter(where, profil__in=profils).values("utilisateur")
        readers = Utilisateur.objects.filter(pk__in=found)
    else:
        fiche = _fiche(step)
        typed = {step.proposition.auteur_id} if step.proposition else {fiche.cree_par_id, *_submitters(fiche)}
        if step.vers == Statut.A_CORRIGER:
            typed |= _holders(fiche)
        readers = Utilisateur.objects.filter(pk__in=typed - {None})
    return readers.filter(is_active=True).exclude(pk=step.auteur_id).order_by("pk")


def _submitters(fiche) -> list[int]:
    submitted = fiche.transitions.filter(vers__in=_VALIDEURS, proposition__isnull=True)
    return list(submitted.order_by("-pk").values_list("auteur", flat=True)[:5])


def _holders(fiche: Rattachement | Dispositif) -> set[int]:
    """Those of the entité who may correct the fiche: they hold it, or the entité of the dispositif."""
    held = [fiche]
    if isinstance(fiche, Dispositif):
        held.append(Rattachement.objects.get(entite=fiche.entite_id, departement=fiche.departement_id))
    current = Habilitation.objects.current().filter(profil__in=list(MATRICE[Droit.OFFRE_PROPOSER]))
    octrois = Octroi.objects.none()
    for objet in held:
        kind = ContentType.objects.get_for_model(objet)
        octrois |= Octroi.objects.filter(content_type=kind, object_pk=str(objet.pk))
    return set(current.filter(octrois__in=octrois).values_list("utilisateur", flat=True))


def _line(step: Transition, departement: Departement) -> dict:
    fiche = _fiche(step)
    if step.proposition:
        page, what = reverse("offre:proposition", args=[step.proposition_id]), "changement proposé"
    else:
        nom = "entites" if step.rattachement else "dispositifs"
        page, what = reverse("offre:fiche", args=[nom, fiche.pk]), fiche._meta.verbose_name
    return {
        "quoi": f"{what[:1].upper()}{what[1:]} n° {step.proposition_id or fiche.pk}, {departement}",
        "etat": _PHRASES[step.vers],
        "url": f"{settings.SITE_URL}{page}",
    }
