"""Mesures d'accompagnement and prestations of the veille sociale: what there is, what is used, when it is open."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Droit
from offre.actions import mesures as actions
from offre.actions.places import Perime
from offre.forms_mesures import HorairesForm, MesuresForm, UtiliseesForm
from offre.models import Dispositif, GroupeMesures, PrestationProposee
from offre.models.nomenclature import Categorie, Prestation
from offre.views.conflits import lost_race
from siao.socle.extraction import extraction
from siao.socle.http import reads, refused, writes
from siao.socle.refusal import Refusal
from siao.socle.tables import Table, TableColumn


def _number(value: int | None) -> int | str:
    return "" if value is None else value


MESURES = (
    TableColumn(
        "dispositif",
        "Dispositif",
        lambda row: row.dispositif.nom,
        ["dispositif__nom_cle", "libelle_cle"],
        link=lambda row: reverse("offre:mesures_dispositif", args=[row.dispositif_id]),
    ),
    TableColumn("entite", "Entité", lambda row: row.entite_nom, ["entite_nom"]),
    TableColumn("type", "Type", lambda row: row.dispositif.type.libelle, ["dispositif__type__ordre"]),
    TableColumn("libelle", "Groupe", lambda row: row.libelle, ["libelle_cle"]),
    TableColumn("nombre", "Mesures", lambda row: row.nombre, ["nombre"], numeric=True),
    TableColumn("financees", "Financées", lambda row: _number(row.financees), ["financees"], numeric=True),
    TableColumn("utilisees", "En cours", lambda row: _number(row.utilisees), ["utilisees"], numeric=True),
    TableColumn("disponibles", "Disponibles", lambda row: _number(row.disponibles), numeric=True),
    TableColumn("declare", "Déclaré", lambda row: row.fraicheur, ["-declare_le"]),
)

PRESTATIONS = (
    TableColumn(
        "dispositif",
        "Dispositif",
        lambda row: row.dispositif.nom,
        ["dispositif__nom_cle", "nature"],
        link=lambda row: reverse("offre:prestations_dispositif", args=[row.dispositif_id]),
    ),
    TableColumn("type", "Type", lambda row: row.dispositif.type.libelle, ["dispositif__type__ordre"]),
    TableColumn("commune", "Commune", lambda row: row.dispositif.commune_visible),
    TableColumn("nature", "Prestation", lambda row: row.get_nature_display(), ["nature"]),
    TableColumn("ouverte", "En ce moment", lambda row: "Ouvert" if row.ouverte else "Fermé"),
    TableColumn("horaires", "Horaires", lambda row: row.horaires),
    TableColumn("precision", "Précision", lambda row: row.precision),
)


@reads(Droit.OFFRE_VOIR)
def mesures(request):
    context = {"table": _mesures(request), "recherche": request.GET.get("q", "")}
    return render(request, "offre/places/mesures.html", context)


@reads(Droit.OFFRE_VOIR)
def exporter_mesures(request):
    return extraction(_mesures(request), "mesures", request.GET.get("format", ""))


def _mesures(request) -> Table:
    rows = GroupeMesures.objects.visible_to(request.perimetre).search(request.GET.get("q", "")).for_list()
    rows = rows.open_at(timezone.localdate()).order_by("dispositif__nom_cle", "libelle_cle", "pk")
    return Table("Mesures d'accompagnement", MESURES, rows, request.GET)


@reads(Droit.OFFRE_VOIR)
def prestations(request):
    context = {"table": _prestations(request), "recherche": request.GET.get("q", "")}
    return render(request, "offre/places/prestations.html", context)


@reads(Droit.OFFRE_VOIR)
def exporter_prestations(request):
    return extraction(_prestations(request), "prestations", request.GET.get("format", ""))


def _prestations(request) -> Table:
    rows = PrestationProposee.objects.visible_to(request.perimetre).search(request.GET.get("q", "")).for_list()
    return Table("Prestations", PRESTATIONS, rows.order_by("dispositif__nom_cle", "nature", "pk"), request.GET)


def _dispositif(request, pk, categorie: Categorie) -> Dispositif:
    visible = Dispositif.objects.visible_to(request.perimetre).filter(categorie=categorie)
    return get_object_or_404(visible.select_related("departement", "commune", "type"), pk=pk)


# --- Mesures ----------------------------------------------------------------------------------------------------


@reads(Droit.OFFRE_VOIR)
def mesures_dispositif(request, pk):
    dispositif = _dispositif(request, pk, Categorie.MESURES)
    context = {
        "dispositif": dispositif,
        "groupes": dispositif.groupes_mesures.select_related("declare_par"),
        "aujourdhui": dispositif.departement.aujourdhui,
        "gere": request.may(Droit.PLACES_GERER) and not dispositif.fige,
        "declare": request.may(Droit.PLACES_DISPONIBILITE) and not dispositif.fige,
    }
    return render(request, "offre/places/mesures_dispositif.html", context)


def _groupe(request, pk) -> GroupeMesures:
    visible = GroupeMesures.objects.visible_to(request.perimetre)
    return get_object_or_404(visible.select_related("dispositif__departement"), pk=pk)


@writes(Droit.PLACES_GERER)
def creer_mesures(request, pk):
    dispositif = _dispositif(request, pk, Categorie.MESURES)
    form = MesuresForm(request.POST or None, initial={"ouvert_le": dispositif.departement.aujourdhui})
    if request.method == "POST" and form.is_valid():
        try:
            groupe = actions.create_mesures(auteur=request.habilitation, dispositif=dispositif, **form.valeurs)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"« {groupe} » est créé. Dites maintenant combien de mesures sont en cours.")
            return redirect("offre:mesures_dispositif", pk)
    return render(request, "offre/places/groupe_mesures.html", {"form": form, "dispositif": dispositif})


@writes(Droit.PLACES_GERER)
def modifier_mesures(request, pk):
    groupe = _groupe(request, pk)
    form = MesuresForm(request.POST or None, initial=MesuresForm.initial_of(groupe))
    context, status = {"form": form, "dispositif": groupe.dispositif, "groupe": groupe}, 200
    if request.method == "POST" and form.is_valid():
        try:
            version = form.cleaned_data["version"] or 0
            actions.change_mesures(auteur=request.habilitation, groupe=groupe, version=version, **form.valeurs)
        except Perime as refusal:
            context["conflit"], status = lost_race(form, MesuresForm.initial_of(_groupe(request, pk)), refusal), 409
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"« {form.cleaned_data['libelle']} » est enregistré.")
            return redirect("offre:mesures_dispositif", groupe.dispositif_id)
    return render(request, "offre/places/groupe_mesures.html", context, status=status)


@writes(Droit.PLACES_DISPONIBILITE, only_post=True)
def declarer_mesures(request, pk):
    groupe = _groupe(request, pk)
    page = reverse("offre:mesures_dispositif", args=[groupe.dispositif_id])
    form = UtiliseesForm(request.POST)
    if not form.is_valid():
        return refused(request, f"« {groupe} » : {form.errors['utilisees'][0]}", page)
    used = form.cleaned_data["utilisees"]
    try:
        actions.declare_used(auteur=request.habilitation, groupe=groupe, utilisees=used)
    except Refusal as refusal:
        return refused(request, refusal, page)
    messages.success(request, f"« {groupe} » : {used} en cours sur {groupe.nombre}.")
    if used > groupe.nombre:
        messages.warning(request, f"C'est {used - groupe.nombre} de plus que le groupe n'en compte.")
    return redirect(page)


# --- Prestations ------------------------------------------------------------------------------------------------


@reads(Droit.OFFRE_VOIR)
def prestations_dispositif(request, pk):
    """The prestations of the fiche, each with its week when somebody gave it."""
    dispositif = _dispositif(request, pk, Categorie.VEILLE_SOCIALE)
    known = {one.nature: one for one in dispositif.prestations_proposees.prefetch_related("creneaux")}
    context = {
        "dispositif": dispositif,
        "prestations": [(nature, Prestation(nature).label, known.get(nature)) for nature in dispositif.prestations],
        "gere": request.may(Droit.PLACES_GERER) and not dispositif.fige,
    }
    return render(request, "offre/places/prestations_dispositif.html", context)


@writes(Droit.PLACES_GERER)
def horaires(request, pk, nature):
    dispositif = _dispositif(request, pk, Categorie.VEILLE_SOCIALE)
    if nature not in dispositif.prestations:
        raise Http404
    known = PrestationProposee.objects.filter(dispositif=dispositif, nature=nature)
    form = HorairesForm(request.POST or None, initial=HorairesForm.initial_of(known.first()))
    context, status = {"form": form, "dispositif": dispositif, "libelle": Prestation(nature).label}, 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_hours(
                auteur=request.habilitation,
                dispositif=dispositif,
                nature=nature,
                precision=form.cleaned_data["precision"],
                creneaux=form.creneaux,
                vus=form.cleaned_data["vus"],
            )
        except Perime as refusal:
            context["conflit"], status = lost_race(form, HorairesForm.initial_of(known.first()), refusal), 409
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{context['libelle']} : la semaine est enregistrée.")
            return redirect("offre:prestations_dispositif", pk)
    return render(request, "offre/places/horaires.html", context, status=status)
