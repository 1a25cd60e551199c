"""Logging in and out."""

from django.contrib.auth import login, logout
from django.http import HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from comptes.forms import ConnexionForm
from siao.socle.http import CONNECTED, PUBLIC, writes


@writes(PUBLIC)
def connexion(request):
    if request.user.is_authenticated:
        return HttpResponseRedirect(_next_page(request))
    form = ConnexionForm(request, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.get_user())
        return HttpResponseRedirect(_next_page(request))
    context = {"form": form, "suite": request.POST.get("next") or request.GET.get("next", "")}
    return render(request, "comptes/connexion.html", context)


@writes(CONNECTED, only_post=True)
def deconnexion(request):
    logout(request)
    return redirect("connexion")


def _next_page(request) -> str:
    """Where the user wanted to go, if it is on this site and nowhere else."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url("accueil")
