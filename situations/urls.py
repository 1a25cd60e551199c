from django.urls import path

from situations.views import aide, composition, confirmation, correction, dossier, droits, fusion, referentiel, saisie

urlpatterns = [
    # The dossier
    path("dossiers/<int:pk>/", dossier.dossier, name="dossier"),
    path("dossiers/<int:pk>/situations/", dossier.situations_du_menage, name="situations_du_menage"),
    path("dossiers/<int:pk>/modifications/", dossier.modifications, name="modifications"),
    path("dossiers/<int:pk>/imprimer/", dossier.imprimer, name="imprimer_dossier"),
    path("personnes/<int:pk>/", dossier.personne, name="personne"),
    # Composing ménages
    path("dossiers/nouveau/", composition.nouveau_dossier, name="nouveau_dossier"),
    path("dossiers/<int:pk>/personnes/", composition.ajouter_personnes, name="ajouter_personnes"),
    path("dossiers/<int:pk>/deplacer/", composition.deplacer, name="deplacer"),
    path("personnes/<int:pk>/fusionner/", fusion.fusionner, name="fusionner"),
    path("personnes/<int:pk>/fusionner/<int:autre>/", fusion.comparer, name="comparer"),
    path("fusions/<int:pk>/defaire/", fusion.defaire_fusion, name="defaire_fusion"),
    # Situations
    path("dossiers/<int:pk>/ajouter/", saisie.ajouter_situation, name="ajouter_situation"),
    path("dossiers/<int:pk>/confirmer/", saisie.confirmer_situations, name="confirmer_situations"),
    path("situations/<int:pk>/modifier/", saisie.modifier_situation, name="modifier_situation"),
    path("situations/<int:pk>/supprimer/", saisie.supprimer_situation, name="supprimer_situation"),
    path("personnes/<int:pk>/parcours/", correction.corriger_parcours, name="corriger_parcours"),
    path("situations/a-confirmer/", confirmation.a_confirmer, name="a_confirmer"),
    # Help
    path("aide/situations/", aide.grille, name="grille"),
    path("aide/situations/choisir/", aide.questionnaire, name="questionnaire"),
    path("aide/situations/calculs/", aide.calculs, name="calculs"),
    path("aide/notice/", aide.notice, name="notice"),
    # The grid, administered
    path("referentiels/situations/", referentiel.referentiel, name="referentiel"),
    path("referentiels/situations/nouvelle/", referentiel.nouvelle_sr2, name="nouvelle_sr2"),
    path("referentiels/situations/<str:code>/", referentiel.modifier_sr2, name="modifier_sr2"),
    # Rights of persons
    path("personnes/<int:pk>/donnees/", droits.donnees_personne, name="donnees_personne"),
    path("personnes/<int:pk>/donnees.json", droits.donnees_personne_json, name="donnees_personne_json"),
    path("personnes/<int:pk>/geler/", droits.geler, name="geler"),
    path("personnes/<int:pk>/effacer/", droits.effacer, name="effacer"),
    path("oublis/", droits.oublis, name="oublis"),
]
