"""Tokens: given once, checked and counted in one statement at each request."""

import base64
import functools
import hashlib

from django.contrib.auth.decorators import login_not_required
from django.db import connection, transaction
from django.http import HttpResponseNotAllowed, JsonResponse
from django.utils import timezone

from comptes.journal import journalise
from comptes.models import Habilitation
from comptes.models.journal import ACTIONS
from comptes.saisies import REMONTRE, derived
from offre.models import JetonOuverture
from siao.socle.database import refusing
from siao.socle.http import PUBLIC, reads
from siao.socle.refusal import Refusal

ACTIONS.update(
    {
        "offre.donner_jeton": "Jeton des données ouvertes donné",
        "offre.retirer_jeton": "Jeton des données ouvertes retiré",
    }
)

JETON = "jeton"
"""In place of a right: who asks is known by a token."""
PREFIXE = "siao_"
"""So that a secret that leaks is recognised by who looks for secrets."""


@transaction.atomic
def give(*, auteur: Habilitation, structure: str, courriel: str, formulaire: str) -> tuple[JetonOuverture, str]:
    """Create the token of a structure; the secret returned here is written nowhere.

    It is derived from ``formulaire``, the key of the form that asks for it: the same form sent again finds the token
    that it has given, and its secret, without either being kept.
    """
    code = derived("offre.ouverture.jetons", formulaire, structure, courriel)
    secret = PREFIXE + base64.urlsafe_b64encode(code).decode().rstrip("=")
    if given := JetonOuverture.objects.filter(empreinte=_hash(secret)).first():
        if given.retire_le or given.cree_le < timezone.now() - REMONTRE:
            raise Refusal(
                "Ce formulaire a déjà donné un jeton, qui n'est plus montré. S'il est perdu, retirez-le ; puis "
                "rechargez la page pour en donner un autre."
            )
        return given, secret
    with refusing():
        jeton = JetonOuverture.objects.create(
            structure=structure,
            courriel=courriel,
            empreinte=_hash(secret),
            debut=secret[len(PREFIXE) :][:6],
            cree_par=auteur.utilisateur,
        )
    journalise(action="offre.donner_jeton", utilisateur=auteur.utilisateur, habilitation=auteur, objet=jeton)
    return jeton, secret


@transaction.atomic
def withdraw(*, auteur: Habilitation, jeton: JetonOuverture) -> None:
    if JetonOuverture.objects.filter(pk=jeton.pk, retire_le__isnull=True).update(retire_le=timezone.now()):
        journalise(action="offre.retirer_jeton", utilisateur=auteur.utilisateur, habilitation=auteur, objet=jeton)


def reads_by_token(view):
    """Declare a page that programs read with ``Authorization: Bearer …``; 401 without, 429 too often."""
    read = reads(PUBLIC)(view)

    @functools.wraps(view)
    def guarded(request, *args, **kwargs):
        if request.method not in read.methods:
            return HttpResponseNotAllowed(read.methods)
        return _refused(request) or read(request, *args, **kwargs)

    guarded.rights, guarded.methods, guarded.journal = (JETON,), read.methods, ""
    return login_not_required(guarded)


def _refused(request) -> JsonResponse | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    used = _use(secret.strip()) if scheme.lower() == "bearer" and secret.strip() else None
    if used is None:
        answer = _error(401, "Il faut un jeton en cours de validité : Authorization: Bearer siao_…")
        answer["WWW-Authenticate"] = 'Bearer realm="offre"'
        return answer
    count, limit = used
    if count > limit:
        answer = _error(429, f"Plus de {limit} requêtes dans la minute : recommencez à la minute suivante.")
        answer["Retry-After"] = str(60 - timezone.now().second)
        return answer
    return None


def _use(secret: str) -> tuple[int, int] | None:
    """Count one request of ``secret``: how many in this minute, and how many it may. None for an unknown secret."""
    minute = timezone.now().replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {JetonOuverture._meta.db_table} "  # noqa: S608
            "SET nombre = CASE WHEN minute = %(minute)s THEN nombre + 1 ELSE 1 END, minute = %(minute)s "
            "WHERE empreinte = %(hash)s AND retire_le IS NULL RETURNING nombre, par_minute",
            {"minute": minute, "hash": _hash(secret)},
        )
        return cursor.fetchone()


def _error(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"erreur": sentence}, status=status, json_dumps_params={"ensure_ascii": False})


def _hash(secret: str) -> str:
    # 256 bits that the key of the site alone can compute: nothing to guess, so nothing to slow down.
    return hashlib.sha256(secret.encode()).hexdigest()
