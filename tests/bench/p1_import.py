"""P1: a Temps 1 workbook of 10 000 rows, from its bytes to the database.

The peer is django-import-export, used as its documentation says: one resource per table, ``import_data`` on the same
rows with the same columns and its default settings, file already read for it. The limit is the reading of the cells
and the COPY of the same rows in the same tables with the same constraints: what nobody can avoid.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import tablib
from django.core.files import File
from django.db import connection, transaction
from import_export import fields, resources, widgets

from comptes.models import Departement, Habilitation, Utilisateur
from offre.actions.imports import deposit, request_import
from offre.colonnes.listes import Listes
from offre.models import (
    Composition,
    Dispositif,
    DispositifSpecificite,
    Entite,
    Financement,
    Import,
    Rattachement,
    SpecificitePublic,
)
from offre.temps1 import travaux
from offre.temps1.lecture import Lecture, read_file
from offre.temps1.modele import write_xlsx
from offre.temps1.synthese import invented_rows
from siao.socle.workbook.sandbox import read_workbook
from tests.bench.mesures import Measure, alternate, peak_mb
from tests.comptes.fabrique import make_utilisateur

SIZES = {"entites": 500, "dispositifs": 4_500, "financements": 5_000}
FILE = Path(tempfile.gettempdir()) / "siao-bench-p1.xlsx"


def measure(runs: int) -> Iterator[Measure]:
    departement, listes = Departement.objects.get(code="44"), Listes()
    with FILE.open("wb") as stream:
        write_xlsx(stream, listes, rows=invented_rows(departement, listes, **SIZES))
    auteur = make_utilisateur()
    lecture = read_file(FILE, departement)
    assert not lecture.errors
    datasets, dumps = _datasets(lecture), _dump(auteur)
    sides = {
        "siao": lambda: import_once(auteur),
        "pair": lambda: _import_with_peer(datasets),
        "limite": lambda: _limit(dumps),
    }
    seconds = alternate(sides, before=empty, runs=runs)
    empty()
    memory = peak_mb("tests.bench.p1_import")
    empty()
    FILE.unlink()
    yield Measure(
        "P1",
        "import d'un classeur de 10 000 lignes : lire, vérifier, comparer, écrire",
        seconds,
        goals={"pair": 10, "limite": 4},
        memory_mb=memory,
        memory_goal_mb=350,
        notes=["mémoire : pointe du processus et de son enfant confiné, ensemble"],
    )


def import_once(auteur: Utilisateur) -> None:
    """The jobs of a real import, in this process."""
    habilitation = Habilitation.objects.get(utilisateur=auteur)
    with FILE.open("rb") as stream:
        depot = deposit(
            auteur=habilitation,
            territoire=Departement.objects.get(code="44"),
            fichier=File(stream),
            nom="classeur.xlsx",
        )
    travaux.read(depot.travail.pk)
    request_import(auteur=habilitation, travail=depot.travail)
    travaux.apply(depot.travail.pk)
    assert Import.objects.get().etat == "IMPORTE"


def empty() -> None:
    """The same start for each side: no offre."""
    for travail in Import.objects.all():
        travail.fichier.delete(save=False)
    tables = [Entite, Rattachement, Dispositif, Financement, Import]
    names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} CASCADE")


def _dump(auteur: Utilisateur) -> list[tuple[str, bytes]]:
    """What an import leaves in each table, as PostgreSQL gives it: (command to put it back, bytes)."""
    empty()
    import_once(auteur)
    tables = (Entite, Rattachement, Dispositif, Dispositif.publics.through, DispositifSpecificite, Financement)
    dumps = []
    with connection.cursor() as cursor:
        for model in tables:
            names = ", ".join(field.column for field in model._meta.concrete_fields if not field.generated)
            with cursor.copy(f"COPY (SELECT {names} FROM {model._meta.db_table}) TO STDOUT") as copy:
                dumps.append((f"COPY {model._meta.db_table} ({names}) FROM STDIN", b"".join(copy)))
    return dumps


def _limit(dumps: list[tuple[str, bytes]]) -> None:
    """Reading the cells, and COPY of rows that are already checked and written."""
    read_workbook(FILE)
    with transaction.atomic(), connection.cursor() as cursor:
        for command, rows in dumps:
            with cursor.copy(command) as copy:
                copy.write(rows)


# --- The peer -----------------------------------------------------------------------------------------------------


class EntiteResource(resources.ModelResource):
    class Meta:
        model = Entite
        fields = ("siren",)
        import_id_fields = ("siren",)


class RattachementResource(resources.ModelResource):
    entite = fields.Field("entite", "entite", widgets.ForeignKeyWidget(Entite, "siren"))

    class Meta:
        model = Rattachement
        fields = ("entite", "departement", "nom", "telephone", "courriel", "convention", "idcc", "statut")
        import_id_fields = ("entite", "departement")


class DispositifResource(resources.ModelResource):
    entite = fields.Field("entite", "entite", widgets.ForeignKeyWidget(Entite, "siren"))
    publics = fields.Field("publics", "publics", widgets.ManyToManyWidget(Composition, ";", "code"))
    specificites = fields.Field(
        "specificites", "specificites", widgets.ManyToManyWidget(SpecificitePublic, ";", "code")
    )

    class Meta:
        model = Dispositif
        import_id_fields = ("departement", "nom")
        exclude = ("id", "version", "cree_le", "cree_par", "modifie_le", "modifie_par", "nom_cle")


class FinancementResource(resources.ModelResource):
    dispositif = fields.Field("dispositif", "dispositif", widgets.ForeignKeyWidget(Dispositif, "nom_cle"))

    class Meta:
        model = Financement
        import_id_fields = ("dispositif", "ligne", "reference_acte", "date_debut")
        exclude = ("id", "version", "cree_le", "cree_par", "modifie_le", "modifie_par")


def _datasets(lecture: Lecture) -> list[tuple[resources.ModelResource, tablib.Dataset]]:
    entites = list(lecture.rows["Entités"].values())
    dispositifs = [
        {**row, "entite": row["siren"]} | {key: ";".join(row[key]) for key in ("publics", "specificites")}
        for row in lecture.rows["Dispositifs"].values()
    ]
    for row in dispositifs:
        row["prestations"] = ",".join(row["prestations"])
    financements = [
        {**row, "dispositif": row["dispositif"].partition("|")[2]} for row in lecture.rows["Financement"].values()
    ]
    return [
        (EntiteResource(), _dataset([{"siren": row["siren"]} for row in entites])),
        (RattachementResource(), _dataset([{**row, "entite": row["siren"], "statut": "VALIDE"} for row in entites])),
        (DispositifResource(), _dataset([{**row, "statut": "VALIDE"} for row in dispositifs])),
        (FinancementResource(), _dataset(financements)),
    ]


def _dataset(rows: list[dict]) -> tablib.Dataset:
    dataset = tablib.Dataset(headers=list(rows[0]))
    for row in rows:
        dataset.append(["" if value is None else value for value in row.values()])
    return dataset


def _import_with_peer(datasets) -> None:
    for resource, dataset in datasets:
        result = resource.import_data(dataset, raise_errors=True)
        assert not result.has_errors()
    assert Financement.objects.count() == SIZES["financements"]


if __name__ == "__main__":
    import_once(Utilisateur.objects.latest("pk"))
