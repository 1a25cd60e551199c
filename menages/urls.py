from django.urls import path

from menages.views import acces, dossiers, personnes, recherche

urlpatterns = [
    path("dossiers/", recherche.recherche, name="recherche"),
    path("dossiers/demander-acces/", recherche.demander_acces, name="demander_acces"),
    path("demandes-d-acces/", acces.demandes_d_acces, name="demandes_d_acces"),
    path("demandes-d-acces/<int:pk>/", acces.repondre_demande, name="repondre_demande"),
    path("partages/<int:pk>/cesser/", acces.cesser_partage, name="cesser_partage"),
    path("dossiers/<int:pk>/modifier/", dossiers.modifier_menage, name="modifier_menage"),
    path("dossiers/<int:pk>/accompagner/", dossiers.accompagner, name="accompagner"),
    path("accompagnements/<int:pk>/cesser/", dossiers.cesser_accompagnement, name="cesser_accompagnement"),
    path("personnes/<int:pk>/fiche/", personnes.fiche_personne, name="fiche_personne"),
    path("personnes/<int:pk>/modifier/", personnes.modifier_personne, name="modifier_personne"),
    path("personnes/<int:pk>/protection/", personnes.proteger, name="proteger"),
    path("personnes/<int:pk>/agents/", personnes.designer_agent, name="designer_agent"),
    path("agents-designes/<int:pk>/retirer/", personnes.retirer_agent, name="retirer_agent"),
]
