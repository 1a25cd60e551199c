"""Lists of what the user's perimeter holds: entités, dispositifs, financements."""

from django.shortcuts import render

from comptes.droits import Droit
from offre.models import Dispositif, Financement, Rattachement
from siao.socle.columns.types import Decimal, show_phone
from siao.socle.http import reads
from siao.socle.tables import Table, TableColumn

ENTITES = (
    TableColumn("nom", "Entité", lambda row: row.nom, ["nom_cle"]),
    TableColumn("siren", "SIREN", lambda row: row.entite.siren, ["entite__siren"]),
    TableColumn("telephone", "Téléphone", lambda row: show_phone(row.telephone) if row.telephone else ""),
    TableColumn("courriel", "Courriel", lambda row: row.courriel, ["courriel"]),
    TableColumn("convention", "Convention collective", lambda row: row.convention or "", ["convention__ordre"]),
    TableColumn("dispositifs", "Dispositifs", lambda row: row.nb_dispositifs, ["nb_dispositifs"], numeric=True),
    TableColumn("departement", "Département", lambda row: row.departement_id, ["departement"]),
    TableColumn("statut", "Statut", lambda row: row.get_statut_display(), ["statut"]),
)

DISPOSITIFS = (
    TableColumn("nom", "Dispositif", lambda row: row.nom, ["nom_cle"]),
    TableColumn("entite", "Entité", lambda row: row.entite_nom, ["entite_nom"]),
    TableColumn("categorie", "Catégorie", lambda row: row.get_categorie_display(), ["categorie"]),
    TableColumn("type", "Type", lambda row: row.type.libelle, ["type__ordre"]),
    TableColumn("commune", "Commune", lambda row: row.commune_visible, ["commune__nom_cle"]),
    TableColumn("capacite", "Capacité", lambda row: row.capacite, numeric=True),
    TableColumn("statut", "Statut", lambda row: row.get_statut_display(), ["statut"]),
)

FINANCEMENTS = (
    TableColumn("dispositif", "Dispositif", lambda row: row.dispositif.nom, ["dispositif__nom_cle"]),
    TableColumn("ligne", "Ligne de financement", lambda row: row.ligne_complete, ["ligne__ordre"]),
    TableColumn("acte", "Acte", lambda row: row.get_nature_acte_display(), ["nature_acte"]),
    TableColumn("debut", "Début", lambda row: f"{row.date_debut:%d/%m/%Y}", ["date_debut"]),
    TableColumn("fin", "Fin", lambda row: f"{row.date_fin:%d/%m/%Y}" if row.date_fin else "", ["date_fin"]),
    TableColumn(
        "quantite", "Quantité", lambda row: f"{row.quantite} {row.get_unite_display().lower()}", ["quantite"], True
    ),
    TableColumn("montant", "Montant annuel", lambda row: Decimal().show(row.montant_annuel), ["montant_annuel"], True),
)


@reads(Droit.OFFRE_VOIR)
def entites(request):
    rows = Rattachement.objects.visible_to(request.perimetre).search(request.GET.get("q", "")).for_list()
    return _list(request, "entites", Table("Entités gestionnaires", ENTITES, rows, request.GET))


@reads(Droit.OFFRE_VOIR)
def dispositifs(request):
    rows = Dispositif.objects.visible_to(request.perimetre).search(request.GET.get("q", "")).for_list()
    return _list(request, "dispositifs", Table("Dispositifs", DISPOSITIFS, rows, request.GET))


@reads(Droit.OFFRE_VOIR)
def financements(request):
    rows = Financement.objects.visible_to(request.perimetre).search(request.GET.get("q", "")).for_list()
    return _list(request, "financements", Table("Financements", FINANCEMENTS, rows, request.GET))


def _list(request, name: str, table: Table):
    return render(request, f"offre/{name}.html", {"table": table, "recherche": request.GET.get("q", "")})
