"""The peer of the pages: Django's admin, with what its documentation recommends for long tables.

``raw_id_fields`` instead of lists of a million choices, ``list_select_related``, ``search_fields``, and the inlines
that show on one page what the page of ours shows.
"""

from django.contrib import admin

from menages.models import Appartenance, Menage, Personne
from offre.models import Configuration, Dispositif, GroupePlaces, Place, Rattachement
from situations.models import SituationResidentielle


class Site(admin.AdminSite):
    def has_permission(self, request):
        return request.user.is_authenticated


site = Site("admin")


class Ouvert(admin.ModelAdmin):
    """Whoever is logged in may do everything: rights are not what is measured here."""

    def has_module_permission(self, request):
        return True

    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = (
        lambda self, request, obj=None: True
    )


class AppartenanceInline(admin.TabularInline):
    model, raw_id_fields, extra = Appartenance, ["personne", "saisie_par"], 0
    has_view_permission = has_change_permission = lambda self, request, obj=None: True


class SituationInline(AppartenanceInline):
    model, raw_id_fields = SituationResidentielle, ["sr2", "region", "cree_par", "modifie_par"]


class PlaceInline(AppartenanceInline):
    model, raw_id_fields = Place, ["declare_par"]


class ConfigurationInline(AppartenanceInline):
    model, raw_id_fields = Configuration, ["composition"]


@admin.register(Menage, site=site)
class MenageAdmin(Ouvert):
    list_display, list_select_related = ["numero", "siao", "composition"], True
    search_fields, raw_id_fields = ["numero"], ["cree_par", "modifie_par"]
    inlines = [AppartenanceInline]


@admin.register(Personne, site=site)
class PersonneAdmin(Ouvert):
    list_display = ["nom", "prenom", "date_naissance", "sexe"]
    search_fields, raw_id_fields = ["nom", "prenom"], ["fusionnee_dans", "cree_par", "modifie_par"]
    inlines = [SituationInline]


@admin.register(SituationResidentielle, site=site)
class SituationAdmin(Ouvert):
    list_display, list_select_related = ["personne", "sr2", "date_debut", "confirmee_le"], True
    raw_id_fields = ["personne", "sr2", "region", "cree_par", "modifie_par"]


@admin.register(Rattachement, site=site)
class RattachementAdmin(Ouvert):
    list_display, list_select_related = ["nom", "entite", "statut"], True
    list_filter, search_fields = ["statut"], ["nom", "entite__siren"]
    raw_id_fields = ["entite", "idcc", "cree_par", "modifie_par"]


@admin.register(Dispositif, site=site)
class DispositifAdmin(Ouvert):
    list_display, list_select_related = ["nom", "entite", "type", "commune", "statut"], True
    list_filter, search_fields = ["statut", "categorie", "type"], ["nom"]
    raw_id_fields = ["entite", "commune", "cree_par", "modifie_par"]


@admin.register(GroupePlaces, site=site)
class GroupePlacesAdmin(Ouvert):
    list_display, list_select_related = ["libelle", "dispositif", "type", "categorie", "couchages"], True
    list_filter, search_fields = ["type", "categorie"], ["libelle", "dispositif__nom"]
    raw_id_fields = ["dispositif", "cree_par", "modifie_par"]
    inlines = [ConfigurationInline, PlaceInline]
