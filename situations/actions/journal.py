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
        "situations.oublier": "Effacement d'une personne",
    }
)
