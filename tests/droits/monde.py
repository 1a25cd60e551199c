"""A small country for the tests of rights: thirteen actors, and the same objects in five territories.

The actors work in Loire-Atlantique (44). Seen from there:

- ``mien``: 44, the entité and the dispositif that the actors of the family « Entité gestionnaire » hold;
- ``voisin``: 44, another entité;
- ``region``: Maine-et-Loire (49), same région;
- ``ailleurs``: Ille-et-Vilaine (35), another région;
- ``inconnu``: no such object.
"""

import datetime
import uuid
from dataclasses import dataclass, field

from django.core.files.base import ContentFile
from django.utils import timezone

from comptes.droits import Niveau, Profil
from comptes.models import Habilitation, Message, Utilisateur
from comptes.sessions import SessionStore
from offre.models import Dispositif, Financement, Proposition, Rattachement
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur
from tests.navigateur import Navigateur
from tests.offre.fabrique import (
    make_dispositif,
    make_financement,
    make_import,
    make_proposition,
    make_rattachement,
)

TERRITOIRES = {"mien": "44", "voisin": "44", "region": "49", "ailleurs": "35"}
INCONNU = 999_999_999

ACTEURS = (*Profil.values, "sans_habilitation", "visiteur", "desactive")


@dataclass
class Lieu:
    """What one territory holds."""

    code: str
    rattachement: Rattachement
    dispositif: Dispositif
    fvv: Dispositif
    """Of the same entité, at a confidential address."""
    financement: Financement
    proposition: Proposition
    compte: Utilisateur
    habilitation: Habilitation
    message: Message
    travail: object

    objets: dict = field(default_factory=dict)


class Monde:
    def __init__(self):
        self.lieux = {nom: self._lieu(nom, code) for nom, code in TERRITOIRES.items()}

    def _lieu(self, nom: str, code: str) -> Lieu:
        rattachement = make_rattachement(code, nom=f"Entité {nom}")
        dispositif = make_dispositif(rattachement, nom=f"Dispositif {nom}")
        fvv = make_dispositif(rattachement, nom=f"Refuge {nom}", adresse_confidentielle=True)
        financement = make_financement(dispositif, reference_acte=f"Acte {nom}")
        compte = make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif])
        proposition = make_proposition(dispositif, compte)
        now = timezone.now()
        message = Message.objects.create(
            nature="INFORMATION",
            titre=f"Message {nom}",
            texte="Texte",
            debut=now,
            fin=now + datetime.timedelta(days=1),
            departement_id=code,
            auteur=compte,
        )
        travail = make_import(code, compte, fichier=ContentFile(b"contenu", "classeur"))
        return Lieu(
            code,
            rattachement,
            dispositif,
            fvv,
            financement,
            proposition,
            compte,
            habilitation_of(compte),
            message,
            travail,
        )

    def acteur(self, nom: str) -> tuple[Utilisateur | None, Navigateur]:
        """The user and the browser of one of ``ACTEURS``."""
        if nom == "visiteur":
            return None, Navigateur()
        if nom == "sans_habilitation":
            utilisateur = make_utilisateur(None)
        elif nom == "desactive":
            utilisateur = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)
        else:
            utilisateur = make_utilisateur(nom, objets=self.held_by(Profil(nom)))
        client = client_of(utilisateur)
        if nom == "desactive":
            Utilisateur.objects.filter(pk=utilisateur.pk).update(is_active=False)
        return utilisateur, client

    def held_by(self, profil: Profil) -> list:
        mien = self.lieux["mien"]
        return {Niveau.ENTITE: [mien.rattachement], Niveau.DISPOSITIF: [mien.dispositif]}.get(profil.niveaux[0], [])


# --- What an address names --------------------------------------------------------------------------------------
# kind of object → (monde, user, territory) → arguments of the URL; the key "?" holds the query string.


def _key_of(attribute: str):
    def arguments(monde, utilisateur, territoire):
        return {"pk": getattr(monde.lieux[territoire], attribute).pk if territoire != "inconnu" else INCONNU}

    return arguments


def _model_of(label: str, attribute: str):
    def arguments(monde, utilisateur, territoire):
        return {"modele": label, **_key_of(attribute)(monde, utilisateur, territoire)}

    return arguments


def _session(monde, utilisateur, territoire):
    """``mien``: another session of the actor's; elsewhere, a session of the account that lives there."""
    if territoire == "inconnu" or utilisateur is None:
        return {"reference": uuid.UUID(int=0)}
    owner = utilisateur if territoire == "mien" else monde.lieux[territoire].compte
    store = SessionStore()
    reference = str(uuid.uuid4())
    opening = {"reference": reference, "le": timezone.now().isoformat(), "ip": None, "navigateur": ""}
    store.update({"_auth_user_id": str(owner.pk), "ouverture": opening})
    store.create()
    return {"reference": reference}


def _departement(monde, utilisateur, territoire):
    return {"?": {"departement": monde.lieux[territoire].code if territoire != "inconnu" else "99"}}


def _fiche(nom: str, attribute: str, **others):
    """A fiche of the offre, named by its kind and its key; ``others``: the step of the circuit."""

    def arguments(monde, utilisateur, territoire):
        return {"nom": nom, **_key_of(attribute)(monde, utilisateur, territoire), **others}

    return arguments


OBJETS = {
    "entité": _fiche("entites", "rattachement"),
    "dispositif": _fiche("dispositifs", "dispositif"),
    "financement": _fiche("financements", "financement"),
    "entité, dans son adresse": _key_of("rattachement"),
    "dispositif, dans son adresse": _key_of("dispositif"),
    "proposition": _key_of("proposition"),
    "liste": lambda monde, utilisateur, territoire: {"liste": "types"},
    "valeur": lambda monde, utilisateur, territoire: {"liste": "types", "code": "CHRS"},
    "liste de dispositifs": lambda monde, utilisateur, territoire: {"nom": "dispositifs"},
    **{
        f"{action} {nom}": _fiche(noms, attribute, action=action)
        for nom, noms, attribute in (
            ("une entité", "entites", "rattachement"),
            ("un dispositif", "dispositifs", "dispositif"),
        )
        for action in ("soumettre", "prevalider", "valider", "renvoyer", "fermer")
    },
    **{
        f"{action} une proposition": (
            lambda monde, utilisateur, territoire, action=action: {
                **_key_of("proposition")(monde, utilisateur, territoire),
                "action": action,
            }
        )
        for action in ("prevalider", "valider", "retirer")
    },
    "compte": _key_of("compte"),
    "habilitation": _key_of("habilitation"),
    "message": _key_of("message"),
    "import": _key_of("travail"),
    "session": _session,
    "departement": _departement,
    "trace d'un compte": _model_of("comptes.utilisateur", "compte"),
    "trace d'un message": _model_of("comptes.message", "message"),
    "lien": lambda monde, utilisateur, territoire: {"secret": "inconnu"},
}

# --- What is posted ---------------------------------------------------------------------------------------------
# Name of the URL → data of a POST that its page would accept. Missing: an empty form.

ENVOIS = {
    "modifier_compte": {"prenom": "Prénom", "nom": "Nom"},
    "mot_de_passe_oublie": {"courriel": "personne@test.example"},
}
