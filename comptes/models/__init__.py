from .alertes import Alerte, NatureAlerte
from .envois import Envoi
from .habilitations import Habilitation, Octroi, granted_models
from .journal import Chaine, EntreeJournal, Resultat, Sceau
from .liens import Lien, NatureLien
from .messages import Message, MessageMasque, NatureMessage
from .partages import Partage
from .sessions import Session
from .territoires import CodePostal, Commune, Departement, Region, Siao
from .utilisateurs import Utilisateur

__all__ = [
    "Alerte",
    "Chaine",
    "CodePostal",
    "Commune",
    "Departement",
    "EntreeJournal",
    "Envoi",
    "Habilitation",
    "Lien",
    "Message",
    "MessageMasque",
    "NatureAlerte",
    "NatureLien",
    "NatureMessage",
    "Octroi",
    "Partage",
    "Region",
    "Resultat",
    "Sceau",
    "Session",
    "Siao",
    "Utilisateur",
    "granted_models",
]
