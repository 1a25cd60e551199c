"""The columns of the Temps 1 workbook, declared once.

The Entités tab is the official one; the columns of Dispositifs and Financement are a reconstruction, to be replaced
here, and only here, by the official list. From this declaration come the template, the reading, the checks, the
preview, the annotated workbook and the help page.
"""

from offre.models.nomenclature import LOGEMENTS, Categorie
from siao.socle.columns import (
    Choice,
    Column,
    Date,
    Decimal,
    Email,
    Integer,
    MultiChoice,
    NoneOf,
    OneOf,
    Phone,
    Reference,
    Sheet,
    StartsWith,
    Text,
    YesNo,
)

from .types import CodePostal, Finess, NomCommune, NumeroIdcc, Siren, Siret

_HEBERGEMENT = OneOf("categorie", (Categorie.HEBERGEMENT,))
_LOGEMENTS = OneOf("categorie", LOGEMENTS)
_VEILLE_SOCIALE = OneOf("categorie", (Categorie.VEILLE_SOCIALE,))

ENTITES = Sheet(
    name="Entités",
    title="ENTITES DU DEPARTEMENT",
    guide=(
        "Guide de remplissage :",
        "1. Une ligne par entité gestionnaire, avec son nom et son SIREN. Pas de ligne vide ni de colonne ajoutée.",
        "2. Si la convention collective n'est pas dans la liste, choisissez « Autre » et donnez son n° IDCC.",
    ),
    columns=(
        Column(
            "nom",
            "Nom de l'entité*",
            "Répertoire SIRENE",
            Text(),
            "Unique dans le département (sans distinction de casse ni d'accents). Exemple : Association sportive du FC",
            required=True,
        ),
        Column(
            "siren",
            "Code SIREN*",
            "Répertoire SIRENE",
            Siren(),
            "9 chiffres (espaces tolérés), clé de Luhn, unique au niveau national. Exemple : 123456789",
            required=True,
        ),
        Column("telephone", "Téléphone", "Contact", Phone(), "0000000000 ou 00 00 00 00 00"),
        Column("courriel", "Adresse courriel", "Contact", Email(), "contact@exemple.fr"),
        Column(
            "convention",
            "Type de convention collective",
            "Juridique",
            Choice("conventions_collectives"),
            "À choisir dans la liste ; « Autre » ouvre la colonne suivante",
        ),
        Column(
            "idcc",
            "N°IDCC (Autres)",
            "Juridique",
            NumeroIdcc(),
            "4 chiffres, présent dans la liste des IDCC ; un IDCC qui n'est plus en vigueur est signalé sans bloquer",
            opened_when=OneOf("convention", ("AUTRE",)),
            required=True,
        ),
    ),
)

DISPOSITIFS = Sheet(
    name="Dispositifs",
    title="DISPOSITIFS DU DEPARTEMENT",
    guide=(
        "Guide de remplissage :",
        "1. Une ligne par dispositif. Créez d'abord son entité dans l'onglet Entités, puis choisissez-la ici.",
        "2. La catégorie ouvre ses colonnes, les grisées restent vides. Sélection multiple : séparez par « ; ».",
    ),
    columns=(
        Column(
            "entite",
            "Entité gestionnaire*",
            "Identité",
            Reference("Entités", "créez d'abord l'entité"),
            "Nom saisi dans l'onglet Entités du même classeur",
            required=True,
        ),
        Column("nom", "Nom du dispositif*", "Identité", Text(), "Unique dans le département", required=True),
        Column(
            "categorie",
            "Catégorie*",
            "Nature du dispositif",
            Choice("categories"),
            "Les 6 catégories de la nomenclature",
            required=True,
        ),
        Column(
            "type",
            "Type de dispositif*",
            "Nature du dispositif",
            Choice("types", depends_on="categorie"),
            "Les types de la catégorie choisie (32 en tout)",
            required=True,
        ),
        Column(
            "precision",
            "Précision (Autre)",
            "Nature du dispositif",
            Text(),
            "Ce que le type ne dit pas",
            opened_when=StartsWith("type", "AUTRE", "Autre"),
            required=True,
        ),
        Column(
            "siret",
            "Code SIRET",
            "Identité",
            Siret(),
            "14 chiffres, clé de Luhn, commence par le SIREN de l'entité",
        ),
        Column(
            "finess",
            "N° FINESS",
            "Identité",
            Finess(),
            "9 caractères",
            opened_when=OneOf("categorie", (Categorie.HEBERGEMENT, Categorie.LOGEMENT_RS)),
        ),
        Column("date_ouverture", "Date d'ouverture*", "Nature du dispositif", Date(), "jj/mm/aaaa", required=True),
        Column(
            "date_fermeture",
            "Date de fermeture prévue",
            "Nature du dispositif",
            Date(),
            "Postérieure à l'ouverture",
        ),
        Column("perennite", "Pérennité*", "Nature du dispositif", Choice("perennites"), required=True),
        Column("voie", "Adresse*", "Adresse", Text(), "Numéro et voie", required=True),
        Column("complement", "Complément d'adresse", "Adresse", Text()),
        Column(
            "code_postal",
            "Code postal*",
            "Adresse",
            CodePostal(),
            "Existe et correspond à la commune",
            required=True,
        ),
        Column(
            "commune",
            "Commune*",
            "Adresse",
            NomCommune(),
            "Commune du code postal, dans le département du classeur",
            required=True,
        ),
        Column(
            "adresse_confidentielle",
            "Adresse confidentielle*",
            "Adresse",
            YesNo(),
            "Oui imposé pour un public « Femmes victimes de violences »",
            required=True,
        ),
        Column("telephone", "Téléphone", "Contact", Phone(), "0000000000 ou 00 00 00 00 00"),
        Column("courriel", "Adresse courriel", "Contact", Email(), "contact@exemple.fr"),
        Column(
            "implantation",
            "Implantation",
            "Nature du dispositif",
            Choice("implantations"),
            opened_when=OneOf("categorie", (Categorie.HEBERGEMENT, *LOGEMENTS)),
            required=True,
        ),
        Column(
            "orientation_siao",
            "Orientation par le SIAO*",
            "Orientation",
            YesNo(),
            "Le SIAO n'oriente pas vers un premier accueil",
            opened_when=NoneOf("categorie", (Categorie.PREMIER_ACCUEIL,)),
            required=True,
        ),
        Column(
            "contingent_prefectoral",
            "Contingent préfectoral",
            "Orientation",
            YesNo(),
            opened_when=_LOGEMENTS,
            required=True,
        ),
        Column(
            "contingent_nombre",
            "Nombre de logements du contingent",
            "Orientation",
            Integer(),
            "≤ nombre de logements",
            opened_when=OneOf("contingent_prefectoral", (True,)),
            required=True,
        ),
        Column(
            "publics",
            "Public accueilli* (sélection multiple)",
            "Public accueilli",
            MultiChoice("compositions"),
            "Plusieurs valeurs séparées par « ; »",
            required=True,
        ),
        Column(
            "specificites",
            "Spécificités du public (sélection multiple)",
            "Public accueilli",
            MultiChoice("specificites_public"),
            "Plusieurs valeurs séparées par « ; »",
        ),
        Column("age_min", "Âge minimum", "Public accueilli", Integer(maximum=120), "0 à 120"),
        Column("age_max", "Âge maximum", "Public accueilli", Integer(maximum=120), "0 à 120, ≥ âge minimum"),
        Column("places", "Nombre de places", "Capacité", Integer(), "≥ 0", opened_when=_HEBERGEMENT, required=True),
        Column(
            "places_urgence",
            "dont urgence",
            "Capacité",
            Integer(),
            "urgence + stabilisation + insertion = nombre de places",
            opened_when=_HEBERGEMENT,
            required=True,
        ),
        Column(
            "places_stabilisation",
            "dont stabilisation",
            "Capacité",
            Integer(),
            opened_when=_HEBERGEMENT,
            required=True,
        ),
        Column("places_insertion", "dont insertion", "Capacité", Integer(), opened_when=_HEBERGEMENT, required=True),
        Column(
            "places_pmr",
            "dont accessibles PMR",
            "Capacité",
            Integer(),
            "≤ nombre de places",
            opened_when=_HEBERGEMENT,
        ),
        Column("logements", "Nombre de logements", "Capacité", Integer(), opened_when=_LOGEMENTS, required=True),
        Column(
            "mesures",
            "Nombre de mesures",
            "Capacité",
            Integer(),
            opened_when=OneOf("categorie", (Categorie.MESURES,)),
            required=True,
        ),
        Column(
            "prestations",
            "Prestations (sélection multiple)",
            "Capacité",
            MultiChoice("prestations"),
            "Plusieurs valeurs séparées par « ; »",
            opened_when=_VEILLE_SOCIALE,
            required=True,
        ),
        Column("horaires", "Horaires", "Capacité", Text(), opened_when=_VEILLE_SOCIALE),
        Column("animaux", "Animaux acceptés", "Public accueilli", YesNo()),
        Column("participation", "Participation financière", "Nature du dispositif", Choice("participations")),
        Column("commentaire", "Commentaire", "Commentaire", Text(1000)),
    ),
)

FINANCEMENTS = Sheet(
    name="Financement",
    title="FINANCEMENTS DU DEPARTEMENT",
    guide=(
        "Guide de remplissage :",
        "1. Une ligne par financement. Créez d'abord le dispositif dans l'onglet Dispositifs, puis choisissez-le ici.",
        "2. Un dispositif financé par plusieurs lignes, ou sur plusieurs périodes, a plusieurs lignes dans cet onglet.",
    ),
    columns=(
        Column(
            "dispositif",
            "Dispositif*",
            "Dispositif",
            Reference("Dispositifs", "créez d'abord le dispositif"),
            "Nom saisi dans l'onglet Dispositifs du même classeur",
            required=True,
        ),
        Column(
            "ligne",
            "Ligne de financement*",
            "Ligne de financement",
            Choice("lignes_financement"),
            required=True,
        ),
        Column(
            "precision",
            "Précision (Autre)",
            "Ligne de financement",
            Text(),
            "Ce que la ligne ne dit pas",
            opened_when=OneOf("ligne", ("AUTRE",)),
            required=True,
        ),
        Column("nature_acte", "Nature de l'acte*", "Acte", Choice("natures_acte"), required=True),
        Column("reference_acte", "Référence de l'acte", "Acte", Text(100)),
        Column("date_debut", "Date de début*", "Période", Date(), "jj/mm/aaaa", required=True),
        Column("date_fin", "Date de fin", "Période", Date(), "≥ date de début"),
        Column(
            "quantite",
            "Quantité financée*",
            "Quantité",
            Integer(minimum=1),
            "> 0 ; la somme des lignes d'une même période ne dépasse pas la capacité du dispositif (avertissement)",
            required=True,
        ),
        Column("unite", "Unité*", "Quantité", Choice("unites"), required=True),
        Column("montant_annuel", "Montant annuel (€)", "Montant", Decimal(), "≥ 0, deux décimales"),
        Column("commentaire", "Commentaire", "Commentaire", Text(1000)),
    ),
)

SHEETS = (ENTITES, DISPOSITIFS, FINANCEMENTS)
BY_NAME = {sheet.name: sheet for sheet in SHEETS}
ANNEXES = "Annexes et guide"
LISTES = "Listes"
ERREURS = "Erreurs"

EXEMPLE_NOM = "Association sportive du FC"
"""The entité of the template's example, that people sometimes leave in place."""
