"""The administered lists: which they are, who uses their values, and their file (django-import-export).

A code never changes and is never given again: the code branches on some, and fiches keep them all.
"""

from dataclasses import dataclass

from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from import_export import fields, resources, widgets
from import_export.formats.base_formats import CSV

from offre.models import (
    Composition,
    ConventionCollective,
    Dispositif,
    DispositifSpecificite,
    Financement,
    LigneFinancement,
    Rattachement,
    SpecificitePublic,
    TypeDispositif,
)


@dataclass(frozen=True)
class Administree:
    """One list."""

    nom: str
    """In addresses."""
    model: type[Model]
    users: QuerySet
    """What uses its values."""
    lookup: str
    """Where these name the value."""
    propres: tuple[str, ...] = ()
    """Fields of its own, besides code, label and order."""

    @property
    def titre(self) -> str:
        text = str(self.model._meta.verbose_name_plural)
        return text[:1].upper() + text[1:]

    @property
    def champs(self) -> tuple[str, ...]:
        return ("code", "libelle", *self.propres, "ordre")

    def with_uses(self) -> QuerySet:
        """The values, each with how many fiches have it."""
        used = self.users.order_by().filter(**{self.lookup: OuterRef("pk")}).annotate(tout=Value(1)).values("tout")
        counted = Subquery(used.annotate(n=Count("pk")).values("n"))
        return self.model.objects.annotate(usages=Coalesce(counted, 0))

    def is_used(self, code: str) -> bool:
        return self.users.filter(Q(**{self.lookup: code})).exists()


LISTES = {
    liste.nom: liste
    for liste in (
        Administree("types", TypeDispositif, Dispositif.objects.all(), "type", ("categorie",)),
        Administree("compositions", Composition, Dispositif.publics.through.objects.all(), "composition"),
        Administree(
            "specificites",
            SpecificitePublic,
            DispositifSpecificite.objects.all(),
            "specificite",
            ("adresse_confidentielle",),
        ),
        Administree("lignes", LigneFinancement, Financement.objects.all(), "ligne", ("financeur", "programme_177")),
        Administree("conventions", ConventionCollective, Rattachement.objects.all(), "convention", ("idcc",)),
    )
}


# --- As a file --------------------------------------------------------------------------------------------------


class OuiNon(widgets.BooleanWidget):
    """Oui and non, as everywhere else."""

    def clean(self, value, row=None, **options):
        answer = {"oui": True, "non": False}.get(str(value or "").strip().lower())
        if answer is None:
            raise ValueError("Écrivez « oui » ou « non ».")
        return answer

    def render(self, value, obj=None, **options):
        return "oui" if value else "non"


def resource_of(liste: Administree) -> resources.ModelResource:
    """The file of a list: its values by code. What the file does not name is left alone; nothing is deleted."""
    attributes = {
        name: fields.Field(attribute=name, column_name=name, widget=OuiNon())
        for name in ("adresse_confidentielle", "programme_177")
        if name in liste.propres
    }

    class Meta:
        model = liste.model
        fields = liste.champs
        export_order = liste.champs
        import_id_fields = ("code",)
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        store_instance = True
        use_transactions = True

    def before_save_instance(self, instance, row, **options):
        instance.modifie_le = timezone.now()

    attributes |= {"Meta": Meta, "before_save_instance": before_save_instance}
    return type(f"{liste.model.__name__}Resource", (resources.ModelResource,), attributes)()


class Csv(CSV):
    """As French spreadsheets write it: semicolons, byte order mark."""

    def create_dataset(self, in_stream, **options):
        first = in_stream.split("\n", 1)[0]
        return super().create_dataset(in_stream, delimiter=";" if ";" in first else ",", **options)

    def export_data(self, dataset, **options):
        return "\ufeff" + super().export_data(dataset, delimiter=";", **options)
