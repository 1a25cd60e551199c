"""Ajouter, modifier, supprimer, confirmer. Each page says what will happen before it does."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from comptes.auteurs import Auteurs
from comptes.droits import Droit
from menages.models import Appartenance, Fusion, Menage
from menages.views.dossiers import MENAGE, followed_menage
from siao.socle.http import refused, writes
from siao.socle.refusal import Refusal, Stale
from siao.socle.text import enumerated, number_in
from situations.actions.saisie import add_situation, confirm_situation, delete_situation, modify_situation
from situations.correction import Correction, Ligne
from situations.dossier import Dossier, read_dossier, was_during
from situations.forms import PersonnesForm, SituationForm, errance_a_confirmer, seal_of
from situations.grille import Grille, read_grille
from situations.models import SituationResidentielle
from situations.modifications import closing_of
from situations.parcours import (
    Choix,
    Parcours,
    check_all,
    check_choix,
    refus_de,
    sentences_of,
)
from situations.views.absents import ways_on, why_absent

SITUATION = "situations.situationresidentielle"
_REPRIS = (("date", "date_debut"), ("sr2", "sr2"))
"""What was typed that the address of a form carries, and its name in the form."""
_PARTIE = "La personne de cette situation n'est plus dans ce ménage."


@dataclass(frozen=True)
class Geste:
    """What differs between adding and modifying."""

    nom: str
    titre: str
    action: Callable
    borne: Callable[[Parcours], str]
    refus: Callable[[Parcours, Choix], str]
    suite: Callable[[Parcours, Choix], str]
    fait: str
    """With the place of the names."""


AJOUT = Geste(
    nom="ajout",
    titre="Ajouter une situation résidentielle",
    action=add_situation,
    borne=lambda parcours: parcours.borne_ajout,
    refus=Parcours.refus_ajout,
    suite=Parcours.suite_ajout,
    fait="La situation de {} est enregistrée.",
)
MODIFICATION = Geste(
    nom="modification",
    titre="Modifier la situation résidentielle actuelle",
    action=modify_situation,
    borne=lambda parcours: parcours.borne_modification,
    refus=Parcours.refus_modification,
    suite=Parcours.suite_modification,
    fait="La situation de {} est modifiée.",
)


@writes(Droit.SITUATIONS_SAISIR, journal=MENAGE)
def ajouter_situation(request, pk):
    dossier = read_dossier(followed_menage(request, pk), request.habilitation)
    possible = [membre.personne.pk for membre in dossier.modifiables if membre.parcours.peut_ajouter]
    initial = {"personnes": _asked_for(request, dossier, possible)}
    return _saisie(request, AJOUT, dossier, read_grille(dossier.aujourdhui), initial)


@writes(Droit.SITUATIONS_SAISIR, journal=SITUATION)
def modifier_situation(request, pk):
    """The pencil. ``pk`` is the current situation of a person; others of the ménage can be ticked with her."""
    try:
        situation, dossier = _current(request, pk)
    except Http404:
        return _closed(request, pk, "Modifier la situation résidentielle")
    if situation is None:
        return _saisie(request, MODIFICATION, dossier, read_grille(dossier.aujourdhui), {})
    initial = {
        "personnes": _asked_for(request, dossier, [situation.personne_id]),
        "date_debut": situation.date_debut,
        "region": situation.region_id,
    }
    parcours = _chain_of(dossier, situation)
    if not parcours.a_renseigner:
        initial |= {"sr2": situation.sr2_id, "sr1": situation.sr2.sr1_id}
    grille = read_grille(dossier.aujourdhui, gardee=situation.sr2_id)
    context = {"situation": situation, "parcours": parcours}
    return _saisie(request, MODIFICATION, dossier, grille, initial, **context)


def _saisie(request, geste: Geste, dossier: Dossier, grille: Grille, initial: dict, **context):
    sr2 = grille.valeurs.get(request.GET.get("sr2", ""))
    if sr2 and sr2.is_offered(grille.jour):
        initial |= {"sr2": sr2.pk, "sr1": sr2.sr1_id}
    if "date" in request.GET:
        initial["date_debut"] = request.GET["date"][:30]
    parcours = [membre.parcours for membre in dossier.modifiables]
    form = SituationForm(request.POST or None, initial=initial, parcours=parcours, grille=grille)
    context |= {"geste": geste, "form": form, "dossier": dossier, "menage": dossier.menage, "grille": grille}
    etape = request.POST.get("etape", "")
    if etape == "aujourdhui":
        form = context["form"] = _again(form, parcours, grille)
    elif etape == "aide":
        return redirect(_to_questionnaire(request, dossier, context.get("situation")))
    elif request.method == "POST" and form.is_valid():
        return _carry_out(request, geste, form, context)
    elif refusal := why_absent(form, dossier.menage):
        return _refused(request, context, refusal)
    return _show(request, context)


def _carry_out(request, geste: Geste, form: SituationForm, context: dict):
    """Refuse, say what will happen, or do it: only what the page said can happen."""
    if form.perimes:
        return _conflict(request, context)
    choix = form.choix
    memes = form.memes if geste is AJOUT else []
    exact = form.cleaned_data["meme"] == "exact"
    context["memes"], context["meme_le"] = [each.nom for each in memes], choix.date_debut
    nouveaux = [each for each in form.choisis if each not in memes or not exact]
    try:
        check_all(refus_de(nouveaux, lambda each: geste.refus(each, choix)))
        check_choix(choix, form.grille.jour, gardee=choix.sr2.pk == form.grille.gardee)
    except Refusal as refusal:
        for sentence in sentences_of(refusal):
            form.add_error("date_debut", sentence)
        context["suites"] = [link for each in nouveaux if geste.refus(each, choix) for link in _ways_to_correct(each)]
        return _show(request, context)
    context["suite"] = [geste.suite(each, choix) for each in form.choisis if each not in memes]
    context["errances"] = _long_errances(context["dossier"], nouveaux, geste, choix)
    read = [*context["suite"], choix.libelle, str(choix.region_id), f"{choix.date_debut}"]
    context["lue"] = seal_of([*read, *context["memes"], *context["errances"]])
    if request.POST.get("etape") != "enregistrer" or request.POST.get("lue") != context["lue"]:
        return _show(request, context)
    if memes and not form.cleaned_data["meme"]:
        form.add_error("meme", "Choisissez : la même situation continue, ou une autre commence.")
    if context["errances"] and not form.cleaned_data["errance"]:
        form.add_error("errance", "Vérifiez les dates : corrigez-les, ou cochez cette case si elles sont exactes.")
    if form.errors:
        return _show(request, context)
    menage = context["menage"]
    jetons = {each.personne.pk: form.jetons[each.personne.pk] for each in nouveaux}
    kept = {each.personne.pk: form.jetons[each.personne.pk] for each in form.choisis if each not in nouveaux}
    try:
        with transaction.atomic():
            if jetons:
                geste.action(auteur=request.habilitation, menage=menage, jetons=jetons, choix=choix)
            if kept:
                confirm_situation(auteur=request.habilitation, menage=menage, jetons=kept)
    except Stale:
        return _conflict(request, context)
    except Refusal as refusal:
        return _refused(request, context, refusal)
    if jetons:
        messages.success(request, geste.fait.format(enumerated([each.nom for each in nouveaux])))
    if kept:
        _say_exact(request, context["dossier"], memes)
    return redirect("situations_du_menage", menage.pk)


def _ways_to_correct(parcours: Parcours) -> list[tuple[str, str]]:
    """The pages that a refusal names."""
    ways = [(f"Modifier la situation de {parcours.nom}", reverse("modifier_situation", args=[parcours.courante.pk]))]
    if not parcours.personne.jours_caches:
        page = reverse("corriger_parcours", args=[parcours.personne.pk])
        ways.append((f"Corriger le parcours de {parcours.nom}", page))
    return ways


def _long_errances(dossier: Dossier, personnes: list[Parcours], geste: Geste, choix: Choix) -> list[str]:
    """The errances that this makes so long that they must be confirmed."""
    paths = {membre.personne.pk: membre.situations for membre in dossier.modifiables}
    said = []
    for each in personnes:
        path = paths[each.personne.pk]
        kept = path if geste is AJOUT else path[:-1]
        lignes = [Ligne(Choix(s.sr2, s.date_debut, s.region_id), rang) for rang, s in enumerate(kept)]
        lignes.append(Ligne(choix, None if geste is AJOUT else len(kept)))
        correction = Correction(path, lignes, dossier.aujourdhui, each.personne.date_naissance)
        said.append(errance_a_confirmer(correction, each.nom))
    return [sentence for sentence in said if sentence]


def _refused(request, context: dict, refusal: Refusal):
    for sentence in sentences_of(refusal):
        context["form"].add_error(None, sentence)
    context["suites"] = ways_on(request, refusal)
    context.pop("lue", None)
    return _show(request, context)


def _conflict(request, context: dict):
    """Somebody was faster (409): what they did, what was typed, and a form that starts from there."""
    form: SituationForm = context["form"]
    dossier = read_dossier(context["menage"], request.habilitation)
    fresh = [membre.parcours for membre in dossier.modifiables]
    stale = PersonnesForm(form.data, parcours=fresh)
    changed = stale.perimes if stale.is_valid() else []
    context |= {
        "dossier": dossier,
        "conflits": [_seen_and_now(dossier, parcours, jeton) for parcours, jeton in changed],
        "form": SituationForm(form.data, parcours=fresh, grille=form.grille),
        "conflit": True,
    }
    context.pop("lue", None)
    return _show(request, context, status=409)


def _seen_and_now(dossier: Dossier, parcours: Parcours, jeton: str) -> dict:
    """What the page had shown of a chain (from the history), and what it is now; nothing of hidden days."""
    pk, version = map(number_in, jeton.partition(".")[::2])
    known = None not in (pk, version)
    events = SituationResidentielle.pgh_event_model.objects.select_related("sr2")
    seen = events.filter(pgh_obj_id=pk, version=version, personne=parcours.personne).first() if known else None
    [caches] = [membre.caches for membre in dossier.presents if membre.personne == parcours.personne]
    if seen and seen.id != parcours.courante.pk and was_during(seen, caches):
        seen = None
    now = SituationResidentielle.objects.readable().get(pk=parcours.courante.pk)
    par = Auteurs([now.modifie_par_id]).nom(now.modifie_par_id, entier=True)  # only who is seen whole is written to
    return {"nom": parcours.nom, "avant": seen, "maintenant": now, "par": par if now.modifie_par_id else ""}


def _show(request, context: dict, *, status: int = 200):
    context["lignes"] = [
        (choice, membre.parcours, context["geste"].borne(membre.parcours))
        for choice, membre in zip(context["form"]["personnes"], context["dossier"].modifiables, strict=True)
    ]
    return render(request, "situations/saisie.html", context, status=status)


def _again(form: SituationForm, parcours: list[Parcours], grille: Grille) -> SituationForm:
    """The same form with today's date, its errors forgotten: the button « Aujourd'hui » of a page without script."""
    data = form.data.copy()
    data["date_debut"] = f"{grille.jour:%d/%m/%Y}"
    form = SituationForm(data, parcours=parcours, grille=grille)
    form._errors = {}
    return form


def _asked_for(request, dossier: Dossier, default: list[int]) -> list[int]:
    """The persons that the address ticks: those of the questionnaire's way back, or ``default``."""
    here = {str(membre.personne.pk) for membre in dossier.modifiables}
    return [int(pk) for pk in request.GET.getlist("personne") if pk in here] or default


def _to_questionnaire(request, dossier: Dossier, situation: SituationResidentielle | None) -> str:
    """The questionnaire, with what is typed so far: it comes back with it."""
    here = {str(membre.personne.pk) for membre in dossier.modifiables}
    query = QueryDict(mutable=True)
    query["situation" if situation else "dossier"] = situation.pk if situation else dossier.menage.pk
    query.setlist("personne", [pk for pk in request.POST.getlist("personnes") if pk in here])
    query["date"] = request.POST.get("date_debut", "")[:30]
    return f"{reverse('questionnaire')}?{query.urlencode()}"


# --- Supprimer --------------------------------------------------------------------------------------------------


@writes(Droit.SITUATIONS_SAISIR, journal=SITUATION)
def supprimer_situation(request, pk):
    """« Supprimer cette situation »: for a person, and for those of the ménage who have the same one."""
    try:
        situation, dossier = _current(request, pk)
    except Http404:
        return _closed(request, pk, "Supprimer une situation")
    if situation is None:
        form = PersonnesForm(request.POST, parcours=[membre.parcours for membre in dossier.modifiables])
        why = _why(request, "Rien n'a été supprimé.", why_absent(form, dossier.menage) or Refusal(_PARTIE))
        return refused(request, why, "situations_du_menage", dossier.menage.pk)
    same = [
        membre.parcours
        for membre in dossier.modifiables
        if (membre.courante.sr2_id, membre.courante.date_debut) == (situation.sr2_id, situation.date_debut)
    ]
    initial = {"personnes": [situation.personne_id]}
    form = PersonnesForm(request.POST or None, initial=initial, parcours=same)
    context = {
        "form": form,
        "dossier": dossier,
        "menage": dossier.menage,
        "situation": situation,
        "lignes": [
            (choice, parcours, parcours.refus_suppression or parcours.suite_suppression)
            for choice, parcours in zip(form["personnes"], same, strict=True)
        ],
        "impossible": _chain_of(dossier, situation).refus_suppression,
    }
    if request.method == "POST" and form.is_valid():
        try:
            check_all([parcours.refus_suppression for parcours in form.choisis])  # as this user reads them
            delete_situation(auteur=request.habilitation, menage=dossier.menage, jetons=form.jetons)
        except Stale as stale:
            return render(request, "situations/supprimer.html", {**context, "conflit": str(stale)}, status=409)
        except Refusal as refusal:
            for sentence in sentences_of(refusal):
                form.add_error(None, sentence)
            context["suites"] = ways_on(request, refusal)
        else:
            messages.success(
                request, f"La situation de {form.noms} est supprimée, la précédente redevient la situation actuelle."
            )
            return redirect("situations_du_menage", dossier.menage.pk)
    elif refusal := why_absent(form, dossier.menage):
        form.add_error(None, str(refusal))
        context["suites"] = ways_on(request, refusal)
    return render(request, "situations/supprimer.html", context)


# --- Toujours exact ---------------------------------------------------------------------------------------------


@writes(Droit.SITUATIONS_SAISIR, only_post=True, journal=MENAGE)
def confirmer_situations(request, pk):
    """One click: the current situation of these persons, or of the whole ménage, is still true today.

    The keyboard goes on from the next person who waits: the address says which button.
    """
    dossier = read_dossier(followed_menage(request, pk), request.habilitation)
    form = PersonnesForm(request.POST, parcours=[membre.parcours for membre in dossier.modifiables])
    page = reverse("situations_du_menage", args=[dossier.menage.pk])
    if request.POST.get("depuis") == "a_confirmer":
        page = f"{reverse('a_confirmer')}?{request.POST.get('liste', '')[:200]}"
    if not form.is_valid():
        refusal = why_absent(form, dossier.menage) or Refusal(" ".join(form.errors["personnes"]))
        return refused(request, _why(request, "Rien n'a été confirmé.", refusal), page)
    try:
        confirm_situation(auteur=request.habilitation, menage=dossier.menage, jetons=form.jetons)
    except Refusal as refusal:
        return refused(request, _why(request, "Rien n'a été confirmé.", refusal), page)
    _say_exact(request, dossier, form.choisis)
    following = _following(request, dossier, form.choisis)
    return redirect(f"{page}#exact-{following}" if following else page)


def _say_exact(request, dossier: Dossier, parcours: list[Parcours]) -> None:
    names = enumerated([each.nom for each in parcours])
    messages.success(request, f"Toujours exact au {dossier.aujourdhui:%d/%m/%Y} : la situation de {names}.")


def _following(request, dossier: Dossier, confirmed: list[Parcours]) -> int | None:
    """Key of the next person to confirm after ``confirmed``, in the order of the page; None when nobody is left."""
    if request.POST.get("depuis") == "a_confirmer":
        return number_in(request.POST.get("suivante"))
    done = {each.personne.pk for each in confirmed}
    order = [membre.personne.pk for membre in dossier.presents]
    last = max(map(order.index, done))
    waiting = {membre.personne.pk for membre in dossier.a_confirmer} - done
    return next((key for key in (*order[last:], *order[:last]) if key in waiting), None)


def _why(request, lead: str, refusal: Refusal) -> SafeString:
    links = format_html_join("", ' <a href="{1}">{0}</a>', ways_on(request, refusal))
    return format_html("{} {} Vérifiez ci-dessous, puis recommencez.{}", lead, refusal, links)


def _current(request, pk: int) -> tuple[SituationResidentielle | None, Dossier]:
    """A current situation that the user may change, and its dossier; a closed one is not found.

    When its person has left the ménage that the form was opened on: no situation, and the dossier of this ménage.
    """
    if left := _left(request, pk):
        return None, read_dossier(left, request.habilitation)
    rows = SituationResidentielle.objects.followed_by(request.perimetre).readable()
    situation = get_object_or_404(rows, pk=pk)
    menage = Menage.objects.filter(appartenances__personne=situation.personne_id, appartenances__date_fin__isnull=True)
    dossier = read_dossier(followed_menage(request, menage.get().pk), request.habilitation)
    chain = _chain_of(dossier, situation)
    if chain is None or chain.courante.pk != situation.pk:  # closed since it was read above
        raise Http404
    return situation, dossier


def _closed(request, pk: int, titre: str):
    """Not found, since a page that showed it: what closed this situation, what is current now, with the way to it.

    Only of a person whose current situation the user may change: any other number is that of nothing at all.
    """
    history = SituationResidentielle.pgh_event_model.objects.filter(pgh_obj_id=pk)
    seen = history.select_related("sr2", "region", "personne").order_by("-pgh_id").first()
    if seen is None:
        raise Http404
    kept = seen.personne.fusionnee_dans_id or seen.personne_id
    menage = Menage.objects.filter(appartenances__personne=kept, appartenances__date_fin__isnull=True).first()
    dossier = read_dossier(followed_menage(request, menage.pk if menage else 0), request.habilitation)
    parcours = next((m.parcours for m in dossier.modifiables if m.personne.pk == kept), None)
    membre = next((m for m in dossier.membres if m.personne.pk == seen.personne_id and m.visible), None)
    if parcours is None or membre is None:
        raise Http404
    request.shown |= {"objet_type": MENAGE, "objet_id": str(dossier.menage.pk)}
    query = QueryDict(mutable=True)
    query.update({name: request.POST[key][:10] for name, key in _REPRIS if request.POST.get(key)})
    context = {
        "titre": titre,
        "menage": dossier.menage,
        "vue": seen,
        "fin": closing_of(pk),
        "vue_de": membre.nom,
        "fusion": Fusion.objects.filter(absorbee=seen.personne, defaite_le=None).select_related("faite_par").first(),
        "parcours": parcours,
        "maintenant": parcours.courante,
        "saisi": query.urlencode(),
        "envoyee": request.method == "POST",
    }
    return render(request, "situations/perimee.html", context, status=404)


def _left(request, pk: int) -> Menage | None:
    """The ménage that the form was opened on, when the person of this situation was there and is not any more."""
    opened_on = number_in(request.POST.get("menage"))
    if opened_on is None:
        return None
    personnes = SituationResidentielle.objects.filter(pk=pk).values("personne")
    stays = Appartenance.objects.filter(menage=opened_on, personne__in=personnes)
    if not stays.exists() or stays.current().actives().exists():
        return None
    return followed_menage(request, opened_on)


def _chain_of(dossier: Dossier, situation: SituationResidentielle) -> Parcours | None:
    return next((m.parcours for m in dossier.modifiables if m.personne.pk == situation.personne_id), None)
