from django.urls import path, register_converter

from offre.colonnes.fiches import BY_NOM
from offre.views import (
    fiches,
    financements,
    fusions,
    listes,
    mesures,
    ouverture,
    places,
    referentiels,
    sirene,
    temps1,
    validation,
)


class NomConverter:
    """One of the three kinds of fiches."""

    regex = "|".join(BY_NOM)

    def to_python(self, value):
        return value

    def to_url(self, value):
        return value


register_converter(NomConverter, "nom")

app_name = "offre"
urlpatterns = [
    path("entites/", listes.entites, name="entites"),
    path("entites/nouvelle/", fiches.creer_entite, name="creer_entite"),
    path("entites/<int:pk>/dispositifs/nouveau/", fiches.creer_dispositif, name="creer_dispositif"),
    path("dispositifs/", listes.dispositifs, name="dispositifs"),
    path("dispositifs/<int:pk>/financements/nouveau/", fiches.creer_financement, name="creer_financement"),
    path("financements/", listes.financements, name="financements"),
    # Places
    path("places/", places.places, name="places"),
    path("places/exporter/", places.exporter_places, name="exporter_places"),
    path("disponibilites/", places.disponibilites, name="disponibilites"),
    path("disponibilites/exporter/", places.exporter_disponibilites, name="exporter_disponibilites"),
    path("places/dispositifs/<int:pk>/", places.places_dispositif, name="places_dispositif"),
    path("places/dispositifs/<int:pk>/confirmer/", places.confirmer, name="confirmer_places"),
    path("places/dispositifs/<int:pk>/nouveau-groupe/", places.creer_groupe, name="creer_groupe"),
    path("places/groupes/<int:pk>/modifier/", places.modifier_groupe, name="modifier_groupe"),
    path("places/financees/<int:pk>/retirer/", places.retirer_financees, name="retirer_financees"),
    path("places/groupes/<int:pk>/ajouter/", places.ajouter_places, name="ajouter_places"),
    path("places/<int:pk>/", places.place, name="place"),
    path("places/<int:pk>/declarer/", places.declarer, name="declarer_place"),
    path("places/<int:pk>/modifier/", places.modifier_place, name="modifier_place"),
    path("places/<int:pk>/supprimer/", places.supprimer_place, name="supprimer_place"),
    path("places/<int:pk>/indisponible/", places.rendre_indisponible, name="rendre_indisponible"),
    path("places/indisponibilites/<int:pk>/", places.modifier_indisponibilite, name="modifier_indisponibilite"),
    path("places/indisponibilites/<int:pk>/fin/", places.remettre_en_service, name="remettre_en_service"),
    # Mesures and prestations
    path("places/mesures/", mesures.mesures, name="mesures"),
    path("places/mesures/exporter/", mesures.exporter_mesures, name="exporter_mesures"),
    path("places/mesures/dispositifs/<int:pk>/", mesures.mesures_dispositif, name="mesures_dispositif"),
    path("places/mesures/dispositifs/<int:pk>/nouveau-groupe/", mesures.creer_mesures, name="creer_mesures"),
    path("places/mesures/<int:pk>/modifier/", mesures.modifier_mesures, name="modifier_mesures"),
    path("places/mesures/<int:pk>/declarer/", mesures.declarer_mesures, name="declarer_mesures"),
    path("places/prestations/", mesures.prestations, name="prestations"),
    path("places/prestations/exporter/", mesures.exporter_prestations, name="exporter_prestations"),
    path("places/prestations/dispositifs/<int:pk>/", mesures.prestations_dispositif, name="prestations_dispositif"),
    path("places/prestations/dispositifs/<int:pk>/<str:nature>/", mesures.horaires, name="horaires"),
    # The register of legal persons
    path("sirene/", sirene.repertoire, name="repertoire"),
    path("sirene/chercher/", sirene.chercher_siren, name="chercher_siren"),
    # Open data: tokens (the data themselves are at the root, ``siao.urls``)
    path("donnees-ouvertes/", ouverture.donnees_ouvertes, name="donnees_ouvertes"),
    path("donnees-ouvertes/<int:pk>/retirer/", ouverture.retirer_jeton, name="retirer_jeton"),
    path("financements/synthese/", financements.synthese, name="synthese_financements"),
    path("financements/synthese/exporter/", financements.exporter_synthese, name="exporter_synthese"),
    path("<nom:nom>/exporter/", listes.exporter, name="exporter"),
    path("communes/", listes.communes, name="communes"),
    path("communes/exporter/", listes.exporter_communes, name="exporter_communes"),
    path("<nom:nom>/<int:pk>/", fiches.fiche, name="fiche"),
    path("<nom:nom>/<int:pk>/modifier/", fiches.modifier, name="modifier"),
    path("<nom:nom>/<int:pk>/circuit/<slug:action>/", validation.passer, name="passer"),
    path("entites/<int:pk>/fusionner/", fusions.fusionner, name="fusionner"),
    path("dispositifs/<int:pk>/deplacer/", fusions.deplacer, name="deplacer"),
    path("a-valider/", validation.a_valider, name="a_valider"),
    path("propositions/<int:pk>/", validation.proposition, name="proposition"),
    path("propositions/<int:pk>/circuit/<slug:action>/", validation.passer_proposition, name="passer_proposition"),
    path("referentiels/", referentiels.referentiels, name="referentiels"),
    path("referentiels/<slug:liste>/", referentiels.referentiel, name="referentiel"),
    path("referentiels/<slug:liste>/exporter/", referentiels.exporter_referentiel, name="exporter_referentiel"),
    path("referentiels/<slug:liste>/importer/", referentiels.importer_referentiel, name="importer_referentiel"),
    path("referentiels/<slug:liste>/nouvelle/", referentiels.nouvelle_valeur, name="nouvelle_valeur"),
    path("referentiels/<slug:liste>/valeurs/<slug:code>/", referentiels.valeur, name="valeur"),
    path("referentiels/<slug:liste>/valeurs/<slug:code>/retirer/", referentiels.retirer_valeur, name="retirer_valeur"),
    # Temps 1
    path("temps1/", temps1.temps1, name="temps1"),
    path("temps1/modele/", temps1.modele, name="modele_temps1"),
    path("temps1/aide/", temps1.aide, name="aide_temps1"),
    path("temps1/<int:pk>/", temps1.travail, name="import"),
    path("temps1/<int:pk>/corriger/", temps1.corriger, name="corriger_import"),
    path("temps1/<int:pk>/decisions/", temps1.decisions, name="decisions"),
    path("temps1/<int:pk>/importer/", temps1.importer, name="importer"),
    path("temps1/<int:pk>/annuler/", temps1.annuler, name="annuler"),
    path("temps1/<int:pk>/original/", temps1.original, name="original"),
    path("temps1/<int:pk>/annote/", temps1.annote, name="annote"),
]
