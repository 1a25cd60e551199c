"""The administered lists in the browser: read, change, retire, export, import with a preview."""

import io

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from tablib import Dataset
from tablib.exceptions import TablibException

from comptes.droits import Droit
from offre.actions.referentiels import delete_value, import_values, preview, retire_value, save_value
from offre.administration import LISTES, Administree, Csv, resource_of
from siao.socle.forms import Formulaire, FormulaireDeModele
from siao.socle.http import attachment, reads, refused, writes
from siao.socle.refusal import Refusal
from siao.socle.tables import Table, TableColumn
from siao.socle.text import counted

OCTETS = 500_000
"""Largest file of a list."""
_SALT = "offre.referentiels"


def _liste(nom: str) -> Administree:
    if nom not in LISTES:
        raise Http404
    return LISTES[nom]


@reads(Droit.REFERENTIELS_GERER)
def referentiels(request):
    lists = [(liste, liste.model.objects.count()) for liste in LISTES.values()]
    return render(request, "offre/referentiels/listes.html", {"listes": lists})


@reads(Droit.REFERENTIELS_GERER)
def referentiel(request, liste):
    administree = _liste(liste)
    return render(
        request,
        "offre/referentiels/liste.html",
        {
            "liste": administree,
            "table": Table(administree.titre, _columns(administree), _rows(administree), request.GET),
        },
    )


def _rows(liste: Administree):
    return liste.with_uses().order_by("ordre", "code")


def _columns(liste: Administree) -> tuple[TableColumn, ...]:
    def link(value):
        return reverse("offre:valeur", args=[liste.nom, value.pk])

    own = [
        TableColumn(name, str(liste.model._meta.get_field(name).verbose_name).capitalize(), _reader(name), [name])
        for name in liste.propres
    ]
    return (
        TableColumn("libelle", "Libellé", lambda value: value.libelle, ["libelle"], link=link),
        TableColumn("code", "Code", lambda value: value.code, ["code"]),
        *own,
        TableColumn("ordre", "Ordre", lambda value: value.ordre, ["ordre"], True),
        TableColumn("usages", "Utilisée par", lambda value: value.usages, ["usages"], True),
        TableColumn(
            "retire",
            "Retirée le",
            lambda value: f"{value.retire_le:%d/%m/%Y}" if value.retire_le else "",
            ["retire_le"],
        ),
    )


def _reader(name: str):
    def read(value):
        shown = getattr(value, f"get_{name}_display", None)
        if shown:
            return shown()
        found = getattr(value, name)
        return {True: "Oui", False: "Non"}.get(found, found) if isinstance(found, bool) else found

    return read


# --- One value --------------------------------------------------------------------------------------------------


def _form(liste: Administree, *arguments, **options):
    """The fields of a value; the code only when it is new."""
    new = options.get("instance") is None
    names = [name for name in liste.champs if name != "code" or new]
    form = forms.modelform_factory(liste.model, form=FormulaireDeModele, fields=names)(*arguments, **options)
    if new:
        form.fields["code"].help_text = "Majuscules, chiffres et « _ ». Il ne changera plus."
        form.fields["ordre"].required = False
        form.fields["ordre"].help_text = "Vide : à la fin de la liste."
    return form


@writes(Droit.REFERENTIELS_GERER)
def nouvelle_valeur(request, liste):
    administree = _liste(liste)
    form = _form(administree, request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if value is not None}
        if _saved(request, form, administree, None, values):
            return redirect("offre:referentiel", liste)
    return render(request, "offre/referentiels/valeur.html", {"form": form, "liste": administree})


@writes(Droit.REFERENTIELS_GERER)
def valeur(request, liste, code):
    administree = _liste(liste)
    value = get_object_or_404(administree.with_uses(), pk=code)
    form = _form(administree, request.POST or None, instance=value)
    if request.method == "POST" and form.is_valid() and _saved(request, form, administree, code, form.cleaned_data):
        return redirect("offre:referentiel", liste)
    context = {"form": form, "liste": administree, "valeur": value}
    return render(request, "offre/referentiels/valeur.html", context)


def _saved(request, form, liste: Administree, code: str | None, values: dict) -> bool:
    try:
        save_value(auteur=request.habilitation, liste=liste, code=code, values=values)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, "La valeur est enregistrée : elle compte dès maintenant.")
    return True


@writes(Droit.REFERENTIELS_GERER, only_post=True)
def retirer_valeur(request, liste, code):
    """Retire, offer again, or delete: by the button that was pressed."""
    administree = _liste(liste)
    value = get_object_or_404(administree.model, pk=code)
    try:
        match request.POST.get("geste"):
            case "effacer":
                delete_value(auteur=request.habilitation, liste=administree, value=value)
                messages.success(request, "La valeur est effacée.")
            case "proposer":
                retire_value(auteur=request.habilitation, value=value, retire=False)
                messages.success(request, "La valeur est de nouveau proposée.")
            case _:
                retire_value(auteur=request.habilitation, value=value, retire=True)
                messages.success(request, "La valeur n'est plus proposée ; les fiches qui l'ont la gardent.")
    except Refusal as refusal:
        return refused(request, refusal, "offre:referentiel", liste)
    return redirect("offre:referentiel", liste)


# --- As a file --------------------------------------------------------------------------------------------------


@reads(Droit.REFERENTIELS_GERER)
def exporter_referentiel(request, liste):
    administree = _liste(liste)
    text = Csv().export_data(resource_of(administree).export(administree.model.objects.order_by("ordre", "code")))
    name = f"{administree.nom}-{timezone.localdate():%Y-%m-%d}.csv"
    return attachment(io.BytesIO(text.encode()), name, "text/csv; charset=utf-8")


class FichierForm(Formulaire):
    fichier = forms.FileField(
        label="Fichier de la liste",
        help_text="CSV, avec les colonnes de l'export. Les valeurs que le fichier ne nomme pas ne changent pas.",
        widget=forms.FileInput(attrs={"class": "fr-upload", "accept": ".csv"}),
        error_messages={"required": "Choisissez un fichier.", "empty": "Ce fichier est vide."},
    )

    def clean_fichier(self):
        fichier = self.cleaned_data["fichier"]
        if fichier.size > OCTETS:
            raise forms.ValidationError("Ce fichier est trop gros pour une liste : 500 ko au plus.")
        try:
            return fichier.read().decode("utf-8-sig").replace("\x00", "")
        except UnicodeDecodeError as error:
            raise forms.ValidationError("Ce fichier n'est pas un CSV en UTF-8 : enregistrez-le ainsi.") from error


@writes(Droit.REFERENTIELS_GERER)
def importer_referentiel(request, liste):
    """Send a file, read what it would do, confirm: the second form carries what the first one showed, signed."""
    administree = _liste(liste)
    if "contenu" in request.POST:
        return _confirmed(request, administree)
    form = FichierForm(request.POST or None, request.FILES or None)
    context = {"form": form, "liste": administree}
    if request.method == "POST" and form.is_valid():
        dataset = _dataset(administree, form.cleaned_data["fichier"])
        if isinstance(dataset, str):
            form.add_error("fichier", dataset)
        else:
            context |= _previewed(administree, dataset)
            signed = [administree.nom, form.cleaned_data["fichier"]]
            context["contenu"] = signing.dumps(signed, salt=_SALT, compress=True)
    return render(request, "offre/referentiels/importer.html", context)


def _dataset(liste: Administree, text: str) -> Dataset | str:
    """The rows of a file, or why it cannot be read."""
    try:
        dataset = Csv().create_dataset(text)
    except (TablibException, ValueError, IndexError):
        return "Ce fichier ne se lit pas : exportez la liste, modifiez l'export, puis importez-le."
    missing = [name for name in liste.champs if name not in (dataset.headers or ())]
    if missing:
        return f"Il manque des colonnes : {', '.join(missing)}. Repartez d'un export de la liste."
    return dataset


def _previewed(liste: Administree, dataset: Dataset) -> dict:
    result = preview(liste, dataset)
    lines = []
    for number, row in enumerate(result.rows, start=2):
        errors = [str(error.error) for error in row.errors]
        if row.validation_error:
            errors += row.validation_error.messages
        changes = []
        if row.import_type in ("new", "update") and row.instance and not errors:
            before = row.original if row.import_type == "update" else None
            for name in liste.champs:
                read = _reader(name)
                old, new = read(before) if before else "", read(row.instance)
                if old != new:
                    changes.append((str(liste.model._meta.get_field(name).verbose_name), old, new))
        if errors or changes:
            lines.append({"numero": number, "type": row.import_type, "erreurs": errors, "changements": changes})
    return {"lignes": lines, "total": len(result.rows), "refus": any(line["erreurs"] for line in lines)}


def _confirmed(request, liste: Administree):
    try:
        nom, text = signing.loads(request.POST["contenu"], salt=_SALT, max_age=3600)
    except signing.BadSignature as error:
        raise Http404 from error
    dataset = _dataset(liste, text) if nom == liste.nom else "Ce fichier est celui d'une autre liste."
    try:
        if isinstance(dataset, str):
            raise Refusal(dataset)
        result = import_values(auteur=request.habilitation, liste=liste, dataset=dataset)
    except Refusal as refusal:
        return refused(request, refusal, "offre:importer_referentiel", liste.nom)
    changed = result.totals["new"] + result.totals["update"]
    messages.success(request, f"{counted(changed, 'valeur enregistrée')}.")
    return redirect("offre:referentiel", liste.nom)
