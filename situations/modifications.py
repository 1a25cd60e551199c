"""The tab « Historique des modifications » of a dossier: what changed, from the histories of its tables, in sentences.

Nothing of a person whose situation is hidden from the user, beyond that something changed; nor who works with her.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from comptes.auteurs import Auteurs
from comptes.models import Utilisateur
from menages.models import Accompagnement, Appartenance, Fusion, Menage, Personne, birth_of
from situations.dossier import Dossier, was_during
from situations.models import SituationResidentielle

IDENTITE = ("nom", "nom_usage", "prenom", "date_naissance", "sexe")


@dataclass
class Modification:
    quand: datetime.datetime
    auteur: str
    personne: str
    """Empty for what is about the whole ménage."""
    phrase: str
    motif: str = ""


def read_modifications(dossier: Dossier) -> list[Modification]:
    """Latest first. One query per history table, one for the fusions and one for the authors.

    Of those who left, their departure alone.
    """
    readable = [membre for membre in dossier.membres if membre.visible and not membre.absorbee]
    names = {membre.personne.pk: membre.nom for membre in readable if membre.ici}
    all_names = {membre.personne.pk: membre.nom for membre in readable}
    found = [
        *_told(_events(Menage, id=dossier.menage.pk), _menage),
        *_told(_events(Personne, id__in=names), _personne, names, "id"),
        *_told(_events(Appartenance, personne__in=all_names, menage=dossier.menage.pk), _appartenance, all_names),
        *_told(_situations(dossier, names), _situation, names),
        *_fusions(names),
    ]
    if not dossier.protege:
        found += _told(_events(Accompagnement, "dispositif", menage=dossier.menage.pk), _accompagnement)
    found.sort(key=lambda each: each[0])
    found.reverse()  # what one transaction wrote too
    auteurs = Auteurs(key for _, key, _ in found)
    for _, key, modification in found:
        modification.auteur = auteurs.nom(key, entier=not dossier.protege, personne=modification.auteur)
        if dossier.protege:
            modification.motif = ""  # typed with a change of several tables, it may tell why, hence where
    return [modification for _, _, modification in found]


def _events(model, *related: str, **which):
    events = model.pgh_event_model.objects.filter(**which).select_related("pgh_context", *related)
    return events.order_by("pgh_id")


def _situations(dossier: Dossier, names: dict[int, str]) -> Iterator:
    """The versions of the situations of those who are there; of the days that are hidden, what is read of them."""
    caches = {membre.personne.pk: membre.caches for membre in dossier.presents}
    read = {situation.pk for membre in dossier.presents for situation in membre.situations}
    for event in _events(SituationResidentielle, "sr2", personne__in=names):
        if event.id in read or not was_during(event, caches[event.personne_id]):
            yield event


def _told(events, tell, names=None, key: str = "personne_id") -> Iterator[tuple[datetime.datetime, int | None, object]]:
    """When, key of the author, and the modification in words, for each of ``events`` that has something to say."""
    before = defaultdict(lambda: None)
    for event in events:
        previous, before[event.id] = before[event.id], event
        phrase = tell(event, previous)
        if not phrase:
            continue
        context = event.pgh_context.metadata if event.pgh_context else {}
        yield (
            event.pgh_created_at,
            context.get("utilisateur"),
            Modification(
                event.pgh_created_at,
                context.get("travail") or "le logiciel",
                names.get(getattr(event, key), "") if names else "",
                phrase,
                context.get("motif", ""),
            ),
        )


def _fusions(names: dict[int, str]) -> Iterator[tuple[datetime.datetime, int | None, Modification]]:
    for fusion in Fusion.objects.filter(maitre__in=names).select_related("absorbee").order_by("pk"):
        done = (fusion.faite_le, fusion.faite_par_id, f"Fiche {fusion.absorbee.numero} fusionnée dans celle-ci")
        undone = (fusion.defaite_le, fusion.defaite_par_id, f"Fusion de {fusion.absorbee.numero} défaite")
        for when, author, phrase in (done, undone):
            if when:
                yield when, author, Modification(when, "le logiciel", names[fusion.maitre_id], phrase)


def _menage(event, before) -> str:
    if before is None:
        return "Dossier ouvert"
    if event.archive_le != before.archive_le:
        return "Dossier archivé : plus personne ne s'y trouve" if event.archive_le else "Dossier sorti des archives"
    if event.composition_id != before.composition_id:
        return "Composition du ménage modifiée"
    if event.bandeau_expulsion != before.bandeau_expulsion:
        return "Bandeau d'expulsion retiré : une situation a été mise à jour"
    return ""


def _personne(event, before) -> str:
    if before is None:
        return "Fiche créée"
    changed = [name for name in IDENTITE if _read(name, event) != _read(name, before)]
    if changed:
        return "Identité : " + " ; ".join(_change(name, event, before) for name in changed)
    if event.protegee != before.protegee:
        return "Situation protégée" if event.protegee else "La situation n'est plus protégée"
    if event.gelee_le != before.gelee_le:
        return "Données gelées" if event.gelee_le else "Données dégelées"
    return ""


def _read(name: str, event) -> str:
    if name == "date_naissance":
        return birth_of(event)
    value = getattr(event, name)
    return dict(Personne._meta.get_field(name).flatchoices).get(value, value)


def _change(name: str, event, before) -> str:
    field = Personne._meta.get_field(name)
    old, new = _read(name, before), _read(name, event)
    return f"{field.verbose_name} « {old or '—'} » devient « {new or '—'} »"


def _appartenance(event, before) -> str:
    if event.pgh_label == "delete":
        return ""
    if event.date_fin and (before is None or before.date_fin != event.date_fin):
        return f"Quitte ce ménage le {event.date_fin:%d/%m/%Y}"
    return f"Dans ce ménage depuis le {event.date_debut:%d/%m/%Y}" if before is None else ""


def _situation(event, before) -> str:
    said = f"« {event.sr2} » depuis le {event.date_debut:%d/%m/%Y}"
    if event.pgh_label == "delete":
        return f"Situation supprimée : {said}"
    if before is None:
        return f"Situation ajoutée : {said}"
    if (event.sr2_id, event.date_debut, event.region_id) != (before.sr2_id, before.date_debut, before.region_id):
        return f"Situation modifiée : « {before.sr2} » depuis le {before.date_debut:%d/%m/%Y} devient {said}"
    if event.date_fin != before.date_fin:
        return f"{said} " + (f": finit le {event.date_fin:%d/%m/%Y}" if event.date_fin else ": de nouveau en cours")
    if event.confirmee_le != before.confirmee_le:
        return f"{said} : toujours exacte au {event.confirmee_le:%d/%m/%Y}"
    return ""


def _accompagnement(event, before) -> str:
    if before is None:
        return f"Accompagnement par {event.dispositif} depuis le {event.date_debut:%d/%m/%Y}"
    if event.date_fin and event.date_fin != before.date_fin:
        return f"Fin de l'accompagnement par {event.dispositif} le {event.date_fin:%d/%m/%Y}"
    return ""


@dataclass(frozen=True)
class Cloture:
    quand: datetime.datetime
    auteur: str
    supprimee: bool


def closing_of(situation: int) -> Cloture | None:
    """What ended a situation (its key) for the last time, or deleted it; None while it is current."""
    found, ended = None, False
    for event in _events(SituationResidentielle, pgh_obj_id=situation):
        deleted = event.pgh_label == "delete"
        if deleted or event.date_fin is None or not ended:
            found = event if deleted or event.date_fin else None
        ended = event.date_fin is not None
    if found is None:
        return None
    context = found.pgh_context.metadata if found.pgh_context else {}
    author = Utilisateur.objects.filter(pk=context.get("utilisateur")).first()
    return Cloture(
        found.pgh_created_at, str(author or context.get("travail") or "le logiciel"), found.pgh_label == "delete"
    )
