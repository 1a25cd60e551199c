"""Lists of what the user's perimeter holds: entités, dispositifs, financements; their extraction, and by commune."""

from urllib.parse import urlencode

from django.db.models import Count, QuerySet, Sum
from django.shortcuts import render
from django.urls import reverse

from comptes.droits import Droit
from offre.models import Dispositif
from offre.models.nomenclature import Statut
from offre.recherches import Recherche, RechercheDispositifs, RechercheEntites, RechercheFinancements
from siao.socle.columns import Decimal, phones
from siao.socle.extraction import extraction
from siao.socle.http import reads
from siao.socle.tables import Table, TableColumn

ENTITES = (
    TableColumn("nom", "Entité", lambda row: row.nom, ["nom_cle"], link=lambda row: _fiche("entites", row)),
    TableColumn("siren", "SIREN", lambda row: row.entite.siren, ["entite__siren"]),
    TableColumn("telephone", "Téléphone", lambda row: phones.show(row.telephone)),
    TableColumn("courriel", "Courriel", lambda row: row.courriel, ["courriel"]),
    TableColumn("convention", "Convention collective", lambda row: row.convention or "", ["convention__ordre"]),
    TableColumn("dispositifs", "Dispositifs", lambda row: row.nb_dispositifs, ["nb_dispositifs"], numeric=True),
    TableColumn("departement", "Département", lambda row: row.departement_id, ["departement"]),
    TableColumn("statut", "Statut", lambda row: row.get_statut_display(), ["statut"]),
)

DISPOSITIFS = (
    TableColumn("nom", "Dispositif", lambda row: row.nom, ["nom_cle"], link=lambda row: _fiche("dispositifs", row)),
    TableColumn("entite", "Entité", lambda row: row.entite_nom, ["entite_nom"]),
    TableColumn("categorie", "Catégorie", lambda row: row.get_categorie_display(), ["categorie"]),
    TableColumn("type", "Type", lambda row: row.type.libelle, ["type__ordre"]),
    TableColumn("commune", "Commune", lambda row: row.commune_visible, ["commune_cle"]),
    TableColumn("capacite", "Capacité", lambda row: row.capacite, numeric=True),
    TableColumn("177", "Programme 177", lambda row: "Oui" if row.programme_177 else "", ["programme_177"]),
    TableColumn("contingent", "Contingent", lambda row: row.contingent_nombre or "", ["contingent_nombre"], True),
    TableColumn("statut", "Statut", lambda row: row.get_statut_display(), ["statut"]),
)

FINANCEMENTS = (
    TableColumn("dispositif", "Dispositif", lambda row: row.dispositif.nom, ["dispositif__nom_cle"]),
    TableColumn(
        "ligne",
        "Ligne de financement",
        lambda row: row.ligne_complete,
        ["ligne__ordre"],
        link=lambda row: _fiche("financements", row),
    ),
    TableColumn("acte", "Acte", lambda row: row.get_nature_acte_display(), ["nature_acte"]),
    TableColumn("debut", "Début", lambda row: f"{row.date_debut:%d/%m/%Y}", ["date_debut"]),
    TableColumn("fin", "Fin", lambda row: f"{row.date_fin:%d/%m/%Y}" if row.date_fin else "", ["date_fin"]),
    TableColumn("quantite", "Quantité", lambda row: row.mesure, ["quantite"], True),
    TableColumn("montant", "Montant annuel", lambda row: Decimal().show(row.montant_annuel), ["montant_annuel"], True),
)


LISTES = {
    "entites": ("Entités gestionnaires", ENTITES, RechercheEntites),
    "dispositifs": ("Dispositifs", DISPOSITIFS, RechercheDispositifs),
    "financements": ("Financements", FINANCEMENTS, RechercheFinancements),
}
"""Caption, columns and search of each list: those of its page and of its extraction."""


@reads(Droit.OFFRE_VOIR)
def entites(request):
    return _list(request, "entites")


@reads(Droit.OFFRE_VOIR)
def dispositifs(request):
    return _list(request, "dispositifs")


@reads(Droit.OFFRE_VOIR)
def financements(request):
    return _list(request, "financements")


def _list(request, nom: str):
    form, table = _found(request, nom)
    context = {"form": form, "table": table, "nom": nom, "saisit": request.may(Droit.OFFRE_SAISIR)}
    return render(request, f"offre/{nom}.html", context)


@reads(Droit.OFFRE_VOIR)
def exporter(request, nom):
    """The list that is on the screen, all its pages: same filters, same order, same columns."""
    return extraction(_found(request, nom)[1], nom, request.GET.get("format", ""))


def _found(request, nom: str) -> tuple[Recherche, Table]:
    caption, columns, search = LISTES[nom]
    form = search(request.GET, request.perimetre)
    return form, Table(caption, columns, form.found(), request.GET)


# --- By commune -------------------------------------------------------------------------------------------------

COMMUNES = (
    TableColumn(
        "commune",
        "Commune",
        lambda row: row["commune__nom"],
        ["commune__nom_cle"],
        link=lambda row: f"{reverse('offre:dispositifs')}?{urlencode({'commune': row['commune__nom']})}",
    ),
    TableColumn("departement", "Département", lambda row: row["departement"], ["departement"]),
    TableColumn("dispositifs", "Dispositifs", lambda row: row["nombre"], ["nombre"], True),
    TableColumn("places", "Places", lambda row: row["places_"] or 0, ["places_"], True),
    TableColumn("logements", "Logements", lambda row: row["logements_"] or 0, ["logements_"], True),
    TableColumn("mesures", "Mesures", lambda row: row["mesures_"] or 0, ["mesures_"], True),
)


@reads(Droit.OFFRE_VOIR)
def communes(request):
    """Where the open dispositifs are; those at a confidential address are counted apart, and not located."""
    form = RechercheDispositifs(request.GET, request.perimetre)
    confidentiels = _open(form).filter(adresse_confidentielle=True).count()
    context = {"form": form, "table": _by_commune(request, form), "confidentiels": confidentiels}
    return render(request, "offre/communes.html", context)


@reads(Droit.OFFRE_VOIR)
def exporter_communes(request):
    form = RechercheDispositifs(request.GET, request.perimetre)
    return extraction(_by_commune(request, form), "communes", request.GET.get("format", ""))


def _open(form: RechercheDispositifs) -> QuerySet[Dispositif]:
    return form.found().exclude(statut=Statut.FERME).order_by()


def _by_commune(request, form: RechercheDispositifs) -> Table:
    located = _open(form).filter(adresse_confidentielle=False).values("commune", "commune__nom", "departement")
    by_commune = located.annotate(
        nombre=Count("pk"), places_=Sum("places"), logements_=Sum("logements"), mesures_=Sum("mesures")
    ).order_by("commune__nom_cle", "commune")
    return Table("Dispositifs par commune", COMMUNES, by_commune, request.GET)


def _fiche(nom: str, row) -> str:
    return reverse("offre:fiche", args=[nom, row.pk])
