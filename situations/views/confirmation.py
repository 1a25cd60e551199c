"""Worklists: situations that nobody has confirmed for months, and those that are not known."""

import datetime
from itertools import pairwise

from django.db.models import Exists, OuterRef, Subquery
from django.shortcuts import render
from django.utils import timezone

from comptes.droits import Droit
from menages.models import Accompagnement, Appartenance, Menage, Personne, Regard
from offre.models import Dispositif
from siao.socle.http import reads
from siao.socle.tables import Table, TableColumn
from situations.forms import AConfirmerForm
from situations.models import SituationResidentielle
from situations.models.referentiel import NON_RENSEIGNEE

MOIS = 3
"""Months after which a situation waits to be confirmed, unless the page asks for another delay."""


def months_ago(months: int, jour: datetime.date | None = None) -> datetime.date:
    return (jour or timezone.localdate()) - datetime.timedelta(days=round(months * 30.4375))


COLONNES = (
    TableColumn("personne", "Personne", lambda row: row.personne.designation, ["personne__nom", "personne__prenom"]),
    TableColumn("dossier", "Dossier", lambda row: row.dossier, ["dossier"]),
    TableColumn("situation", "Situation", lambda row: row.libelle, ["sr2__ordre"]),
    TableColumn("depuis", "Depuis le", lambda row: f"{row.date_debut:%d/%m/%Y}", ["date_debut"]),
    TableColumn("exacte", "Exacte au", lambda row: f"{row.confirmee_le:%d/%m/%Y}", ["confirmee_le"]),
)


def unconfirmed(habilitation, since: datetime.date):
    """Current situations that nobody has confirmed since, of the persons whom the user sees and may write to."""
    return _seen(habilitation).to_confirm(since)


def unknown(habilitation):
    """« Non renseignée », of the same persons."""
    return _seen(habilitation).current().filter(sr2=NON_RENSEIGNEE)


def _seen(habilitation):
    seen = Personne.objects.filter(pk=OuterRef("personne"), gelee_le__isnull=True).with_regard(habilitation)
    followed = SituationResidentielle.objects.followed_by(habilitation.perimetre)
    return followed.filter(Exists(seen.filter(regard=Regard.ENTIER)))


@reads(Droit.SITUATIONS_SAISIR, journal="situations.situationresidentielle")
def a_confirmer(request):
    form = AConfirmerForm(request.GET or None, dispositifs=_dispositifs(request))
    months, dispositif, which = MOIS, None, ""
    if form.is_bound and form.is_valid():
        months = int(form.cleaned_data["mois"] or MOIS)
        dispositif, which = form.cleaned_data["dispositif"], form.cleaned_data["liste"]
    rows = unknown(request.habilitation) if which == "nr" else unconfirmed(request.habilitation, months_ago(months))
    here = Appartenance.objects.current().filter(personne=OuterRef("personne"))
    rows = rows.annotate(menage=Subquery(here.values("menage")), dossier=Subquery(here.values("menage__numero")))
    if dispositif:
        accompanied = Accompagnement.objects.current().filter(dispositif=dispositif, menage=OuterRef("menage"))
        rows = rows.filter(Exists(accompanied))
    rows = rows.readable().select_related("personne").order_by("confirmee_le", "pk")
    table = Table("Situations à confirmer, de la plus ancienne à la plus récente", COLONNES, rows, request.GET)
    request.shown["nombre"] = len(table.page)
    for row, after in pairwise(table.page):
        row.suivante = after.personne_id  # where the keyboard goes on
    context = {"form": form, "table": table, "mois": months, "liste": which, "parametres": request.GET.urlencode()}
    return render(request, "situations/a_confirmer.html", context)


def _dispositifs(request):
    """Those that accompany a ménage that the user works on, and sees whole."""
    whole = Menage.objects.suivis_par(request.perimetre).entiers_pour(request.habilitation).order_by()
    accompanied = Accompagnement.objects.current().filter(dispositif=OuterRef("pk"), menage__in=whole)
    return Dispositif.objects.filter(Exists(accompanied))
