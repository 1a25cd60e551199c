"""Workbooks of any size, and the whole offre in a form that can be compared."""

import datetime
import io
from functools import cache

from django.db.models import F, Value
from django.db.models.functions import Concat

from offre.colonnes.declaration import FINANCEMENTS
from offre.colonnes.listes import Listes
from offre.models import Dispositif, DispositifSpecificite, Entite, Financement, Rattachement
from offre.temps1.modele import write_xlsx
from offre.temps1.synthese import invented_rows
from tests.classeurs import departement as _departement


def classeur_invente(departement: str = "44", seed: int = 0, *, entites=3, dispositifs=4, financements=4) -> bytes:
    """A workbook without error, with one warning (a blank row): the same arguments always give the same bytes."""
    return _classeur(departement, seed, entites, dispositifs, financements)


@cache
def _classeur(departement, seed, entites, dispositifs, financements) -> bytes:
    listes, stream = Listes(), io.BytesIO()
    sizes = {"entites": entites, "dispositifs": dispositifs, "financements": financements}
    rows = dict(invented_rows(_departement(departement), listes, seed=seed, **sizes))
    *first, (number, last) = rows[FINANCEMENTS.name]
    rows[FINANCEMENTS.name] = [*first, (number + 1, last)]
    write_xlsx(stream, listes, rows=rows)
    return stream.getvalue()


_OWN = {"id", "cree_le", "cree_par", "modifie_le", "modifie_par", "statut_depuis", "entite", "dispositif"}


def inventaire(*, versions: bool = True) -> dict[str, list]:
    """The whole offre without its primary keys, authors and times: equal when two bases say the same.

    With ``versions``, also equal in the number of times that each fiche was written.
    """
    hidden = _OWN if versions else _OWN | {"version"}
    dispositif = Concat("dispositif__departement", Value(" "), "dispositif__nom")
    return {
        "entites": sorted(Entite.objects.values_list("siren", flat=True)),
        "rattachements": _rows(Rattachement, hidden, entite_siren=F("entite__siren")),
        "dispositifs": _rows(Dispositif, hidden, entite_siren=F("entite__siren")),
        "publics": sorted(Dispositif.objects.values_list("departement", "nom", "publics")),
        "specificites": _rows(DispositifSpecificite, hidden, nom_dispositif=dispositif),
        "financements": _rows(Financement, hidden, nom_dispositif=dispositif),
    }


def _rows(model, hidden: set[str], **parents) -> list:
    columns = [f.name for f in model._meta.concrete_fields if f.name not in hidden]
    rows = model.objects.annotate(**parents).values_list(*parents, *columns)
    return sorted([tuple(str(_day(value)) for value in row) for row in rows])


def _day(value):
    """The day of an import is not the same for a run that passes midnight."""
    recent = isinstance(value, datetime.date) and abs(value - datetime.date.today()).days < 3  # noqa: DTZ011
    return "aujourd'hui" if recent else value
