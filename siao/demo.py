"""The demonstration: two départements with invented names, and one account per profil.

The password is public: ``charger_demo`` refuses to run in production.
"""

from django.db import transaction

from comptes.droits import Profil
from comptes.models import Habilitation, Utilisateur

PASSWORD = "demonstration-siao"  # noqa: S105
DEPARTEMENTS = ("44", "35")

ACCOUNTS = {
    f"{name}.{departement}@demo.example": f"{profil.label} ({departement})"
    for departement in DEPARTEMENTS
    for name, profil in (
        ("administrateur-departemental", Profil.ADMIN_DEPARTEMENTAL),
        ("administrateur-siao", Profil.ADMIN_SIAO),
    )
}


@transaction.atomic
def load() -> None:
    """Create what is missing of the demonstration; what exists is left as its users made it."""
    for departement in DEPARTEMENTS:
        for name, profil in (
            ("administrateur-departemental", Profil.ADMIN_DEPARTEMENTAL),
            ("administrateur-siao", Profil.ADMIN_SIAO),
        ):
            courriel = f"{name}.{departement}@demo.example"
            utilisateur = Utilisateur.objects.filter(courriel=courriel).first()
            if utilisateur is None:
                utilisateur = Utilisateur.objects.create_user(
                    courriel, PASSWORD, prenom="Compte", nom=f"{profil.label} {departement}"
                )
            Habilitation.objects.get_or_create(utilisateur=utilisateur, profil=profil, departement_id=departement)
