"""Help: the grid for everybody, the questionnaire, the calculators, the notice to hand out."""

from django.http import QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Droit
from siao.socle.http import CONNECTED, PUBLIC, reads
from siao.socle.text import number_in
from situations.forms import PiecesForm, SurfaceForm
from situations.grille import read_grille
from situations.models.referentiel import Ethos, EthosLight
from situations.questionnaire import Conseil, walk
from situations.suroccupation import SURFACES, rooms_needed, surface_needed


@reads(PUBLIC)
def grille(request):
    """The whole grid, with its definitions and the European correspondence."""
    context = {
        "grille": read_grille(timezone.localdate()),
        "ethos": Ethos.objects.order_by("code"),
        "ethos_light": EthosLight.objects.order_by("code"),
    }
    return render(request, "situations/grille.html", context)


@reads(CONNECTED)
def questionnaire(request):
    """One question at a time, answers in the address; the way back carries what the form had."""
    done, step = walk(request.GET)
    context = {"reponses": [(question, words, _until(request, question.cle)) for question, words in done]}
    if isinstance(step, Conseil):
        grid = read_grille(timezone.localdate())
        advised = grid.valeurs[step.sr2]
        proposed = advised if advised.is_offered(grid.jour) else advised.remplacee_par
        context |= {"conseil": step, "conseillee": advised, "sr2": proposed}
        context["retour"] = _way_back(request, proposed.pk) if proposed else ""
    else:
        context["question"] = step
        context["choix"] = [
            (words, _address(request, {step.cle: value})) for value, (words, _) in step.reponses.items()
        ]
    return render(request, "situations/questionnaire.html", context)


def _address(request, more: dict) -> str:
    query = request.GET.copy()
    for key, value in more.items():
        query[key] = value
    return f"?{query.urlencode()}"


def _until(request, key: str) -> str:
    """The address that asks the question ``key`` again: without its answer, nor those after it."""
    query = request.GET.copy()
    done, _ = walk(request.GET)
    keys = [question.cle for question, _ in done]
    for gone in keys[keys.index(key) :]:
        query.pop(gone, None)
    return f"?{query.urlencode()}"


def _way_back(request, sr2: str) -> str:
    """The form that the questionnaire was opened from, with the situation ticked; empty when there was none."""
    for name, page in (("situation", "modifier_situation"), ("dossier", "ajouter_situation")):
        pk = number_in(request.GET.get(name))
        if pk is not None and request.may(Droit.SITUATIONS_SAISIR):
            query = QueryDict(mutable=True)
            query["sr2"] = sr2
            query.setlist("personne", request.GET.getlist("personne"))
            if request.GET.get("date"):
                query["date"] = request.GET["date"]
            return f"{reverse(page, args=[pk])}?{query.urlencode()}"
    return ""


@reads(CONNECTED)
def calculs(request):
    pieces = PiecesForm(request.GET if "pieces" in request.GET else None, prefix=None)
    surface = SurfaceForm(request.GET if "surface" in request.GET else None, prefix=None)
    context = {"pieces": pieces, "surface": surface, "surfaces": list(enumerate(SURFACES, start=1))}
    if pieces.is_bound and pieces.is_valid():
        context["pieces_necessaires"] = rooms_needed(pieces.occupants)
        context["pieces_manquent"] = context["pieces_necessaires"] - pieces.cleaned_data["pieces"]
    if surface.is_bound and surface.is_valid():
        context["surface_necessaire"] = surface_needed(surface.cleaned_data["personnes"])
        context["surface_manque"] = context["surface_necessaire"] - surface.cleaned_data["surface"]
    return render(request, "situations/calculs.html", context)


@reads(CONNECTED)
def notice(request):
    """What a person is told about their data, to print and hand out."""
    return render(request, "situations/notice.html", {"aujourdhui": timezone.localdate()})
