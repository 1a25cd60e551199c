"""Loads the grid of situations from ``fixtures/``; running it again changes nothing, a new file updates what it names.

What the national administrator has edited since stays as they left it.
"""

from django.db import transaction

from siao.socle.fixtures import rows
from situations.models import Calculateur, Ethos, EthosLight, Sr1, Sr2
from situations.models.referentiel import NON_RENSEIGNEE

_CALCULATEURS = {"calculateur_pieces": Calculateur.PIECES, "calculateur_surface": Calculateur.SURFACE}
_LIBELLE_A_CORRIGER = "Ce libellé sera corrigé : le foyer de travailleurs migrants n’est pas une résidence sociale."


@transaction.atomic
def load_grille() -> dict[str, int]:
    """Load SR1, SR2 and both European grids; return how many lines each file has."""
    ethos = [
        Ethos(row["code"], libelle=row["libelle"], concept=row["concept"], categorie=row["categorie_libelle"])
        for row in rows("ethos")
    ]
    light = [
        EthosLight(row["code"], libelle=row["libelle"], categorie=row["categorie_libelle"])
        for row in rows("ethos_light")
    ]
    sr1 = [Sr1(**row, ordre=position) for position, row in enumerate(rows("sr1"), start=1)]
    lines = rows("sr2")
    sr2 = [Sr2(code=NON_RENSEIGNEE, libelle="Non renseignée", ordre=0), *map(_sr2, lines, range(1, len(lines) + 1))]
    for model, objects, updated in (
        (Ethos, ethos, ["libelle", "concept", "categorie"]),
        (EthosLight, light, ["libelle", "categorie"]),
        (Sr1, sr1, ["libelle", "definition", "couleur", "ordre"]),
    ):
        model.objects.bulk_create(objects, update_conflicts=True, unique_fields=["code"], update_fields=updated)
    edited = set(Sr2.objects.filter(modifiee_par__isnull=False).values_list("code", flat=True))
    updated = [
        field.name
        for field in Sr2._meta.concrete_fields
        if field.name not in ("code", "remplacee_par", "retiree_le", "version", "modifiee_le", "modifiee_par")
    ]
    Sr2.objects.bulk_create(
        [value for value in sr2 if value.code not in edited],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=updated,
    )
    for row in lines:
        replacement = row["particularite"].partition("remplacee_par:")[2]
        if replacement and row["code"] not in edited:
            Sr2.objects.filter(code=row["code"]).exclude(remplacee_par=replacement).update(remplacee_par=replacement)
    return {"sr1": len(sr1), "sr2": len(lines), "ethos": len(ethos), "ethos_light": len(light)}


def _sr2(row: dict[str, str], position: int) -> Sr2:
    particularite = row["particularite"]
    return Sr2(
        code=row["code"],
        sr1_id=row["code"].partition(".")[0],
        libelle=row["libelle"],
        definition=row["definition"],
        lien=row["lien"],
        ethos_id=row["ethos"] or None,
        ethos_light_id=row["ethos_light"] or None,
        condition_ethos=row["condition_ethos"],
        region_obligatoire=particularite == "region_obligatoire",
        calculateur=_CALCULATEURS.get(particularite, ""),
        a_venir=_LIBELLE_A_CORRIGER if particularite == "libelle_a_corriger" else "",
        ordre=position,
    )
