"""The active habilitation of each request: what the user may do (``may``) and which rows they see."""

from comptes.models import Habilitation
from comptes.perimetres import VIDE

SESSION_KEY = "habilitation"


def active_habilitation(get_response):
    """Set ``request.habilitation`` (or None), ``request.perimetre`` and ``request.may(droit)``.

    The choice is kept in the session and read again from the database at each request: a right that is taken away
    is gone on the next click. Without habilitation, nothing is permitted and nothing is seen.
    """

    def middleware(request):
        request.habilitation = _chosen(request) if request.user.is_authenticated else None
        request.perimetre = request.habilitation.perimetre if request.habilitation else VIDE
        droits = request.habilitation.droits if request.habilitation else frozenset()
        request.may = droits.__contains__
        return get_response(request)

    return middleware


def _chosen(request) -> Habilitation | None:
    habilitations = list(Habilitation.objects.of(request.user))
    request.habilitations = habilitations
    chosen = request.session.get(SESSION_KEY)
    return next((h for h in habilitations if h.pk == chosen), habilitations[0] if habilitations else None)
