"""The browser of the tests: Django's client, which sends forms with the stamp that a page would have given them."""

from types import SimpleNamespace

from django.conf import settings
from django.test import Client

from comptes import saisies
from comptes.middleware import SESSION_KEY
from comptes.models import Habilitation, Utilisateur


class Navigateur(Client):
    def post(self, path, data=None, *args, **options):
        data = {} if data is None else data
        if isinstance(data, dict) and saisies.FIELD not in data and (stamp := self.stamp()):
            data = {saisies.FIELD: stamp, **data}  # first, as in the pages: what follows a huge file is dropped
        return super().post(path, data, *args, **options)

    def stamp(self) -> str:
        """A new stamp of the user who is logged in, under their active habilitation; empty for a visitor."""
        if settings.SESSION_COOKIE_NAME not in self.cookies:
            return ""  # asking for its session would open one
        session = self.session
        utilisateur = Utilisateur.objects.filter(pk=session.get("_auth_user_id")).first()
        return saisies.stamp(signed_in(utilisateur, session.get(SESSION_KEY))) if utilisateur else ""


def signed_in(utilisateur: Utilisateur, habilitation: int | None = None) -> SimpleNamespace:
    """What a stamp needs of a request: the user, under the habilitation they chose (primary key) or their first."""
    held = list(Habilitation.objects.of(utilisateur))
    active = next((h for h in held if h.pk == habilitation), held[0] if held else None)
    return SimpleNamespace(user=utilisateur, habilitation=active)
