"""The lists that cells choose from, as they are in the database now."""

from collections.abc import Iterable
from dataclasses import dataclass

from comptes.models import CodePostal, Departement, Region
from offre.models import (
    Composition,
    ConventionCollective,
    Idcc,
    LigneFinancement,
    SpecificitePublic,
    TypeDispositif,
)
from offre.models.nomenclature import (
    Categorie,
    Implantation,
    NatureActe,
    Participation,
    Perennite,
    Prestation,
    Unite,
)
from siao.socle.columns.types import Values

from .types import fold_commune

CLOSED = {
    "categories": Categorie,
    "perennites": Perennite,
    "implantations": Implantation,
    "participations": Participation,
    "prestations": Prestation,
    "natures_acte": NatureActe,
    "unites": Unite,
}
ADMINISTERED = {
    "types": TypeDispositif,
    "compositions": Composition,
    "specificites_public": SpecificitePublic,
    "lignes_financement": LigneFinancement,
    "conventions_collectives": ConventionCollective,
}


@dataclass(frozen=True)
class Commune:
    code: str
    nom: str
    departement: str
    departement_nom: str


class Listes(dict[str, Values]):
    """Every list by name, with what the rows of a workbook need besides: types by category, communes by postal code."""

    def __init__(self):
        super().__init__({name: Values(enum.choices) for name, enum in CLOSED.items()})
        for name, model in ADMINISTERED.items():
            self[name] = Values(list(model.objects.values_list("code", "libelle")))
        idcc = list(Idcc.objects.values_list("code", "libelle", "en_vigueur"))
        self["idcc"] = Values([(code, libelle) for code, libelle, _ in idcc])
        self["idcc_plus_en_vigueur"] = Values([(code, libelle) for code, libelle, in_force in idcc if not in_force])
        types = TypeDispositif.objects.values_list("categorie", "code", "libelle")
        self.types_of = {
            categorie: {code: libelle for owner, code, libelle in types if owner == categorie}
            for categorie in Categorie.values
        }
        self.confidentielles = dict(
            SpecificitePublic.objects.filter(adresse_confidentielle=True).values_list("code", "libelle")
        )


class Communes:
    """The communes of France that have one of these postal codes, seen from ``territoire``."""

    def __init__(self, postal_codes: Iterable[str], territoire: Departement | Region):
        self.territoire = territoire
        self.departements = frozenset(territoire.codes_departements)
        self._by_postal_code: dict[str, dict[str, Commune]] = {}
        rows = CodePostal.objects.filter(code__in=set(postal_codes)).order_by()
        for postal_code, *commune in rows.values_list(
            "code", "commune_id", "commune__nom", "commune__departement", "commune__departement__nom"
        ):
            found = Commune(*commune)
            self._by_postal_code.setdefault(postal_code, {})[fold_commune(found.nom)] = found

    def at(self, postal_code: str) -> dict[str, Commune]:
        """The communes of a postal code, by folded name."""
        return self._by_postal_code.get(postal_code, {})
