"""What waits for those who validate: the queue, oldest first, and its counters on the home page."""

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Coalesce

from comptes.droits import Droit
from comptes.perimetres import Perimetre
from offre.models import Dispositif, Proposition, Rattachement
from offre.models.nomenclature import Statut
from siao.socle.attentes import Attente

GENRES = {"entites": Rattachement, "dispositifs": Dispositif, "propositions": Proposition}
"""What the queue holds, by the name that its addresses give it."""


def file_attente(perimetre: Perimetre, statut: str, genre: str = "") -> QuerySet:
    """(genre, key, label, since, département, version) of what waits at ``statut``, oldest first, in one query."""
    parts = [_rows(nom, perimetre, statut) for nom in ([genre] if genre else GENRES)]
    rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return rows.order_by("depuis", "genre", "cle")


def _rows(nom: str, perimetre: Perimetre, statut: str) -> QuerySet:
    proposed = nom == "propositions"
    rows = GENRES[nom].objects.visible_to(perimetre).filter(statut=statut).order_by()
    return rows.annotate(
        genre=Value(nom, CharField()),
        cle=F("pk"),
        libelle=Coalesce("rattachement__nom", "dispositif__nom") if proposed else F("nom"),
        depuis=F("statut_depuis"),
        territoire=(
            Coalesce("rattachement__departement", "dispositif__departement") if proposed else F("departement_id")
        ),
        vue=F("revision") if proposed else F("version"),
    ).values("genre", "cle", "libelle", "depuis", "territoire", "vue")


def _attente(nom: str, libelle: str, droit: str, statut: str) -> Attente:
    return Attente(
        libelle=libelle,
        droit=droit,
        lignes=lambda request: GENRES[nom].objects.visible_to(request.perimetre).filter(statut=statut),
        depuis="statut_depuis",
        page="offre:a_valider",
        parametres=f"genre={nom}",
    )


ATTENTES = tuple(
    _attente(nom, f"{libelle} {suite}", droit, statut)
    for droit, statut, suite in (
        (Droit.OFFRE_VALIDER, Statut.PREVALIDE, "à valider"),
        (Droit.OFFRE_PREVALIDER, Statut.SOUMIS, "à pré-valider"),
    )
    for nom, libelle in (
        ("entites", "entités"),
        ("dispositifs", "dispositifs"),
        ("propositions", "changements proposés"),
    )
) + tuple(
    Attente(
        libelle=f"{libelle} à corriger",
        droit=droit,
        lignes=lambda request, nom=nom: (
            GENRES[nom].objects.visible_to(request.perimetre).filter(statut=Statut.A_CORRIGER)
        ),
        depuis="statut_depuis",
        page=f"offre:{nom}",
        parametres=f"statut={Statut.A_CORRIGER}",
    )
    for droit in (Droit.OFFRE_SAISIR, Droit.OFFRE_PROPOSER)
    for nom, libelle in (("entites", "entités"), ("dispositifs", "dispositifs"))
)
