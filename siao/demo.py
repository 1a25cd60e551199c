"""The demonstration: two départements with invented names, and one account per profil.

The password is public: ``charger_demo`` refuses to run in production.
"""

import tempfile
from pathlib import Path

from django.db import transaction

from comptes.droits import Profil
from comptes.models import Departement, Habilitation, Utilisateur
from offre.models import Dispositif
from offre.models.nomenclature import Statut
from offre.temps1.application import apply_plan
from offre.temps1.lecture import read_file
from offre.temps1.listes import Listes
from offre.temps1.modele import write_xlsx
from offre.temps1.plan import compute_plan
from offre.temps1.synthese import invented_rows

PASSWORD = "demonstration-siao"  # noqa: S105
DEPARTEMENTS = ("44", "35")
PROFILS = {
    "administrateur-departemental": Profil.ADMIN_DEPARTEMENTAL,
    "administrateur-siao": Profil.ADMIN_SIAO,
}
ACCOUNTS = {
    f"{name}.{departement}@demo.example": f"{profil.label} ({departement})"
    for departement in DEPARTEMENTS
    for name, profil in PROFILS.items()
}
OFFRE = {"entites": 12, "dispositifs": 40, "financements": 60}
"""Size of each département's offre."""


@transaction.atomic
def load() -> None:
    """Create what is missing of the demonstration; what exists is left as its users made it."""
    load_accounts()
    for departement in Departement.objects.filter(code__in=DEPARTEMENTS):
        if not Dispositif.objects.filter(departement=departement).exists():
            auteur = Utilisateur.objects.get(courriel=f"administrateur-departemental.{departement.code}@demo.example")
            _load_offre(departement, auteur)


def load_accounts() -> None:
    """The accounts alone."""
    for code in DEPARTEMENTS:
        for name, profil in PROFILS.items():
            utilisateur = _account(f"{name}.{code}@demo.example", f"{profil.label} {code}")
            Habilitation.objects.get_or_create(utilisateur=utilisateur, profil=profil, departement_id=code)


def _account(courriel: str, nom: str) -> Utilisateur:
    utilisateur = Utilisateur.objects.filter(courriel=courriel).first()
    return utilisateur or Utilisateur.objects.create_user(courriel, PASSWORD, prenom="Compte", nom=nom)


def _load_offre(departement: Departement, auteur: Utilisateur) -> None:
    """Through a real workbook: the demonstration is what an import of it gives."""
    listes = Listes()
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        write_xlsx(file, listes, rows=invented_rows(departement, listes, **OFFRE))
        file.flush()
        lecture = read_file(Path(file.name), departement)
    plan = compute_plan(lecture.rows, lecture.numbers, [departement.code], statut=Statut.VALIDE, previous={})
    apply_plan(plan.ecarts, lecture.rows, auteur=auteur, statut=Statut.VALIDE, aujourdhui=departement.aujourdhui)
