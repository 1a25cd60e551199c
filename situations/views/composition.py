"""Composing ménages: opening a dossier, adding persons, moving them; likely duplicates are shown before creation."""

import datetime
import itertools
from dataclasses import dataclass, field

from django.contrib import messages
from django.http import QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from comptes.droits import Droit
from menages.actions.deplacement import move_personnes
from menages.actions.distinctions import Ecartees
from menages.doublons import PROBABLE, same_line
from menages.forms import ArriveeForm, DemandeDAccesForm, OuvertureForm, PersonnesFormSet
from menages.models import Menage
from menages.recherche import Criteres, TooMany, Trouvee, look_for
from menages.views.dossiers import MENAGE, followed_menage
from offre.models import Dispositif
from siao.socle.http import writes
from siao.socle.refusal import Refusal
from siao.socle.text import number_in
from situations.actions.dossiers import add_personnes, create_dossier
from situations.dossier import read_dossier
from situations.forms import DeplacementForm, seal_of
from situations.models import SituationResidentielle
from situations.views.absents import ways_on, why_absent


@writes(Droit.MENAGES_SAISIR, journal="menages.personne")
def nouveau_dossier(request):
    siao = OuvertureForm(request.POST or None, auteur=request.habilitation)
    personnes = _personnes(request, siao.aujourdhui)
    context = {"personnes": personnes, "form": siao, "titre": "Ouvrir un dossier"}
    if _must_be_shown(request, personnes, siao, context):
        return render(request, "situations/composer.html", context, status=context.get("status", 200))
    menage = create_dossier(
        auteur=request.habilitation,
        siao=siao.choisi,
        arrivee=siao.cleaned_data["date_debut"],
        identites=[form.identite for form in personnes.remplies],
        ecartees=context["ecartees"],
        dispositifs=Dispositif.objects.filter(pk__in=request.habilitation.perimetre.dispositifs),
    )
    messages.success(
        request,
        f"Le dossier {menage.numero} est ouvert. Renseignez maintenant où vivent les personnes, ou laissez « Non "
        "renseignée ».",
    )
    return redirect(_first_situation(menage))


@writes(Droit.MENAGES_SAISIR, journal=MENAGE)
def ajouter_personnes(request, pk):
    menage = followed_menage(request, pk)
    arrivee = ArriveeForm(request.POST or None, aujourdhui=menage.siao.departement.aujourdhui)
    personnes = _personnes(request, arrivee.aujourdhui)
    context = {
        "personnes": personnes,
        "form": arrivee,
        "menage": menage,
        "titre": f"Ajouter des personnes au dossier {menage.numero}",
    }
    if _must_be_shown(request, personnes, arrivee, context):
        return render(request, "situations/composer.html", context, status=context.get("status", 200))
    created = add_personnes(
        auteur=request.habilitation,
        menage=menage,
        identites=[form.identite for form in personnes.remplies],
        arrivee=arrivee.cleaned_data["date_debut"],
        ecartees=context["ecartees"],
    )
    messages.success(request, "Les personnes sont ajoutées. Renseignez maintenant où elles vivent.")
    return redirect(_first_situation(menage, [personne.pk for personne in created]))


def _personnes(request, aujourdhui: datetime.date):
    """The lines of persons, with one more when the page asks for it."""
    options = {"prefix": "p", "form_kwargs": {"aujourdhui": aujourdhui}}
    if request.method != "POST":
        personnes = PersonnesFormSet(**options)
        _begin_at(personnes.forms[0])
        return personnes
    data = request.POST.copy()
    if data.get("etape") == "ligne":
        data["p-TOTAL_FORMS"] = str(min(number_in(data.get("p-TOTAL_FORMS"), default=0) + 1, PersonnesFormSet.max_num))
    personnes = PersonnesFormSet(data, **options)
    if data.get("etape") == "ligne":
        _begin_at(personnes.forms[-1])
    return personnes


def _begin_at(form) -> None:
    form.fields["nom"].widget.attrs["autofocus"] = True


def _must_be_shown(request, personnes, form, context: dict) -> bool:
    """Whether the page must be shown (again): nothing sent, one more line, mistakes, or duplicates not seen yet."""
    if request.method != "POST":
        return True
    if request.POST.get("etape") == "ligne":
        for each in (form, *personnes.forms):
            each._errors = {}
        personnes._errors, personnes._non_form_errors = [], personnes.error_class()
        return True
    # Both, so that all mistakes are told at once.
    if not all([personnes.is_valid(), form.is_valid()]):
        return True
    try:
        doubts = _doubts(request, personnes)
    except TooMany as refusal:
        form.add_error(None, str(refusal))
        context["status"] = 429
        return True
    seen = [*map(str, doubts.ecartees.connues), *map(str, doubts.ecartees.entre_elles), *doubts.ailleurs]
    vus = seal_of(seen)
    if seen and request.POST.get("vus") != vus:
        context |= {"doutes": doubts, "vus": vus}
        return True
    context["ecartees"] = doubts.ecartees
    return False


@dataclass
class Doutes:
    """What must be seen before persons are created."""

    connues: list[tuple[str, list[Trouvee]]] = field(default_factory=list)
    """Name typed, fiches of the perimeter that look like it."""
    lignes: list[tuple[int, int, str]] = field(default_factory=list)
    """Numbers of two lines that look alike, and the name of the second."""
    ailleurs: list[str] = field(default_factory=list)
    """Names typed of those that are known in another département, of whom nothing else is shown."""
    demande: DemandeDAccesForm | None = None
    ecartees: Ecartees = field(default_factory=Ecartees)


def _doubts(request, personnes) -> Doutes:
    """Likely duplicates of the lines, among themselves, in the perimeter and elsewhere."""
    rows = [(place, form, form.comparable) for place, form in enumerate(personnes.remplies) if form.comparable.mots]
    if not rows:
        return Doutes()
    found = look_for(
        auteur=request.habilitation, criteres=[Criteres(identite) for _, _, identite in rows], minimum=PROBABLE
    )
    request.shown["nombre"] = sum(len(each.ici) for each in found)
    alike = [(one, two) for one, two in itertools.combinations(rows, 2) if same_line(one[2], two[2])]
    elsewhere = [form.nomme for (_, form, _), each in zip(rows, found, strict=True) if each.ailleurs]
    return Doutes(
        connues=[(form.nomme, each.ici) for (_, form, _), each in zip(rows, found, strict=True) if each.ici],
        lignes=[(one[1].rang, two[1].rang, two[1].nomme) for one, two in alike],
        ailleurs=elsewhere,
        demande=DemandeDAccesForm(auteur=request.habilitation, initial={"recherche": found[0].recherche})
        if elsewhere
        else None,
        ecartees=Ecartees(
            tuple(
                (place, trouvee.personne.pk)
                for (place, _, _), each in zip(rows, found, strict=True)
                for trouvee in each.ici
            ),
            tuple((one[0], two[0]) for one, two in alike),
        ),
    )


def _first_situation(menage: Menage, personnes: list[int] | None = None) -> str:
    """The form where the first situation of the new persons is told, all ticked."""
    current = SituationResidentielle.objects.current().filter(
        personne__appartenances__menage=menage, personne__appartenances__date_fin__isnull=True
    )
    if personnes is not None:
        current = current.filter(personne__in=personnes)
    rows = list(current.order_by("personne"))
    query = QueryDict(mutable=True)
    query.setlist("personne", [row.personne_id for row in rows])
    return f"{reverse('modifier_situation', args=[rows[0].pk])}?{query.urlencode()}"


# --- Déplacer ---------------------------------------------------------------------------------------------------


@writes(Droit.MENAGES_DEPLACER, journal=MENAGE)
def deplacer(request, pk):
    """To another ménage, or to a new one: a departure, an arrival, splitting, joining."""
    menage = followed_menage(request, pk)
    dossier = read_dossier(menage, request.habilitation)
    possible = [membre for membre in dossier.presents if membre.modifiable]
    form = DeplacementForm(
        request.POST or None,
        membres=possible,
        menage=menage,
        accompagnements=dossier.accompagnements,
        auteur=request.habilitation,
        jour=dossier.aujourdhui,
    )
    context = {"form": form, "menage": menage, "dossier": dossier}
    if request.method == "POST" and form.is_valid():
        context["suite"] = form.suite
        context["lue"] = seal_of(form.suite)
        if request.POST.get("lue") != context["lue"]:
            return _deplacer(request, context)
        try:
            destination = move_personnes(
                auteur=request.habilitation,
                origine=menage,
                personnes=form.cleaned_data["personnes"],
                destination=form.destination,
                jour=form.cleaned_data["date_debut"],
                suivent=form.cleaned_data.get("suivent", ()),
            )
        except Refusal as refusal:
            context.pop("suite")
            form.add_error(None, str(refusal))
            context["suites"] = ways_on(request, refusal)
        else:
            messages.success(request, "Le déplacement est enregistré : les situations ont suivi les personnes.")
            seen = Menage.objects.visible_to(request.perimetre).filter(pk__in=[destination.pk, menage.pk])
            left = set(seen.order_by().values_list("pk", flat=True))
            # A team that does not accompany the new dossier comes back to the one that it left, if it still reads it.
            return redirect("dossier", destination.pk if destination.pk in left else menage.pk)
    elif refusal := why_absent(form, menage):
        form.add_error(None, str(refusal))
        context["suites"] = ways_on(request, refusal)
    return _deplacer(request, context)


def _deplacer(request, context: dict):
    possible = [membre for membre in context["dossier"].presents if membre.modifiable]
    context["lignes"] = list(zip(context["form"]["personnes"], possible, strict=True))
    return render(request, "situations/deplacer.html", context)
