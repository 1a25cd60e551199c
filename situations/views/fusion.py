"""Merging two fiches of the same person: find the other one, compare, read what will happen, merge; and undo."""

from functools import partial

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from comptes.droits import Droit
from menages.actions.distinctions import not_duplicates
from menages.actions.fusion import merge, undo_merge, what_points_to
from menages.doublons import POSSIBLE
from menages.forms import NumeroForm
from menages.models import Appartenance, Distinction, Fusion, Personne
from menages.recherche import Criteres, TooMany, identite_of, look_for
from menages.verrous import Fusionnee
from menages.views.confirmation import confirm
from menages.views.personnes import PERSONNE, followed_personne, menage_of
from siao.socle.http import writes
from siao.socle.refusal import Refusal, Stale
from situations.dossier import Membre, path_of
from situations.forms import FusionForm, seal_of
from situations.lignes_d_eau import draw
from situations.models import SituationResidentielle


@writes(Droit.MENAGES_FUSIONNER, journal=PERSONNE)
def fusionner(request, pk):
    """Find the duplicate of ``pk``, the fiche that will be kept: by its number, or among those who look like her."""
    personne = followed_personne(request, pk, with_path=True)
    form = NumeroForm(request.POST if request.POST.get("etape") == "numero" else None)
    context = {"personne": personne, "form": form, "menage": menage_of(personne)}
    if form.is_bound and form.is_valid():
        others = Personne.objects.actives().suivies_par(request.perimetre).exclude(pk=pk)
        if other := others.filter(pk=form.cleaned_data["numero"]).first():
            return redirect("comparer", pk, other.pk)
        form.add_error(
            "numero",
            "Aucune autre fiche de votre périmètre n'a ce numéro : vérifiez-le. "
            "Une fiche déjà fusionnée ne peut plus l'être.",
        )
    elif request.POST.get("etape") == "chercher":
        try:
            [found] = look_for(
                auteur=request.habilitation, criteres=[Criteres(identite_of(personne))], minimum=POSSIBLE
            )
        except TooMany as refusal:
            context["refus"] = str(refusal)
            return render(request, "situations/fusionner.html", context, status=429)
        apart = Distinction.objects.of(pk).values_list("une", "autre")
        others = {key for pair in apart for key in pair} | {pk}
        context["trouvees"] = [trouvee for trouvee in found.ici if trouvee.personne.pk not in others]
        context["ecartees"] = sum(trouvee.personne.pk in others - {pk} for trouvee in found.ici)
        request.shown["nombre"] = len(context["trouvees"])
    return render(request, "situations/fusionner.html", context)


@writes(Droit.MENAGES_FUSIONNER, journal=PERSONNE)
def comparer(request, pk, autre):
    """Both fiches side by side; what is chosen is told before it is done."""
    if pk == autre:
        raise Http404
    context = _comparison(request, pk, autre)
    maitre, absorbee, form = context["maitre"], context["absorbee"], context["form"]
    if request.POST.get("etape") == "distinguer":
        not_duplicates(auteur=request.habilitation, une=maitre, autre=absorbee)
        messages.success(
            request, f"C'est retenu : {absorbee.numero} ne sera plus proposée comme doublon de {maitre.numero}."
        )
        return redirect("fusionner", pk)
    if request.method != "POST" or not form.is_valid():
        return render(request, "situations/comparer.html", context)
    context["suite"] = _consequences(form, context)
    context["lue"] = seal_of([*context["suite"], str(maitre.version), str(absorbee.version)])
    if request.POST.get("lue") != context["lue"]:
        return render(request, "situations/fusion_confirmer.html", context)
    try:
        merge(auteur=request.habilitation, maitre=maitre, absorbee=absorbee, identite=form.identite)
    except Stale as stale:
        context = _comparison(request, pk, autre) | {"conflit": str(stale)}
        return render(request, "situations/comparer.html", context, status=409)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        context["gardee"] = refusal.maitre if isinstance(refusal, Fusionnee) else None
        return render(request, "situations/comparer.html", context)
    messages.success(request, "Les deux fiches n'en font plus qu'une. La fusion peut se défaire pendant trente jours.")
    return redirect("dossier", menage_of(maitre).pk)


def _comparison(request, pk: int, autre: int) -> dict:
    """Both fiches as they are now, and the form that chooses between them."""
    maitre, absorbee = followed_personne(request, pk, with_path=True), followed_personne(request, autre, with_path=True)
    moved = [(relation, rows) for relation, rows in what_points_to(absorbee) if relation.suit]
    kept = [(relation, rows) for relation, rows in what_points_to(absorbee) if not relation.suit]
    membres = [_membre(request, personne) for personne in (maitre, absorbee)]
    read = membres[1].situations
    kept = [(relation, read if relation.model is SituationResidentielle else rows) for relation, rows in kept]
    return {
        "maitre": maitre,
        "absorbee": absorbee,
        "ensemble": _together(maitre, absorbee),
        "distinction": Distinction.objects.of(maitre.pk).of(absorbee.pk).first(),
        "dossiers": [membre.appartenances[-1].menage for membre in membres],
        "form": FusionForm(request.POST or None, maitre=maitre, absorbee=absorbee),
        "deplaces": [(_named(relation), rows) for relation, rows in moved],
        "restent": [(_named(relation), rows) for relation, rows in kept],
        "image": draw(membres, membres[0].aujourdhui, by_number=True),
    }


def _membre(request, personne: Personne) -> Membre:
    stays = Appartenance.objects.filter(personne=personne).select_related("menage__siao__departement")
    stays = list(stays.order_by("date_debut"))
    path, hidden = path_of(personne, request.habilitation)
    return Membre(personne, stays[-1:], path, stays[-1].menage.siao.departement.aujourdhui, hidden)


def _together(maitre: Personne, absorbee: Personne) -> str:
    """The warning for two fiches that lived in one ménage on the same days: most often two persons. Empty if not."""
    one, other = (Appartenance.objects.filter(personne=each).order_by("-date_debut") for each in (maitre, absorbee))
    for stay in one:
        for same in other.filter(menage=stay.menage_id).select_related("menage"):
            if same.date_fin is None and stay.date_fin is None:
                return (
                    f"{maitre.numero} et {absorbee.numero} vivent ensemble, dans le dossier {same.menage.numero} : "
                    "vérifiez que ce n'est pas deux personnes, comme des jumeaux ou un parent et son enfant."
                )
            if (stay.date_fin is None or stay.date_fin >= same.date_debut) and (
                same.date_fin is None or same.date_fin >= stay.date_debut
            ):
                return (
                    f"{maitre.numero} et {absorbee.numero} ont vécu ensemble dans un même ménage : vérifiez que ce "
                    "n'est pas deux personnes, comme des jumeaux ou un parent et son enfant."
                )
    return ""


def _named(relation) -> str:
    return str(relation.model._meta.verbose_name_plural)


def _consequences(form: FusionForm, context: dict) -> list[str]:
    maitre, absorbee = context["maitre"], context["absorbee"]
    said = [context["ensemble"]] if context["ensemble"] else []
    said += [f"{maitre.numero} est gardée, avec ses situations et son dossier : {', '.join(form.lus)}."]
    if context["deplaces"]:
        moved = ", ".join(f"{label} ({len(rows)})" for label, rows in context["deplaces"])
        said.append(f"De {absorbee.numero} passent à {maitre.numero} : {moved}.")
    said.append(
        f"{absorbee.numero} est absorbée : plus rien ne peut y être écrit. Son parcours reste lisible, grisé, dans le "
        "dossier de la fiche gardée ; il ne compte plus."
    )
    if maitre.protegee != absorbee.protegee:
        said.append("Une des deux situations est protégée : la fiche gardée le sera.")
    if absorbee.protegee and not maitre.protegee:
        said.append(
            "Les partages, les demandes d'accès et les accompagnements de son dossier prennent fin, hormis ceux de "
            "votre équipe."
        )
    return said


@writes(Droit.MENAGES_FUSIONNER, journal="menages.fusion")
def defaire_fusion(request, pk):
    followed = Personne.objects.suivies_par(request.perimetre).order_by()
    rows = Fusion.objects.filter(maitre__in=followed.values("pk"), defaite_le__isnull=True)
    fusion = get_object_or_404(rows.select_related("maitre", "absorbee"), pk=pk)
    maitre = followed_personne(request, fusion.maitre_id, with_path=True)
    return confirm(
        request,
        partial(undo_merge, fusion=fusion),
        titre=f"Défaire la fusion de {fusion.absorbee.numero} dans {fusion.maitre.numero} ?",
        consequences=[
            f"{fusion.absorbee.numero} retrouve son dossier, son parcours et ce qui en avait été déplacé.",
            f"{fusion.maitre.numero} retrouve l'identité d'avant, sauf ce qui a été corrigé depuis.",
            "Ce qui a été ajouté depuis à la fiche gardée y reste.",
            "Si des agents ont été désignés depuis pour elle, elle reste protégée.",
            "Si sa situation a été protégée depuis, les deux fiches le sont, pour les mêmes agents.",
        ],
        bouton="Défaire la fusion",
        succes="La fusion est défaite : les deux fiches sont de nouveau séparées.",
        retour=reverse("fiche_personne", args=[maitre.pk]),
    )
