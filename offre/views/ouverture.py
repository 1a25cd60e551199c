"""Open data: the file, the API, its document, and the page where tokens are given."""

import datetime

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date

from comptes import saisies
from comptes.droits import Droit
from comptes.forms import AdresseField
from offre.models import JetonOuverture
from offre.ouverture import donnees, jetons, openapi
from offre.ouverture.jetons import reads_by_token
from siao.socle.forms import Formulaire
from siao.socle.french_csv import encoded
from siao.socle.http import PUBLIC, reads, writes
from siao.socle.refusal import Refusal
from siao.socle.text import visible

_JSON = {"ensure_ascii": False}


class _Unreadable(Exception):
    """A parameter of the address that means nothing. The text is for who wrote the program."""


@reads_by_token
def offre_csv(request):
    response = StreamingHttpResponse(encoded(donnees.lines()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="offre-{timezone.localdate():%Y-%m-%d}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@reads(PUBLIC)
def document(request):
    root = f"{settings.SITE_URL}{reverse('api_offre')}".rstrip("/")
    return JsonResponse(openapi.document(root), json_dumps_params=_JSON)


@reads_by_token
def api(request):
    url = f"{settings.SITE_URL}{reverse('api_openapi')}"
    about = {
        "version": donnees.VERSION,
        "profile": url,
        "openapi_url": url,
        "description": "L'offre validée et non confidentielle des SIAO.",
    }
    return JsonResponse(about, json_dumps_params=_JSON)


@reads_by_token
def services(request):
    full = request.GET.get("full", "").lower() in ("true", "1")

    def rows():
        found = _searched(request)
        return donnees.with_details(found) if full else found

    return _page(request, rows, lambda row: donnees.service(row, full=full))


@reads_by_token
def service(request, identifier):
    rows = donnees.with_details(donnees.dispositifs())
    return _one(rows, "service", identifier, lambda row: donnees.service(row, full=True))


@reads_by_token
def service_at_locations(request):
    return _page(request, lambda: _searched(request), donnees.service_at_location)


@reads_by_token
def service_at_location(request, identifier):
    return _one(donnees.dispositifs(), "service_at_location", identifier, donnees.service_at_location)


@reads_by_token
def organizations(request):
    return _page(request, donnees.entites, donnees.organization)


@reads_by_token
def organization(request, identifier):
    return _one(donnees.entites(), "organization", identifier, donnees.organization)


def _searched(request) -> QuerySet:
    rows = donnees.dispositifs()
    if departement := request.GET.get("departement"):
        rows = rows.filter(departement=visible(departement))
    if entite := request.GET.get("organization_id"):
        rows = rows.filter(entite=donnees.key_of("organization", entite))
    if since := request.GET.get("modified_after"):
        try:
            day = parse_date(since)
        except ValueError:
            day = None
        if day is None:
            raise _Unreadable("modified_after : un jour, écrit AAAA-MM-JJ")
        rows = rows.filter(modifie_le__gte=timezone.make_aware(datetime.datetime.combine(day, datetime.time.min)))
    return rows


def _page(request, rows, said) -> JsonResponse:
    try:
        number = _number(request, "page", 1, 1_000_000)
        paginator = Paginator(rows(), _number(request, "per_page", openapi.PAR_PAGE, openapi.PAR_PAGE_MAXIMUM))
    except _Unreadable as error:
        return _error(400, str(error))
    page = paginator.get_page(number) if number <= paginator.num_pages else ()
    contents = [said(row) for row in page]
    answer = {
        "total_items": paginator.count,
        "total_pages": paginator.num_pages,
        "page_number": number,
        "size": len(contents),
        "first_page": number == 1,
        "last_page": number == paginator.num_pages,
        "empty": not contents,
        "contents": contents,
    }
    return JsonResponse(answer, json_dumps_params=_JSON)


def _number(request, name: str, default: int, maximum: int) -> int:
    text = request.GET.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and 1 <= int(text) <= maximum):
        raise _Unreadable(f"{name} : un nombre de 1 à {maximum}")
    return int(text)


def _one(rows: QuerySet, kind: str, identifier: str, said) -> JsonResponse:
    row = rows.filter(pk=donnees.key_of(kind, identifier)).first()
    if row is None:
        return _error(404, "Rien à cette adresse : ce dispositif n'existe pas, ou n'est pas publié.")
    return JsonResponse(said(row), json_dumps_params=_JSON)


def _error(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"erreur": sentence}, status=status, json_dumps_params=_JSON)


# --- Tokens -----------------------------------------------------------------------------------------------------


class JetonForm(Formulaire):
    structure = forms.CharField(
        label="Structure",
        help_text="Qui lira les données : une collectivité, une association, un éditeur.",
        max_length=120,
        error_messages={"required": "Dites à quelle structure le jeton est donné."},
    )
    courriel = AdresseField()


@writes(Droit.REFERENTIELS_GERER)
def donnees_ouvertes(request):
    form = JetonForm(request.POST or None)
    context = {"form": form}
    if request.method == "POST" and form.is_valid():
        try:
            context["jeton"], context["secret"] = jetons.give(
                auteur=request.habilitation, formulaire=saisies.key_of(request), **form.cleaned_data
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            context["form"] = JetonForm()
    context["jetons"] = JetonOuverture.objects.select_related("cree_par").order_by("retire_le", "structure")
    return render(request, "offre/ouverture/jetons.html", context)


@writes(Droit.REFERENTIELS_GERER, only_post=True)
def retirer_jeton(request, pk) -> HttpResponse:
    jeton = get_object_or_404(JetonOuverture, pk=pk)
    jetons.withdraw(auteur=request.habilitation, jeton=jeton)
    messages.success(request, f"Le jeton de « {jeton} » n'ouvre plus rien.")
    return redirect("offre:donnees_ouvertes")
