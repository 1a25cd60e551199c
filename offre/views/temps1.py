"""The Temps 1 workbook: template, deposit, errors, preview, import, report, undo."""

import io

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.droits import Droit
from comptes.models import Region
from offre.actions.imports import correct, decide, deposit, may_undo, request_import, request_undo, too_big
from offre.colonnes.declaration import SHEETS
from offre.colonnes.listes import Listes
from offre.colonnes.regles import RULES
from offre.forms import DepotForm
from offre.models import Import
from offre.models.imports import Decision, Etat, Nature, Resultat
from offre.temps1.anomalies import LABELS
from offre.temps1.apercu import with_changes, with_consequences, with_links
from offre.temps1.corrections import correctable, faulty_rows
from offre.temps1.modele import explanation
from offre.temps1.modele_file import template_file
from offre.temps1.plan import NOMS
from offre.temps1.territoires import depositable
from offre.temps1.valeurs import with_values
from siao.socle.http import attachment, reads, refused, writes
from siao.socle.refusal import Refusal
from siao.socle.tables import PAR_PAGE
from siao.socle.text import number_in

_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}

STEPS = ("Déposer", "Corriger", "Vérifier", "Importer", "Compte rendu")
_STEP_OF = {
    Etat.DEPOSE: 1,
    Etat.REFUSE: 2,
    Etat.A_CORRIGER: 2,
    Etat.PRET: 3,
    Etat.A_APPLIQUER: 4,
    Etat.IMPORTE: 5,
    Etat.A_ANNULER: 5,
    Etat.ANNULE: 5,
}
"""A workbook that was replaced, or whose reading failed, is at no step."""


@writes(Droit.OFFRE_IMPORTER)
def temps1(request):
    """Step 1: download the template, deposit a workbook; below, the history."""
    territoires = depositable(request.perimetre)
    form = DepotForm(request.POST or None, request.FILES or None, territoires=territoires)
    if getattr(request, "upload_cut", False):
        form.fields["fichier"].error_messages["required"] = str(too_big())
    if request.method == "POST" and form.is_valid():
        fichier = form.cleaned_data["fichier"]
        try:
            depot = deposit(
                auteur=request.habilitation,
                territoire=form.cleaned_data["territoire"],
                fichier=fichier,
                nom=fichier.name or "",
            )
        except Refusal as refusal:
            form.add_error("fichier", str(refusal))
        else:
            _say_what_happened(request, depot)
            return redirect("offre:import", depot.travail.pk)
    imports = Import.objects.visible_to(request.perimetre).for_list()
    context = {
        "form": form,
        "etapes": _stepper(1),
        "territoires": [
            (territoire, f"{territoire._meta.model_name}={territoire.code}", isinstance(territoire, Region))
            for territoire in territoires
        ],
        "page": Paginator(imports, PAR_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "offre/temps1/depot.html", context)


def _say_what_happened(request, depot) -> None:
    if previous := depot.identique:
        messages.info(
            request,
            f"Ce fichier est identique à celui de l'import n° {previous.pk}, déposé le "
            f"{timezone.localtime(previous.depose_le):%d/%m/%Y} par {previous.depose_par} : "
            + ("il est relu sous votre profil." if depot.relu else "le voici."),
        )
    if ready := depot.pret:
        whose = "vous" if ready.depose_par == request.user else str(ready.depose_par)
        messages.info(
            request,
            f"L'import n° {ready.pk}, déposé par {whose}, reste prêt à importer : ce dépôt ne prendra sa place "
            "que s'il est lu sans erreur.",
        )


_NOT_READY = (Etat.DEPOSE, Etat.REFUSE, Etat.A_CORRIGER, Etat.ECHEC)
"""Beside such an import, the one that is ready is told: it stays so."""


@reads(Droit.OFFRE_IMPORTER)
def travail(request, pk):
    """Where an import is: reading, errors, preview, progress or report, by its state."""
    travail = _found(request, pk)
    context = {
        "travail": travail,
        "etapes": _stepper(_STEP_OF[travail.etat]) if travail.etat in _STEP_OF else None,
        "en_machine": travail.etat in (Etat.DEPOSE, Etat.A_APPLIQUER, Etat.A_ANNULER),
        "corrigeable": correctable(travail),
        "pret": Import.objects.ready_beside(travail).first() if travail.etat in _NOT_READY else None,
        "tableaux": [(NOMS[sheet.name], sheet.name, travail.bilan.get(NOMS[sheet.name])) for sheet in SHEETS],
        "par_departement": [
            (code, [(sheet.name, counts[NOMS[sheet.name]]) for sheet in SHEETS if NOMS[sheet.name] in counts])
            for code, counts in sorted(travail.bilan.get("departements", {}).items())
        ],
    }
    if travail.bilan.get("erreurs") or travail.bilan.get("avertissements"):
        context |= _anomalies(request.GET, travail)
    if travail.etat not in (Etat.DEPOSE, Etat.REFUSE, Etat.A_CORRIGER):
        context |= _ecarts(request.GET, travail)
    if travail.etat == Etat.PRET:
        never_imported = travail.remplaces.filter(applique_le=None).select_related("depose_par").order_by("-pk")
        context["remplaces"] = never_imported[:3]
    if travail.etat == Etat.IMPORTE:
        context["annulable"] = may_undo(travail, request.habilitation)
    return render(request, "offre/temps1/import.html", context)


def _anomalies(parameters: QueryDict, travail: Import) -> dict:
    """Errors and warnings, by tab and rule; the same filters choose the lines and survive paging."""
    shown = travail.anomalies.all()
    sheets = _counted(shown, "feuille")
    if (feuille := parameters.get("onglet")) and feuille in sheets:
        shown = shown.filter(feuille=feuille)
    rules = _counted(shown, "code")
    if (regle := parameters.get("regle")) in rules:
        shown = shown.filter(code=regle)
    return {
        "anomalies": Paginator(shown, PAR_PAGE).get_page(parameters.get("page")),
        "onglets": [(name, name or "Fichier", n) for name, n in sheets.items()],
        "regles": [(code, LABELS.get(code, code), n) for code, n in rules.items()],
        "onglet": feuille,
        "regle": regle,
        "libelles": LABELS,
    }


def _counted(anomalies, field: str) -> dict[str, int]:
    """How many there are for each value of ``field``."""
    return dict(anomalies.order_by(field).values_list(field).annotate(n=Count("pk")))


def _ecarts(parameters: QueryDict, travail: Import) -> dict:
    """Differences by nature; those to decide on first. Once imported, the result of an undo comes with them."""
    ecarts = travail.ecarts.all()
    whole = ecarts.counts()
    counts = whole
    if departement := _departement_shown(parameters, travail):
        ecarts = ecarts.of_departement(departement)
        counts = ecarts.counts()
    remaining = {Nature.ABSENT: whole["absents_restants"], Nature.MODIFIE: whole["conflits_restants"]}
    here = {Nature.ABSENT: counts["absents_restants"], Nature.MODIFIE: counts["conflits_restants"]}
    order = (*filter(here.get, here), Nature.ABSENT, Nature.MODIFIE, Nature.CREE)
    default = next((nature for nature in order if counts[nature]), "")
    nature = parameters.get("nature") if parameters.get("nature") in Nature.values else default
    shown = ecarts.filter(nature=nature)
    shown = shown.to_decide_first() if travail.etat == Etat.PRET else shown
    paginator = Paginator(shown, PAR_PAGE)
    paginator.count = counts.get(nature, 0)  # already counted
    page = paginator.get_page(parameters.get("page"))
    undone = travail.etat == Etat.ANNULE
    page.object_list = with_values(with_changes(page.object_list))
    if nature == Nature.ABSENT and travail.etat == Etat.PRET:
        page.object_list = with_consequences(page.object_list)
    return {
        "ecarts": page,
        "nature": nature,
        "natures": [(nature, counts[nature]) for nature in Nature],
        "restants": [(nature, number) for nature, number in remaining.items() if number],
        "comptes": whole,
        "departement": departement,
        "departements": travail.bilan.get("departements"),
        "absents": counts["absents"],
        "renommes": bool(travail.renommages),
        "conflits": counts["conflits"],
        "conserves": with_links(travail.ecarts.filter(resultat=Resultat.CONSERVE)) if undone else [],
    }


@writes(Droit.OFFRE_IMPORTER)
def corriger(request, pk):
    """Step 2: the rows with errors, corrected here: the next version of the file."""
    travail = _found(request, pk)
    typed = {}
    refusal = None
    if request.method == "POST":
        typed = _typed(request.POST)
        try:
            depot = correct(auteur=request.habilitation, travail=travail, saisies=typed)
        except Refusal as error:
            refusal = error
        else:
            return redirect("offre:import", depot.travail.pk)
    elif not correctable(travail):
        return redirect("offre:import", travail.pk)
    try:
        lignes, total = faulty_rows(travail, typed)
    except Refusal as error:
        return refused(request, error, "offre:import", travail.pk)
    context = {"travail": travail, "lignes": lignes, "total": total, "refus": refusal}
    response = render(request, "offre/temps1/corriger.html", context)
    response.refused = refusal is not None
    return response


def _typed(data: QueryDict) -> dict[tuple[str, int, str], str]:
    """What was typed in the cells: {(tab, row, column): text}."""
    typed = {}
    for name, text in data.items():
        match name.split("-", 3):
            case ["cellule", sheet, row, key] if (position := number_in(sheet)) is not None and position < len(SHEETS):
                if (number := number_in(row)) is not None and key in SHEETS[position].by_key:
                    typed[SHEETS[position].name, number, key] = text[:32_767].replace("\x00", "")
    return typed


@writes(Droit.OFFRE_IMPORTER, only_post=True)
def decisions(request, pk):
    """Step 3: what to do of the fiches that the workbook no longer names, or that changed since."""
    travail = _found(request, pk)
    chosen = {int(key[9:]): value for key, value in request.POST.items() if _is_decision(key)}
    for_all = {nature: request.POST.get(f"tous_{nature}") for nature in (Nature.ABSENT, Nature.MODIFIE)}
    for_all = {nature: value for nature, value in for_all.items() if value in _ALLOWED[nature]}
    try:
        decide(
            auteur=request.habilitation,
            travail=travail,
            decisions=chosen,
            pour_tous=for_all,
            departement=_departement_shown(request.POST, travail),
            champs=_values_chosen(request.POST),
        )
    except Refusal as refusal:
        return refused(request, refusal, _back(request, travail))
    return redirect(_back(request, travail))


_ALLOWED = {
    Nature.ABSENT: (Decision.CONSERVER, Decision.FERMER),
    Nature.MODIFIE: (Decision.FICHIER, Decision.BASE),
}


def _values_chosen(data: QueryDict) -> dict[int, dict[str, str]]:
    """Of the conflicts, what is chosen of each value: {id of the difference: {key: decision}}."""
    chosen = {}
    for name, value in data.items():
        match name.split("-", 2):
            case ["champ", number, key] if (pk := number_in(number)) is not None:
                chosen.setdefault(pk, {})[key] = value
    return chosen


def _departement_shown(parameters: QueryDict, travail: Import) -> str:
    """The département of a région that the page shows alone, "" when it shows them all."""
    code = parameters.get("departement", "")
    return code if code in travail.bilan.get("departements", {}) else ""


def _is_decision(key: str) -> bool:
    return key.startswith("decision_") and number_in(key[9:]) is not None


@writes(Droit.OFFRE_IMPORTER, only_post=True)
def importer(request, pk):
    """Step 4: have it written."""
    travail = _found(request, pk)
    try:
        request_import(auteur=request.habilitation, travail=travail)
    except Refusal as refusal:
        return refused(request, refusal, "offre:import", travail.pk)
    return redirect("offre:import", travail.pk)


@writes(Droit.OFFRE_IMPORTER)
def annuler(request, pk):
    """Undo the last import, after a confirmation page that says what will happen."""
    travail = _found(request, pk)
    if request.method == "POST":
        try:
            request_undo(auteur=request.habilitation, travail=travail)
        except Refusal as refusal:
            return refused(request, refusal, "offre:import", travail.pk)
        return redirect("offre:import", travail.pk)
    return render(
        request, "offre/temps1/annuler.html", {"travail": travail, "annulable": may_undo(travail, request.habilitation)}
    )


@reads(Droit.OFFRE_IMPORTER, journal="offre.import")
def original(request, pk):
    """The file as it was deposited: data for whoever deposited it, never a page."""
    travail = _found(request, pk)
    return _file(travail.fichier, travail.nom_fichier, "application/octet-stream")


@reads(Droit.OFFRE_IMPORTER, journal="offre.import")
def annote(request, pk):
    travail = _found(request, pk)
    return _file(travail.annote, f"temps1-import-{travail.pk}-annote.{travail.format}", _TYPES[travail.format])


@reads(Droit.OFFRE_IMPORTER)
def modele(request):
    """The template, blank or prefilled, of a département of the perimeter, or of a région that it holds whole."""
    asked = {name: request.GET.get(name, "") for name in ("departement", "region")}
    territoire = next((one for one in depositable(request.perimetre) if asked[one._meta.model_name] == one.code), None)
    kind = "ods" if request.GET.get("format") == "ods" else "xlsx"
    if territoire is None or (kind == "ods" and isinstance(territoire, Region)):
        raise Http404
    prefilled = request.GET.get("prerempli") == "1"
    stream = io.BytesIO()
    template_file(stream, territoire, kind=kind, prefilled=prefilled)
    stream.seek(0)
    of = f"region-{territoire.code}" if isinstance(territoire, Region) else territoire.code
    name = f"temps1-{of}{'-prerempli' if prefilled else ''}.{kind}"
    return attachment(stream, name, _TYPES[kind])


@reads(Droit.OFFRE_IMPORTER)
def aide(request):
    """Help, made from the declaration of the columns and the registry of rules."""
    listes = Listes()
    sheets = [(sheet, [(column, explanation(sheet, column, listes)) for column in sheet.columns]) for sheet in SHEETS]
    return render(request, "offre/temps1/aide.html", {"sheets": sheets, "rules": RULES})


def _found(request, pk) -> Import:
    return get_object_or_404(
        Import.objects.visible_to(request.perimetre).select_related(
            "departement",
            "region",
            "depose_par",
            "applique_par",
            "annule_par",
            "remplace_par__depose_par",
            "avancement",
        ),
        pk=pk,
    )


def _file(field, name: str, content_type: str):
    if not field:
        raise Http404
    try:
        return attachment(field.open("rb"), name, content_type)
    except FileNotFoundError:
        raise Http404 from None


def _back(request, travail) -> str:
    """The page of the preview that the decisions were taken on."""
    query = QueryDict(mutable=True)
    for key in ("nature", "departement", "page"):
        if request.POST.get(key):
            query[key] = request.POST[key]
    return f"{travail.get_absolute_url()}?{query.urlencode()}#ecarts"


def _stepper(current: int) -> dict:
    following = STEPS[current] if current < len(STEPS) else ""
    return {"numero": current, "total": len(STEPS), "titre": STEPS[current - 1], "suivante": following}
