from django.http import HttpResponse
from django.urls import include, path

from siao.socle.http import CONNECTED, reads
from tests.bench.admin import site


@reads(CONNECTED)
def vide(request):
    """The limit: what the same middleware and login cost before any page."""
    return HttpResponse()


urlpatterns = [path("admin/", site.urls), path("vide/", vide), path("", include("siao.urls"))]
