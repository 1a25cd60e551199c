"""« Corriger le parcours »: the end of a chain as a table, changed, told, then done at once.

For one person, and for those of the ménage whose chain is the same, situation for situation.
"""

from django.contrib import messages
from django.http import Http404, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from comptes.droits import Droit
from comptes.models import Region, Utilisateur
from menages.views.personnes import PERSONNE, followed_personne, menage_of
from siao.socle.http import writes
from siao.socle.refusal import Refusal, Stale
from siao.socle.text import number_in
from situations.actions.correction import correct_parcours
from situations.actions.saisie import MAXIMUM
from situations.correction import Correction, Ligne, jeton_of, same
from situations.dossier import Dossier, Membre, read_dossier
from situations.forms import LIGNES, CorrectionForm, LignesFormSet, errance_a_confirmer, seal_of
from situations.grille import read_grille
from situations.models import SituationResidentielle
from situations.parcours import Choix, sentences_of
from situations.views.absents import ways_on

MONTREES = 10
"""Lines of a long chain that the table shows, unless the address asks for more: the latest ones."""
CHAMPS = ("rang", "date_debut", "sr2", "region", "supprimer")


@writes(Droit.SITUATIONS_SAISIR, journal=PERSONNE)
def corriger_parcours(request, pk):
    personne = followed_personne(request, pk, with_path=True)
    dossier = read_dossier(menage_of(personne), request.habilitation)
    membre = next((each for each in dossier.modifiables if each.personne.pk == pk), None)
    if membre is None or membre.personne.jours_caches:  # a chain that is read in part is not corrected
        raise Http404
    context = _page(request, dossier, membre)
    if request.method != "POST":
        return _show(request, context)
    if request.POST.get("etape") == "ligne":
        return _show(request, context)
    if request.POST.get("jeton") != context["jeton"]:
        return _conflict(request, context)
    return _carry_out(request, context)


def _page(request, dossier: Dossier, membre: Membre, data: QueryDict | None = None) -> dict:
    """The table and its form: as they were sent (``data``: with what somebody else changed since), or as things are."""
    chain = membre.situations
    memes = [
        each
        for each in dossier.modifiables
        if each is not membre and list(map(same, each.situations)) == list(map(same, chain))
    ][: MAXIMUM - 1]
    options = {
        "prefix": "l",
        "form_kwargs": {
            "grille": read_grille(dossier.aujourdhui),
            "regions": list(Region.objects.order_by("nom").values_list("pk", "nom")),
            "chain": chain,
        },
    }
    if request.method == "POST":
        sent = data or request.POST.copy()
        adding = sent.get("etape") == "ligne"
        if adding:
            total = number_in(sent.get("l-TOTAL_FORMS"), default=0)
            sent["l-TOTAL_FORMS"] = str(min(total + 1, LIGNES))
        sent["l-INITIAL_FORMS"] = "0"  # a line is known by its rank
        lignes = LignesFormSet(sent, **options)
        form = CorrectionForm(sent, memes=memes)
        if adding:
            for each in (form, *lignes.forms):
                each._errors = {}
            lignes.forms[-1].fields["date_debut"].widget.attrs["autofocus"] = True
    else:
        shown = number_in(request.GET.get("lignes"), default=MONTREES)
        first = max(0, len(chain) - min(max(shown, 1), LIGNES))
        initial = [_initial(rang, situation) for rang, situation in enumerate(chain) if rang >= first]
        lignes = LignesFormSet(initial=initial, **options)
        form = CorrectionForm(memes=memes)
    return {
        "dossier": dossier,
        "menage": dossier.menage,
        "membre": membre,
        "memes": memes,
        "form": form,
        "lignes": lignes,
        "jeton": jeton_of(chain),
        "jetons": [(each.personne.pk, jeton_of(each.situations)) for each in memes],
    }


def _initial(rang: int | str, situation) -> dict:
    return {
        "rang": rang,
        "date_debut": f"{situation.date_debut:%d/%m/%Y}",
        "sr2": situation.sr2_id,
        "region": situation.region_id or "",
    }


def _show(request, context: dict, *, status: int = 200):
    posted = {number_in(str(ligne["rang"].value())) for ligne in context["lignes"]}
    chain = context["membre"].situations
    context["cachees"] = [situation for rang, situation in enumerate(chain) if rang not in posted]
    context["auteurs"] = _authors(chain)
    for ligne in context["lignes"]:
        ligne.auteur = context["auteurs"].get(ligne.ancienne.pk) if ligne.ancienne else None
    return render(request, "situations/corriger.html", context, status=status)


def _authors(chain) -> dict[int, dict]:
    """Who last said what each situation is, when, and why, from its history."""
    events = SituationResidentielle.pgh_event_model.objects.filter(pgh_obj_id__in=[each.pk for each in chain])
    found, last = {}, {}
    for event in events.select_related("pgh_context").order_by("pgh_id"):
        if last.get(event.pgh_obj_id) != same(event):
            context = event.pgh_context.metadata if event.pgh_context else {}
            found[event.pgh_obj_id] = {
                "quand": event.pgh_created_at,
                "cle": context.get("utilisateur"),
                "nom": context.get("travail") or "le logiciel",
                "motif": context.get("motif", ""),
            }
        last[event.pgh_obj_id] = same(event)
    names = Utilisateur.objects.in_bulk({each["cle"] for each in found.values() if each["cle"]})
    for each in found.values():
        each["nom"] = str(names.get(each["cle"]) or each["nom"])
    return found


def _carry_out(request, context: dict):
    form, lignes, membre, dossier = (context[key] for key in ("form", "lignes", "membre", "dossier"))
    if not all([lignes.is_valid(), form.is_valid()]):
        return _show(request, context)
    chosen = [membre, *(m for m in context["memes"] if m.personne.pk in form.cleaned_data.get("personnes", ()))]
    wanted = _wanted(context)
    corrections = [
        Correction(each.situations, wanted, dossier.aujourdhui, each.personne.date_naissance) for each in chosen
    ]
    if refused := dict.fromkeys(sentence for each in corrections for sentence in each.refus):
        for sentence in refused:
            form.add_error(None, sentence)
        return _show(request, context)
    names = ", ".join(each.nom for each in chosen)
    context["suite"], context["pour"] = corrections[0].suite, names
    context["etapes"] = corrections[0].etapes
    asked = (errance_a_confirmer(each, who.nom) for each, who in zip(corrections, chosen, strict=True))
    context["errances"] = [sentence for sentence in asked if sentence]
    context["lue"] = seal_of([names, *context["suite"], *context["errances"], form.cleaned_data["motif"]])
    if request.POST.get("etape") != "enregistrer" or request.POST.get("lue") != context["lue"]:
        return _show(request, context)
    if context["errances"] and not form.cleaned_data["errance"]:
        form.add_error("errance", "Vérifiez les dates : corrigez-les, ou cochez cette case si elles sont exactes.")
        return _show(request, context)
    jetons = {
        each.personne.pk: request.POST.get("jeton" if each is membre else f"jeton-{each.personne.pk}", "")
        for each in chosen
    }
    try:
        correct_parcours(
            auteur=request.habilitation,
            menage=dossier.menage,
            jetons=jetons,
            lignes=wanted,
            motif=form.cleaned_data["motif"],
        )
    except Stale:
        return _conflict(request, context)
    except Refusal as refusal:
        for sentence in sentences_of(refusal):
            form.add_error(None, sentence)
        context["suites"] = ways_on(request, refusal)
        context.pop("lue")
        return _show(request, context)
    messages.success(request, f"Le parcours est corrigé : {names}.")
    return redirect(f"{reverse('situations_du_menage', args=[dossier.menage.pk])}#historique")


def _wanted(context: dict) -> list[Ligne]:
    """The whole chain: the lines that were sent and kept, and the older ones that the table did not show."""
    chain = context["membre"].situations
    sent = {number_in(str(ligne["rang"].value())) for ligne in context["lignes"]}
    hidden = [
        Ligne(Choix(each.sr2, each.date_debut, each.region_id), rang)
        for rang, each in enumerate(chain)
        if rang not in sent
    ]
    return [*hidden, *(form.ligne for form in context["lignes"].gardees)]


# --- Somebody was faster ----------------------------------------------------------------------------------------


def _conflict(request, context: dict):
    """Somebody changed the chain since (409): as it was seen, as it is, and a table that keeps what was typed."""
    dossier = read_dossier(context["menage"], request.habilitation)
    pk = context["membre"].personne.pk
    membre = next((each for each in dossier.modifiables if each.personne.pk == pk), None)
    if membre is None:
        raise Http404
    seen = _seen(request.POST.get("jeton", ""), pk)
    now = SituationResidentielle.objects.filter(personne=pk).readable().select_related("modifie_par")
    context = _page(request, dossier, membre, _rebased(request.POST, seen, membre.situations))
    context |= {"conflit": True, "avant": [each for each in seen if each], "maintenant": now.order_by("date_debut")}
    return _show(request, context, status=409)


def _seen(jeton: str, personne: int) -> list:
    """The situations that the page had shown, oldest first, from the history; None for what it never did."""
    pairs = [tuple(map(number_in, part.partition(".")[::2])) for part in jeton.split("-")[:1000]]
    events = SituationResidentielle.pgh_event_model.objects.select_related("sr2", "region").filter(
        personne=personne, pgh_obj_id__in=[pk for pk, _ in pairs if pk is not None]
    )
    by_pair = {(event.pgh_obj_id, event.version): event for event in events.order_by("pgh_id")}
    return [by_pair.get(pair) for pair in pairs]


def _rebased(sent: QueryDict, seen: list, chain: list) -> QueryDict:
    """What was typed, on the chain as it is now: a line left as it was takes what somebody else made of it."""
    ranks = {situation.pk: rang for rang, situation in enumerate(chain)}
    lines = []
    for number in range(min(number_in(sent.get("l-TOTAL_FORMS"), default=0), LIGNES)):
        typed = {name: sent.get(f"l-{number}-{name}", "") for name in CHAMPS}
        rang = number_in(typed["rang"])
        event = seen[rang] if rang is not None and rang < len(seen) else None
        untouched = event and {**typed, "rang": ""} == {**_initial("", event), "supprimer": ""}
        here = ranks.get(event.pgh_obj_id) if event else None
        if here is not None:
            lines.append({**_initial(here, chain[here]), "supprimer": ""} if untouched else {**typed, "rang": here})
        elif not (untouched or (typed["supprimer"] and event)):
            lines.append({**typed, "rang": ""})
    known = {event.pgh_obj_id for event in seen if event}
    lines += [_initial(rang, each) for rang, each in enumerate(chain) if each.pk not in known]
    data = sent.copy()
    for name in [name for name in data if name.startswith("l-") or name == "lue"]:
        del data[name]
    data["l-TOTAL_FORMS"] = str(len(lines))
    for number, line in enumerate(lines):
        for name, value in line.items():
            if value != "":
                data[f"l-{number}-{name}"] = str(value)
    return data
