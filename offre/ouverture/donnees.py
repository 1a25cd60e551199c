"""What is published, and how it is said in the words of HSDS 3 (Human Services Data Specification).

A dispositif whose address is confidential is not published at all: its name alone may tell where it is. Neither is
anything personal, nor what is free tonight: places are given by the SIAO, not taken at a door.
"""

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from offre.models import Creneau, Dispositif, Entite, FicheSirene, Rattachement
from offre.models.nomenclature import Categorie, Prestation, Statut
from siao.socle.columns import phones

VERSION = "3.0"
_JOURS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

# --- Which rows -------------------------------------------------------------------------------------------------


def dispositifs(day: datetime.date | None = None) -> QuerySet[Dispositif]:
    """Validated, open on ``day`` (today), of an entité validated in its département, at an address that may be said."""
    day = day or timezone.localdate()
    validated = Rattachement.objects.filter(
        entite=OuterRef("entite"), departement=OuterRef("departement"), statut=Statut.VALIDE
    )
    return (
        Dispositif.objects.filter(statut=Statut.VALIDE, adresse_confidentielle=False)
        .filter(Q(date_fermeture__isnull=True) | Q(date_fermeture__gt=day))
        .filter(Exists(validated))
        .exclude(specificites__adresse_confidentielle=True)
        .annotate(
            entite_nom=Subquery(validated.values("nom")[:1]),
            denomination=Subquery(_register(OuterRef("siren")).values("denomination")),
        )
        .select_related("type", "commune", "departement__region", "entite")
        .order_by("pk")
    )


def entites() -> QuerySet[Entite]:
    """Those that run a published dispositif, with the name that the register gives them, else a département."""
    validated = Rattachement.objects.filter(entite=OuterRef("pk"), statut=Statut.VALIDE)
    return (
        Entite.objects.filter(Exists(dispositifs().filter(entite=OuterRef("pk"))))
        .annotate(
            nom=Subquery(validated.order_by("departement").values("nom")[:1]),
            denomination=Subquery(_register(OuterRef("siren")).values("denomination")),
            categorie_juridique=Subquery(_register(OuterRef("siren")).values("categorie_juridique")),
        )
        .order_by("pk")
    )


def _register(siren) -> QuerySet[FicheSirene]:
    return FicheSirene.objects.filter(siren=siren, diffusible=True)


def with_details(rows: QuerySet[Dispositif]) -> QuerySet[Dispositif]:
    return rows.prefetch_related("publics", "specificites", "prestations_proposees__creneaux")


# --- Identifiers: a UUID (version 8) that says the kind and the key ---------------------------------------------

_KINDS = {
    "organization": 1,
    "service": 2,
    "location": 3,
    "service_at_location": 4,
    "address": 5,
    "phone": 6,
    "schedule": 7,
    "organization_identifier": 8,
    "service_area": 9,
}


def identifier(kind: str, key: int) -> str:
    return str(uuid.UUID(f"51a00000-{_KINDS[kind]:04x}-8000-8000-{key:012x}"))


def key_of(kind: str, text: str) -> int:
    """The key inside an identifier of ``kind``; 0, which no row has, when it is none."""
    try:
        number = uuid.UUID(text)
    except ValueError:
        return 0
    key = number.int & 0xFFFFFFFFFFFF
    return key if str(number) == identifier(kind, key) else 0


# --- In the words of HSDS ---------------------------------------------------------------------------------------


def organization(entite: Entite) -> dict[str, Any]:
    fiche = FicheSirene(siren=entite.siren, categorie_juridique=entite.categorie_juridique or "")
    return _filled(
        {
            "id": identifier("organization", entite.pk),
            "name": entite.denomination or entite.nom,
            "alternate_name": entite.nom if entite.denomination else "",
            "description": f"Entité gestionnaire, SIREN {entite.siren}",
            "legal_status": fiche.forme,
            "organization_identifiers": [
                {
                    "id": identifier("organization_identifier", entite.pk),
                    "organization_id": identifier("organization", entite.pk),
                    "identifier_type": "SIREN",
                    "identifier": entite.siren,
                }
            ],
        }
    )


def service(dispositif: Dispositif, *, full: bool = False) -> dict[str, Any]:
    """One dispositif; ``full`` adds what has several lines (needs ``with_details``)."""
    values = {
        "id": identifier("service", dispositif.pk),
        "organization_id": identifier("organization", dispositif.entite_id),
        "name": dispositif.nom,
        "description": f"{dispositif.get_categorie_display()} : {dispositif.type.libelle}",
        "status": "active",
        "email": dispositif.courriel,
        "minimum_age": dispositif.age_min,
        "maximum_age": dispositif.age_max,
        "fees_description": dispositif.get_participation_display(),
        "last_modified": dispositif.modifie_le.isoformat(),
        "categorie": dispositif.categorie,
        "type": dispositif.type_id,
        "orientation_siao": dispositif.orientation_siao,
        "places": dispositif.places,
        "logements": dispositif.logements,
        "mesures": dispositif.mesures,
        "date_ouverture": dispositif.date_ouverture.isoformat(),
    }
    if full:
        publics = [*dispositif.publics.all(), *dispositif.specificites.all()]
        values |= {
            "eligibility_description": ", ".join(map(str, publics)),
            "phones": _phones(dispositif),
            "schedules": list(_schedules(dispositif)),
            "service_areas": [
                {
                    "id": identifier("service_area", dispositif.pk),
                    "name": dispositif.departement.nom,
                    "extent": dispositif.departement_id,
                    "extent_type": "code officiel géographique du département",
                }
            ],
            "service_at_locations": [service_at_location(dispositif)],
            "organization": {
                "id": identifier("organization", dispositif.entite_id),
                "name": dispositif.denomination or dispositif.entite_nom,
                "description": f"Entité gestionnaire, SIREN {dispositif.siren}",
            },
        }
    return _filled(values)


def service_at_location(dispositif: Dispositif) -> dict[str, Any]:
    return {
        "id": identifier("service_at_location", dispositif.pk),
        "service_id": identifier("service", dispositif.pk),
        "location_id": identifier("location", dispositif.pk),
        "location": location(dispositif),
    }


def location(dispositif: Dispositif) -> dict[str, Any]:
    return {
        "id": identifier("location", dispositif.pk),
        "location_type": "physical",
        "name": dispositif.nom,
        "external_identifier": dispositif.commune_id,
        "external_identifier_type": "code officiel géographique de la commune",
        "addresses": [
            _filled(
                {
                    "id": identifier("address", dispositif.pk),
                    "location_id": identifier("location", dispositif.pk),
                    "address_1": dispositif.voie,
                    "address_2": dispositif.complement,
                    "city": dispositif.commune.nom,
                    "postal_code": dispositif.code_postal,
                    "region": dispositif.departement.region.nom,
                    "state_province": dispositif.departement.nom,
                    "country": "FR",
                    "address_type": "physical",
                }
            )
        ],
    }


def _phones(dispositif: Dispositif) -> list[dict[str, str]]:
    if not dispositif.telephone:
        return []
    return [{"id": identifier("phone", dispositif.pk), "number": dispositif.telephone}]


def _schedules(dispositif: Dispositif) -> Iterator[dict[str, str]]:
    for prestation in dispositif.prestations_proposees.all():
        for creneau in prestation.creneaux.all():
            yield _schedule(creneau, prestation.get_nature_display())


def _schedule(creneau: Creneau, label: str) -> dict[str, str]:
    return {
        "id": identifier("schedule", creneau.pk),
        "freq": "WEEKLY",
        "byday": _JOURS[creneau.jour - 1],
        "opens_at": f"{creneau.heure_debut:%H:%M}",
        "closes_at": f"{creneau.heure_fin:%H:%M}",
        "description": label,
    }


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that nothing fills: HSDS leaves out what is not known."""
    return {key: value for key, value in values.items() if value not in (None, "", [])}


# --- The file ---------------------------------------------------------------------------------------------------

COLONNES = (
    ("identifiant", lambda row: identifier("service", row.pk)),
    ("siren", lambda row: row.siren),
    ("entite", lambda row: row.entite_nom),
    ("dispositif", lambda row: row.nom),
    ("categorie", lambda row: Categorie(row.categorie).label),
    ("type", lambda row: row.type.libelle),
    ("adresse", lambda row: ", ".join(filter(None, (row.voie, row.complement)))),
    ("code_postal", lambda row: row.code_postal),
    ("commune", lambda row: row.commune.nom),
    ("code_commune", lambda row: row.commune_id),
    ("departement", lambda row: row.departement_id),
    ("telephone", lambda row: phones.show(row.telephone)),
    ("courriel", lambda row: row.courriel),
    ("publics", lambda row: ", ".join(str(one) for one in row.publics.all())),
    ("specificites", lambda row: ", ".join(str(one) for one in row.specificites.all())),
    ("age_min", lambda row: row.age_min),
    ("age_max", lambda row: row.age_max),
    ("places", lambda row: row.places),
    ("logements", lambda row: row.logements),
    ("mesures", lambda row: row.mesures),
    ("prestations", lambda row: ", ".join(Prestation(one).label for one in row.prestations)),
    ("orientation_siao", lambda row: {True: "oui", False: "non"}.get(row.orientation_siao, "")),
    ("date_ouverture", lambda row: f"{row.date_ouverture:%Y-%m-%d}"),
)


def lines() -> Iterator[list]:
    """The file, line after line, in constant memory."""
    yield [name for name, _ in COLONNES]
    rows = dispositifs().prefetch_related("publics", "specificites")
    for row in rows.iterator(chunk_size=500):
        yield [value(row) for _, value in COLONNES]
