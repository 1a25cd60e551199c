"""Loads the lists of the offre from ``fixtures/``; running it again changes nothing, a new file updates what it names.

What the national administrator changed in the browser since stays as they made it.

The order of a list is the order of its file.
"""

from django.db import transaction

from offre.models import (
    CategoriePlace,
    Composition,
    ConventionCollective,
    Idcc,
    LigneFinancement,
    SpecificitePublic,
    TypeDispositif,
    TypePlace,
)
from siao.socle.fixtures import rows

_LISTS = (
    (TypeDispositif, "types_dispositifs", lambda row: {"categorie": row["categorie"]}),
    (
        Composition,
        "compositions",
        lambda row: {"taille_min": row["taille_min"], "taille_max": row["taille_max"] or None},
    ),
    (TypePlace, "types_places", lambda row: {}),
    (CategoriePlace, "categories_places", lambda row: {}),
    (
        SpecificitePublic,
        "specificites_public",
        lambda row: {"adresse_confidentielle": row["adresse_confidentielle"] == "oui"},
    ),
    (
        LigneFinancement,
        "lignes_financement",
        lambda row: {"financeur": row["financeur"], "programme_177": row["programme_177"] == "oui"},
    ),
    (ConventionCollective, "conventions_collectives", lambda row: {"idcc": row["idcc"]}),
)


@transaction.atomic
def load_listes() -> dict[str, int]:
    """Load the administered lists and the IDCC; return how many lines each file has."""
    counts = {}
    for model, file, others in _LISTS:
        lines = rows(file)
        administered = set(model.objects.filter(modifie_le__isnull=False).values_list("code", flat=True))
        objects = [
            model(code=row["code"], libelle=row["libelle"], ordre=position, **others(row))
            for position, row in enumerate(lines, start=1)
            if row["code"] not in administered
        ]
        updated = ["libelle", "ordre", *others(lines[0])]
        model.objects.bulk_create(objects, update_conflicts=True, unique_fields=["code"], update_fields=updated)
        counts[file] = len(lines)
    idcc = [
        Idcc(code=row["code"], libelle=row["libelle"], en_vigueur=row["en_vigueur"] == "oui") for row in rows("idcc")
    ]
    Idcc.objects.bulk_create(
        idcc, update_conflicts=True, unique_fields=["code"], update_fields=["libelle", "en_vigueur"]
    )
    return {**counts, "idcc": len(idcc)}
