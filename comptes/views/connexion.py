"""Logging in and out: password, second factor, ProConnect, links received by e-mail."""

import time

from django.conf import settings
from django.contrib import auth, messages
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django_otp import user_has_device
from requests import RequestException

from comptes import actions, proconnect, saisies, verrouillage
from comptes.forms import AdresseForm, CodeForm, ConnexionForm, NouveauMotDePasseForm
from comptes.journal import journalise
from comptes.middleware import PROCONNECT_SECOND_FACTOR
from comptes.models import Resultat, Utilisateur
from comptes.preuves import verified_device
from comptes.sessions import open_session
from siao.socle.http import CONNECTED, PUBLIC, reads, returns_from_elsewhere, writes
from siao.socle.refusal import Refusal

PENDING = "connexion_en_attente"
"""Session key: a password was right, the second factor is awaited. Nobody is logged in meanwhile."""

PENDING_AGE = 600  # seconds


@writes(PUBLIC)
def connexion(request):
    if request.user.is_authenticated:
        return HttpResponseRedirect(_next_page(request))
    form = ConnexionForm(request, data=request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            return _first_factor_given(request, form.get_user(), _wanted(request))
        journalise(action="connexion", resultat=Resultat.REFUSE)
    context = {
        "form": form,
        "suite": _wanted(request),
        "saisie": saisies.SESSION_KEY in request.session,
        "proconnect": proconnect.enabled(),
    }
    return render(request, "comptes/connexion.html", context)


@writes(PUBLIC)
def connexion_code(request):
    """Second step, for the accounts that have a second factor."""
    pending = request.session.get(PENDING)
    utilisateur = _pending_user(pending) if pending else None
    if utilisateur is None:
        return redirect("connexion")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = verified_device(utilisateur, form.cleaned_data["code"])
        if device:
            utilisateur.otp_device = device  # django-otp keeps it in the session at login
            return _log_in(request, utilisateur, pending["suite"])
        journalise(action="connexion", resultat=Resultat.REFUSE)
        form.add_error("code", "Ce code n'est pas le bon, ou il a déjà servi. Attendez le suivant, puis écrivez-le.")
    return render(request, "comptes/connexion_code.html", {"form": form})


def _pending_user(pending: dict) -> Utilisateur | None:
    """Whose second factor is awaited; None once it is too late, the password changed or the account disabled."""
    if time.time() - pending["le"] > PENDING_AGE:
        return None
    utilisateur = Utilisateur.objects.filter(pk=pending["utilisateur"], is_active=True).first()
    if utilisateur is None or not constant_time_compare(pending["empreinte"], utilisateur.get_session_auth_hash()):
        return None
    return utilisateur


@writes(CONNECTED, only_post=True, from_any_page=True)
def deconnexion(request):
    elsewhere = proconnect.end_session_url(request)
    auth.logout(request)
    return HttpResponseRedirect(elsewhere or resolve_url("connexion"))


@writes(PUBLIC)
def mot_de_passe_oublie(request):
    form = AdresseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.ask_new_password(courriel=form.cleaned_data["courriel"])
        messages.success(
            request,
            "Si un compte a cette adresse, un courriel y part : son lien est valable une heure. Rien reçu ? Regardez "
            "les indésirables. Au-delà de trois demandes dans l'heure, le dernier courriel reçu reste le bon ; votre "
            "administrateur peut aussi vous en envoyer un.",
        )
        return redirect("connexion")
    return render(request, "comptes/mot_de_passe_oublie.html", {"form": form})


@writes(PUBLIC)
def lien(request, secret):
    """What an e-mailed link opens. Looking at it does not use it up: mail servers do, before their users."""
    found = actions.usable_link(secret)
    if found is None:
        return render(request, "comptes/lien_perime.html", status=410)
    form = NouveauMotDePasseForm(request.POST or None, utilisateur=found.utilisateur)
    if request.method == "POST" and form.is_valid():
        try:
            utilisateur = actions.choose_password(secret=secret, mot_de_passe=form.cleaned_data["mot_de_passe"])
        except Refusal:
            return render(request, "comptes/lien_perime.html", status=410)
        messages.success(request, "Votre mot de passe est enregistré : connectez-vous avec lui.")
        return verrouillage.remember(request, redirect("connexion"), utilisateur)
    return render(request, "comptes/lien.html", {"form": form, "lien": found})


# --- ProConnect -------------------------------------------------------------------------------------------------


@reads(PUBLIC)
def proconnect_depart(request):
    if not proconnect.enabled():
        raise Http404
    return proconnect.authorization(request, _safe(request, _wanted(request)))


@returns_from_elsewhere
def proconnect_retour(request):
    if not proconnect.enabled():
        raise Http404
    try:
        identified = proconnect.identify(request)
    except (SuspiciousOperation, RequestException) as refused:
        # What came back is not what ProConnect sends; what failed is in the logs, never on the page.
        proconnect.logger.warning("proconnect_refuse", motif=type(refused).__name__)
        identified = None
    if identified is None:
        journalise(action="connexion_proconnect", resultat=Resultat.REFUSE)
        return render(request, "comptes/proconnect_refuse.html", status=403)
    utilisateur, second_factor, suite = identified
    if second_factor:
        return _log_in(request, utilisateur, suite, proconnect_second_factor=True)
    return _first_factor_given(request, utilisateur, suite)


# --- Common end -------------------------------------------------------------------------------------------------


def _first_factor_given(request, utilisateur, suite: str):
    if not user_has_device(utilisateur):
        return _log_in(request, utilisateur, suite)
    request.session[PENDING] = {
        "utilisateur": utilisateur.pk,
        "empreinte": utilisateur.get_session_auth_hash(),
        "le": time.time(),
        "suite": suite,
    }
    return redirect("connexion_code")


def _log_in(request, utilisateur, suite: str, *, proconnect_second_factor: bool = False):
    request.session.pop(PENDING, None)
    open_session(request, utilisateur)
    if proconnect_second_factor:
        request.session[PROCONNECT_SECOND_FACTOR] = True
    journalise(action="connexion", utilisateur=utilisateur)
    opened = redirect("saisie") if saisies.kept(request) else HttpResponseRedirect(_safe(request, suite))
    return verrouillage.remember(request, opened, utilisateur)


def _wanted(request) -> str:
    return request.POST.get("next") or request.GET.get("next", "")


def _next_page(request) -> str:
    return _safe(request, _wanted(request))


def _safe(request, wanted: str) -> str:
    """Where the user wanted to go, if it is on this site and nowhere else; the home page otherwise."""
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)
