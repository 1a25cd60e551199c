"""Persons who were ticked on a page and left its ménage, or were absorbed, before it was sent.

Whether it happens before the form is read or while it waits for a lock, its author reads the same sentence.
"""

from django.forms import Form
from django.urls import reverse

from menages.models import Menage, Personne
from menages.models.personnes import Regard
from menages.verrous import Fusionnee, Parties, check_open, check_present
from siao.socle.refusal import Refusal
from siao.socle.text import number_in
from situations.actions.saisie import MAXIMUM


def why_absent(form: Form, menage: Menage) -> Refusal | None:
    """Why persons ticked on ``form`` are not among its choices; it takes the place of the error of the field.

    Only those who were in ``menage`` are told of: the number of anybody else gives no name.
    """
    if not form.has_error("personnes", "invalid_choice"):
        return None
    ticked = map(number_in, form.data.getlist("personnes")[:MAXIMUM])
    keys = [key for key in ticked if key is not None]
    stayed = Personne.objects.filter(pk__in=menage.appartenances.filter(personne__in=keys).values("personne"))
    personnes = list(stayed.order_by("pk"))
    try:
        check_open(personnes)
        check_present(menage, personnes)
    except Refusal as refusal:
        del form.errors["personnes"]
        return refusal
    return None


def ways_on(request, refusal: Refusal) -> list[tuple[str, str]]:
    """Links to where the persons of ``refusal`` are now, for those whom the user may see there."""
    if isinstance(refusal, Fusionnee):
        keys = [refusal.maitre]
    elif isinstance(refusal, Parties):
        keys = refusal.personnes
    else:
        return []
    seen = Personne.objects.visible_to(request.perimetre).with_regard(request.habilitation)
    return [
        (
            "Ouvrir la fiche gardée" if isinstance(refusal, Fusionnee) else f"Ouvrir le dossier de {each.designation}",
            reverse("personne", args=[each.pk]),
        )
        for each in seen.exclude(regard=Regard.GELE).filter(pk__in=keys).order_by("pk")
    ]
