"""Ménages and persons for the tests, with the parcours that each test is about. All names are invented."""

import datetime
import itertools
from collections.abc import Iterable

from comptes.droits import Profil
from comptes.models import Habilitation, Siao
from menages.models import Accompagnement, Appartenance, Menage, Personne
from situations.models import SituationResidentielle
from tests.comptes.fabrique import habilitation_of, make_utilisateur

_numbers = itertools.count(10_001)  # of one width, as in tests/comptes/fabrique.py
UN_JOUR = datetime.timedelta(days=1)


def jour(ago: int) -> datetime.date:
    """The day ``ago`` days ago, where the tests' département is."""
    return Siao.objects.get(pk="44").departement.aujourdhui - ago * UN_JOUR


def make_menage(siao: str = "44", *, personnes: Iterable[str] = (), depuis: int = 0, **fields) -> Menage:
    """A dossier of ``siao`` with the persons named « Prénom Nom » in ``personnes``, there for ``depuis`` days."""
    number = next(_numbers)
    fields = {"numero": f"{siao}-9{number:06d}", "siao_id": siao, **fields}
    menage = Menage.objects.create(**fields)
    for name in personnes:
        make_personne(menage, name, depuis=depuis)
    return menage


def make_personne(
    menage: Menage,
    name: str = "",
    *,
    depuis: int = 0,
    parcours: Iterable[tuple[str, int]] = (),
    **fields,
) -> Personne:
    """A person of ``menage``. ``parcours``: code of each situation and how many days ago it began.

    « Non renseignée » from ``depuis`` days ago when there is no parcours.
    """
    prenom, _, nom = name.partition(" ")
    fields = {"prenom": prenom, "nom": nom or f"Essai {next(_numbers)}", **fields}
    personne = Personne.objects.create(**fields)
    Appartenance.objects.create(personne=personne, menage=menage, date_debut=jour(depuis))
    make_parcours(personne, parcours or [("NR", depuis)])
    return personne


def make_parcours(personne: Personne, parcours: Iterable[tuple[str, int]]) -> list[SituationResidentielle]:
    """Situations that follow each other: (code, days ago); the last one is current."""
    starts = [(code, jour(ago)) for code, ago in parcours]
    ends = [start - UN_JOUR for _, start in starts[1:]] + [None]
    return SituationResidentielle.objects.bulk_create(
        SituationResidentielle(
            personne=personne,
            sr2_id=code,
            region_id="11" if code == "III.7" else None,
            date_debut=start,
            date_fin=end,
            confirmee_le=start,
        )
        for (code, start), end in zip(starts, ends, strict=True)
    )


def accompany(menage: Menage, dispositif) -> Accompagnement:
    return Accompagnement.objects.create(menage=menage, dispositif=dispositif, date_debut=jour(30))


def make_operateur(siao: str = "44") -> Habilitation:
    """The habilitation of an Opérateur SIAO."""
    return habilitation_of(make_utilisateur(Profil.OPERATEUR_SIAO, siao_id=siao))


def chain_of(personne: Personne) -> list[tuple]:
    """Code, first and last day of each situation, in order."""
    return list(
        SituationResidentielle.objects.filter(personne=personne)
        .order_by("date_debut")
        .values_list("sr2_id", "date_debut", "date_fin")
    )
