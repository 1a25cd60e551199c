"""The fields of all forms in words, for a page that shows what was typed without the form it was typed in."""

import re
from collections import defaultdict

from django import forms
from django.db import models

from comptes.droits import Profil
from comptes.models import Departement, Region, Siao
from siao.socle.forms import Formulaire

LIBELLES = {
    "alerte": "",
    "categorie": "Catégorie",
    "commune": "Commune",
    "courriel": "Adresse courriel",
    "date_debut": "À partir du",
    "date_fin": "Jusqu'au",
    "entite": "Entité gestionnaire",
    "etat": "État",
    "financees": "Financées",
    "fichier": "Fichier",
    "geste": "",
    "habilitation": "",
    "jour": "Jour",
    "libelle": "Libellé",
    "ligne": "Ligne de financement",
    "motif": "Motif",
    "nom": "Nom",
    "nombre": "Nombre",
    "numero": "Numéro",
    "objets": "Structures",
    "ouverte_le": "Ouverte le",
    "personnes": "Personnes concernées",
    "pmr": "Accessible PMR",
    "precision": "Précision",
    "prenom": "Prénom",
    "q": "Recherche",
    "remplir": "",
    "siren": "SIREN",
    "territoire": "Territoire",
    "type": "Type",
}
"""Names that several forms give to different labels, and those that no form declares; empty: nothing that is typed."""

PREFIXES = {
    "accepte_": "Composition acceptée",
    "decision_": "Décision",
    "jeton-": "",
    "jour_": "Horaires d'un jour",
    "max_": "Jusqu'à (personnes)",
    "min_": "À partir de (personnes)",
    "remarque_": "Remarque",
    "tous_": "Décision pour tous",
}
"""Names that are made for a row: how they begin."""

_LIGNE = re.compile(r"^[a-z]+-[0-9]+-", re.ASCII)
"""What comes before the name of a field in a table of lines: « l-0- »."""

_TERRITOIRES = {"departement": Departement, "region": Region, "siao": Siao}


def in_words(typed: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The label and the value of each field of ``typed`` that a person filled in."""
    fields = declared()
    typed = [(_LIGNE.sub("", name), value) for name, value in typed]
    return [
        (label, _value(fields.get(name, ()), name, value))
        for name, value in typed
        if (label := _label(fields.get(name, ()), name))
    ]


def declared() -> dict[str, list]:
    """Each name that a form or a sheet gives to a field → the fields, or columns, that have it."""
    found = defaultdict(list)
    for form in _forms(Formulaire):
        for name, field in form.base_fields.items():
            found[name].append(field)
        for column in getattr(getattr(form, "sheet", None), "columns", ()):
            found[column.key].append(column)
    return found


def labels_of(fields) -> set[str]:
    return {str(field.label) for field in fields if field.label}


def _forms(form):
    for subclass in form.__subclasses__():
        yield subclass
        yield from _forms(subclass)


def _label(fields, name: str) -> str:
    if name in LIBELLES:
        return LIBELLES[name]
    if labels := sorted(labels_of(fields)):
        return labels[0]
    return next((label for prefix, label in PREFIXES.items() if name.startswith(prefix)), "")


def _value(fields, name: str, value: str) -> str:
    """As it was chosen, when it is a value of a list that everybody reads; otherwise as it was typed."""
    if value == "on":
        return "oui"
    if name in ("profil", "profils") and value in Profil.values:
        return Profil(value).label
    if name == "territoire":
        kind, _, code = value.partition("-")
        found = _TERRITOIRES[kind].objects.filter(pk=code).first() if kind in _TERRITOIRES else None
        return str(found or value)
    for field in fields:
        if isinstance(field, forms.ModelChoiceField):
            model = field.queryset.model
            if isinstance(model._meta.pk, models.CharField) and (found := model.objects.filter(pk=value).first()):
                return str(found)
        elif isinstance(field, forms.ChoiceField):
            for code, words in field.choices:
                if str(code) == value:
                    return str(words)
    return value
