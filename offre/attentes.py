"""What waits for those who declare places, and for those who keep the entités."""

from django.db.models import DateTimeField, OuterRef, Subquery
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from comptes.droits import Droit
from offre.models import FicheSirene, Place, Rattachement
from offre.models.nomenclature import Statut
from offre.models.sirene import EtatSirene
from siao.socle.attentes import Attente


def _places_to_confirm(request):
    places = Place.objects.visible_to(request.perimetre).to_confirm(timezone.now())
    # One that nobody ever declared waits since it opened.
    return places.annotate(attend_depuis=Coalesce("declare_le", Cast("ouverte_le", DateTimeField())))


def _closed_in_the_register(request):
    wrong = FicheSirene.objects.exclude(etat=EtatSirene.ACTIVE)
    open_here = Rattachement.objects.visible_to(request.perimetre).exclude(statut=Statut.FERME)
    # ``lue_le`` of the copy: since when we know.
    known = wrong.filter(siren=OuterRef("entite__siren"))
    return open_here.filter(entite__siren__in=wrong.values("siren")).annotate(
        attend_depuis=Subquery(known.values("lue_le"))
    )


ATTENTES = (
    Attente(
        libelle="places à déclarer ou à confirmer (plus de 24 h)",
        droit=Droit.PLACES_DISPONIBILITE,
        lignes=_places_to_confirm,
        depuis="attend_depuis",
        page="offre:places",
        parametres="etat=a_confirmer",
    ),
    Attente(
        libelle="entités fermées ou absentes au répertoire SIRENE",
        droit=Droit.OFFRE_SAISIR,
        lignes=_closed_in_the_register,
        depuis="attend_depuis",
        page="offre:repertoire",
        parametres="etat=anomalie",
    ),
)
