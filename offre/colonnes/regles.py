"""What can be wrong in a Temps 1 workbook, beyond what any column can say of its own cells."""

from siao.socle.columns import rules
from siao.socle.columns.rules import error, warning

SIREN_CARACTERES = error(
    "siren_caracteres", "SIREN mal écrit", "« {found} » n'est pas un SIREN : écrivez ses 9 chiffres, sans lettre."
)
SIREN_LONGUEUR = error(
    "siren_longueur",
    "SIREN de mauvaise longueur",
    "Un SIREN a 9 chiffres, celui-ci en a {found}{hint} : vérifiez-le sur un document officiel.",
)
SIREN_CLE = error(
    "siren_cle",
    "SIREN mal recopié",
    "Le SIREN {found} est mal recopié : sa clé de contrôle n'est pas la bonne. Vérifiez-le sur un document officiel.",
)
CODE_FACTICE = error(
    "code_factice",
    "Numéro inventé",
    "« {found} » n'est pas un vrai {nom} : {faire}.",
)
SIREN_EN_DOUBLE = error(
    "siren_en_double",
    "SIREN en double",
    "Ce SIREN est aussi {other} : une entité n'est décrite qu'une fois.",
)
SIREN_CONNU_AILLEURS = warning(
    "siren_connu_ailleurs",
    "Entité déjà connue en France",
    "Le SIREN {found} est déjà connu hors de ce département : l'entité sera rattachée, sans être créée deux fois.",
)
SIREN_AU_REPERTOIRE = warning(
    "siren_au_repertoire",
    "Entité fermée ou absente au répertoire SIRENE",
    "L'entité de SIREN {found} est {anomalie} : vérifiez ce numéro, ou demandez à la structure le nouveau.",
)
NOM_EN_DOUBLE = error(
    "nom_en_double",
    "Nom en double",
    "Ce nom est aussi {other} : deux fiches ne portent pas le même. Précisez l'un des deux.",
)
NOM_REPRIS = warning(
    "nom_repris",
    "Nom d'une entité absente",
    "Une autre entité du département, SIREN {siren}, absente de ce classeur, porte ce nom : il faudra la fermer avant "
    "d'importer.",
)
NOM_DE_PLUSIEURS = error(
    "nom_de_plusieurs",
    "Nom porté par plusieurs lignes (classeur régional)",
    "« {found} » est le nom de plusieurs lignes de l'onglet {sheet} : écrivez {choices}.",
)
LIGNE_EXEMPLE = error(
    "ligne_exemple",
    "Ligne d'exemple",
    "C'est la ligne d'exemple du modèle : supprimez-la, ou remplacez-la par une vraie entité.",
)
IDCC_INCONNU = error(
    "idcc_inconnu",
    "IDCC inconnu",
    "« {found} » n'est pas un numéro d'IDCC connu : écrivez ses 4 chiffres, par exemple 0413.",
)
IDCC_PLUS_EN_VIGUEUR = warning(
    "idcc_plus_en_vigueur",
    "IDCC qui n'est plus en vigueur",
    "L'IDCC {found} ({libelle}) n'est plus en vigueur : vérifiez s'il a été remplacé.",
)
ENTITE_SANS_DISPOSITIF = error(
    "entite_sans_departement",
    "Entité sans dispositif (classeur régional)",
    "Dans un classeur régional, le département d'une entité est celui de ses dispositifs : ajoutez-lui un dispositif, "
    "ou déposez-la dans le classeur de son département.",
)
TYPE_HORS_CATEGORIE = error(
    "type_hors_categorie",
    "Type étranger à la catégorie",
    "« {type} » n'est pas un type de la catégorie « {categorie} » : choisissez l'un de ses types, ou corrigez-la.",
)
SIRET_LONGUEUR = error(
    "siret_longueur",
    "SIRET mal écrit",
    "Un SIRET a 14 chiffres, sans lettre (longueur trouvée : {found}) : vérifiez-le sur un document officiel.",
)
SIRET_CLE = error(
    "siret_cle",
    "SIRET mal recopié",
    "Le SIRET {found} est mal recopié : sa clé de contrôle n'est pas la bonne. Vérifiez-le sur un document officiel.",
)
SIRET_AUTRE_SIREN = error(
    "siret_autre_siren",
    "SIRET d'une autre entité",
    "Ce SIRET commence par {found} alors que le SIREN de l'entité est {siren} : corrigez l'un ou l'autre.",
)
FINESS = error(
    "finess",
    "N° FINESS mal écrit",
    "« {found} » n'est pas un n° FINESS : écrivez ses 9 caractères, par exemple 440000123.",
)
FERMETURE_AVANT_OUVERTURE = error(
    "fermeture_avant_ouverture",
    "Fermeture avant l'ouverture",
    "La fermeture ({fermeture}) précède l'ouverture ({ouverture}) : corrigez l'une des deux dates.",
)
CODE_POSTAL_FORMAT = error(
    "code_postal_format",
    "Code postal mal écrit",
    "« {found} » n'est pas un code postal : écrivez ses 5 chiffres{hint}.",
)
CODE_POSTAL_INCONNU = error(
    "code_postal_inconnu", "Code postal inconnu", "Aucune commune n'a le code postal {found} : vérifiez-le{hint}."
)
CODE_POSTAL_CEDEX = error(
    "code_postal_cedex",
    "Code CEDEX",
    "{found} est probablement un code CEDEX : écrivez le code postal de la commune{hint}, et gardez la mention CEDEX "
    "dans « Complément d'adresse ».",
)
CODE_POSTAL_INSEE = error(
    "code_postal_insee",
    "Code INSEE au lieu du code postal",
    "{found} est le code INSEE de {commune}, et non son code postal : écrivez {codes}.",
)
COMMUNE_ANCIENNE = warning(
    "commune_ancienne",
    "Ancienne commune",
    "« {found} » fait maintenant partie de {commune} : c'est elle qui est retenue. Le nom de l'ancienne commune peut "
    "aller dans « Complément d'adresse ».",
)
COMMUNE_HORS_CODE_POSTAL = error(
    "commune_hors_code_postal",
    "Commune étrangère au code postal",
    "« {found} » n'a pas le code postal {code} : {communes}. Corrigez l'un des deux.",
)
COMMUNE_HORS_DEPARTEMENT = error(
    "commune_hors_departement",
    "Commune hors du territoire",
    "{found} est dans un autre département ({departement}), et non dans {territoire} : corrigez l'adresse.",
)
ADRESSE_CONFIDENTIELLE = error(
    "adresse_confidentielle",
    "Adresse à rendre confidentielle",
    "Un dispositif pour « {public} » a une adresse confidentielle : mettez « Oui ».",
)
SOMME_DES_PLACES = error(
    "somme_des_places",
    "Somme des places",
    "Urgence {urgence} + stabilisation {stabilisation} + insertion {insertion} = {total}, et non {places} : corrigez "
    "l'un des quatre nombres.",
)
PMR_TROP_GRAND = error(
    "pmr_trop_grand",
    "Places accessibles en trop",
    "Plus de places accessibles ({found}) que de places ({places}) : corrigez l'un des deux nombres.",
)
CONTINGENT_TROP_GRAND = error(
    "contingent_trop_grand",
    "Contingent trop grand",
    "Un contingent ({found}) plus grand que le nombre de logements ({logements}) : corrigez l'un des deux nombres.",
)
AGES_INVERSES = error(
    "ages_inverses",
    "Âges inversés",
    "L'âge maximum ({maximum}) est inférieur à l'âge minimum ({minimum}) : corrigez l'un des deux.",
)
FINANCEMENT_EN_DOUBLE = error(
    "financement_en_double",
    "Financement en double",
    "{other} décrit le même financement (dispositif, ligne, référence et date de début) : gardez l'un des deux.",
)
FIN_AVANT_DEBUT = error(
    "fin_avant_debut",
    "Fin avant le début",
    "La fin ({fin}) précède le début ({debut}) : corrigez l'une des deux dates.",
)
FINANCEMENT_AU_DELA = warning(
    "financement_au_dela",
    "Financement supérieur à la capacité",
    "Au {date}, les financements totalisent {total} {unite} pour une capacité de {capacite} : vérifiez les quantités.",
)
UNITE_INATTENDUE = warning(
    "unite_inattendue",
    "Unité inattendue",
    "Des « {unite} » pour un dispositif de la catégorie « {categorie} » : vérifiez l'unité.",
)
AU_DESSUS_DU_TABLEAU = error(
    "au_dessus_du_tableau",
    "Saisie au-dessus du tableau",
    "Ce qui est saisi ici ({found}) est dans l'en-tête du modèle, qui n'est pas lu : déplacez-le à partir de la ligne "
    "{first}, ou effacez-le.",
)
LIGNE_DU_MODELE = warning(
    "ligne_du_modele",
    "Ligne d'en-tête parmi les données",
    "La ligne {row} répète l'en-tête du modèle : elle est ignorée, les lignes suivantes sont lues. Supprimez-la.",
)
LIGNE_DE_TOTAL = error(
    "ligne_de_total",
    "Ligne de total",
    "La ligne {row} est un total (« {found} ») : supprimez-la, seules les fiches sont lues.",
)
FEUILLE_IGNOREE = warning(
    "feuille_ignoree",
    "Onglet ignoré",
    "L'onglet « {name} » n'est pas du modèle : rien de ce qu'il contient ne sera importé.",
)
ONGLET_MASQUE = warning(
    "onglet_masque",
    "Onglet masqué",
    "L'onglet « {name} » est masqué, et lu comme les autres : affichez-le pour le vérifier.",
)
LIGNES_MASQUEES = warning(
    "lignes_masquees",
    "Lignes masquées",
    "Lignes masquées et lues comme les autres : {rows}. Affichez-les pour les vérifier, ou supprimez-les.",
)
CLASSEUR_VIDE = error(
    "classeur_vide",
    "Classeur sans aucune ligne",
    "Ce classeur ne décrit aucune fiche : remplissez-le à partir de la ligne 9, ou partez du modèle prérempli avec les "
    "fiches du département.",
)
FICHIER = warning("fichier", "Partie du fichier laissée de côté", "{sentence}")

RULES = (
    *rules.RULES,
    SIREN_CARACTERES,
    SIREN_LONGUEUR,
    SIREN_CLE,
    CODE_FACTICE,
    SIREN_EN_DOUBLE,
    SIREN_CONNU_AILLEURS,
    SIREN_AU_REPERTOIRE,
    NOM_EN_DOUBLE,
    NOM_REPRIS,
    NOM_DE_PLUSIEURS,
    LIGNE_EXEMPLE,
    IDCC_INCONNU,
    IDCC_PLUS_EN_VIGUEUR,
    ENTITE_SANS_DISPOSITIF,
    TYPE_HORS_CATEGORIE,
    SIRET_LONGUEUR,
    SIRET_CLE,
    SIRET_AUTRE_SIREN,
    FINESS,
    FERMETURE_AVANT_OUVERTURE,
    CODE_POSTAL_FORMAT,
    CODE_POSTAL_INCONNU,
    CODE_POSTAL_CEDEX,
    CODE_POSTAL_INSEE,
    COMMUNE_ANCIENNE,
    COMMUNE_HORS_CODE_POSTAL,
    COMMUNE_HORS_DEPARTEMENT,
    ADRESSE_CONFIDENTIELLE,
    SOMME_DES_PLACES,
    PMR_TROP_GRAND,
    CONTINGENT_TROP_GRAND,
    AGES_INVERSES,
    FINANCEMENT_EN_DOUBLE,
    FIN_AVANT_DEBUT,
    FINANCEMENT_AU_DELA,
    UNITE_INATTENDUE,
    AU_DESSUS_DU_TABLEAU,
    LIGNE_DU_MODELE,
    LIGNE_DE_TOTAL,
    FEUILLE_IGNOREE,
    ONGLET_MASQUE,
    LIGNES_MASQUEES,
    CLASSEUR_VIDE,
    FICHIER,
)
