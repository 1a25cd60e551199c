"""Who may do what: the matrix right × profil, as data.

One right is one line; the profils that hold it are listed with where the rule comes from: the workshop of
20 February 2024 (``SOURCE``) or our decision (``DECISION``). A missing right is a 403. Which rows a user sees is
another question, answered by ``visible_to`` (a missing row is a 404). There is no third mechanism.
"""

from django.db import models


class Famille(models.TextChoices):
    ETAT = "ETAT", "État"
    OBSERVATION = "OBSERVATION", "Observation sociale"
    SIAO = "SIAO", "SIAO"
    ENTITE = "ENTITE", "Entité gestionnaire"


class Niveau(models.TextChoices):
    """What a habilitation may cover."""

    NATIONAL = "NATIONAL", "France entière"
    REGION = "REGION", "Région"
    DEPARTEMENT = "DEPARTEMENT", "Département"
    SIAO = "SIAO", "SIAO"
    ENTITE = "ENTITE", "Entité gestionnaire"
    DISPOSITIF = "DISPOSITIF", "Dispositif"


class Profil(models.TextChoices):
    ADMIN_NATIONAL = "ADMIN_NATIONAL", "Administrateur national"
    ADMIN_DEPARTEMENTAL = "ADMIN_DEPARTEMENTAL", "Administrateur départemental"
    ANALYSTE = "ANALYSTE", "Analyste"
    ADMIN_SIAO = "ADMIN_SIAO", "Administrateur SIAO"
    OPERATEUR_SIAO = "OPERATEUR_SIAO", "Opérateur SIAO"
    ECOUTANT_115 = "ECOUTANT_115", "Écoutant 115"
    GESTIONNAIRE_ENTITE = "GESTIONNAIRE_ENTITE", "Gestionnaire d'entité"
    ASSISTANT = "ASSISTANT", "Assistant"
    RESPONSABLE_DISPOSITIF = "RESPONSABLE_DISPOSITIF", "Responsable de dispositif"
    TRAVAILLEUR_SOCIAL = "TRAVAILLEUR_SOCIAL", "Travailleur social"

    @property
    def famille(self) -> Famille:
        return _PROFILS[self][0]

    @property
    def niveaux(self) -> tuple[Niveau, ...]:
        """What a habilitation of this profil may cover, the widest first."""
        return _PROFILS[self][1]

    @property
    def rang(self) -> int:
        """How far from the national administrator: a profil manages the accounts of a greater number only."""
        return _PROFILS[self][2]


_PROFILS = {
    Profil.ADMIN_NATIONAL: (Famille.ETAT, (Niveau.NATIONAL,), 0),
    # DDETS in their département, DREETS and DRIHL in their région.
    Profil.ADMIN_DEPARTEMENTAL: (Famille.ETAT, (Niveau.REGION, Niveau.DEPARTEMENT), 1),
    Profil.ANALYSTE: (Famille.OBSERVATION, (Niveau.NATIONAL, Niveau.REGION, Niveau.DEPARTEMENT), 3),
    Profil.ADMIN_SIAO: (Famille.SIAO, (Niveau.SIAO,), 2),
    Profil.OPERATEUR_SIAO: (Famille.SIAO, (Niveau.SIAO,), 3),
    Profil.ECOUTANT_115: (Famille.SIAO, (Niveau.SIAO,), 3),
    Profil.GESTIONNAIRE_ENTITE: (Famille.ENTITE, (Niveau.ENTITE,), 3),
    Profil.ASSISTANT: (Famille.ENTITE, (Niveau.ENTITE,), 4),
    Profil.RESPONSABLE_DISPOSITIF: (Famille.ENTITE, (Niveau.DISPOSITIF,), 5),
    Profil.TRAVAILLEUR_SOCIAL: (Famille.ENTITE, (Niveau.DISPOSITIF,), 6),
}

SOURCE, DECISION = "source", "decision"


class Droit(models.TextChoices):
    OFFRE_VOIR = "offre.voir", "Consulter entités, dispositifs, financements, places de son périmètre"
    OFFRE_SAISIR = "offre.saisir", "Créer et modifier entités, dispositifs, financements"
    OFFRE_IMPORTER = "offre.importer", "Déposer et appliquer le classeur Temps 1"
    OFFRE_PREVALIDER = "offre.prevalider", "Pré-valider (ou renvoyer avec remarques) entités et dispositifs"
    OFFRE_VALIDER = "offre.valider", "Valider, refuser, fermer entités et dispositifs"
    OFFRE_PROPOSER = (
        "offre.proposer",
        "Proposer une modification de son entité ou dispositif (soumise à pré-validation)",
    )
    PLACES_GERER = "places.gerer", "Créer et modifier les groupes de places, places et logements"
    PLACES_DISPONIBILITE = "places.disponibilite", "Déclarer une place libre, occupée ou indisponible"
    MENAGES_VOIR = "menages.voir", "Consulter les dossiers nominatifs de son périmètre"
    MENAGES_SAISIR = "menages.saisir", "Créer et modifier ménages et personnes"
    MENAGES_FUSIONNER = "menages.fusionner", "Fusionner deux personnes, défaire une fusion"
    MENAGES_DEPLACER = "menages.deplacer", "Déplacer une personne d'un ménage à un autre"
    PERSONNES_DROITS = "personnes.droits", "Répondre aux droits des personnes : export, gel, effacement"
    SITUATIONS_SAISIR = (
        "situations.saisir",
        "Ajouter, modifier, supprimer une situation résidentielle ; évaluation flash",
    )
    DEMANDES_CREER_115 = "demandes.creer_115", "Créer une demande 115"
    DEMANDES_CREER_INSERTION = "demandes.creer_insertion", "Créer une demande d'insertion ou de prestation"
    DEMANDES_EVALUER = "demandes.evaluer", "Saisir l'évaluation approfondie"
    DEMANDES_VERIFIER = "demandes.verifier", "Vérifier la complétude, renvoyer à compléter"
    DEMANDES_ORIENTER = "demandes.orienter", "Orienter une demande vers un dispositif"
    DEMANDES_REPONDRE = (
        "demandes.repondre",
        "Accepter ou refuser une orientation, admettre, déclarer une sortie",
    )
    DEMANDES_ADMISSION_DIRECTE = (
        "demandes.admission_directe",
        "Créer une pseudo-demande et une admission directe",
    )
    EXTRACTIONS_NOMINATIVES = "extractions.nominatives", "Télécharger les extractions nominatives"
    EXTRACTIONS_ANONYMES = "extractions.anonymes", "Télécharger les extractions anonymisées"
    PILOTAGE_VOIR = "pilotage.voir", "Tableaux de bord"
    COMPTES_GERER = (
        "comptes.gerer",
        "Créer, modifier, désactiver les comptes de son périmètre (profils de rang inférieur)",
    )
    MESSAGES_PUBLIER = "messages.publier", "Publier les messages d'information aux utilisateurs"
    REPRISE_LANCER = "reprise.lancer", "Répéter et appliquer la reprise des situations résidentielles"
    REFERENTIELS_GERER = "referentiels.gerer", "Gérer les référentiels et la table de conversion"
    JOURNAL_VOIR = "journal.voir", "Consulter le journal des accès et des modifications de son périmètre"


MATRICE: dict[Droit, dict[Profil, str]] = {
    Droit.OFFRE_VOIR: {
        Profil.ADMIN_NATIONAL: DECISION,
        Profil.ADMIN_DEPARTEMENTAL: DECISION,
        Profil.ANALYSTE: DECISION,
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.ECOUTANT_115: DECISION,
        Profil.GESTIONNAIRE_ENTITE: DECISION,
        Profil.ASSISTANT: DECISION,
        Profil.RESPONSABLE_DISPOSITIF: DECISION,
        Profil.TRAVAILLEUR_SOCIAL: DECISION,
    },
    Droit.OFFRE_SAISIR: {
        Profil.ADMIN_DEPARTEMENTAL: SOURCE,
        Profil.ADMIN_SIAO: DECISION,
    },
    Droit.OFFRE_IMPORTER: {
        Profil.ADMIN_DEPARTEMENTAL: SOURCE,
        Profil.ADMIN_SIAO: DECISION,
    },
    Droit.OFFRE_PREVALIDER: {
        Profil.ADMIN_SIAO: SOURCE,
    },
    Droit.OFFRE_VALIDER: {
        Profil.ADMIN_DEPARTEMENTAL: SOURCE,
    },
    Droit.OFFRE_PROPOSER: {
        Profil.GESTIONNAIRE_ENTITE: DECISION,
        Profil.ASSISTANT: DECISION,
        Profil.RESPONSABLE_DISPOSITIF: DECISION,
    },
    Droit.PLACES_GERER: {
        Profil.GESTIONNAIRE_ENTITE: SOURCE,
        Profil.ASSISTANT: SOURCE,
    },
    Droit.PLACES_DISPONIBILITE: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.ECOUTANT_115: DECISION,
        Profil.GESTIONNAIRE_ENTITE: DECISION,
        Profil.ASSISTANT: DECISION,
        Profil.RESPONSABLE_DISPOSITIF: DECISION,
    },
    Droit.MENAGES_VOIR: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.ECOUTANT_115: DECISION,
        Profil.GESTIONNAIRE_ENTITE: DECISION,
        Profil.RESPONSABLE_DISPOSITIF: DECISION,
        Profil.TRAVAILLEUR_SOCIAL: DECISION,
    },
    Droit.MENAGES_SAISIR: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.ECOUTANT_115: SOURCE,
        Profil.RESPONSABLE_DISPOSITIF: DECISION,
        Profil.TRAVAILLEUR_SOCIAL: SOURCE,
    },
    Droit.MENAGES_FUSIONNER: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
    },
    Droit.MENAGES_DEPLACER: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.ECOUTANT_115: DECISION,
        Profil.TRAVAILLEUR_SOCIAL: DECISION,
    },
    Droit.PERSONNES_DROITS: {
        Profil.ADMIN_SIAO: DECISION,
    },
    Droit.SITUATIONS_SAISIR: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.ECOUTANT_115: SOURCE,
        Profil.RESPONSABLE_DISPOSITIF: DECISION,
        Profil.TRAVAILLEUR_SOCIAL: SOURCE,
    },
    Droit.DEMANDES_CREER_115: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.ECOUTANT_115: SOURCE,
    },
    Droit.DEMANDES_CREER_INSERTION: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.TRAVAILLEUR_SOCIAL: SOURCE,
    },
    Droit.DEMANDES_EVALUER: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.TRAVAILLEUR_SOCIAL: SOURCE,
    },
    Droit.DEMANDES_VERIFIER: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: SOURCE,
    },
    Droit.DEMANDES_ORIENTER: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: SOURCE,
        Profil.ECOUTANT_115: SOURCE,
    },
    Droit.DEMANDES_REPONDRE: {
        Profil.GESTIONNAIRE_ENTITE: DECISION,
        Profil.RESPONSABLE_DISPOSITIF: SOURCE,
    },
    Droit.DEMANDES_ADMISSION_DIRECTE: {
        Profil.RESPONSABLE_DISPOSITIF: SOURCE,
    },
    Droit.EXTRACTIONS_NOMINATIVES: {
        Profil.ADMIN_SIAO: DECISION,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.GESTIONNAIRE_ENTITE: DECISION,
        Profil.RESPONSABLE_DISPOSITIF: DECISION,
    },
    Droit.EXTRACTIONS_ANONYMES: {
        Profil.ADMIN_NATIONAL: DECISION,
        Profil.ADMIN_DEPARTEMENTAL: DECISION,
        Profil.ANALYSTE: SOURCE,
        Profil.ADMIN_SIAO: DECISION,
    },
    Droit.PILOTAGE_VOIR: {
        Profil.ADMIN_NATIONAL: SOURCE,
        Profil.ADMIN_DEPARTEMENTAL: SOURCE,
        Profil.ANALYSTE: SOURCE,
        Profil.ADMIN_SIAO: SOURCE,
        Profil.OPERATEUR_SIAO: DECISION,
        Profil.GESTIONNAIRE_ENTITE: SOURCE,
        Profil.RESPONSABLE_DISPOSITIF: SOURCE,
    },
    Droit.COMPTES_GERER: {
        Profil.ADMIN_NATIONAL: SOURCE,
        Profil.ADMIN_DEPARTEMENTAL: DECISION,
        Profil.ADMIN_SIAO: SOURCE,
        Profil.GESTIONNAIRE_ENTITE: SOURCE,
        Profil.ASSISTANT: SOURCE,
        Profil.RESPONSABLE_DISPOSITIF: SOURCE,
    },
    Droit.MESSAGES_PUBLIER: {
        Profil.ADMIN_NATIONAL: SOURCE,
        Profil.ADMIN_SIAO: DECISION,
    },
    Droit.REPRISE_LANCER: {
        Profil.ADMIN_NATIONAL: DECISION,
    },
    Droit.REFERENTIELS_GERER: {
        Profil.ADMIN_NATIONAL: SOURCE,
    },
    Droit.JOURNAL_VOIR: {
        Profil.ADMIN_NATIONAL: DECISION,
        Profil.ADMIN_SIAO: DECISION,
    },
}


def droits_of(profil: str) -> frozenset[str]:
    """The rights of ``profil``; an unknown profil has none."""
    return frozenset(str(droit) for droit, profils in MATRICE.items() if profil in profils)


def profils_managed_by(profil: str) -> frozenset[str]:
    """The profils that ``profil`` may give, change and take away, inside its own perimeter.

    Those of a lower rank ("profils de rang inférieur"); there is nobody above the national administrators, so they
    also manage each other. Empty for a profil without ``comptes.gerer``.
    """
    if Droit.COMPTES_GERER not in droits_of(profil):
        return frozenset()
    if profil == Profil.ADMIN_NATIONAL:
        return frozenset(Profil.values)
    return frozenset(str(other) for other in Profil if other.rang > Profil(profil).rang)


def profils_given_by(profil: str) -> frozenset[str]:
    """The profils that ``profil`` may give: those it manages but, for the State, those that read dossiers.

    The State reads no dossier. Of the profils that do, it gives Administrateur SIAO only, who gives the others.
    """
    managed = profils_managed_by(profil)
    if Profil(profil).famille != Famille.ETAT:
        return managed
    return managed - MATRICE[Droit.MENAGES_VOIR].keys() | managed & {Profil.ADMIN_SIAO}


def droits_beyond(profil: str, given: str) -> frozenset[str]:
    """The rights of ``given`` that ``profil`` does not hold: rank is not containment."""
    return droits_of(given) - droits_of(profil)


SECOND_FACTOR_PROFILS = frozenset({Profil.ADMIN_NATIONAL, Profil.ADMIN_DEPARTEMENTAL, Profil.ADMIN_SIAO})
"""Who administers others proves more than a password: nothing opens under these profils without a second factor."""

SECOND_FACTOR_DROITS = frozenset({Droit.EXTRACTIONS_NOMINATIVES})
"""Nor do the pages of these rights, whatever the profil."""
