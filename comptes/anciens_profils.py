"""Turning the accounts of the 14 old profils into habilitations.

``fixtures/profils_anciens.csv`` says which new profil takes over from each. What it cannot say, because the old system
did not know it (which SIAO of the département, which entité, which dispositif), is asked of a person: the line is
reported, nothing is guessed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from comptes.actions import create_habilitation
from comptes.droits import Niveau, Profil
from comptes.historique import acting
from comptes.journal import journalise
from comptes.models import Departement, Siao, Utilisateur
from siao.socle.fixtures import rows
from siao.socle.text import fold

COLONNES = ("courriel", "nom", "prenom", "ancien_profil", "departement", "structure")

Recherche = Callable[[Niveau, str, str], Sequence]
"""Level, département and name → the entités (in that département) or dispositifs that have this name."""


@dataclass(frozen=True)
class Compte:
    """One line of the file and what becomes of it: a habilitation, or the choice that a person has to make."""

    ligne: int
    courriel: str
    nom: str
    prenom: str
    profil: Profil | None = None
    territoire: object = None
    objets: tuple = ()
    a_choisir: str = ""


def plan(lines: Iterable[dict[str, str]], chercher: Recherche) -> list[Compte]:
    """What to make of each line of the file, the first being line 2 (line 1 holds the titles)."""
    crosswalk = {fold(row["ancien_profil"]): Profil(row["nouveau_profil_propose"]) for row in rows("profils_anciens")}
    return [
        _decided(number, {key: (line.get(key) or "").strip() for key in COLONNES}, crosswalk, chercher)
        for number, line in enumerate(lines, start=2)
    ]


def _decided(number: int, line: dict[str, str], crosswalk: dict[str, Profil], chercher: Recherche) -> Compte:
    person = {"ligne": number, "courriel": line["courriel"].lower(), "nom": line["nom"], "prenom": line["prenom"]}
    utilisateur = Utilisateur(**{name: person[name] for name in ("courriel", "nom", "prenom")})
    try:
        utilisateur.clean_fields(exclude=["password"])
    except ValidationError as error:
        if "courriel" in error.message_dict:
            return Compte(**person, a_choisir=f"adresse « {line['courriel']} » incomplète : retrouver la bonne")
        return Compte(**person, a_choisir=_in_words(error))
    if Utilisateur.objects.filter(courriel=person["courriel"], is_active=False).exists():
        return Compte(**person, a_choisir="compte désactivé : le réactiver d'abord, ou le laisser")
    profil = crosswalk.get(fold(line["ancien_profil"]))
    if profil is None:
        return Compte(**person, a_choisir=f"ancien profil « {line['ancien_profil']} » inconnu : choisir le nouveau")
    try:
        where = _perimetre(profil, line, chercher)
    except _ToChoose as choice:
        return Compte(**person, profil=profil, a_choisir=str(choice))
    compte = Compte(**person, profil=profil, **where)
    # Whoever works here already is given nothing by a file, which anybody may have written a line of.
    known = Utilisateur.objects.filter(courriel=person["courriel"], last_login__isnull=False).first()
    if known and not _already_there(known, compte):
        return Compte(
            **person, profil=profil, a_choisir="compte déjà utilisé : son administrateur donne l'habilitation"
        )
    return compte


def _in_words(error: ValidationError) -> str:
    """« nom : Assurez-vous que… »."""
    return " ; ".join(
        f"{Utilisateur._meta.get_field(name).verbose_name} : {' '.join(sentences)}"
        for name, sentences in error.message_dict.items()
    )


class _ToChoose(Exception):
    """What a person has to choose."""


def _perimetre(profil: Profil, line: dict[str, str], chercher: Recherche) -> dict:
    niveau = profil.niveaux[-1]
    if niveau == Niveau.NATIONAL:
        return {}
    departement = Departement.objects.filter(code=line["departement"].upper()).first()
    if departement is None:
        raise _ToChoose(f"département « {line['departement']} » inconnu : le donner par son code")
    if niveau == Niveau.SIAO:
        siaos = list(Siao.objects.filter(departement=departement))
        if len(siaos) != 1:
            raise _ToChoose(f"{len(siaos)} SIAO dans le département {departement.code} : choisir")
        return {"territoire": siaos[0]}
    if niveau == Niveau.DEPARTEMENT:
        return {"territoire": departement}
    found = chercher(niveau, departement.code, line["structure"]) if line["structure"] else []
    if len(found) != 1:
        what = "entités nommées" if niveau == Niveau.ENTITE else "dispositifs nommés"
        raise _ToChoose(f"{len(found)} {what} « {line['structure']} » dans le {departement.code} : choisir")
    return {"objets": tuple(found)}


@transaction.atomic
def carry_out(comptes: Iterable[Compte]) -> dict[str, int]:
    """Create the accounts and habilitations that need no choice; those that exist are left as they are.

    Nobody is sent anything: the accounts have no password yet, their administrators invite them from the list.
    """
    done = {"comptes": 0, "habilitations": 0, "deja_la": 0}
    with acting(utilisateur=None, travail="migrer_profils"):
        for compte in comptes:
            if compte.a_choisir:
                continue
            utilisateur = Utilisateur.objects.filter(courriel=compte.courriel).first()
            if utilisateur is None:
                utilisateur = Utilisateur.objects.create_user(compte.courriel, prenom=compte.prenom, nom=compte.nom)
                done["comptes"] += 1
            if _already_there(utilisateur, compte):
                done["deja_la"] += 1
                continue
            habilitation = create_habilitation(
                utilisateur=utilisateur, profil=compte.profil, territoire=compte.territoire, objets=compte.objets
            )
            journalise(action="comptes.migrer", objet=habilitation)
            done["habilitations"] += 1
    return done


def _already_there(utilisateur: Utilisateur, compte: Compte) -> bool:
    current = utilisateur.habilitations.current().filter(profil=compte.profil).with_octrois()
    wanted = {(type(objet), objet.pk) for objet in compte.objets}
    return any(
        habilitation.territoire == compte.territoire
        and {(type(octroi.content_object), octroi.content_object.pk) for octroi in habilitation.octrois.all()} == wanted
        for habilitation in current
    )
