"""Addresses of the open data, at the root of the site."""

from django.urls import path

from offre.views import ouverture

urlpatterns = [
    path("offre.csv", ouverture.offre_csv, name="offre_csv"),
    path("api/offre/", ouverture.api, name="api_offre"),
    path("api/offre/openapi.json", ouverture.document, name="api_openapi"),
    path("api/offre/services", ouverture.services, name="api_services"),
    path("api/offre/services/<str:identifier>", ouverture.service, name="api_service"),
    path("api/offre/organizations", ouverture.organizations, name="api_organizations"),
    path("api/offre/organizations/<str:identifier>", ouverture.organization, name="api_organization"),
    path("api/offre/service_at_locations", ouverture.service_at_locations, name="api_lieux"),
    path("api/offre/service_at_locations/<str:identifier>", ouverture.service_at_location, name="api_lieu"),
]
