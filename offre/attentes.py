"""What waits for whom in the offre: the queue of those who validate, the counters of the home page."""

from django.db.models import CharField, DateTimeField, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Greatest
from django.utils import timezone

from comptes.droits import Droit
from comptes.perimetres import Perimetre
from offre.models import Dispositif, FicheSirene, Place, Proposition, Rattachement
from offre.models.nomenclature import Statut
from offre.models.sirene import EtatSirene
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


def _attente(nom: str, libelle: str, singulier: str, droit: str, statut: str) -> Attente:
    return Attente(
        libelle=libelle,
        singulier=singulier,
        droit=droit,
        lignes=lambda request: GENRES[nom].objects.visible_to(request.perimetre).filter(statut=statut),
        depuis="statut_depuis",
        page="offre:a_valider",
        parametres=f"genre={nom}",
    )


_VALIDATION = tuple(
    _attente(nom, f"{libelle} {suite}", f"{singulier} {suite}", droit, statut)
    for droit, statut, suite in (
        (Droit.OFFRE_VALIDER, Statut.PREVALIDE, "à valider"),
        (Droit.OFFRE_PREVALIDER, Statut.SOUMIS, "à pré-valider"),
    )
    for nom, libelle, singulier in (
        ("entites", "entités", "entité"),
        ("dispositifs", "dispositifs", "dispositif"),
        ("propositions", "changements proposés", "changement proposé"),
    )
) + tuple(
    Attente(
        libelle=f"{libelle} à corriger",
        singulier=f"{singulier} à corriger",
        droit=droit,
        lignes=lambda request, nom=nom: (
            GENRES[nom].objects.visible_to(request.perimetre).filter(statut=Statut.A_CORRIGER)
        ),
        depuis="statut_depuis",
        page=f"offre:{nom}",
        parametres=f"statut={Statut.A_CORRIGER}",
    )
    for droit in (Droit.OFFRE_SAISIR, Droit.OFFRE_PROPOSER)
    for nom, libelle, singulier in (("entites", "entités", "entité"), ("dispositifs", "dispositifs", "dispositif"))
)


def _places_to_confirm(request):
    places = Place.objects.visible_to(request.perimetre).to_confirm(timezone.now())
    # One that nobody ever declared waits since it could be: it is open, and its group is typed here.
    opened = Cast("ouverte_le", DateTimeField())
    return places.annotate(attend_depuis=Coalesce("declare_le", Greatest(opened, "groupe__cree_le")))


def _closed_in_the_register(request):
    wrong = FicheSirene.objects.exclude(etat=EtatSirene.ACTIVE)
    open_here = Rattachement.objects.visible_to(request.perimetre).exclude(statut=Statut.FERME)
    # ``lue_le`` of the copy: since when we know.
    known = wrong.filter(siren=OuterRef("entite__siren"))
    return open_here.filter(entite__siren__in=wrong.values("siren")).annotate(
        attend_depuis=Subquery(known.values("lue_le"))
    )


ATTENTES = (
    *_VALIDATION,
    Attente(
        libelle="places à déclarer ou à confirmer (plus de 24 h)",
        singulier="place à déclarer ou à confirmer (plus de 24 h)",
        droit=Droit.PLACES_DISPONIBILITE,
        lignes=_places_to_confirm,
        depuis="attend_depuis",
        page="offre:places",
        parametres="etat=a_confirmer",
    ),
    Attente(
        libelle="entités fermées ou absentes au répertoire SIRENE",
        singulier="entité fermée ou absente au répertoire SIRENE",
        droit=Droit.OFFRE_SAISIR,
        lignes=_closed_in_the_register,
        depuis="attend_depuis",
        page="offre:repertoire",
        parametres="etat=anomalie",
    ),
)
