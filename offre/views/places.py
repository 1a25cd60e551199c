"""Places: what a dispositif offers, what is free now, and the page where the SIAO looks for a place that fits."""

from dataclasses import replace

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Droit
from offre.actions import places as actions
from offre.forms_places import (
    AjoutPlacesForm,
    DisponibilitesForm,
    GroupeForm,
    IndisponibiliteForm,
    NouveauGroupeForm,
    PlaceForm,
    RechercheGroupesForm,
)
from offre.models import CapaciteFinancee, Configuration, Dispositif, GroupePlaces, Indisponibilite, Place
from offre.models.nomenclature import AVEC_PLACES_OU_LOGEMENTS, Categorie
from offre.models.places import Etat, unseen_because
from offre.views.conflits import lost_race
from siao.socle.columns import phones
from siao.socle.extraction import extraction
from siao.socle.http import reads, refused, writes
from siao.socle.refusal import Refusal
from siao.socle.tables import Table, TableColumn
from siao.socle.text import counted


def _page_of(groupe: GroupePlaces) -> str:
    return f"{reverse('offre:places_dispositif', args=[groupe.dispositif_id])}#groupe-{groupe.pk}"


def _number(value: int | None) -> int | str:
    return "" if value is None else value


DISPOSITIF = TableColumn(
    "dispositif",
    "Dispositif",
    lambda row: row.dispositif.nom,
    ["dispositif__nom_cle", "libelle_cle"],
    link=_page_of,
)

GROUPES = (
    DISPOSITIF,
    TableColumn("libelle", "Groupe", lambda row: row.libelle, ["libelle_cle"]),
    TableColumn("type", "Type", lambda row: row.type.libelle, ["type__ordre"]),
    TableColumn("categorie", "Catégorie", lambda row: row.categorie.libelle, ["categorie__ordre"]),
    TableColumn("accueil", "Accueille", lambda row: row.accueil),
    TableColumn("places", "Places", lambda row: row.nb_places, numeric=True),
    TableColumn("couchages", "Couchages installés", lambda row: row.nb_places * row.couchages, numeric=True),
    TableColumn("financees", "Couchages financés", lambda row: _number(row.financees), numeric=True),
    TableColumn("libres", "Libres", lambda row: row.nb_libres, numeric=True),
    TableColumn("indisponibles", "Indisponibles", lambda row: row.nb_places - row.nb_en_service, numeric=True),
    TableColumn("declare", "Déclaré", lambda row: row.fraicheur),
)

DISPONIBLES = (
    DISPOSITIF,
    TableColumn("entite", "Entité", lambda row: row.entite_nom, ["entite_nom"]),
    TableColumn("commune", "Commune", lambda row: row.commune, ["commune_cle"]),
    TableColumn("groupe", "Groupe", lambda row: row.libelle, ["libelle_cle"]),
    TableColumn("type", "Type", lambda row: row.type.libelle, ["type__ordre"]),
    TableColumn("categorie", "Catégorie", lambda row: row.categorie.libelle, ["categorie__ordre"]),
    TableColumn("pmr", "PMR", lambda row: "Oui" if row.pmr else "", ["-pmr"]),
    TableColumn("telephone", "Téléphone", lambda row: phones.show(row.dispositif.telephone)),
    TableColumn("libres", "Places libres", lambda row: row.nb_libres, ["nb_libres"], numeric=True),
    TableColumn("declare", "Déclaré", lambda row: row.fraicheur, ["-declare_le"]),
)

DISPONIBLES_FICHIER = tuple(
    replace(column, value=lambda row: row.dispositif.commune_visible) if column.key == "commune" else column
    for column in DISPONIBLES
)
"""The same in a file, which is copied and sent: it does not say where the confidential ones are."""

CAPACITE = {
    **dict.fromkeys(AVEC_PLACES_OU_LOGEMENTS, "offre:places_dispositif"),
    Categorie.MESURES: "offre:mesures_dispositif",
    Categorie.VEILLE_SOCIALE: "offre:prestations_dispositif",
}
"""The page of what a dispositif offers, by category; a premier accueil has none."""


@reads(Droit.OFFRE_VOIR)
def places(request):
    """The groups of the perimeter; who works in a single dispositif goes straight to its page."""
    if len(request.perimetre.dispositifs) == 1:
        [dispositif] = Dispositif.objects.visible_to(request.perimetre)
        if page := CAPACITE.get(dispositif.categorie):
            return redirect(page, dispositif.pk)
    form, rows = _groupes(request)
    table = Table("Groupes de places", GROUPES, rows, request.GET)
    # The page first, then what its lines show: PostgreSQL would count the places of every line that it skips.
    shown = [groupe.pk for groupe in table.page]
    counted = _counted(GroupePlaces.objects.all()).in_bulk(shown)
    table.page.object_list = [counted[key] for key in shown if key in counted]
    return render(request, "offre/places/groupes.html", {"form": form, "table": table})


@reads(Droit.OFFRE_VOIR)
def exporter_places(request):
    table = Table("Groupes de places", GROUPES, _counted(_groupes(request)[1]), request.GET)
    return extraction(table, "places", request.GET.get("format", ""))


def _groupes(request) -> tuple[RechercheGroupesForm, QuerySet[GroupePlaces]]:
    """The search of the list, and the groups that it finds."""
    today, now = timezone.localdate(), timezone.now()
    groupes = GroupePlaces.objects.visible_to(request.perimetre)
    form = RechercheGroupesForm(request.GET)
    if form.is_valid():
        groupes = groupes.search(form.cleaned_data["q"])
        if form.cleaned_data["type"]:
            groupes = groupes.filter(type=form.cleaned_data["type"])
        inside = Place.objects.filter(groupe=OuterRef("pk"))
        match form.cleaned_data["etat"]:
            case "libres":
                groupes = groupes.filter(Exists(inside.free(today)))
            case "a_confirmer":
                groupes = groupes.filter(Exists(inside.to_confirm(now)))
            case "indisponibles":
                unavailable = Indisponibilite.objects.at(today).filter(place=OuterRef("pk"))
                groupes = groupes.filter(Exists(inside.open_at(today).filter(Exists(unavailable))))
    return form, groupes.order_by("dispositif__nom_cle", "libelle_cle", "pk")


def _counted(groupes: QuerySet[GroupePlaces]) -> QuerySet[GroupePlaces]:
    """With what a line of the list shows."""
    return groupes.for_list(timezone.localdate()).prefetch_related(_configurations())


def _configurations() -> Prefetch:
    return Prefetch("configurations", Configuration.objects.select_related("composition"))


@reads(Droit.DEMANDES_ORIENTER)
def disponibilites(request):
    """Free places that fit. Nothing is shown before the composition and the size of the ménage are known."""
    form = DisponibilitesForm(request.GET if request.GET.keys() & {"composition", "taille"} else None)
    context = {"form": form}
    if form.is_valid():
        context["table"] = Table("Places disponibles", DISPONIBLES, _disponibles(request, form), request.GET)
    return render(request, "offre/places/disponibilites.html", context)


@reads(Droit.DEMANDES_ORIENTER)
def exporter_disponibilites(request):
    """The same as a file. A commune that was asked for locates what is found: the confidential ones are left out."""
    form = DisponibilitesForm(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('offre:disponibilites')}?{request.GET.urlencode()}")
    rows = _disponibles(request, form)
    if form.cleaned_data["commune"]:
        rows = rows.filter(dispositif__adresse_confidentielle=False)
    table = Table("Places disponibles", DISPONIBLES_FICHIER, rows, request.GET)
    return extraction(table, "places-disponibles", request.GET.get("format", ""))


def _disponibles(request, form: DisponibilitesForm) -> QuerySet[GroupePlaces]:
    visible = GroupePlaces.objects.visible_to(request.perimetre)
    return form.narrow(visible, timezone.localdate()).order_by("-declare_le", "pk")


# --- The places of one dispositif -------------------------------------------------------------------------------


def _dispositif(request, pk) -> Dispositif:
    visible = Dispositif.objects.visible_to(request.perimetre).filter(categorie__in=AVEC_PLACES_OU_LOGEMENTS)
    return get_object_or_404(visible.select_related("departement", "commune", "type"), pk=pk)


@reads(Droit.OFFRE_VOIR)
def places_dispositif(request, pk):
    """What the Responsable opens on a phone: each place, its state, one button."""
    dispositif = _dispositif(request, pk)
    today = dispositif.departement.aujourdhui
    unavailable = Prefetch("indisponibilites", Indisponibilite.objects.at(today), to_attr="empechements")
    open_places = Place.objects.open_at(today).select_related("declare_par").prefetch_related(unavailable)
    due = Place.objects.to_confirm(timezone.now()).filter(pk=OuterRef("pk"))
    open_places = open_places.annotate(a_redire=Exists(Indisponibilite.objects.undoing(today)), attendue=Exists(due))
    groupes = dispositif.groupes.for_list(today).prefetch_related(
        _configurations(), Prefetch("places", open_places, to_attr="ouvertes")
    )
    vues = [place for groupe in groupes for place in groupe.ouvertes if place.etat and not place.a_redire]
    context = {
        "dispositif": dispositif,
        "invisible": unseen_because(dispositif, today),
        "groupes": groupes,
        "vues": vues,
        "lignes_qui_parlent": {f"place-{place.pk}" for groupe in groupes for place in groupe.ouvertes},
        "gere": request.may(Droit.PLACES_GERER) and not dispositif.fige,
        "declare": request.may(Droit.PLACES_DISPONIBILITE) and not dispositif.fige,
    }
    return render(request, "offre/places/dispositif.html", context)


@writes(Droit.PLACES_DISPONIBILITE, only_post=True)
def declarer(request, pk):
    """One click: « une place se libère », or « place occupée »."""
    place = _place(request, pk)
    line = f"place-{place.pk}"
    page = f"{reverse('offre:places_dispositif', args=[place.groupe.dispositif_id])}#reponse"
    etat = request.POST.get("etat")
    try:
        if etat not in Etat.values:
            raise Refusal("Dites si la place est libre ou occupée.")
        changed = actions.declare(auteur=request.habilitation, place=place, etat=Etat(etat))
    except Refusal as refusal:
        return refused(request, refusal, page, line=line)
    now = f"« {place} » est {Etat(etat).label.lower()}"
    if changed:
        messages.success(request, f"{now} : {_seen_by_the_siao(place)}.", extra_tags=line)
    else:
        who = f", déclarée par {place.declare_par} {place.fraicheur}" if place.declare_par_id else ""
        messages.info(request, f"{now}, comme avant{who} : c'est confirmé.", extra_tags=line)
    return redirect(page)


def _seen_by_the_siao(place: Place) -> str:
    """What the SIAO knows of a place that was just declared: it looks for places by who they receive."""
    dispositif = place.groupe.dispositif
    if why := unseen_because(dispositif, dispositif.departement.aujourdhui):
        return f"c'est noté, et le SIAO n'en est pas informé, car {why}"
    if not place.groupe.configurations.exists():
        return "le SIAO ne la trouvera pas tant que son groupe n'accueille personne : aucune composition n'est cochée"
    return "le SIAO le voit dès maintenant"


@writes(Droit.PLACES_DISPONIBILITE, only_post=True)
def confirmer(request, pk):
    """« Rien n'a changé »: every place is as the page showed it."""
    dispositif = _dispositif(request, pk)
    seen = (line.partition(":") for line in request.POST.getlist("vue")[:5_000])
    vues = {int(key): etat for key, _, etat in seen if key.isdecimal() and len(key) < 19}
    try:
        count = actions.confirm(auteur=request.habilitation, dispositif=dispositif, vues=vues)
    except Refusal as refusal:
        return refused(request, refusal, "offre:places_dispositif", pk)
    messages.success(request, f"{counted(count, 'place confirmée')} à l'instant.")
    if count < len(vues):
        messages.warning(request, "D'autres ont changé pendant que vous regardiez : relisez-les ci-dessous.")
    return redirect("offre:places_dispositif", pk)


# --- Groups -----------------------------------------------------------------------------------------------------


def _groupe(request, pk) -> GroupePlaces:
    visible = GroupePlaces.objects.visible_to(request.perimetre)
    return get_object_or_404(visible.select_related("dispositif__departement"), pk=pk)


@writes(Droit.PLACES_GERER)
def creer_groupe(request, pk):
    dispositif = _dispositif(request, pk)
    today = dispositif.departement.aujourdhui
    initial = {"ouverte_le": max(today, dispositif.date_ouverture), "financees_depuis": today}
    form = NouveauGroupeForm(request.POST or None, dispositif=dispositif, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            groupe = actions.create_groupe(
                auteur=request.habilitation,
                dispositif=dispositif,
                noms=form.noms,
                ouverte_le=form.cleaned_data["ouverte_le"],
                **form.valeurs,
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            suite = "" if unseen_because(dispositif, today) else " Dites maintenant quelles places sont libres."
            messages.success(request, f"« {groupe} » est créé.{suite}")
            return redirect(_page_of(groupe))
    return render(request, "offre/places/groupe.html", {"form": form, "dispositif": dispositif})


@writes(Droit.PLACES_GERER)
def modifier_groupe(request, pk):
    groupe = _groupe(request, pk)
    dispositif = groupe.dispositif
    form = GroupeForm(request.POST or None, dispositif=dispositif, groupe=groupe, initial=_recorded(groupe))
    financees = groupe.financees_depuis.all()
    context, status = {"form": form, "dispositif": dispositif, "groupe": groupe, "financees": financees}, 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_groupe(
                auteur=request.habilitation,
                groupe=groupe,
                version=form.cleaned_data["version"] or 0,
                **form.valeurs,
            )
        except actions.Perime as refusal:
            context["conflit"], status = lost_race(form, _recorded(_groupe(request, pk)), refusal), 409
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"« {form.cleaned_data['libelle']} » est enregistré.")
            return redirect(_page_of(groupe))
    return render(request, "offre/places/groupe.html", context, status=status)


def _recorded(groupe: GroupePlaces) -> dict:
    """What its form shows."""
    today = groupe.dispositif.departement.aujourdhui
    funded = groupe.financees_depuis.filter(depuis__lte=today).first()
    shown = GroupeForm.initial_of(groupe, funded.nombre if funded else None)
    return {**shown, "financees_depuis": funded.depuis if funded else today}


@writes(Droit.PLACES_GERER, only_post=True)
def retirer_financees(request, pk):
    """Take back a line of funded capacity."""
    visible = CapaciteFinancee.objects.visible_to(request.perimetre)
    ligne = get_object_or_404(visible.select_related("groupe__dispositif"), pk=pk)
    try:
        actions.unfund(auteur=request.habilitation, ligne=ligne)
    except Refusal as refusal:
        return refused(request, refusal, "offre:modifier_groupe", ligne.groupe_id)
    messages.success(request, f"Couchages financés : la ligne « {ligne} » est retirée.")
    return redirect("offre:modifier_groupe", ligne.groupe_id)


@writes(Droit.PLACES_GERER)
def ajouter_places(request, pk):
    groupe = _groupe(request, pk)
    initial = {"ouverte_le": groupe.dispositif.departement.aujourdhui, "premier": groupe.places.count() + 1}
    form = AjoutPlacesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            added = actions.add_places(
                auteur=request.habilitation, groupe=groupe, noms=form.noms, ouverte_le=form.cleaned_data["ouverte_le"]
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{counted(added, 'place')} de plus dans « {groupe} ».")
            return redirect(_page_of(groupe))
    return render(request, "offre/places/ajouter.html", {"form": form, "groupe": groupe})


# --- One place --------------------------------------------------------------------------------------------------


def _place(request, pk) -> Place:
    visible = Place.objects.visible_to(request.perimetre)
    return get_object_or_404(visible.select_related("groupe__dispositif__departement", "declare_par"), pk=pk)


@reads(Droit.OFFRE_VOIR)
def place(request, pk):
    """One place: its dates, when it cannot be used, and who declared what."""
    found = _place(request, pk)
    dispositif = found.groupe.dispositif
    today = dispositif.departement.aujourdhui
    context = {
        "place": found,
        "indisponibilites": found.indisponibilites.all(),
        "aujourdhui": today,
        "a_redire": Place.objects.filter(Exists(Indisponibilite.objects.undoing(today)), pk=pk).exists(),
        "declarations": found.declarations.select_related("auteur")[:50],
        "gere": request.may(Droit.PLACES_GERER) and not dispositif.fige,
        "declare": request.may(Droit.PLACES_DISPONIBILITE) and not dispositif.fige,
    }
    return render(request, "offre/places/place.html", context)


@writes(Droit.PLACES_GERER)
def modifier_place(request, pk):
    found = _place(request, pk)
    form = PlaceForm(request.POST or None, initial=PlaceForm.initial_of(found))
    context, status = {"form": form, "place": found, "titre": f"Modifier « {found} »"}, 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_place(auteur=request.habilitation, place=found, **form.cleaned_data)
        except actions.Perime as refusal:
            context["conflit"], status = lost_race(form, PlaceForm.initial_of(_place(request, pk)), refusal), 409
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"« {form.cleaned_data['nom']} » est enregistrée.")
            return redirect("offre:place", pk)
    return render(request, "offre/places/saisir.html", context, status=status)


@writes(Droit.PLACES_GERER, only_post=True)
def supprimer_place(request, pk):
    found = _place(request, pk)
    try:
        actions.delete_place(auteur=request.habilitation, place=found)
    except Refusal as refusal:
        return refused(request, refusal, "offre:place", pk)
    messages.success(request, f"« {found} » est supprimée.")
    return redirect(_page_of(found.groupe))


@writes(Droit.PLACES_DISPONIBILITE)
def rendre_indisponible(request, pk):
    found = _place(request, pk)
    today = found.groupe.dispositif.departement.aujourdhui
    form = IndisponibiliteForm(request.POST or None, initial={"date_debut": today})
    if request.method == "POST" and form.is_valid():
        try:
            actions.make_unavailable(auteur=request.habilitation, place=found, **form.valeurs)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"« {found} » ne sera pas proposée pendant ces dates.")
            return redirect("offre:place", pk)
    titre = f"« {found} » ne peut pas servir"
    return render(request, "offre/places/saisir.html", {"form": form, "place": found, "titre": titre})


def _indisponibilite(request, pk) -> Indisponibilite:
    visible = Indisponibilite.objects.visible_to(request.perimetre)
    return get_object_or_404(visible.select_related("place__groupe__dispositif__departement"), pk=pk)


@writes(Droit.PLACES_DISPONIBILITE)
def modifier_indisponibilite(request, pk):
    found = _indisponibilite(request, pk)
    form = IndisponibiliteForm(request.POST or None, initial=IndisponibiliteForm.initial_of(found))
    context, status = {"form": form, "place": found.place, "titre": f"« {found.place} » ne peut pas servir"}, 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_unavailability(auteur=request.habilitation, indisponibilite=found, **form.cleaned_data)
        except actions.Perime as refusal:
            now = IndisponibiliteForm.initial_of(_indisponibilite(request, pk))
            context["conflit"], status = lost_race(form, now, refusal), 409
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Les dates sont enregistrées.")
            return redirect("offre:place", found.place_id)
    return render(request, "offre/places/saisir.html", context, status=status)


@writes(Droit.PLACES_DISPONIBILITE, only_post=True)
def remettre_en_service(request, pk):
    found = _indisponibilite(request, pk)
    try:
        actions.back_in_service(auteur=request.habilitation, indisponibilite=found)
    except Refusal as refusal:
        return refused(request, refusal, "offre:place", found.place_id)
    if found.date_debut < found.place.groupe.dispositif.departement.aujourdhui:
        messages.success(request, f"« {found.place} » est de nouveau en service : dites si elle est libre.")
    else:
        messages.success(request, f"« {found.place} » est en service : cette indisponibilité est annulée.")
    return redirect("offre:place", found.place_id)
