"""The words of the journal of accesses for situations."""

from comptes.models.journal import ACTIONS

ACTIONS.update(
    {
        "situations.ajouter": "Situation ajoutée",
        "situations.modifier": "Situation modifiée",
        "situations.supprimer": "Situation supprimée",
        "situations.corriger": "Parcours corrigé",
        "situations.confirmer": "Situation confirmée",
        "situations.modifier_referentiel": "Référentiel modifié",
        "donnees_personne": "Données d'une personne affichées pour elle",
        "donnees_personne_json": "Export des données d'une personne",
        "imprimer_dossier": "Impression d'un dossier",
        "situations.oublier": "Effacement d'une personne",
    }
)
