"""The lists that cells choose from, as they are in the database now."""

from collections.abc import Collection, Mapping
from functools import cached_property

from django.db.models import Value

from offre.models import (
    Composition,
    ConventionCollective,
    Dispositif,
    Idcc,
    LigneFinancement,
    Rattachement,
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


Garde = Mapping[str, Collection[str]]
"""By list, the retired codes that can still be read: those of the fiches described."""


class Listes(dict[str, Values]):
    """Every list by name, with what the rows of a workbook need besides: types by category."""

    def __init__(self, garde: Garde | None = None):
        super().__init__({name: Values(enum.choices) for name, enum in CLOSED.items()})
        self._garde = garde or {}

    def __missing__(self, name: str) -> Values:
        """The lists of the database are read when one is asked for: all those of the administration in one query."""
        if name in ("idcc", "idcc_plus_en_vigueur"):
            idcc = list(Idcc.objects.values_list("code", "libelle", "en_vigueur"))
            self["idcc"] = Values([(code, libelle) for code, libelle, _ in idcc])
            self["idcc_plus_en_vigueur"] = Values([(code, libelle) for code, libelle, in_force in idcc if not in_force])
        elif name in ADMINISTERED:
            for administered, rows in _administered().items():
                kept = self._garde.get(administered, ())
                retired = [code for code, _, since in rows if since and code not in kept]
                self[administered] = Values([(code, libelle) for code, libelle, _ in rows], retired)
        return self[name] if name in self else super().__getitem__(name)

    @cached_property
    def types_of(self) -> dict[str, dict[str, str]]:
        """The types of each category, retired ones included: {code: label}."""
        types = list(TypeDispositif.objects.values_list("categorie", "code", "libelle"))
        return {
            categorie: {code: libelle for owner, code, libelle in types if owner == categorie}
            for categorie in Categorie.values
        }

    @cached_property
    def confidentielles(self) -> dict[str, str]:
        """The specificities that make an address confidential: {code: label}."""
        imposing = SpecificitePublic.objects.filter(adresse_confidentielle=True)
        return dict(imposing.values_list("code", "libelle"))

    def offered_types(self, categorie: str) -> list[str]:
        """The labels of the types of a category that can be chosen."""
        retired = self["types"].retired
        return [libelle for code, libelle in self.types_of[categorie].items() if code not in retired]

    def grouped(self, name: str, kept: str | None) -> list[tuple[str, list[tuple[str, str]]]]:
        """The types under their category, as the choices of a field; ``kept``: a retired one that stays."""
        retired = self[name].retired - {kept}
        return [
            (Categorie(categorie).label, [(code, label) for code, label in types.items() if code not in retired])
            for categorie, types in self.types_of.items()
        ]


def _administered() -> dict[str, list[tuple]]:
    """(code, label, retired since) of every administered list, in order."""
    found: dict[str, list] = {name: [] for name in ADMINISTERED}
    parts = [
        model.objects.order_by().values_list(Value(name), "code", "libelle", "retire_le", "ordre")
        for name, model in ADMINISTERED.items()
    ]
    for name, code, libelle, retired, _ in parts[0].union(*parts[1:], all=True).order_by("ordre", "code"):
        found[name].append((code, libelle, retired))
    return found


def garde_of(departements: Collection[str]) -> Garde:
    """The retired values that the fiches of these départements still have. No query when nothing is retired."""
    garde = {}
    for name, model in ADMINISTERED.items():
        retired = model.objects.filter(retire_le__isnull=False)
        if codes := list(retired.values_list("code", flat=True)):
            garde[name] = set(_USERS[name](departements, codes))
    return garde


def _of_dispositifs(lookup: str):
    def used(departements, codes):
        rows = Dispositif.objects.filter(departement__in=departements, **{f"{lookup}__in": codes})
        return rows.order_by().values_list(lookup, flat=True).distinct()

    return used


_USERS = {
    "types": _of_dispositifs("type"),
    "compositions": _of_dispositifs("publics"),
    "specificites_public": _of_dispositifs("specificites"),
    "lignes_financement": _of_dispositifs("financements__ligne"),
    "conventions_collectives": lambda departements, codes: Rattachement.objects.filter(
        departement__in=departements, convention__in=codes
    ).values_list("convention", flat=True),
}
