"""What people type about the offre: a workbook to deposit, a fiche to fill in, a search."""

from django import forms

from comptes.models import Commune
from offre.colonnes import regles
from offre.colonnes.communes import Communes
from offre.colonnes.controles import (
    CAPACITE,
    check_dispositif,
    check_entite,
    check_financement,
    check_sums,
    phone_region,
)
from offre.colonnes.declaration import DISPOSITIFS, ENTITES, FINANCEMENTS
from offre.colonnes.fiches import Fiche
from offre.colonnes.listes import ADMINISTERED, Garde, Listes
from offre.models import Dispositif, Entite, Financement, Rattachement
from offre.models.nomenclature import Categorie, Statut
from siao.socle.columns import OneOf, Row, Sheet
from siao.socle.columns.conditions import NoneOf
from siao.socle.columns.forms import SheetForm
from siao.socle.columns.types import Choice, MultiChoice
from siao.socle.forms import Formulaire
from siao.socle.text import fold


class DepotForm(Formulaire):
    """Which territory, which file. A territory outside the user's choices does not exist here."""

    territoire = forms.ChoiceField(
        label="Territoire décrit par le classeur",
        widget=forms.Select(attrs={"class": "fr-select"}),
        error_messages={"invalid_choice": "Choisissez un territoire de la liste."},
    )
    fichier = forms.FileField(
        label="Classeur à déposer",
        help_text="Classeur complet du modèle, en .xlsx ou en .ods, ou variante réduite aux entités (.ods). "
        "10 Mo au plus.",
        widget=forms.FileInput(attrs={"class": "fr-upload", "accept": ".xlsx,.ods"}),
        allow_empty_file=True,  # an empty file is read like the others: it is refused with its own sentence
        error_messages={"required": "Choisissez le fichier à déposer."},
    )

    def __init__(self, *args, territoires, **kwargs):
        super().__init__(*args, **kwargs)
        self.territoires = {f"{t._meta.model_name}-{t.pk}": t for t in territoires}
        self.fields["territoire"].choices = [(key, str(territoire)) for key, territoire in self.territoires.items()]

    def clean_territoire(self):
        return self.territoires[self.cleaned_data["territoire"]]


# --- Fiches -----------------------------------------------------------------------------------------------------


class FicheForm(SheetForm):
    """A fiche typed in the browser, with the columns, the checks and the words of the workbook.

    ``fiche``: what the database holds of it, None for a new one; ``proposees``: changes proposed to it, shown in place
    of its values; ``remarques``: {column: remark}, the only columns that are then open.
    """

    def __init__(
        self,
        data=None,
        *,
        departement,
        fiche: Fiche | None = None,
        proposees: dict | None = None,
        remarques: dict[str, str] | None = None,
        opened=None,
        unreadable=(),
        settled=(),
    ):
        self.departement, self.fiche = departement, fiche
        self.actuelles = dict(fiche.values) if fiche else {}
        values = {**self.actuelles, **(proposees or {})}
        self.remarques = remarques or {}
        if self.remarques:
            opened, unreadable = set(self.remarques), ()
        listes = Listes(_garde(self.sheet, values))
        super().__init__(
            data,
            lists=listes,
            values=self.readable(values),
            opened=opened,
            unreadable=unreadable,
            settled=settled,
            region=phone_region([departement.code]),
        )
        for key, text in self.remarques.items():
            if key in self.fields:
                self.fields[key].remarque = text
        self.version = fiche.version if fiche else 0

    def readable(self, values: dict) -> dict:
        """Canonical values in the words that a cell would have, where the two differ."""
        return values

    @property
    def canonical(self):
        return {**super().canonical, "departement": self.departement.code}

    @property
    def changements(self) -> dict[str, list]:
        """{key: [before, after]}: what differs from the database."""
        return {
            key: [self.actuelles[key], value]
            for key, value in self.canonical.items()
            if key in self.actuelles and self.actuelles[key] != value
        }


def _garde(sheet: Sheet, values: dict) -> Garde:
    """The values that the fiche already has can be kept, retired or not."""
    garde: dict[str, set] = {}
    for column in sheet.columns:
        if isinstance(column.type, Choice | MultiChoice) and column.type.values in ADMINISTERED:
            value = values.get(column.key) or ()
            garde.setdefault(column.type.values, set()).update([value] if isinstance(value, str) else value)
    return garde


class EntiteForm(FicheForm):
    sheet = ENTITES

    def __init__(self, data=None, **options):
        if options.get("fiche"):
            # The SIREN is the legal person itself: another SIREN is another entité.
            options["opened"] = [column.key for column in ENTITES.columns if column.key != "siren"]
        super().__init__(data, **options)

    def check(self, row, position):
        check_entite(row, position)
        others = Rattachement.objects.filter(departement=self.departement)
        if self.fiche:
            others = others.exclude(pk=self.fiche.id)
        if row.has("nom"):
            same = others.exclude(statut=Statut.FERME).filter(nom_cle=fold(row["nom"])).first()
            if same:
                position.report_at(
                    regles.NOM_EN_DOUBLE, row.number, "nom", other=f"celui d'une autre entité : « {same.nom} »"
                )
        if row.has("siren") and not self.fiche:
            same = others.filter(entite__siren=row["siren"]).first()
            if same:
                where = "celui d'une entité du département"
                position.report_at(regles.SIREN_EN_DOUBLE, row.number, "siren", other=f"{where} (« {same.nom} »)")
            elif Entite.objects.filter(siren=row["siren"]).exists():
                position.report_at(regles.SIREN_CONNU_AILLEURS, row.number, "siren", found=row["siren"])


class DispositifForm(FicheForm):
    """The category comes first: it opens its columns. ``rattachement``: the entité, in its département."""

    sheet = DISPOSITIFS
    categorie = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data=None, *, rattachement: Rattachement, categorie: str, **options):
        self.rattachement = rattachement
        opened = [column.key for column in DISPOSITIFS.columns if opened_by_category(column, categorie)]
        closed = [column.key for column in DISPOSITIFS.columns if column.key not in opened]
        super().__init__(
            data,
            departement=rattachement.departement,
            settled=[
                key for key in opened if getattr(DISPOSITIFS.by_key[key].opened_when, "column", "") == "categorie"
            ],
            **{"opened": set(opened) - {"categorie"}, "unreadable": closed, **options},
        )
        self.categorie_choisie = categorie
        if "type" in self.fields:
            labels = self.lists.grouped("types", self.values.get("type"))
            of_category = dict(labels)[Categorie(categorie).label]
            self.fields["type"].widget.choices = [("", "Choisir…"), *of_category]
        if self.remarques:
            del self.fields["categorie"]
        else:
            self.initial["categorie"] = categorie

    def readable(self, values):
        if not values:
            return values
        commune = Commune.objects.filter(pk=values["commune"]).values_list("nom", flat=True).first()
        return {**values, "commune": commune or ""}

    def _cell(self, column):
        if column.key == "entite":
            return self.rattachement.nom
        if column.key == "categorie":
            return Categorie(self.categorie_choisie).label
        return super()._cell(column)

    def check(self, row, position):
        row.values["siren"] = self.rattachement.entite.siren
        communes = Communes([row["code_postal"]] if row.has("code_postal") else [], self.departement)
        check_dispositif(row, position, listes=self.lists, communes=communes)
        if row.has("nom"):
            others = Dispositif.objects.filter(departement=self.departement, nom_cle=fold(row["nom"]))
            if self.fiche:
                others = others.exclude(pk=self.fiche.id)
            if same := others.first():
                position.report_at(
                    regles.NOM_EN_DOUBLE, row.number, "nom", other=f"celui d'un autre dispositif : « {same.nom} »"
                )

    @property
    def canonical(self):
        return {**super().canonical, "siren": self.rattachement.entite.siren}


def opened_by_category(column, categorie: str) -> bool:
    """Whether a column may be filled for this category, as far as the category alone decides."""
    condition = column.opened_when
    if isinstance(condition, OneOf | NoneOf) and condition.column == "categorie":
        return condition.holds({"categorie": categorie})
    if condition and condition.column == "contingent_prefectoral":
        return opened_by_category(DISPOSITIFS.by_key["contingent_prefectoral"], categorie)
    return True


class FinancementForm(FicheForm):
    sheet = FINANCEMENTS

    def __init__(self, data=None, *, dispositif: Dispositif, **options):
        self.dispositif = dispositif
        super().__init__(data, departement=dispositif.departement, **options)

    def _cell(self, column):
        return self.dispositif.nom if column.key == "dispositif" else super()._cell(column)

    def check(self, row, position):
        check_financement(row, position)
        if row.failed:
            return
        others = Financement.objects.filter(dispositif=self.dispositif)
        if self.fiche:
            others = others.exclude(pk=self.fiche.id)
        if others.filter(
            ligne=row["ligne"],
            precision_cle=fold(row["precision"]),
            reference_cle=fold(row["reference_acte"]),
            date_debut=row["date_debut"],
        ).exists():
            position.report_at(
                regles.FINANCEMENT_EN_DOUBLE, row.number, "ligne", other="Un autre financement du dispositif"
            )
        counted = Row(0, {key: getattr(self.dispositif, key) for key in ("categorie", *CAPACITE.values())})
        periods = [Row(-1 - number, _period(other)) for number, other in enumerate(others)]
        check_sums(counted, [*periods, row], position)


def _period(financement: Financement) -> dict:
    return {
        "unite": financement.unite,
        "quantite": financement.quantite,
        "date_debut": financement.date_debut.isoformat(),
        "date_fin": financement.date_fin.isoformat() if financement.date_fin else None,
    }
