"""Finding a person, without letting anybody go through the country.

At least two criteria out of four (nom, prénom, date of birth, identifier); twenty results at most; sixty searches per
user in ten minutes. In the perimeter, fiches are shown; elsewhere, and for the SIAO alone, that a fiche exists and
nothing more, never for a protected person (docs/decisions/0022-recherche.md).
"""

import datetime
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Case, Exists, OuterRef, Q, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from comptes.alertes import alert
from comptes.droits import Famille
from comptes.models import Habilitation, NatureAlerte
from menages.doublons import POSSIBLE, PROBABLE, Identite, score, without_civility
from menages.models import Appartenance, Menage, Personne, Precision, Recherche, Regard
from siao.socle.refusal import Refusal
from siao.socle.text import fold

RESULTATS = 20
RECENTS = datetime.timedelta(days=30)
"""Dossiers of one's own SIAO opened since then are searched with one criterion: the call of yesterday."""
CANDIDATS = 300
"""Fiches elsewhere that are compared letter by letter, those with most keys in common first."""
ICI = 2_000
"""The same in the perimeter, where they are counted: past it, the page says « au moins »."""
FENETRE, LIMITE = datetime.timedelta(minutes=10), 60
AILLEURS = 88
"""Score from which a fiche of another perimeter is said to exist: a resemblance would tell too much."""


class TooMany(Refusal):
    """This user has searched too much for now (429)."""


@dataclass(frozen=True)
class Criteres:
    identite: Identite
    numero: str = ""
    """Number of a dossier (44-000123) or of a person (P-000123)."""

    @property
    def nombre(self) -> int:
        identite = self.identite
        return sum(map(bool, (identite.nom, identite.prenom, identite.date_naissance, self.numero)))

    @property
    def ecrits(self) -> dict[str, str]:
        """What was searched for, as it is written down for the data protection officer."""
        identite = self.identite
        written = {
            "nom": identite.nom,
            "prenom": identite.prenom,
            "date_naissance": identite.date_naissance.isoformat() if identite.date_naissance else "",
            "numero": self.numero,
        }
        return {name: _clean(value) for name, value in written.items() if value}


@dataclass(frozen=True)
class Trouvee:
    personne: Personne
    """With ``regard`` and ``menage``, her dossier of today."""
    score: int


@dataclass
class Trouvailles:
    ici: list[Trouvee] = field(default_factory=list)
    ailleurs: list[Personne] = field(default_factory=list)
    """Known elsewhere: pages only say whether there is one."""
    nombre: int = 0
    """How many of the perimeter look like it: ``ici`` has the first twenty."""
    au_moins: bool = False
    """There were too many to count them all."""
    recentes: bool = False
    """Looked for among the recent dossiers alone: there was one criterion."""
    recherche: int = 0
    """Key of the search: what a page carries instead of theirs."""


def look_for(
    *, auteur: Habilitation, criteres: list[Criteres], minimum: int = POSSIBLE, recents: bool = False
) -> list[Trouvailles]:
    """Look for several persons (one form, one search); write the search down. Raises ``TooMany``.

    A name alone finds, in the perimeter, the fiches that have this only name, and nothing elsewhere: pages that search
    ask for two criteria, those that create a fiche do not.
    """
    recent = Recherche.objects.filter(utilisateur=auteur.utilisateur_id, quand__gt=timezone.now() - FENETRE)
    if recent.count() >= LIMITE:
        alert(
            nature=NatureAlerte.RECHERCHES,
            utilisateur=auteur.utilisateur_id,
            habilitation=auteur.pk,
            jour=timezone.localdate(),
            nombre=LIMITE + 1,
        )
        raise TooMany(
            f"Plus de {LIMITE} recherches en dix minutes : la recherche s'arrête un moment. Votre administrateur en "
            "est averti ; réessayez dans dix minutes."
        )
    if recents:
        found = [_found_among_recent(auteur, each) for each in criteres]
    else:
        found = [_found(auteur, each, keys_of(each.identite, seuls=True), minimum) for each in criteres]
    recherche = Recherche.objects.create(
        utilisateur_id=auteur.utilisateur_id,
        habilitation=auteur,
        criteres=[each.ecrits for each in criteres],
        cles=sorted({key for each in criteres for key in _traces(each)}),
        ailleurs=[personne.pk for each in found for personne in each.ailleurs],
        nombre=sum(len(each.ici) for each in found),
    )
    for each in found:
        each.recherche = recherche.pk
    return found


def _traces(criteres: Criteres) -> Iterator[str]:
    """The keys under which a search is found again when whom it looked for is forgotten.

    Those of the identity and of the number; each word of one criterion alone: a number is often typed beside it.
    """
    yield from keys_of(criteres.identite)
    if criteres.numero:
        yield _trace_of(criteres.numero)
    if criteres.nombre - bool(criteres.numero) < 2:
        yield from itertools.chain.from_iterable(map(_words_of, criteres.ecrits.values()))


def _trace_of(numero: str) -> str:
    """P-000123, « p 123 » and 123 have the same."""
    return "n° " + "-".join(str(int(digits)) for digits in re.findall(r"[0-9]+", numero, re.ASCII))


def _words_of(value: str) -> list[str]:
    return [f"= {word}" for word in re.findall(r"\w+", fold(value))]


def searches_about(personnes: list[int]) -> Q:
    """Condition on the searches that look for these persons: by a number of theirs, or an identity they ever had.

    It holds when they and their histories are gone: everything is read now.
    """
    states = [*_states(Personne.objects.filter(pk__in=personnes))]
    states += _states(Personne.pgh_event_model.objects.filter(pgh_obj__in=personnes))
    names = {name for state in states for name in state[:2]}
    first_names = {prenom for _, _, prenom, _ in states}
    births = {birth for *_, birth in states}
    with connection.cursor() as cursor:
        # Each with each: who typed the old name knew perhaps the new date.
        cursor.execute(
            "SELECT DISTINCT cle FROM unnest(%s::text[]) n, unnest(%s::text[]) u, unnest(%s::text[]) p, "
            "unnest(%s::date[]) d, unnest(menages_cles(n, u, p, d)) AS cle",
            [[*names, ""], [*names, ""], [*first_names, ""], [*births, None]],
        )
        keys = {cle for (cle,) in cursor.fetchall()}
    values = {*names, *first_names, *(birth.isoformat() for birth in births if birth)}
    keys |= {word for value in values if value for word in _words_of(value)}
    keys |= {_trace_of(f"P-{pk}") for pk in personnes}
    stays = (Appartenance.objects.filter(personne__in=personnes), Appartenance.pgh_event_model.objects)
    menages = {pk for rows in stays for pk in rows.filter(personne__in=personnes).values_list("menage", flat=True)}
    dossiers = Menage.objects.filter(pk__in=menages).order_by().values_list("numero", flat=True)
    keys |= {_trace_of(numero) for numero in dossiers}
    return Q(cles__overlap=sorted(keys)) | Q(ailleurs__overlap=personnes)


def _states(rows) -> list[tuple]:
    return list(rows.order_by().values_list("nom", "nom_usage", "prenom", "date_naissance").distinct())


def look_among_recent(*, auteur: Habilitation, criteres: Criteres) -> Trouvailles:
    """Look for a person with one criterion, among the recent dossiers of the user's own SIAO. Raises ``TooMany``."""
    [found] = look_for(auteur=auteur, criteres=[criteres], recents=True)
    return found


def open_directly(numero: str, perimetre) -> Menage | None:
    """The dossier that ``numero`` names, of a ménage or of a person, when the perimeter sees it: not a search."""
    personnes = _numbered(numero)
    if personnes is None:
        return None
    menages = Menage.objects.visible_to(perimetre)
    if _is_dossier(numero):
        return menages.filter(numero=_plain(numero)).first()
    return menages.filter(
        appartenances__date_fin__isnull=True, appartenances__personne__in=personnes.actives().order_by()
    ).first()


def keys_of(identite: Identite, *, seuls: bool = False) -> list[str]:
    """The blocking keys of what is searched for, as the database computes them for what it stores.

    Those of every split of the names; ``seuls``: and of each name alone, since a fiche may have one only.
    """
    usage = without_civility(identite.nom_usage)
    read = [(nom, usage, prenom) for nom, prenom in identite.lectures]
    if seuls:
        read += [(alone, "", "") for alone in read[0] if alone]
    columns = [[_clean(names[place]) for names in read] for place in range(3)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(array_agg(DISTINCT cle), '{}')"
            " FROM unnest(%s::text[], %s::text[], %s::text[]) AS lu(nom, usage, prenom),"
            " unnest(menages_cles(lu.nom, lu.usage, lu.prenom, %s)) AS cle",
            [*columns, identite.date_naissance],
        )
        return cursor.fetchone()[0]


def _clean(text: str) -> str:
    return text.replace("\x00", "")[:100]


def _found(auteur: Habilitation, criteres: Criteres, keys: list[str], minimum: int) -> Trouvailles:
    if not keys and not criteres.numero:
        return Trouvailles()
    if criteres.numero:
        numbered = _numbered(criteres.numero)
        candidates = numbered if numbered is not None else Personne.objects.none()
    else:
        candidates = _candidates(keys)
    candidates = candidates.actives()
    here = list(_first(candidates.visible_to(auteur.perimetre).lisibles_pour(auteur), ICI))
    ranked = _ranked(here, criteres.identite, minimum)
    found = Trouvailles(ranked[:RESULTATS], nombre=len(ranked), au_moins=len(here) == ICI)
    _add_dossiers(found.ici)
    if auteur.famille == Famille.SIAO and criteres.nombre >= 2:
        seen = Personne.objects.visible_to(auteur.perimetre).filter(pk=OuterRef("pk"))
        elsewhere = _first(candidates.filter(protegee=False, gelee_le__isnull=True), CANDIDATS).with_regard(auteur)
        elsewhere = elsewhere.filter(~Exists(seen), regard=Regard.ENTIER)  # nor who lives with a protected person
        sure = _ranked(elsewhere, criteres.identite, AILLEURS)
        found.ailleurs = [trouvee.personne for trouvee in sure[:RESULTATS]]
    return found


def _found_among_recent(auteur: Habilitation, criteres: Criteres) -> Trouvailles:
    """Few enough to be compared without a key, those of the latest dossiers first."""
    dossiers = Menage.objects.filter(siao__in=auteur.perimetre.siaos, cree_le__gt=timezone.now() - RECENTS)
    stays = Appartenance.objects.current().filter(menage__in=dossiers.order_by()).order_by("-menage", "-pk")
    personnes = Personne.objects.actives().lisibles_pour(auteur).filter(pk__in=stays.values("personne")[:ICI])
    ranked = _ranked(personnes, criteres.identite, PROBABLE)
    found = Trouvailles(ranked[:RESULTATS], nombre=len(ranked), recentes=True)
    _add_dossiers(found.ici)
    return found


def _candidates(keys: list[str]):
    """Those who share a blocking key, with the very same words first, then with most keys in common."""
    if not keys:
        return Personne.objects.none()
    shared = sum(Case(When(cles__contains=[key], then=100 if key[0] == "=" else 1), default=0) for key in keys)
    return Personne.objects.filter(cles__overlap=keys).order_by(shared.desc(), "pk")


def _first(candidates, number: int):
    """The fiches that are worth comparing: what costs more is asked of these alone."""
    return Personne.objects.filter(pk__in=candidates.values("pk")[:number]).order_by("pk")


def _ranked(candidates, identite: Identite, minimum: int) -> list[Trouvee]:
    scored = [Trouvee(personne, score(identite, identite_of(personne))) for personne in candidates]
    kept = [trouvee for trouvee in scored if trouvee.score >= minimum]
    return sorted(kept, key=lambda trouvee: (-trouvee.score, trouvee.personne.pk))


def identite_of(personne: Personne) -> Identite:
    precision = personne.naissance_precision
    return Identite(
        personne.nom,
        personne.prenom,
        personne.nom_usage,
        personne.date_naissance,
        annee_seule=precision != Precision.JOUR,
        environ=precision == Precision.ENVIRON,
    )


def _add_dossiers(found: list[Trouvee]) -> None:
    current = Appartenance.objects.current().filter(personne__in=[trouvee.personne.pk for trouvee in found])
    menages = {a.personne_id: a.menage for a in current.select_related("menage__siao").order_by("pk")}
    for trouvee in found:
        trouvee.personne.menage = menages[trouvee.personne.pk]


# --- Identifiers ------------------------------------------------------------------------------------------------

_DOSSIER = re.compile(r"[0-9][0-9AB]?[0-9]?-[0-9]{1,12}", re.ASCII)
_PERSONNE = re.compile(r"P-?([0-9]{1,12})", re.ASCII)


def _plain(numero: str) -> str:
    return numero.strip().upper().replace(" ", "")


def _is_dossier(numero: str) -> bool:
    return bool(_DOSSIER.fullmatch(_plain(numero)))


def _numbered(numero: str):
    """The persons that an identifier names, None when it is not one."""
    plain = _plain(numero)
    if match := _PERSONNE.fullmatch(plain):
        # The number of an absorbed fiche, on a paper or in a mail, leads to the one that was kept.
        kept = Personne.objects.filter(pk=int(match[1])).order_by().values(gardee=Coalesce("fusionnee_dans", "pk"))
        return Personne.objects.filter(pk__in=kept).order_by("pk")
    if _is_dossier(numero):
        current = Appartenance.objects.current().filter(menage__numero=plain)
        return Personne.objects.filter(pk__in=current.order_by().values("personne")).order_by("pk")
    return None
