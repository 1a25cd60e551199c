"""Help to choose a situation: the doctrine of the grid as short questions. Advice, never an obligation.

Each question leads to another one or to a situation with its reason; the reasons are those of the source, « Bien
identifier la situation résidentielle des personnes ». A test walks every path.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Conseil:
    """What is proposed, and why."""

    sr2: str
    raison: str


@dataclass(frozen=True)
class Question:
    cle: str
    texte: str
    reponses: Mapping[str, tuple[str, "Question | Conseil"]]
    """Value in the address → the words of the answer, and where it leads."""


def _c(sr2: str, raison: str) -> Conseil:
    return Conseil(sr2, raison)


_SPECIALISE = Question(
    "fvv",
    "L'établissement est-il spécialisé pour les femmes victimes de violences ?",
    {
        "chrs_fvv": ("CHRS spécialisé", _c("III.2", "Le CHRS lui-même est spécialisé.")),
        "chrs": (
            "CHRS généraliste",
            _c("III.1", "La grille qualifie l'établissement, non la personne, même victime de violences."),
        ),
        "fvv": ("Autre hébergement, places spécialisées", _c("III.4", "Ces places sont spécialisées, hors CHRS.")),
        "autre": (
            "Autre hébergement, généraliste",
            _c("III.3", "Hors CHRS et hors hôtel, dans un dispositif généraliste."),
        ),
    },
)

_PAYEUR = Question(
    "payeur",
    "Qui paie l'hôtel ?",
    {
        "177": ("L'État, programme 177 (SIAO, 115)", _c("III.6", "L'hôtel est financé par le programme 177.")),
        "ase": (
            "L'aide sociale à l'enfance",
            _c("IV.8", "L'hôtel payé par l'ASE relève de la protection de l'enfance, non de l'hébergement."),
        ),
        "asile": (
            "Le dispositif asile (programme 303)",
            _c("IV.9", "L'hôtel du dispositif national d'accueil relève de l'asile."),
        ),
        "soi": (
            "La personne, une association, une communauté, une collectivité, un particulier",
            _c("II.3", "Hors programme 177, hors ASE et hors asile, l'hôtel est une mise à l'abri."),
        ),
    },
)

_HEBERGEMENT = Question(
    "hebergement",
    "De quel hébergement s'agit-il ?",
    {
        "hotel": ("Hôtel", _PAYEUR),
        "rhvs": ("Résidence hôtelière à vocation sociale", _c("III.5", "C'est une RHVS.")),
        "sas": (
            "SAS de desserrement de l'Île-de-France",
            _c("III.7", "Le SAS a sa propre valeur ; précisez la région d'orientation."),
        ),
        "centre": ("CHRS ou autre centre d'hébergement de l'État", _SPECIALISE),
        "halte": ("Halte de nuit, sans couchage", _c("II.1", "Une mise à l'abri pour la nuit, sans couchage.")),
        "gymnase": ("Gymnase ouvert en urgence", _c("II.2", "Ouvert pour un évènement : grand froid, canicule.")),
        "lieu": (
            "École, édifice religieux, autre lieu d'accueil de nuit",
            _c("II.3", "Ces lieux sont des mises à l'abri."),
        ),
    },
)

_URGENCES = Question(
    "urgences",
    "Où, à l'hôpital ?",
    {
        "service": ("Hospitalisée aux urgences", _c("IV.2", "La personne est hospitalisée aux urgences.")),
        "attente": (
            "Dans la salle d'attente, pour la nuit",
            _c("I.4", "Se réfugier dans une salle d'attente n'est pas être hospitalisé : c'est un espace privé."),
        ),
        "maternite": ("À la maternité", _c("IV.1", "La personne est hospitalisée à la maternité.")),
        "autre": (
            "Dans un autre service, somatique ou psychiatrique, ou en cure",
            _c("IV.3", "Hospitalisation, secteur privé, CSAPA résidentiel et communautés thérapeutiques compris."),
        ),
    },
)

_ACT = Question(
    "act",
    "L'appartement relève-t-il d'« Un chez-soi d'abord » ?",
    {
        "non": ("Non", _c("IV.6", "Un appartement de coordination thérapeutique est un établissement.")),
        "oui": ("Oui", _c("VIII.8", "« Un chez-soi d'abord » est exclu des ACT : la personne est locataire.")),
    },
)

_ETABLISSEMENT = Question(
    "etablissement",
    "Quel établissement ?",
    {
        "hopital": ("Hôpital", _URGENCES),
        "lhss": ("Lits halte soins santé, résidentiels", _c("IV.4", "Les LHSS hors les murs n'en sont pas.")),
        "lam": ("Lits d'accueil médicalisés", _c("IV.5", "La personne est hébergée en LAM.")),
        "act": ("Appartement de coordination thérapeutique", _ACT),
        "prison": (
            "Établissement pénitentiaire fermé",
            _c("IV.7", "Les alternatives à l'incarcération ne sont pas des situations résidentielles."),
        ),
        "ase": (
            "Protection de l'enfance (ASE ou PJJ), centre maternel",
            _c("IV.8", "Centres maternels, jeunes majeurs et hôtel de l'ASE en relèvent."),
        ),
        "asile": ("Dispositif pour demandeurs d'asile ou réfugiés", _c("IV.9", "Il relève du dispositif d'accueil.")),
        "ages": ("EHPAD, résidence autonomie", _c("IV.10", "Établissement pour personnes âgées.")),
        "handicap": ("Établissement pour personnes handicapées", _c("IV.11", "Majeures comme mineures.")),
    },
)

_TERRAIN = Question(
    "terrain",
    "Le terrain est-il occupé légalement ?",
    {
        "bidonville": (
            "Non, dans un bidonville",
            _c("V.3", "Dans un quartier qualifié de bidonville, c'est le bidonville qui compte, non la caravane."),
        ),
        "caravane": (
            "Oui : mobile home, caravane, camion aménagé",
            _c("V.5", "Sur un terrain, une aire d'accueil ou un camping occupés légalement."),
        ),
        "yourte": ("Oui : yourte, tiny house", _c("V.4", "Sur un terrain occupé légalement.")),
    },
)

_SQUAT = Question(
    "squat",
    "Qu'est-ce que la personne occupe ?",
    {
        "logement": ("Un logement, sans l'accord de son propriétaire", _c("V.2", "Un logement, sans titre.")),
        "batiment": (
            "Un terrain, des bureaux, un bâtiment désaffecté, avec une installation",
            _c("V.1", "Un lieu inapproprié à l'habitat, avec une notion d'installation."),
        ),
        "mobile": ("Une caravane, un mobile home, une yourte, un abri construit", _TERRAIN),
    },
)

_RUE = Question(
    "rue",
    "Où dort la personne ?",
    {
        "dehors": ("Rue, place, parc, pont, bois", _c("I.1", "Même avec un abri de fortune.")),
        "couvert": ("Parking, gare", _c("I.2", "Un lieu couvert ouvert au public.")),
        "voiture": ("Voiture", _c("I.3", "La voiture n'est pas un habitat aménagé.")),
        "prive": (
            "Cage d'escalier, sas de banque, salle d'attente, sans s'y installer",
            _c("I.4", "Un refuge pour la nuit, sans installation visible : ce n'est pas un squat."),
        ),
        "squat": ("Un lieu où elle s'est installée, sans titre", _SQUAT),
    },
)

_TIERS = Question(
    "tiers",
    "Comment cela se passe-t-il chez la personne qui héberge ?",
    {
        "violence": (
            "Violences, emprise ou traite de la part du tiers",
            _c("VI.4", "Violence ou traite l'emportent ; l'emprise y est désormais rangée."),
        ),
        "interdit": (
            "La personne hébergée a une interdiction de séjour dans ce lieu",
            _c("VI.3", "Une interdiction judiciaire d'approcher quelqu'un ou de paraître dans la zone."),
        ),
        "trop": ("Le logement est trop petit", _c("VI.1", "Vérifiez avec le calculateur du nombre de pièces.")),
        "bien": ("Sans problème particulier", _c("VI.5", "Aucun des cas précédents.")),
    },
)

_QUITTER = Question(
    "quitter",
    "Pourquoi doit-elle le quitter ?",
    {
        "expulsion": ("Locataire, procédure d'expulsion engagée", _c("VII.1", "La procédure est enclenchée.")),
        "saisie": ("Propriétaire, logement qui va être saisi", _c("VII.2", "Le logement doit être saisi.")),
        "interdit": (
            "Mesure d'éloignement de son domicile",
            _c("VII.3", "Elle a un titre d'occupation, mais ne peut paraître chez elle."),
        ),
        "violence": (
            "Victime de violences intrafamiliales ou de traite dans ce logement",
            _c("VII.4", "Elle ne peut ou ne veut s'y maintenir."),
        ),
        "insalubre": ("Insalubre, ou arrêté de péril", _c("VII.5", "Le péril imminent y est compté.")),
        "trop": ("Trop petit", _c("VII.6", "Vérifiez avec le calculateur de surface.")),
    },
)

_RESIDENCE = Question(
    "residence",
    "Quelle résidence ?",
    {
        "pf": ("Pension de famille", _c("VIII.1", "Pension de famille généraliste.")),
        "ra": ("Résidence accueil", _c("VIII.2", "Résidence accueil.")),
        "fjt": ("Foyer de jeunes travailleurs", _c("VIII.3", "FJT.")),
        "ftm": ("Foyer de travailleurs migrants", _c("VIII.4", "FTM.")),
        "rs": ("Résidence sociale généraliste", _c("VIII.5", "Résidence sociale.")),
    },
)

_TITRE = Question(
    "titre",
    "Quel titre d'occupation ?",
    {
        "social": ("Locataire du parc social", _c("VIII.9", "Bail ou sous-location dans le parc social.")),
        "prive": ("Locataire du parc privé", _c("VIII.10", "Bail ou sous-location avec un bailleur privé.")),
        "residence": ("Résident d'une résidence sociale ou d'un foyer", _RESIDENCE),
        "sous": ("Sous-locataire en intermédiation locative", _c("VIII.6", "Bail de sous-location, glissant ou non.")),
        "mandat": ("Locataire en mandat de gestion", _c("VIII.7", "Intermédiation locative, mandat de gestion.")),
        "chezsoi": ("Locataire « Un chez-soi d'abord »", _c("VIII.8", "Dispositif « Un chez-soi d'abord ».")),
        "proprio": ("Propriétaire", _c("VIII.11", "Propriétaire qui peut s'y maintenir.")),
    },
)

_RESTER = Question(
    "rester",
    "Peut-elle y rester durablement ?",
    {"oui": ("Oui", _TITRE), "non": ("Non, elle doit ou va devoir le quitter", _QUITTER)},
)

QUESTIONNAIRE = Question(
    "ou",
    "Où la personne vit-elle ?",
    {
        "rue": ("Dehors, dans un lieu public, une voiture, un squat, une caravane", _RUE),
        "hebergement": ("Dans un hébergement, un hôtel, un lieu d'accueil de nuit", _HEBERGEMENT),
        "etablissement": ("Dans un établissement : santé, prison, enfance, asile…", _ETABLISSEMENT),
        "tiers": ("Chez un particulier qui l'héberge", _TIERS),
        "logement": ("Dans son propre logement, avec un titre d'occupation", _RESTER),
    },
)


def walk(answers: Mapping[str, str]) -> tuple[list[tuple[Question, str]], Question | Conseil]:
    """The questions already answered (each with the words of its answer), and what comes next."""
    done, step = [], QUESTIONNAIRE
    while isinstance(step, Question) and (answer := step.reponses.get(answers.get(step.cle, ""))):
        done.append((step, answer[0]))
        step = answer[1]
    return done, step


def conseils(question: Question = QUESTIONNAIRE) -> Iterator[Conseil]:
    """Every advice that the questions lead to."""
    for _, following in question.reponses.values():
        if isinstance(following, Conseil):
            yield following
        else:
            yield from conseils(following)
