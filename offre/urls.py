from django.urls import path, register_converter

from offre.colonnes.fiches import BY_NOM
from offre.views import fiches, financements, fusions, listes, referentiels, temps1, validation


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
    path("financements/synthese/", financements.synthese, name="synthese_financements"),
    path("financements/synthese/exporter/", financements.exporter_synthese, name="exporter_synthese"),
    path("<nom:nom>/exporter/", listes.exporter, name="exporter"),
    path("communes/", listes.communes, name="communes"),
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
    path("temps1/", temps1.temps1, name="temps1"),
    path("temps1/modele/", temps1.modele, name="modele_temps1"),
    path("temps1/aide/", temps1.aide, name="aide_temps1"),
    path("temps1/<int:pk>/", temps1.travail, name="import"),
    path("temps1/<int:pk>/decisions/", temps1.decisions, name="decisions"),
    path("temps1/<int:pk>/importer/", temps1.importer, name="importer"),
    path("temps1/<int:pk>/annuler/", temps1.annuler, name="annuler"),
    path("temps1/<int:pk>/original/", temps1.original, name="original"),
    path("temps1/<int:pk>/annote/", temps1.annote, name="annote"),
]
