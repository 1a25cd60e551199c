"""The demonstration: two départements with invented names, and one account per profil in each.

The password is public: ``charger_demo`` refuses to run in production.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction

from comptes.actions import create_habilitation
from comptes.droits import Niveau, Profil
from comptes.models import Departement, Habilitation, Utilisateur
from menages.models import Menage
from offre.colonnes.listes import Listes
from offre.invention import invent_capacity
from offre.models import Dispositif, Rattachement
from offre.models.nomenclature import Categorie, Statut
from offre.temps1.application import apply_plan
from offre.temps1.lecture import read_file
from offre.temps1.modele import write_xlsx
from offre.temps1.plan import compute_plan
from offre.temps1.synthese import invented_rows
from situations.demo import load_dossiers

PASSWORD = "demonstration-siao"  # noqa: S105
DEPARTEMENTS = ("44", "35")
NATIONAUX = {
    "administrateur-national": Profil.ADMIN_NATIONAL,
    "analyste": Profil.ANALYSTE,
}
PROFILS = {
    "administrateur-departemental": Profil.ADMIN_DEPARTEMENTAL,
    "administrateur-siao": Profil.ADMIN_SIAO,
    "operateur-siao": Profil.OPERATEUR_SIAO,
    "ecoutant-115": Profil.ECOUTANT_115,
    "gestionnaire-entite": Profil.GESTIONNAIRE_ENTITE,
    "assistant": Profil.ASSISTANT,
    "responsable-dispositif": Profil.RESPONSABLE_DISPOSITIF,
    "travailleur-social": Profil.TRAVAILLEUR_SOCIAL,
}
ACCOUNTS = {
    **{f"{name}@demo.example": profil.label for name, profil in NATIONAUX.items()},
    **{
        f"{name}.{departement}@demo.example": f"{profil.label} ({departement})"
        for departement in DEPARTEMENTS
        for name, profil in PROFILS.items()
    },
}
OFFRE = {"entites": 12, "dispositifs": 40, "financements": 60}
"""Size of each département's offre."""


def refuse_in_production() -> None:
    if not settings.DEBUG:
        raise CommandError(
            "Les comptes de démonstration ont un mot de passe public : ils ne se chargent que si DEBUG est allumé. "
            "Sur une base de démonstration, « charger_demo --forcer »."
        )


@transaction.atomic
def load(say: Callable[[str], object] = lambda what: None) -> None:
    """Create what is missing of the demonstration; what exists is left as its users made it.

    ``say`` is told what comes next.
    """
    say("comptes")
    load_accounts()
    for departement in Departement.objects.filter(code__in=DEPARTEMENTS):
        say(f"offre : {departement}")
        if not Dispositif.objects.filter(departement=departement).exists():
            auteur = Utilisateur.objects.get(courriel=f"administrateur-departemental.{departement.code}@demo.example")
            _load_offre(departement, auteur)
            # Whoever tries « Places disponibles » first looks for a family.
            for dispositif in Dispositif.objects.filter(departement=departement, categorie=Categorie.HEBERGEMENT)[:3]:
                dispositif.publics.add("10", "20", "40", "100")
    load_accounts()  # those who work in an entité or a dispositif
    for departement in Departement.objects.filter(code__in=DEPARTEMENTS):
        say(f"places : {departement}")
        siao = Utilisateur.objects.get(courriel=f"administrateur-siao.{departement.code}@demo.example")
        invent_capacity(departement, siao.habilitations.get())
    say("dossiers")
    _load_dossiers()


def _load_dossiers() -> None:
    """The dossiers of Loire-Atlantique, by its Opérateur SIAO."""
    operateur = Utilisateur.objects.get(courriel="operateur-siao.44@demo.example")
    habilitation = Habilitation.objects.of(operateur).get()
    if not Menage.objects.filter(siao=habilitation.siao).exists():
        load_dossiers(habilitation, habilitation.siao)


def load_accounts() -> None:
    """The accounts alone: without offre, not those who work in an entité or a dispositif."""
    for name, profil in NATIONAUX.items():
        _load_account(f"{name}@demo.example", profil, profil.label)
    for departement in Departement.objects.filter(code__in=DEPARTEMENTS):
        for name, profil in PROFILS.items():
            nom = f"{profil.label} {departement.code}"
            _load_account(f"{name}.{departement.code}@demo.example", profil, nom, departement)


def _load_account(courriel: str, profil: Profil, nom: str, departement: Departement | None = None) -> None:
    perimetre = _perimetre(profil, departement)
    if perimetre is None:
        return
    utilisateur = Utilisateur.objects.filter(courriel=courriel).first()
    if utilisateur is None:
        utilisateur = Utilisateur.objects.create_user(courriel, PASSWORD, prenom="Compte", nom=nom)
    if not utilisateur.habilitations.filter(profil=profil).exists():
        create_habilitation(utilisateur=utilisateur, profil=profil, **perimetre)


def _perimetre(profil: Profil, departement: Departement | None) -> dict | None:
    """Where the account of ``profil`` works: the département, its SIAO, or an entité and one of its dispositifs."""
    match profil.niveaux[-1]:
        case Niveau.SIAO:
            return {"territoire": departement.siaos.first()}
        case Niveau.ENTITE | Niveau.DISPOSITIF as niveau:
            # One with places, so that the first thing they see is what they do all day.
            dispositifs = Dispositif.objects.filter(departement=departement)
            dispositif = dispositifs.filter(categorie=Categorie.HEBERGEMENT).first() or dispositifs.first()
            if dispositif is None:
                return None
            rattachement = Rattachement.objects.get(entite=dispositif.entite, departement=departement)
            return {"objets": [rattachement if niveau == Niveau.ENTITE else dispositif]}
        case _:
            return {"territoire": departement}


def _load_offre(departement: Departement, auteur: Utilisateur) -> None:
    """Through a real workbook: the demonstration is what an import of it gives."""
    listes = Listes()
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        write_xlsx(file, listes, rows=invented_rows(departement, listes, **OFFRE))
        file.flush()
        lecture = read_file(Path(file.name), departement)
    plan = compute_plan(lecture.rows, lecture.numbers, [departement.code], statut=Statut.VALIDE, previous={})
    apply_plan(plan.ecarts, lecture.rows, auteur=auteur, statut=Statut.VALIDE, aujourdhui=departement.aujourdhui)
