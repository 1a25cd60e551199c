"""Loads the territories from ``fixtures/``; running it again changes nothing, a new file updates what it names."""

from django.contrib.auth.models import Group
from django.db import transaction

from comptes.models import CodePostal, Commune, Departement, Region, Siao
from siao.socle.fixtures import rows


def unknown_departement(code: str) -> str:
    """What a command says of a code that no département has."""
    if not Departement.objects.exists():
        return "Les listes de référence manquent : lancez d'abord « python manage.py charger_referentiels »."
    return f"Le département « {code} » n'existe pas."


@transaction.atomic
def load_territoires() -> dict[str, int]:
    """Load régions, départements, communes, their postal codes and the SIAO; return how many lines each file has."""
    regions = [Region(code=row["code"], nom=row["nom"]) for row in rows("regions")]
    departements = [
        Departement(code=row["code"], nom=row["nom"], region_id=row["region"]) for row in rows("departements")
    ]
    lines = rows("communes")
    communes = [
        Commune(
            code=row["code"],
            nom=row["nom"],
            departement_id=row["departement"],
            siren=row["siren"],
            population=row["population"] or 0,
        )
        for row in lines
    ]
    codes = [CodePostal(commune_id=row["code"], code=code) for row in lines for code in row["codes_postaux"].split()]
    for model, objects, updated in (
        (Region, regions, ["nom"]),
        (Departement, departements, ["nom", "region"]),
        (Commune, communes, ["nom", "departement", "siren", "population"]),
    ):
        model.objects.bulk_create(
            objects, update_conflicts=True, unique_fields=["code"], update_fields=updated, batch_size=5_000
        )
    CodePostal.objects.bulk_create(codes, ignore_conflicts=True, batch_size=5_000)
    siaos = _load_siaos(rows("siao"))
    return {
        "regions": len(regions),
        "departements": len(departements),
        "communes": len(communes),
        "siao": siaos,
    }


def _load_siaos(lines: list[dict[str, str]]) -> int:
    names = {row["code"]: f"SIAO {row['code']}" for row in lines}
    Group.objects.bulk_create([Group(name=name) for name in names.values()], ignore_conflicts=True)
    groups = dict(Group.objects.filter(name__in=names.values()).values_list("name", "pk"))
    siaos = [
        Siao(
            code=row["code"],
            nom=row["nom"],
            departement_id=row["departement"],
            groupe_id=groups[names[row["code"]]],
        )
        for row in lines
    ]
    Siao.objects.bulk_create(
        siaos, update_conflicts=True, unique_fields=["code"], update_fields=["nom", "departement", "groupe"]
    )
    return len(siaos)
