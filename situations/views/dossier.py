"""The dossier of a ménage: its persons, their situations, what changed."""

import datetime

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from comptes.auteurs import Auteurs
from comptes.droits import Droit
from comptes.models import Partage
from menages.models import Menage, Personne, Regard
from siao.socle.http import reads
from siao.socle.tables import Table, TableColumn
from siao.socle.text import Folded
from situations.dossier import Dossier, read_dossier
from situations.lignes_d_eau import draw
from situations.models import SituationResidentielle
from situations.modifications import read_modifications

MENAGE = "menages.menage"

HISTOIRE = "historique"
"""Where the history is in its page: its sorts and its pages lead there."""

HISTORIQUE = (
    TableColumn("situation", "Situation résidentielle", lambda row: row.libelle, ["sr2__ordre", "date_debut"]),
    TableColumn(
        "personne",
        "Personne",
        lambda row: row.personne.designation,
        ["prenom_cle", "nom_cle", "personne", "date_debut"],
    ),
    TableColumn("debut", "Depuis le", lambda row: f"{row.date_debut:%d/%m/%Y}", ["date_debut"]),
    TableColumn("fin", "Jusqu'au", lambda row: row.jusqu_au, ["date_fin", "date_debut"]),
)


def visible_menage(request, pk: int) -> Menage:
    """A dossier that the user may read."""
    rows = Menage.objects.visible_to(request.perimetre).select_related("siao__departement", "composition")
    return get_object_or_404(rows, pk=pk)


@reads(Droit.MENAGES_VOIR, journal=MENAGE)
def dossier(request, pk):
    """Tab « Ménage »: a vignette per person."""
    read = read_dossier(visible_menage(request, pk), request.habilitation)
    return _page(request, "menage", read, partages=_shares(request, read))


def _shares(request, read: Dossier) -> list[tuple[Partage, str]]:
    """With which SIAO the dossier is shared today, and by whom, for those who may stop it: its own SIAO."""
    menage = read.menage
    if menage.siao_id not in request.perimetre.siaos or not request.may(Droit.MENAGES_SAISIR):
        return []
    rows = list(Partage.objects.of(menage).current().select_related("group__siao").order_by("date_fin", "pk"))
    auteurs = Auteurs(partage.accorde_par_id for partage in rows)
    return [(partage, auteurs.nom(partage.accorde_par_id, entier=not read.protege)) for partage in rows]


@reads(Droit.MENAGES_VOIR, journal=MENAGE)
def situations_du_menage(request, pk):
    """Tab « Situation du ménage »: the current situations, and the last accordion, their history."""
    read = read_dossier(visible_menage(request, pk), request.habilitation)
    departures = {m.personne.pk: m.depart for m in read.partis if m.visible}
    # What is read of each here; of those who left, the situations of their stay.
    seen = [situation.pk for membre in (*read.presents, *read.partis) for situation in membre.situations]
    rows = (
        SituationResidentielle.objects.filter(pk__in=seen)
        .readable()
        .select_related("personne")
        .annotate(prenom_cle=Folded("personne__prenom"), nom_cle=Folded("personne__nom"))
    )
    table = Table(
        "Historique des situations résidentielles",
        HISTORIQUE,
        rows.order_by("-date_debut", "pk"),
        request.GET,
        HISTOIRE,
    )
    for row in table.page:
        row.jusqu_au = _until(row, departures.get(row.personne_id))
    return _page(request, "situations", read, historique=table, ouvert="tri" in request.GET or "page" in request.GET)


def _until(situation: SituationResidentielle, depart: datetime.date | None) -> str:
    """When it ended; for who left before, when she left: what became of her afterwards is read elsewhere."""
    if depart and (situation.date_fin is None or situation.date_fin > depart):
        return f"son départ, le {depart:%d/%m/%Y}"
    return f"{situation.date_fin:%d/%m/%Y}" if situation.date_fin else ""


@reads(Droit.MENAGES_VOIR, journal=MENAGE)
def modifications(request, pk):
    """Tab « Historique des modifications »: who changed what."""
    read = read_dossier(visible_menage(request, pk), request.habilitation)
    return _page(request, "modifications", read, modifications=read_modifications(read))


@reads(Droit.MENAGES_VOIR, journal=MENAGE)
def imprimer(request, pk):
    """The whole dossier on paper."""
    read = read_dossier(visible_menage(request, pk), request.habilitation)
    image = draw(read.lignes, read.aujourdhui)
    return render(request, "situations/imprimer.html", {"dossier": read, "menage": read.menage, "image": image})


_TITRES = {
    "menage": "Ménage",
    "situations": "Situation du ménage",
    "modifications": "Historique des modifications",
}


def _page(request, onglet: str, read: Dossier, **more):
    suivi = Menage.objects.suivis_par(request.perimetre).filter(pk=read.menage.pk).exists()
    context = {
        "dossier": read,
        "menage": read.menage,
        "image": draw(read.lignes, read.aujourdhui),
        "onglet": onglet,
        "titre_onglet": _TITRES[onglet],
        "peut": {
            "fiche": suivi,
            "saisir": suivi and request.may(Droit.MENAGES_SAISIR),
            "situations": suivi and request.may(Droit.SITUATIONS_SAISIR),
            "fusionner": suivi and request.may(Droit.MENAGES_FUSIONNER),
            "deplacer": suivi and request.may(Droit.MENAGES_DEPLACER),
            "droits": suivi and request.may(Droit.PERSONNES_DROITS),
            "journal": suivi and request.may(Droit.JOURNAL_VOIR) and not read.protege,
        },
        **more,
    }
    return render(request, f"situations/dossier_{onglet}.html", context)


@reads(Droit.MENAGES_VOIR, journal="menages.personne")
def personne(request, pk):
    """Where somebody is today: the dossier, of the fiche that was kept when this one was absorbed."""
    found = get_object_or_404(
        Personne.objects.visible_to(request.perimetre)
        .with_regard(request.habilitation)
        .select_related("fusionnee_dans"),
        pk=pk,
    )
    if found.regard == Regard.GELE:
        raise Http404
    kept = found.fusionnee_dans or found
    menage = Menage.objects.visible_to(request.perimetre).filter(
        appartenances__personne=kept, appartenances__date_fin__isnull=True
    )
    return redirect(f"{reverse('dossier', args=[get_object_or_404(menage).pk])}#personne-{kept.pk}")
