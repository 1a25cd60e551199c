from django.urls import include, path

from siao import views

urlpatterns = [
    path("", views.accueil, name="accueil"),
    path("", include("comptes.urls")),
    path("", include("menages.urls")),
    path("", include("situations.urls")),
    path("offre/", include("offre.urls")),
    path("", include("offre.urls_ouvertes")),
    path("plan-du-site/", views.plan_du_site, name="plan_du_site"),
    path("accessibilite/", views.accessibilite, name="accessibilite"),
    path("mentions-legales/", views.mentions_legales, name="mentions_legales"),
    path("donnees-personnelles/", views.donnees_personnelles, name="donnees_personnelles"),
    path("sante", views.sante, name="sante"),
]

handler400 = "siao.views.bad_request"
handler403 = "siao.views.permission_denied"
handler404 = "siao.views.page_not_found"
handler500 = "siao.views.server_error"
