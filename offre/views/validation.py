"""The two-step validation: one step on one fiche, a proposition shown before and after, the queue of a validator."""

from dataclasses import dataclass, field
from datetime import datetime

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Droit
from offre.actions.fiches import remarques_of
from offre.actions.transitions import move, move_many
from offre.attentes import GENRES, file_attente
from offre.circuit import DROITS, ENSUITE, PASSAGES, Passage, passages
from offre.colonnes.affichage import Affichage
from offre.colonnes.fiches import TABLE_DISPOSITIFS, TABLE_ENTITES, Fiche, fiches_by_id
from offre.colonnes.listes import Listes
from offre.confidentialite import voit_adresse
from offre.models import Dispositif, FicheSirene, Proposition, Rattachement, Transition
from offre.models.nomenclature import Statut
from offre.saisie import checked, table_of
from offre.views.fiches import au_repertoire, found
from siao.socle.columns import Reference
from siao.socle.forms import Formulaire, JourField
from siao.socle.http import reads, writes
from siao.socle.jours import Sens
from siao.socle.refusal import Refusal
from siao.socle.text import counted, number_in

PAR_PAGE = 25

# --- One step ---------------------------------------------------------------------------------------------------


class PassageForm(Formulaire):
    """What one step asks for: a motive, a date, a remark beside each field; and the version that was read."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, data=None, *, passage: Passage, objet, **options):
        super().__init__(data, **options)
        self.passage = passage
        if passage.motif or passage.action == "retirer":
            self.fields["motif"] = forms.CharField(
                label="Motif",
                help_text="La personne concernée le lira." if passage.motif else "Facultatif",
                required=passage.motif,
                max_length=1000,
                widget=forms.Textarea(attrs={"rows": 3}),
                error_messages={"required": "Donnez le motif : la personne concernée le lira."},
            )
        if passage.vers == Statut.FERME:
            self.fields["date_fermeture"] = JourField(
                label="Date de fermeture",
                sens=Sens.PASSE,
                help_text="Un jour passé, ou aujourd'hui si elle reste vide.",
                required=False,
            )
            self.on(objet.departement.aujourdhui)
        if passage.remarques:
            for key, label, shown in _fields_of(objet):
                self.fields[f"remarque_{key}"] = forms.CharField(
                    label=label,
                    help_text=shown or "(vide)",
                    required=False,
                    max_length=1000,
                    widget=forms.TextInput(attrs={"autocomplete": "off"}),
                )
        self.style()

    @property
    def remarques(self) -> dict[str, str]:
        return {
            name.removeprefix("remarque_"): text.strip()
            for name, text in self.cleaned_data.items()
            if name.startswith("remarque_") and text.strip()
        }


def _fields_of(objet) -> list[tuple[str, str, str]]:
    """(key, label, value) of the fields that a remark can be put on: those changed, for a proposition."""
    proposition = objet if isinstance(objet, Proposition) else None
    fiche = objet.fiche if proposition else objet
    table = table_of(fiche)
    values = fiches_by_id(table, [fiche.pk], Listes())[fiche.pk].values | (proposition.apres if proposition else {})
    fixed = {"siren", "categorie"} | {c.key for c in table.sheet.columns if isinstance(c.type, Reference)}
    lines = [line for group in Affichage([values]).groupes(table.sheet, values).values() for line in group]
    return [line for line in lines if line[0] not in fixed and (not proposition or line[0] in proposition.apres)]


@writes(*DROITS)
def passer(request, nom, pk, action):
    """One step of a fiche: the page says what will happen, the POST does it."""
    if nom not in ("entites", "dispositifs"):
        raise Http404
    named = _named(request, action, proposition=False)
    return _pass_on(request, found(request, nom, pk), named, reverse("offre:fiche", args=[nom, pk]))


@writes(*DROITS)
def passer_proposition(request, pk, action):
    named = _named(request, action, proposition=True)
    return _pass_on(request, _proposition(request, pk), named, reverse("offre:proposition", args=[pk]))


def _named(request, action: str, *, proposition: bool) -> list[Passage]:
    """The lines of the circuit that bear this name; refused to those who have the right to none of them."""
    named = [
        passage
        for passage in PASSAGES
        if passage.action == action and (passage.propositions if proposition else passage.fiches)
    ]
    if not named:
        raise Http404
    if not any(request.may(droit) for passage in named for droit in passage.droits):
        raise PermissionDenied
    return named


def _pass_on(request, objet, named: list[Passage], retour: str):
    proposed = isinstance(objet, Proposition)
    droits = request.habilitation.droits
    passage = next(
        (passage for passage in passages(objet.statut, droits, proposition=proposed) if passage in named), None
    )
    if passage is None:
        words = {"titre": f"{named[0].libelle} : {objet}", "retour": retour, "phrase": ENSUITE[objet.statut]}
        return render(request, "offre/impossible.html", words)
    version = objet.revision if proposed else objet.version
    form = PassageForm(request.POST or None, passage=passage, objet=objet, initial={"version": version})
    if request.method == "POST" and form.is_valid():
        try:
            move(
                auteur=request.habilitation,
                objet=objet,
                action=passage.action,
                version=form.cleaned_data["version"],
                motif=form.cleaned_data.get("motif", ""),
                remarques=form.remarques,
                date_fermeture=form.cleaned_data.get("date_fermeture"),
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, passage.fait)
            return redirect(_next_page(request, objet, retour))
    repertoire = au_repertoire(objet.fiche if proposed else objet)
    context = {"form": form, "passage": passage, "objet": objet, "retour": retour, "repertoire": repertoire}
    return render(request, "offre/passer.html", context)


def _next_page(request, objet, retour: str) -> str:
    """Back where the step was asked from; a proposition that is over leads to its fiche."""
    if request.POST.get("suite") == "file":
        return reverse("offre:a_valider")
    if isinstance(objet, Proposition):
        return reverse("offre:fiche", args=[table_of(objet.fiche).nom, objet.fiche.pk])
    return retour


# --- A proposition ----------------------------------------------------------------------------------------------


def _proposition(request, pk) -> Proposition:
    return get_object_or_404(Proposition.objects.visible_to(request.perimetre).with_fiche(), pk=pk)


@reads(*DROITS)
def proposition(request, pk):
    """Before and after: what the fiche says now, what it would say."""
    objet = _proposition(request, pk)
    table = table_of(objet.fiche)
    waiting = objet.statut in (Statut.SOUMIS, Statut.PREVALIDE, Statut.A_CORRIGER)
    form = checked(objet)[0] if waiting else None
    before = form.actuelles if form else objet.avant
    changements = {key: [before.get(key), new] for key, new in objet.apres.items()}
    affichage = Affichage([before, objet.apres])
    adresse = isinstance(objet.fiche, Rattachement) or voit_adresse(request.habilitation, objet.fiche)
    context = {
        "proposition": objet,
        "fiche_url": reverse("offre:fiche", args=[table.nom, objet.fiche.pk]),
        "modifier_url": reverse("offre:modifier", args=[table.nom, objet.fiche.pk]),
        "changements": affichage.changements(table.sheet, changements, adresse=adresse),
        "erreurs": [str(error) for errors in form.errors.values() for error in errors] if form else [],
        "avertissements": form.warnings if form else [],
        "fiche_changee": waiting and objet.fiche.version != objet.version,
        "passages": passages(objet.statut, request.habilitation.droits, proposition=True),
        "remarques": [(table.sheet.by_key[key].label, text) for key, text in remarques_of(objet).items()],
        "etapes": objet.transitions.for_history(),
        "repertoire": au_repertoire(objet.fiche) if waiting else "",
    }
    return render(request, "offre/proposition.html", context)


# --- The queue --------------------------------------------------------------------------------------------------


@dataclass
class Ligne:
    """One line of the queue, with what unfolds under it."""

    genre: str
    cle: int
    libelle: str
    depuis: datetime
    territoire: str
    vue: int
    url: str = ""
    changements: list = field(default_factory=list)
    jamais_validee: bool = False
    passages: list = field(default_factory=list)
    propre: bool = False
    """Never sent back, nothing changed under it, its entité active: it may be validated with others, unopened."""
    repertoire: str = ""
    """What the State's register says of its entité, when it is closed or unknown there."""

    @property
    def choix(self) -> str:
        return f"{self.genre}-{self.cle}-{self.vue}"

    @property
    def age(self) -> int:
        return (timezone.localdate() - timezone.localdate(self.depuis)).days

    @property
    def nature(self) -> str:
        return {"entites": "Entité", "dispositifs": "Dispositif", "propositions": "Changement proposé"}[self.genre]


@writes(Droit.OFFRE_PREVALIDER, Droit.OFFRE_VALIDER)
def a_valider(request):
    """What waits for this validator, oldest first; the clean lines can be passed on together."""
    validates = request.may(Droit.OFFRE_VALIDER)
    action = "valider" if validates else "prevalider"
    statut = Statut.PREVALIDE if validates else Statut.SOUMIS
    genre = request.GET.get("genre", "")
    genre = genre if genre in GENRES else ""
    refus = ""
    if request.method == "POST":
        try:
            done = move_many(auteur=request.habilitation, objets=_chosen(request), action=action)
        except Refusal as refusal:
            refus = str(refusal)
        else:
            messages.success(request, f"{counted(done, 'ligne validée' if validates else 'ligne pré-validée')}.")
            return redirect("offre:a_valider")
    page = Paginator(file_attente(request.perimetre, statut, genre), PAR_PAGE).get_page(request.GET.get("page"))
    lignes = _unfolded([Ligne(**row) for row in page])
    for ligne in lignes:
        ligne.passages = _decisions(ligne, statut, request.habilitation.droits)
    context = {
        "page": page,
        "lignes": lignes,
        "genre": genre,
        "genres": [
            ("", "Tout"),
            ("entites", "Entités"),
            ("dispositifs", "Dispositifs"),
            ("propositions", "Changements"),
        ],
        "valide": validates,
        "refus": refus,
    }
    return render(request, "offre/a_valider.html", context)


def _decisions(ligne: Ligne, statut: str, droits) -> list[dict]:
    """What can be decided on a line, with its address."""
    proposed = ligne.genre == "propositions"
    return [
        {
            "libelle": passage.libelle,
            "motif": passage.motif,
            "remarques": passage.remarques,
            "url": (
                reverse("offre:passer_proposition", args=[ligne.cle, passage.action])
                if proposed
                else reverse("offre:passer", args=[ligne.genre, ligne.cle, passage.action])
            ),
        }
        for passage in passages(statut, droits, proposition=proposed)
        if passage.action != "retirer"
    ]


def _chosen(request) -> list[tuple]:
    """The lines that were ticked, at the version that was on the page. One that is not seen refuses them all."""
    wanted: dict[str, dict[int, int]] = {nom: {} for nom in GENRES}
    for choice in request.POST.getlist("choix"):
        nom, _, rest = choice.partition("-")
        key, version = map(number_in, rest.partition("-")[::2])
        if nom not in GENRES or None in (key, version):
            raise Refusal("Cette liste n'est plus à jour : relisez-la, puis recommencez. Rien n'a été validé.")
        wanted[nom][key] = version
    chosen = []
    for nom, versions in wanted.items():
        rows = GENRES[nom].objects.visible_to(request.perimetre)
        rows = rows.with_fiche() if nom == "propositions" else rows
        objets = rows.in_bulk(versions) if versions else {}
        if set(objets) != set(versions):
            raise Refusal("Cette liste n'est plus à jour : relisez-la, puis recommencez. Rien n'a été validé.")
        chosen += [(objet, versions[key]) for key, objet in objets.items()]
    if not chosen:
        raise Refusal("Cochez au moins une ligne.")
    return chosen


def _unfolded(lignes: list[Ligne]) -> list[Ligne]:
    """Give each line what changed since the last validation. The number of queries does not depend on the lines."""
    listes = Listes()
    affichage = Affichage(listes=listes)
    by_genre = {nom: [ligne for ligne in lignes if ligne.genre == nom] for nom in GENRES}
    propositions = Proposition.objects.with_fiche().in_bulk([ligne.cle for ligne in by_genre["propositions"]])
    proposed = {Rattachement: set(), Dispositif: set()}
    for proposition in propositions.values():
        proposed[type(proposition.fiche)].add(proposition.fiche.pk)
    tables = {Rattachement: TABLE_ENTITES, Dispositif: TABLE_DISPOSITIFS}
    fiches: dict = {}
    for model, nom in ((Rattachement, "entites"), (Dispositif, "dispositifs")):
        ids = proposed[model] | {ligne.cle for ligne in by_genre[nom]}
        known = fiches_by_id(tables[model], ids, listes) if ids else {}
        fiches |= {(model, key): fiche for key, fiche in known.items()}
    steps = _steps([ligne.cle for ligne in by_genre["entites"]], [ligne.cle for ligne in by_genre["dispositifs"]])
    returned = _returned(propositions)
    pairs: dict[str, dict] = {}
    for ligne in lignes:
        if ligne.genre == "propositions":
            proposition = propositions[ligne.cle]
            fiche: Fiche = fiches[type(proposition.fiche), proposition.fiche.pk]
            pairs[ligne.choix] = {key: [fiche.values.get(key), new] for key, new in proposition.apres.items()}
            ligne.propre = fiche.version == proposition.version and ligne.cle not in returned
            ligne.url = reverse("offre:proposition", args=[ligne.cle])
        else:
            model = GENRES[ligne.genre]
            since = steps[model][ligne.cle]
            ligne.jamais_validee = any(step.de == "" for step in since) or not since
            values = fiches[model, ligne.cle].values
            pairs[ligne.choix] = (
                {key: [None, value] for key, value in values.items() if value not in (None, "", [])}
                if ligne.jamais_validee
                else _summed(since)
            )
            ligne.propre = not any(step.vers == Statut.A_CORRIGER for step in since)
            ligne.url = reverse("offre:fiche", args=[ligne.genre, ligne.cle])
    affichage.learn({key: pair[side] for key, pair in one.items()} for one in pairs.values() for side in (0, 1))
    anomalies = FicheSirene.objects.anomalies({fiche.values["siren"] for fiche in fiches.values()})
    for ligne in lignes:
        objet = propositions[ligne.cle].fiche if ligne.genre == "propositions" else None
        fiche = fiches[(type(objet), objet.pk) if objet else (GENRES[ligne.genre], ligne.cle)]
        ligne.repertoire = anomalies.get(fiche.values["siren"], "")
        ligne.propre = ligne.propre and not ligne.repertoire
        sheet = tables[type(objet) if objet else GENRES[ligne.genre]].sheet
        known = {key: pair for key, pair in pairs[ligne.choix].items() if key in sheet.by_key or key == "siren"}
        ligne.changements = affichage.changements(sheet, known)
    return lignes


def _steps(entites: list[int], dispositifs: list[int]) -> dict:
    """The steps of these fiches since their last validation, oldest first."""
    found: dict = {Rattachement: {key: [] for key in entites}, Dispositif: {key: [] for key in dispositifs}}
    for model, nom in ((Rattachement, "rattachement"), (Dispositif, "dispositif")):
        if not found[model]:
            continue
        own = Transition.objects.filter(Q(**{f"{nom}__in": list(found[model])}), proposition__isnull=True)
        for step in own.since_validation(nom).order_by("pk"):
            found[model][getattr(step, f"{nom}_id")].append(step)
    return found


def _summed(steps: list[Transition]) -> dict[str, list]:
    """One change per field out of several: the value before the first, the value after the last."""
    summed: dict[str, list] = {}
    for step in steps:
        for key, (before, after) in step.changements.items():
            summed[key] = [summed[key][0] if key in summed else before, after]
    return {key: pair for key, pair in summed.items() if pair[0] != pair[1] and key != "statut"}


def _returned(propositions) -> set[int]:
    """Those that were sent back at least once."""
    sent_back = Transition.objects.filter(proposition__in=list(propositions), vers=Statut.A_CORRIGER)
    return set(sent_back.order_by().values_list("proposition", flat=True).distinct())
