"""One's own account: habilitation, sessions, password, second factor, and what was typed and not lost."""

import time

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django_otp import login as otp_login
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from comptes import actions, saisies
from comptes.droits import SECOND_FACTOR_PROFILS
from comptes.forms import ChangementDeMotDePasseForm, CodeForm, PreuveForm
from comptes.middleware import SESSION_KEY, has_second_factor
from comptes.models import Habilitation, Message
from comptes.preuves import verified_device
from comptes.sessions import end_sessions, remaining
from siao.socle.http import CONNECTED, reads, writes


@writes(CONNECTED, only_post=True, from_any_page=True)
def choisir_habilitation(request):
    chosen = next((h for h in request.habilitations if str(h.pk) == request.POST.get("habilitation")), None)
    if chosen is None:
        raise Http404
    request.session[SESSION_KEY] = chosen.pk
    return redirect("saisie" if saisies.kept(request) else "accueil")


@writes(CONNECTED, only_post=True, from_any_page=True)
def prolonger(request):
    """Answers how long the session will last without another request (seconds); asking is what extends it."""
    return JsonResponse({"reste": remaining(request.session)})


@writes(CONNECTED)
def saisie(request):
    """What was typed in a form that could not be carried out: send it again, or give it up."""
    waiting = saisies.kept(request)
    if request.method == "POST":
        saisies.forget(request)
        return redirect("accueil")
    if waiting is None:
        return redirect("accueil")
    return saisies.show(request, waiting)


@reads(CONNECTED)
def mon_compte(request):
    context = {
        "habilitations": Habilitation.objects.filter(utilisateur=request.user, retiree_le__isnull=True)
        .with_octrois()
        .select_related("accordee_par"),
        "sessions": request.user.sessions.filter(expire_date__gt=timezone.now()).order_by("-ouverte_le"),
        "session_actuelle": request.session.session_key,
        "second_facteur": TOTPDevice.objects.filter(user=request.user, confirmed=True).first(),
    }
    return render(request, "comptes/mon_compte.html", context)


@writes(CONNECTED, only_post=True)
def terminer_session(request, reference):
    session = get_object_or_404(request.user.sessions, reference=reference)
    if session.session_key == request.session.session_key:
        return redirect("mon_compte")
    session.delete()
    messages.success(request, "Cette session est terminée.")
    return redirect("mon_compte")


@writes(CONNECTED, only_post=True)
def terminer_sessions(request):
    ended = end_sessions(request.user, but=request.session.session_key)
    messages.success(request, f"Sessions terminées : {ended}. Il ne reste que celle-ci.")
    return redirect("mon_compte")


@writes(CONNECTED)
def changer_mot_de_passe(request):
    form = ChangementDeMotDePasseForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        actions.change_password(
            utilisateur=request.user,
            mot_de_passe=form.cleaned_data["mot_de_passe"],
            session=request.session.session_key,
        )
        update_session_auth_hash(request, request.user)
        messages.success(request, "Votre mot de passe est changé, et vos autres sessions sont terminées.")
        return redirect("mon_compte")
    return render(request, "comptes/changer_mot_de_passe.html", {"form": form})


# --- Second factor ----------------------------------------------------------------------------------------------


ENROLEMENT = "enrolement"
"""Session key: this session has proved who is there, and may see the key of the application being enrolled."""
ENROLEMENT_AGE = 900  # seconds


@writes(CONNECTED)
def double_authentification(request):
    """Enrol an application: draw a key, show it, and believe it once a code proves that it was copied."""
    device = TOTPDevice.objects.filter(user=request.user, confirmed=True).first() or _enrolling(request)
    form = CodeForm(request.POST if "code" in request.POST else None)
    preuve = PreuveForm(request.POST if "preuve" in request.POST else None, request=request)
    if request.method == "POST":
        if device is None:
            if preuve.is_valid():
                drawn = actions.draw_second_factor(utilisateur=request.user)
                request.session[ENROLEMENT] = [drawn.pk, time.time()]
                return redirect(request.get_full_path())
        elif form.is_valid():
            if codes := _first_codes(request, device, form.cleaned_data["code"]):
                request.session.pop(ENROLEMENT, None)
                end_sessions(request.user, but=request.session.session_key)
                otp_login(request, device)
                return _show_recovery_codes(request, codes, first_time=True)
            if not device.confirmed:
                form.add_error(
                    "code", "Ce code n'est pas le bon. Vérifiez l'heure du téléphone, puis écrivez le suivant."
                )
    context = {
        "form": form if device else preuve,
        "device": device,
        "trop_tard": device is None and form.is_bound,
        "impose": bool(SECOND_FACTOR_PROFILS & {h.profil for h in request.habilitations}),
        "manque": request.second_factor_missing or "pour" in request.GET,
    }
    if device and not device.confirmed:
        context["qr"] = segno.make(device.config_url).svg_data_uri(scale=4, border=4, light="white")
        context["secret"] = _in_groups(device.config_url)
    elif device:
        context["codes_restants"] = StaticToken.objects.filter(device__user=request.user).count()
    return render(request, "comptes/double_authentification.html", context)


def _enrolling(request) -> TOTPDevice | None:
    """The application that this session is enrolling; another session must prove who is there, and draw a new key."""
    key, since = request.session.get(ENROLEMENT, (None, 0))
    if time.time() - since > ENROLEMENT_AGE:
        return None
    return TOTPDevice.objects.filter(user=request.user, pk=key).first()


@writes(CONNECTED)
def codes_de_secours(request):
    """New recovery codes; the old ones are worth nothing any more."""
    _demand_second_factor(request)
    form = PreuveForm(request.POST or None, request=request)
    if request.method == "POST":
        asked = {"utilisateur": request.user, "formulaire": saisies.key_of(request)}
        # A second click carries a code that the first one has used.
        if actions.recovery_codes_drawn(**asked) or form.is_valid():
            return _show_recovery_codes(request, actions.renew_recovery_codes(**asked))
    return render(request, "comptes/remplacer_codes.html", {"form": form})


@writes(CONNECTED)
def retirer_second_facteur(request):
    _demand_second_factor(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if verified_device(request.user, form.cleaned_data["code"]):
            actions.remove_second_factor(utilisateur=request.user)
            messages.success(request, "La double authentification est retirée de votre compte.")
            return redirect("mon_compte")
        form.add_error("code", "Ce code n'est pas le bon, ou il a déjà servi. Attendez le suivant, puis écrivez-le.")
    return render(request, "comptes/retirer_second_facteur.html", {"form": form})


def _demand_second_factor(request) -> None:
    if not has_second_factor(request):
        raise Http404


def _first_codes(request, device: TOTPDevice, code: str) -> list[str]:
    """The recovery codes of an application that ``code`` proves, or that this very form, sent twice, has proved."""
    form = {"utilisateur": request.user, "formulaire": saisies.key_of(request)}
    if device.confirmed:
        return actions.recovery_codes_drawn(**form)
    return actions.confirm_second_factor(device=device, **form) if device.verify_token(code) else []


def _show_recovery_codes(request, codes: list[str], *, first_time: bool = False):
    return render(request, "comptes/codes_de_secours.html", {"codes": codes, "premiere_fois": first_time})


def _in_groups(config_url: str) -> str:
    """The key of a TOTP device as people copy it: groups of four letters."""
    secret = config_url.split("secret=")[1].split("&")[0]
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


# --- Messages ---------------------------------------------------------------------------------------------------


@writes(CONNECTED, only_post=True, from_any_page=True)
def masquer_message(request, pk):
    if request.habilitation is None:
        raise Http404
    message = get_object_or_404(Message.objects.addressed_to(request.habilitation), pk=pk)
    actions.put_away(utilisateur=request.user, message=message)
    return redirect("accueil")
