"""What lets others read where a person is, or says that somebody already has: protecting her ends it, unless kept."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from comptes.actions import stop_sharing
from comptes.models import EntreeJournal, Habilitation, Partage, Resultat
from menages.actions.demandes_d_acces import answer_access
from menages.actions.dossiers import stop_accompanying
from menages.actions.journal import log
from menages.models import Accompagnement, Appartenance, DemandeDAcces, Personne
from siao.socle.refusal import Refusal

EXPORTS = ("donnees_personne", "donnees_personne_json", "imprimer_dossier")
"""Pages that put what is known of a person, or of her dossier, on paper or in a file: actions of the journal."""


@dataclass(frozen=True)
class Ouverture:
    """One of them: a share, a demande that waits, an accompagnement."""

    objet: Any
    libelle: str

    @property
    def cle(self) -> str:
        return f"{self.objet._meta.model_name}-{self.objet.pk}"


def openings(personne: Personne, auteur: Habilitation) -> list[Ouverture]:
    """All that is open on the dossier where ``personne`` is, whoever of her ménage it is about.

    Not the accompagnements of ``auteur``'s own team: it is by them that ``auteur``, who will be named, follows her.
    """
    menage = Appartenance.objects.current().select_related("menage").get(personne=personne).menage
    here = Appartenance.objects.current().filter(menage=menage).order_by().values("personne")
    # Those that begin later too.
    partages = Partage.objects.of(menage).filter(retire_le__isnull=True, date_fin__gte=timezone.localdate())
    demandes = DemandeDAcces.objects.waiting().filter(personne__in=here)
    suivis = menage.accompagnements.current().exclude(pk__in=Accompagnement.objects.by(auteur.perimetre).values("pk"))
    return [
        *(
            Ouverture(each, f"Partage avec {each.group.siao}, jusqu'au {each.date_fin:%d/%m/%Y}")
            for each in partages.select_related("group__siao").order_by("pk")
        ),
        *(
            Ouverture(each, f"Demande d'accès de {each.siao_demandeur}, reçue le {each.demandee_le:%d/%m/%Y}")
            for each in demandes.select_related("siao_demandeur", "personne").order_by("pk")
        ),
        *(
            Ouverture(each, f"Accompagnement par {each.dispositif} : son équipe lit tout le dossier")
            for each in suivis.select_related("dispositif", "menage__siao__departement").order_by("pk")
        ),
    ]


def exports_made(personne: Personne) -> list[EntreeJournal]:
    """Who took away what is known of ``personne`` or of her dossier, latest first: nothing takes it back."""
    menages = Appartenance.objects.filter(personne=personne).values_list("menage", flat=True)
    about = Q(objet_type="menages.personne", objet_id=str(personne.pk))
    about |= Q(objet_type="menages.menage", objet_id__in=[str(key) for key in menages])
    made = EntreeJournal.objects.filter(about, action__in=EXPORTS, resultat=Resultat.PERMIS)
    return list(made.select_related("utilisateur", "habilitation").order_by("-pk")[:100])


def close_openings(auteur: Habilitation, personne: Personne, garder: Collection[str] = ()) -> list[str]:
    """End what is open (under the locks of ``protect``), but the keys of ``garder``; return the labels of those kept.

    The journal has a line for each that is ended, and for each that is kept.
    """
    kept = []
    for opening in openings(personne, auteur):
        if opening.cle in garder:
            kept.append(opening.libelle)
            log(auteur, "menages.garder_ouvert", opening.objet)
        else:
            with suppress(Refusal):  # somebody has just ended it
                _end(auteur, opening.objet)
    return kept


def _end(auteur: Habilitation, objet) -> None:
    if isinstance(objet, Partage):
        stop_sharing(auteur=auteur, partage=objet)
    elif isinstance(objet, DemandeDAcces):
        answer_access(auteur=auteur, demande=objet, acceptee=False, reponse="")
    else:
        stop_accompanying(auteur=auteur, accompagnement=objet)
