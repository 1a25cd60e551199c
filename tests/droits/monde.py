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
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.utils import timezone

from comptes.actions import share
from comptes.droits import Niveau, Profil
from comptes.journal import journalise
from comptes.models import Alerte, Habilitation, Message, Partage, Siao, Utilisateur
from comptes.sessions import SessionStore
from menages.actions.fusion import merge
from menages.models import AccesProtege, Accompagnement, DemandeDAcces, Fusion, Menage, Personne
from offre.models import (
    CapaciteFinancee,
    Dispositif,
    Financement,
    GroupeMesures,
    GroupePlaces,
    Indisponibilite,
    JetonOuverture,
    Place,
    Proposition,
    Rattachement,
)
from offre.models.nomenclature import Statut
from offre.ouverture import donnees
from situations.models import SituationResidentielle
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur
from tests.menages.fabrique import accompany, jour, make_menage, make_operateur, make_personne
from tests.navigateur import Navigateur
from tests.offre.fabrique import (
    make_accompagnement,
    make_dispositif,
    make_financement,
    make_groupe,
    make_hebergement,
    make_import,
    make_proposition,
    make_rattachement,
)

TERRITOIRES = {"mien": "44", "voisin": "44", "region": "49", "ailleurs": "35"}
INCONNU = 999_999_999

ACTEURS = (*Profil.values, "sans_habilitation", "visiteur", "desactive")


@dataclass
class Dossier:
    """A ménage that the dispositif of its territory accompanies, and what belongs to it."""

    menage: Menage
    personne: Personne
    double: Personne
    """Of the same ménage, to be compared with ``personne``."""
    situation: SituationResidentielle
    accompagnement: Accompagnement
    fusion: Fusion
    demande: DemandeDAcces
    partage: Partage
    """Of ``menage``, with a SIAO where nobody of ``ACTEURS`` works."""
    protegee: Personne
    """Of another ménage, accompanied by the same dispositif and by ``abri``; no actor of a SIAO is named for her."""
    acces: AccesProtege
    refuge: Menage
    """Her ménage."""
    abri: Accompagnement
    """Of ``refuge``, by a dispositif that has closed since: no page offers it, only her dossier tells of it."""
    sejour: SituationResidentielle
    """Where she lives."""
    veilleur: Utilisateur
    """Of ``abri``, named for ``protegee``: wrote what there is to write about her, and is in the journal of it."""
    gelee: Personne
    """Of a ménage of her own."""


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
    alerte: Alerte
    travail: object
    hebergement: Dispositif
    groupe: GroupePlaces
    financees: CapaciteFinancee
    place: Place
    indisponibilite: Indisponibilite
    accompagnement: Dispositif
    mesures: GroupeMesures
    dossier: Dossier


class Monde:
    def __init__(self):
        self.lieux = {nom: self._lieu(nom, code) for nom, code in TERRITOIRES.items()}
        self.jeton = JetonOuverture.objects.create(
            structure="Structure", courriel="s@test.example", empreinte="0" * 64, cree_par=self.lieux["mien"].compte
        )

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
        hebergement = make_hebergement(rattachement, nom=f"Hébergement {nom}", adresse_confidentielle=True)
        groupe = make_groupe(hebergement, libelle=f"Groupe {nom}")
        place = groupe.places.get()
        accompagnement = make_accompagnement(rattachement, nom=f"Accompagnement {nom}")
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
            Alerte.objects.create(
                nature="NUIT", utilisateur=compte, habilitation=habilitation_of(compte), jour=now.date(), nombre=1
            ),
            travail,
            hebergement,
            groupe,
            groupe.financees_depuis.create(depuis=now.date(), nombre=4),
            place,
            Indisponibilite.objects.create(place=place, motif="TRAVAUX", date_debut=now.date()),
            accompagnement,
            GroupeMesures.objects.create(
                dispositif=accompagnement, libelle=f"Mesures {nom}", nombre=3, ouvert_le=now.date()
            ),
            self._dossier(
                code,
                dispositif,
                make_dispositif(rattachement, nom=f"Abri {nom}", statut=Statut.FERME, date_fermeture=now.date()),
            ),
        )

    def _dossier(self, code: str, dispositif: Dispositif, abri: Dispositif) -> Dossier:
        menage, autre, refuge, gel = (make_menage(code) for _ in range(4))
        personne = make_personne(menage, "Rosa Exemple", depuis=90, parcours=[("VII.1", 90), ("I.1", 30)])
        double = make_personne(menage, "Rose Exemple", depuis=90, parcours=[("I.1", 90)])
        absorbee = make_personne(autre, "Rosa Exemples", depuis=60, parcours=[("I.3", 60)])
        protegee = make_personne(refuge, "Inès Exemple", depuis=60, parcours=[("III.2", 60)], protegee=True)
        agent = make_operateur(code)
        named = [
            AccesProtege(personne=protegee, utilisateur=each.utilisateur) for each in (agent, make_operateur(code))
        ]
        veilleur = make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[abri])
        named.append(AccesProtege(personne=protegee, utilisateur=veilleur, accorde_par=veilleur))
        AccesProtege.objects.bulk_create(named)
        ici = accompany(refuge, abri)
        self._write_about(protegee, refuge, ici, habilitation_of(veilleur))
        gelee = make_personne(gel, "Ana Exemple", depuis=60)
        Personne.objects.filter(pk=gelee.pk).update(gelee_le=timezone.now(), gel_motif=f"Gel {code}")
        return Dossier(
            menage=menage,
            personne=personne,
            double=double,
            situation=personne.situations.get(date_fin=None),
            accompagnement=[accompany(each, dispositif) for each in (refuge, menage)][1],
            fusion=merge(auteur=agent, maitre=personne, absorbee=absorbee, identite={}),
            demande=DemandeDAcces.objects.create(
                personne=personne,
                siao_id=code,
                siao_demandeur_id="75",
                motif=f"Motif {code}",
                demandee_par=agent.utilisateur,
            ),
            partage=share(
                auteur=agent, objet=menage, siao=Siao.objects.get(pk="75"), date_fin=jour(-30), motif=f"Partage {code}"
            ),
            protegee=protegee,
            acces=named[0],
            refuge=refuge,
            abri=ici,
            sejour=protegee.situations.get(),
            veilleur=veilleur,
            gelee=gelee,
        )

    def _write_about(self, personne: Personne, menage: Menage, accompagnement: Accompagnement, auteur: Habilitation):
        """What says who did something to a person, by ``auteur``: fusion, share, demande, journal."""
        absorbee = make_personne(make_menage(menage.siao_id), "Inès Exemples", depuis=60, protegee=True)
        fusion = merge(auteur=auteur, maitre=personne, absorbee=absorbee, identite={})
        partage = share(
            auteur=auteur,
            objet=menage,
            siao=Siao.objects.get(pk="75"),
            date_fin=jour(-30),
            motif="Partage d'un dossier protégé",
        )
        DemandeDAcces.objects.create(
            personne=personne,
            siao=menage.siao,
            siao_demandeur=menage.siao,
            motif="Demande d'un dossier protégé",
            demandee_par=auteur.utilisateur,
        )
        for objet in (personne, menage, accompagnement, fusion, partage, personne.situations.get()):
            journalise(action="dossier", utilisateur=auteur.utilisateur, habilitation=auteur, objet=objet)

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
        return {
            Niveau.ENTITE: [mien.rattachement],
            Niveau.DISPOSITIF: [mien.dispositif, mien.hebergement, mien.accompagnement],
        }.get(profil.niveaux[0], [])


# --- What an address names --------------------------------------------------------------------------------------
# kind of object → (monde, user, territory) → arguments of the URL; the key "?" holds the query string.


def _key_of(attribute: str):
    def arguments(monde, utilisateur, territoire):
        return {"pk": getattr(monde.lieux[territoire], attribute).pk if territoire != "inconnu" else INCONNU}

    return arguments


def _published(kind: str, attribute: str):
    """Its identifier in the open data."""

    def arguments(*who):
        return {"identifier": donnees.identifier(kind, _key_of(attribute)(*who)["pk"])}

    return arguments


def _of_dossier(attribute: str):
    def arguments(monde, utilisateur, territoire):
        known = territoire != "inconnu"
        return {"pk": getattr(monde.lieux[territoire].dossier, attribute).pk if known else INCONNU}

    return arguments


def _trace_of(label: str, attribute: str):
    def arguments(monde, utilisateur, territoire):
        return {"modele": label, **_of_dossier(attribute)(monde, utilisateur, territoire)}

    return arguments


def _paire(monde, utilisateur, territoire):
    autre = _of_dossier("double")(monde, utilisateur, territoire)["pk"]
    return {**_of_dossier("personne")(monde, utilisateur, territoire), "autre": autre}


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
    "alerte": _key_of("alerte"),
    "import": _key_of("travail"),
    "hébergement": _key_of("hebergement"),
    "groupe": _key_of("groupe"),
    "capacité financée": _key_of("financees"),
    "place": _key_of("place"),
    "indisponibilité": _key_of("indisponibilite"),
    "accompagnement": _key_of("accompagnement"),
    "mesures": _key_of("mesures"),
    "veille sociale": _key_of("dispositif"),
    "prestation": lambda *who: {**_key_of("dispositif")(*who), "nature": "REPAS"},
    "service publié": _published("service", "dispositif"),
    "lieu publié": _published("service_at_location", "dispositif"),
    "entité publiée": _published("organization", "rattachement"),
    "jeton": lambda monde, utilisateur, territoire: {"pk": monde.jeton.pk if territoire != "inconnu" else INCONNU},
    "session": _session,
    "departement": _departement,
    "ménage à héberger": lambda monde, utilisateur, territoire: {"?": {"composition": "100", "taille": "4"}},
    "ménage": _of_dossier("menage"),
    "personne": _of_dossier("personne"),
    "paire": _paire,
    "situation": _of_dossier("situation"),
    "accompagnement d'un ménage": _of_dossier("accompagnement"),
    "ménage protégé": _of_dossier("refuge"),
    "accompagnement d'un ménage protégé": _of_dossier("abri"),
    "situation protégée": _of_dossier("sejour"),
    "partage": _of_dossier("partage"),
    "fusion": _of_dossier("fusion"),
    "demande d'accès": _of_dossier("demande"),
    "personne protégée": _of_dossier("protegee"),
    "personne gelée": _of_dossier("gelee"),
    "agent désigné": _of_dossier("acces"),
    "situation de la grille": lambda monde, utilisateur, territoire: {
        "code": "I.1" if territoire != "inconnu" else "IX.9"
    },
    "trace d'un ménage": _trace_of("menages.menage", "menage"),
    "trace d'une personne": _trace_of("menages.personne", "personne"),
    "trace d'un ménage protégé": _trace_of("menages.menage", "refuge"),
    "trace d'une personne protégée": _trace_of("menages.personne", "protegee"),
    "trace d'un compte": _model_of("comptes.utilisateur", "compte"),
    "trace d'un dispositif": _model_of("offre.dispositif", "fvv"),
    "trace d'un message": _model_of("comptes.message", "message"),
    "lien": lambda monde, utilisateur, territoire: {"secret": "inconnu"},
}

# --- What is posted ---------------------------------------------------------------------------------------------
# Name of the URL → data of a POST that its page would accept. Missing: an empty form.

ENVOIS = {
    "modifier_menage": {"version": "1"},
    "modifier_compte": {"prenom": "Prénom", "nom": "Nom"},
    "mot_de_passe_oublie": {"courriel": "personne@test.example"},
}
