"""The grid, administered by the national administrator. It is the same page for everybody that shows it whole."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.droits import Droit
from siao.socle.http import reads, writes
from siao.socle.refusal import Refusal, Stale
from situations.actions.referentiel import add_sr2, edit_sr2
from situations.forms import NouvelleSr2Form, Sr2Form
from situations.grille import read_grille
from situations.models import Sr2


@reads(Droit.REFERENTIELS_GERER)
def referentiel(request):
    grille = read_grille(timezone.localdate())
    return render(request, "situations/referentiel.html", {"valeurs": grille.valeurs.values(), "jour": grille.jour})


@writes(Droit.REFERENTIELS_GERER)
def modifier_sr2(request, code):
    sr2 = get_object_or_404(Sr2.objects.select_related("sr1", "remplacee_par", "modifiee_par"), pk=code)
    fields = Sr2Form(sr2=sr2).fields
    initial = {name: getattr(sr2, f"{name}_id", None) or getattr(sr2, name) for name in fields}
    form = Sr2Form(request.POST or None, initial=initial, sr2=sr2)
    context = {"form": form, "sr2": sr2}
    if request.method == "POST" and form.is_valid():
        valeurs = {name: value for name, value in form.cleaned_data.items() if name != "version"}
        try:
            edit_sr2(auteur=request.habilitation, sr2=sr2, version=form.cleaned_data["version"], valeurs=valeurs)
        except Stale as stale:
            typed = form.data.copy()
            typed["version"] = sr2.version
            context |= {"form": Sr2Form(typed, sr2=sr2), "conflit": str(stale)}
            return render(request, "situations/modifier_sr2.html", context, status=409)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"« {sr2.code} » est modifiée. Les situations passées gardent leur valeur.")
            return redirect("referentiel")
    return render(request, "situations/modifier_sr2.html", context)


@writes(Droit.REFERENTIELS_GERER)
def nouvelle_sr2(request):
    form = NouvelleSr2Form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        valeurs = dict(form.cleaned_data)
        try:
            added = add_sr2(auteur=request.habilitation, sr1=valeurs.pop("sr1"), valeurs=valeurs)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"« {added} » est ajoutée.")
            return redirect("referentiel")
    return render(request, "situations/modifier_sr2.html", {"form": form})
