from django.urls import path

from comptes.views import comptes, connexion, journal, messages, moi

urlpatterns = [
    # Logging in and out
    path("connexion/", connexion.connexion, name="connexion"),
    path("connexion/code/", connexion.connexion_code, name="connexion_code"),
    path("deconnexion/", connexion.deconnexion, name="deconnexion"),
    path("mot-de-passe-oublie/", connexion.mot_de_passe_oublie, name="mot_de_passe_oublie"),
    path("lien/<str:secret>/", connexion.lien, name="lien"),
    path("proconnect/", connexion.proconnect_depart, name="proconnect_depart"),
    path("proconnect/retour/", connexion.proconnect_retour, name="proconnect_retour"),
    # One's own account
    path("habilitation/", moi.choisir_habilitation, name="choisir_habilitation"),
    path("saisie/", moi.saisie, name="saisie"),
    path("session/", moi.prolonger, name="prolonger"),
    path("mon-compte/", moi.mon_compte, name="mon_compte"),
    path("mon-compte/mot-de-passe/", moi.changer_mot_de_passe, name="changer_mot_de_passe"),
    path("mon-compte/sessions/<uuid:reference>/", moi.terminer_session, name="terminer_session"),
    path("mon-compte/sessions/", moi.terminer_sessions, name="terminer_sessions"),
    path("mon-compte/double-authentification/", moi.double_authentification, name="double_authentification"),
    path("mon-compte/double-authentification/retirer/", moi.retirer_second_facteur, name="retirer_second_facteur"),
    path("mon-compte/codes-de-secours/", moi.codes_de_secours, name="codes_de_secours"),
    path("messages/<int:pk>/masquer/", moi.masquer_message, name="masquer_message"),
    # Accounts of one's perimeter
    path("comptes/", comptes.comptes, name="comptes"),
    path("comptes/export.csv", comptes.exporter_comptes, name="exporter_comptes"),
    path("comptes/inviter/", comptes.inviter, name="inviter"),
    path("comptes/<int:pk>/", comptes.compte, name="compte"),
    path("comptes/<int:pk>/modifier/", comptes.modifier_compte, name="modifier_compte"),
    path("comptes/<int:pk>/desactiver/", comptes.desactiver_compte, name="desactiver_compte"),
    path("comptes/<int:pk>/reactiver/", comptes.reactiver_compte, name="reactiver_compte"),
    path("comptes/<int:pk>/nouveau-lien/", comptes.reinitialiser_compte, name="reinitialiser_compte"),
    path("comptes/<int:pk>/habilitations/", comptes.ajouter_habilitation, name="ajouter_habilitation"),
    path("comptes/habilitations/<int:pk>/retirer/", comptes.retirer_habilitation, name="retirer_habilitation"),
    path("comptes/habilitations/<int:pk>/etendre/", comptes.etendre_habilitation, name="etendre_habilitation"),
    # Messages to users
    path("messages/", messages.publies, name="messages"),
    path("messages/nouveau/", messages.publier, name="publier_message"),
    path("messages/<int:pk>/", messages.modifier_message, name="modifier_message"),
    path("messages/<int:pk>/retirer/", messages.retirer_message, name="retirer_message"),
    # Who did what, who may do what
    path("journal/", journal.journal, name="journal"),
    path("journal/alertes/", journal.alertes, name="alertes"),
    path("journal/alertes/<int:pk>/examiner/", journal.examiner_alerte, name="examiner_alerte"),
    path("journal/<str:modele>/<int:pk>/", journal.acces, name="acces"),
    path("historique/<str:modele>/<int:pk>/", journal.historique_objet, name="historique"),
    path("qui-peut-quoi/", journal.qui_peut_quoi, name="qui_peut_quoi"),
]
