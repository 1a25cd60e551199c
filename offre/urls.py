from django.urls import path

from offre.views import listes, temps1

app_name = "offre"
urlpatterns = [
    path("entites/", listes.entites, name="entites"),
    path("dispositifs/", listes.dispositifs, name="dispositifs"),
    path("financements/", listes.financements, name="financements"),
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
