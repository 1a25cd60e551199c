"""The words of the journal of accesses for ménages and personnes, and the line that each action writes."""

from comptes.journal import journalise
from comptes.models.journal import ACTIONS

ACTIONS.update(
    {
        "menages.ouvrir": "Ouverture d'un dossier",
        "menages.creer_personne": "Création d'une personne",
        "menages.modifier": "Modification d'un dossier",
        "menages.modifier_personne": "Modification d'une identité",
        "menages.accompagner": "Accompagnement par un dispositif",
        "menages.cesser_d_accompagner": "Fin d'un accompagnement",
        "menages.proteger": "Protection d'une personne",
        "menages.ne_plus_proteger": "Fin de protection d'une personne",
        "menages.garder_ouvert": "Ouverture gardée à la protection d'une personne",
        "menages.designer": "Agent désigné pour une personne protégée",
        "menages.retirer_designation": "Fin de désignation d'un agent",
        "menages.geler": "Gel des données d'une personne",
        "menages.degeler": "Fin du gel des données d'une personne",
        "menages.fusionner": "Fusion de deux personnes",
        "menages.distinguer": "Deux fiches déclarées différentes",
        "menages.defaire_fusion": "Fusion défaite",
        "menages.deplacer": "Déplacement de personnes",
        "menages.demander_acces": "Demande d'accès à un autre SIAO",
        "menages.repondre_acces": "Réponse à une demande d'accès",
    }
)


def log(auteur, action: str, objet) -> None:
    journalise(action=action, utilisateur=auteur.utilisateur, habilitation=auteur, objet=objet)
