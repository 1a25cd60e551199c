"""The OpenAPI document of the API: what ``donnees`` says, field by field. The tests hold the two together."""

from typing import Any

from .donnees import VERSION

PAR_PAGE = 50
PAR_PAGE_MAXIMUM = 100

_UUID = {"type": "string", "format": "uuid"}
_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 0}
_DATE = {"type": "string", "format": "date"}


def _object(required: str, **properties) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


SCHEMAS = {
    "Organization": _object(
        "id name description",
        id=_UUID,
        name=_TEXT,
        alternate_name=_TEXT,
        description=_TEXT,
        legal_status=_TEXT,
        organization_identifiers=_list("OrganizationIdentifier"),
    ),
    "OrganizationIdentifier": _object(
        "id identifier identifier_type",
        id=_UUID,
        organization_id=_UUID,
        identifier_type=_TEXT,
        identifier={"type": "string", "pattern": "^[0-9]{9}$"},
    ),
    "Service": _object(
        "id name status organization_id",
        id=_UUID,
        organization_id=_UUID,
        name=_TEXT,
        description=_TEXT,
        status={"type": "string", "enum": ["active"]},
        email={"type": "string", "format": "email"},
        minimum_age=_NUMBER,
        maximum_age=_NUMBER,
        fees_description=_TEXT,
        last_modified={"type": "string", "format": "date-time"},
        eligibility_description=_TEXT,
        phones=_list("Phone"),
        schedules=_list("Schedule"),
        service_areas=_list("ServiceArea"),
        service_at_locations=_list("ServiceAtLocation"),
        organization={"$ref": "#/components/schemas/Organization"},
        # Ours, beside HSDS: the national nomenclature and the capacity of the fiche.
        categorie=_TEXT,
        type=_TEXT,
        orientation_siao={"type": "boolean"},
        places=_NUMBER,
        logements=_NUMBER,
        mesures=_NUMBER,
        date_ouverture=_DATE,
    ),
    "ServiceAtLocation": _object(
        "id service_id location_id location",
        id=_UUID,
        service_id=_UUID,
        location_id=_UUID,
        location={"$ref": "#/components/schemas/Location"},
    ),
    "Location": _object(
        "id location_type",
        id=_UUID,
        location_type={"type": "string", "enum": ["physical"]},
        name=_TEXT,
        external_identifier=_TEXT,
        external_identifier_type=_TEXT,
        addresses=_list("Address"),
    ),
    "Address": _object(
        "id address_1 city state_province postal_code country address_type",
        id=_UUID,
        location_id=_UUID,
        address_1=_TEXT,
        address_2=_TEXT,
        city=_TEXT,
        region=_TEXT,
        state_province=_TEXT,
        postal_code=_TEXT,
        country=_TEXT,
        address_type={"type": "string", "enum": ["physical"]},
    ),
    "Phone": _object("id number", id=_UUID, number=_TEXT),
    "Schedule": _object(
        "id freq byday opens_at closes_at",
        id=_UUID,
        freq={"type": "string", "enum": ["WEEKLY"]},
        byday={"type": "string", "enum": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]},
        opens_at={"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"},
        closes_at={"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"},
        description=_TEXT,
    ),
    "ServiceArea": _object("id", id=_UUID, name=_TEXT, extent=_TEXT, extent_type=_TEXT),
    "Api": _object("version profile openapi_url", version=_TEXT, profile=_TEXT, openapi_url=_TEXT, description=_TEXT),
    "Erreur": _object("erreur", erreur=_TEXT),
}


def _page(name: str) -> dict[str, Any]:
    return _object(
        "total_items total_pages page_number size first_page last_page empty contents",
        total_items=_NUMBER,
        total_pages=_NUMBER,
        page_number=_NUMBER,
        size=_NUMBER,
        first_page={"type": "boolean"},
        last_page={"type": "boolean"},
        empty={"type": "boolean"},
        contents=_list(name),
    )


def _query(name: str, description: str, **schema) -> dict[str, Any]:
    return {"in": "query", "name": name, "required": False, "description": description, "schema": schema}


_PAGES = [
    _query("page", "Numéro de la page.", type="integer", minimum=1, default=1),
    _query("per_page", "Lignes par page.", type="integer", minimum=1, maximum=PAR_PAGE_MAXIMUM, default=PAR_PAGE),
]
_SERVICES = [
    *_PAGES,
    _query("departement", "Code du département.", type="string"),
    _query("organization_id", "Ceux d'une entité.", type="string", format="uuid"),
    _query("modified_after", "Modifiés depuis ce jour (AAAA-MM-JJ).", type="string", format="date"),
]
_SERVICES_LUS = [
    *_SERVICES,
    _query("full", "Avec horaires, téléphones, adresses et publics.", type="boolean", default=False),
]


def document(root: str) -> dict[str, Any]:
    """The document for the API at the address ``root``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SI SIAO : l'offre d'hébergement, de logement et d'accompagnement",
            "version": "1.0.0",
            "description": (
                f"L'offre validée et non confidentielle, au profil HSDS {VERSION}. Un jeton par structure, donné par "
                "l'administrateur national. Ni adresse confidentielle, ni place libre."
            ),
            "license": {"name": "Licence Ouverte 2.0", "identifier": "etalab-2.0"},
        },
        "servers": [{"url": root}],
        "security": [{"jeton": []}],
        "paths": {
            "/": {"get": _operation("api", "Cette API et sa version de HSDS.", "Api", [])},
            "/services": {"get": _operation("services", "Les dispositifs.", "Service", _SERVICES_LUS, paged=True)},
            "/services/{id}": {"get": _operation("service", "Un dispositif, complet.", "Service")},
            "/organizations": {"get": _operation("organizations", "Les entités.", "Organization", _PAGES, paged=True)},
            "/organizations/{id}": {"get": _operation("organization", "Une entité.", "Organization")},
            "/service_at_locations": {
                "get": _operation(
                    "service_at_locations", "Les lieux des dispositifs.", "ServiceAtLocation", _SERVICES, paged=True
                )
            },
            "/service_at_locations/{id}": {
                "get": _operation("service_at_location", "Le lieu d'un dispositif.", "ServiceAtLocation")
            },
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"jeton": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(name: str, summary: str, schema: str, parameters: list | None = None, *, paged: bool = False) -> dict:
    one = parameters is None
    found = _page(schema) if paged else {"$ref": f"#/components/schemas/{schema}"}
    errors = {"401": "Jeton absent ou retiré.", "429": "Trop de requêtes dans la minute."}
    errors |= {"404": "Rien à cette adresse."} if one else {}
    errors |= {"400": "Paramètre illisible."} if paged else {}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": ([{"in": "path", "name": "id", "required": True, "schema": _UUID}] if one else parameters),
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": found}}},
            **{
                code: {
                    "description": why,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Erreur"}}},
                }
                for code, why in errors.items()
            },
        },
    }
