"""Moving fiches and propositions along the circuit: each step leaves its transition, and tells the next person."""

import datetime
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from comptes.journal import journalise
from comptes.models import Habilitation
from offre import tasks
from offre.circuit import Passage, passages
from offre.colonnes.ecriture import CHANGE
from offre.colonnes.fiches import TABLES
from offre.models import Dispositif, Proposition, Rattachement, Remarque, Transition
from offre.models.nomenclature import Statut
from siao.socle.database import refusing
from siao.socle.jobs import wake
from siao.socle.refusal import Refusal

A_DIRE = (Statut.SOUMIS, Statut.PREVALIDE, Statut.A_CORRIGER, Statut.VALIDE, Statut.REFUSE)
"""Arriving at one of these concerns somebody else than the author of the transition."""


def record(
    fiche: Rattachement | Dispositif,
    *,
    auteur: Habilitation,
    de: str,
    vers: str,
    proposition: Proposition | None = None,
    motif: str = "",
    changements: Mapping | None = None,
    remarques: Mapping[str, str] | None = None,
) -> Transition:
    """Keep one step, in the caller's transaction; the next person is told by e-mail once it is committed."""
    created_valid = de == "" and vers == Statut.VALIDE
    tell = de != vers and vers in A_DIRE and not created_valid
    step = Transition.objects.create(
        **{fiche._meta.model_name: fiche},
        proposition=proposition,
        de=de,
        vers=vers,
        motif=motif,
        changements=dict(changements or {}),
        auteur=auteur.utilisateur,
        habilitation=auteur,
        a_prevenir=tell,
    )
    Remarque.objects.bulk_create(
        Remarque(transition=step, champ=champ, texte=texte) for champ, texte in (remarques or {}).items()
    )
    if tell:
        wake(tasks.tell_transitions)
    return step


@transaction.atomic
def move(
    *,
    auteur: Habilitation,
    objet: Rattachement | Dispositif | Proposition,
    action: str,
    version: int,
    motif: str = "",
    remarques: Mapping[str, str] | None = None,
    date_fermeture: datetime.date | None = None,
) -> Passage:
    """Do ``action`` on a fiche or a proposition that its author saw at ``version`` (``revision`` for a proposition)."""
    proposition = objet if isinstance(objet, Proposition) else None
    fiche = objet.fiche if proposition else objet
    # The fiche first, then its proposition: everybody locks in that order.
    fiche = type(fiche).objects.select_for_update(of=("self",), no_key=True).get(pk=fiche.pk)
    if proposition:
        proposition = Proposition.objects.select_for_update(of=("self",)).get(pk=proposition.pk)
    current = proposition or fiche
    if (proposition.revision if proposition else fiche.version) != version:
        raise Refusal("Ce que vous aviez sous les yeux a changé entre-temps : relisez la page, puis recommencez.")
    allowed = passages(current.statut, auteur.droits, proposition=proposition is not None)
    passage = next((passage for passage in allowed if passage.action == action), None)
    if passage is None:
        raise Refusal(
            f"Ce n'est plus possible : le statut est maintenant « {current.get_statut_display()} ». Relisez la page."
        )
    if proposition and passage.vers != Statut.REFUSE and fiche.statut != Statut.VALIDE:
        raise Refusal(
            f"Un changement ne s'applique qu'à une fiche validée, et celle-ci est « {fiche.get_statut_display()} » : "
            "rouvrez-la d'abord, ou abandonnez ce changement."
        )
    if passage.motif and not motif.strip():
        raise Refusal("Donnez le motif : la personne concernée le lira.")
    if passage.remarques and not remarques:
        raise Refusal("Écrivez au moins une remarque, en face du champ à corriger.")
    changements = {}
    if proposition:
        if passage.vers == Statut.VALIDE:
            changements = _accept(fiche, proposition, auteur)
        _put(proposition, passage.vers)
    else:
        _move_fiche(fiche, passage, auteur, date_fermeture)
        if passage.vers == Statut.FERME:
            _withdraw_waiting(fiche, auteur, f"La fiche est fermée : {motif.strip()}")
    record(
        fiche,
        auteur=auteur,
        de=current.statut,
        vers=passage.vers,
        proposition=proposition,
        motif=motif.strip(),
        changements=changements,
        remarques=remarques if passage.remarques else None,
    )
    journalise(action=f"offre.{action}", utilisateur=auteur.utilisateur, habilitation=auteur, objet=current)
    return passage


def _put(proposition: Proposition, statut: str) -> None:
    Proposition.objects.filter(pk=proposition.pk).update(
        statut=statut, statut_depuis=timezone.now(), revision=F("revision") + 1
    )


def _withdraw_waiting(fiche: Rattachement | Dispositif, auteur: Habilitation, motif: str) -> None:
    """What was proposed has no fiche to change any more: who typed it reads why."""
    if proposition := fiche.propositions.en_attente().select_for_update(of=("self",)).first():
        _put(proposition, Statut.REFUSE)
        record(fiche, auteur=auteur, de=proposition.statut, vers=Statut.REFUSE, proposition=proposition, motif=motif)


def _accept(fiche: Rattachement | Dispositif, proposition: Proposition, auteur: Habilitation) -> dict[str, list]:
    """Write a proposition on its fiche; refused when what it makes of the fiche as it is now breaks a rule."""
    from offre.actions.fiches import write_changes
    from offre.saisie import checked

    form, changements = checked(proposition)
    if form.errors:
        details = " ".join(str(error) for errors in form.errors.values() for error in errors)
        raise Refusal(f"La fiche a changé depuis cette proposition, qui ne s'applique plus telle quelle. {details}")
    siren = proposition.apres.get("siren")
    if siren and siren not in (fiche.siren, changements.get("siren", [""])[-1]):
        raise Refusal(f"L'entité de SIREN {siren} n'est plus dans ce département : la proposition ne s'applique plus.")
    write_changes(fiche, changements, auteur)
    return changements


def _move_fiche(fiche, passage: Passage, auteur: Habilitation, date_fermeture) -> None:
    values: dict = {"statut": passage.vers}
    if passage.vers == Statut.FERME:
        _refuse_open_children(fiche)
        values["date_fermeture"] = _closing_day(fiche, date_fermeture).isoformat()
    elif fiche.statut == Statut.FERME:
        if getattr(fiche, "fusionne_dans_id", None):
            raise Refusal("Cette entité a été fusionnée dans une autre : c'est l'autre qui vit.")
        values["date_fermeture"] = None
    table = next(table for table in TABLES.values() if table.model is type(fiche))
    with refusing():
        CHANGE[table.sheet.name]([(fiche.pk, values)], auteur.utilisateur)


def _closing_day(fiche, wanted: datetime.date | None) -> datetime.date:
    """The day of a closing, which is done at once: a later one is planned, not done."""
    today = fiche.departement.aujourdhui
    start = getattr(fiche, "date_ouverture", today)
    # What has not opened yet closes the day it was to open, as by a workbook.
    last = max(today, start)
    closed = wanted or last
    if closed < start:
        raise Refusal(f"La fermeture ne peut pas précéder l'ouverture, le {start:%d/%m/%Y}.")
    if closed > last:
        raise Refusal(
            f"Fermer prend effet tout de suite : donnez au plus tard le {last:%d/%m/%Y}. "
            + (
                "Pour une fermeture à venir, modifiez la fiche et écrivez sa « Date de fermeture prévue » : le SIAO "
                "n'y oriente plus à partir de ce jour."
                if isinstance(fiche, Dispositif)
                else "Pour une fermeture à venir, revenez ce jour-là : jusque-là, l'entité garde son offre."
            )
        )
    return closed


def _refuse_open_children(fiche) -> None:
    """An entité cannot be closed while one of its dispositifs stays open."""
    if isinstance(fiche, Dispositif):
        return
    left = Dispositif.objects.filter(entite=fiche.entite_id, departement=fiche.departement_id)
    if names := list(left.exclude(statut=Statut.FERME).values_list("nom", flat=True)[:5]):
        raise Refusal(
            "Une entité ne se ferme pas tant qu'un de ses dispositifs reste ouvert : fermez ou déplacez d'abord "
            + ", ".join(f"« {name} »" for name in names)
            + "."
        )


def move_many(
    *, auteur: Habilitation, objets: Iterable[tuple[Rattachement | Dispositif | Proposition, int]], action: str
) -> int:
    """Do ``action`` on several objects, each at the version that its author saw: all of them, or none."""
    done = 0
    with transaction.atomic():
        for objet, version in sorted(objets, key=lambda seen: (seen[0]._meta.label, seen[0].pk)):
            try:
                move(auteur=auteur, objet=objet, action=action, version=version)
            except Refusal as refusal:
                raise Refusal(f"« {objet} » : {refusal} Rien n'a été validé.") from refusal
            done += 1
    return done
