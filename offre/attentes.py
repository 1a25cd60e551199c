"""What waits for those who declare places."""

from django.db.models import DateTimeField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from comptes.droits import Droit
from offre.models import Place
from siao.socle.attentes import Attente


def _places_to_confirm(request):
    places = Place.objects.visible_to(request.perimetre).to_confirm(timezone.now())
    # One that nobody ever declared waits since it opened.
    return places.annotate(attend_depuis=Coalesce("declare_le", Cast("ouverte_le", DateTimeField())))


ATTENTES = (
    Attente(
        libelle="places à déclarer ou à confirmer (plus de 24 h)",
        droit=Droit.PLACES_DISPONIBILITE,
        lignes=_places_to_confirm,
        depuis="attend_depuis",
        page="offre:places",
        parametres="etat=a_confirmer",
    ),
)
