"""What can be wrong with a cell or a row: a registry of rules, each with its severity, message and remedy."""

import enum
import re
from dataclasses import dataclass


class Severity(enum.StrEnum):
    ERROR = "ERREUR"
    """Nothing of the workbook is applied until it is corrected."""
    WARNING = "AVERTISSEMENT"
    """Shown before the import, and accepted with it."""


@dataclass(frozen=True)
class Rule:
    code: str
    severity: Severity
    label: str
    """Short name, in filters and in the help page."""
    message: str
    """What the user reads beside the cell: what was found, what was expected, what to do. ``{names}`` are filled."""

    @property
    def fix(self) -> str:
        """The message in general, for the help page: each ``{name}`` is left as an ellipsis."""
        return re.sub(r"\{\w+\}", "…", self.message.replace("{hint}", "").replace("{sentence}", "…"))


@dataclass(frozen=True)
class Problem:
    """One rule broken at one place of a workbook."""

    rule: Rule
    sheet: str
    row: int | None
    cell: str
    """Address such as ``B12``, empty when the whole row or sheet is meant."""
    column: str
    """Header of the column, without its star."""
    value: str
    message: str
    key: str = ""
    """Key of the column."""
    ranges: tuple[tuple[int, int], ...] = ()
    """First and last row of each run of rows that have the same problem, when it is told once for all of them."""


def error(code: str, label: str, message: str) -> Rule:
    return Rule(code, Severity.ERROR, label, message)


def warning(code: str, label: str, message: str) -> Rule:
    return Rule(code, Severity.WARNING, label, message)


REQUIRED = error("obligatoire", "Donnée obligatoire absente", "Cette donnée est obligatoire : remplissez-la.")
REQUIRED_WHEN_OPEN = error(
    "obligatoire_ici",
    "Donnée obligatoire selon une autre colonne",
    "Cette donnée est obligatoire quand « {other} » vaut « {value} » : remplissez-la.",
)
CLOSED = error(
    "cellule_grisee",
    "Cellule grisée remplie",
    "Cette donnée reste vide quand « {other} » vaut « {value} » : videz-la, ou corrigez « {other} ».",
)
CLOSED_EMPTY = error(
    "cellule_grisee",
    "Cellule grisée remplie",
    "Cette donnée reste vide tant que « {other} » l'est : videz-la, ou remplissez « {other} ».",
)
SPREADSHEET_ERROR = error(
    "erreur_tableur",
    "Erreur de calcul du tableur",
    "La cellule affiche l'erreur {found} du tableur : remplacez la formule par sa valeur.",
)
NOT_COMPUTED = error(
    "formule_non_calculee",
    "Formule non calculée",
    "La formule de cette cellule n'est pas calculée : collez sa valeur (collage spécial, « Valeurs »).",
)
UNREADABLE = error(
    "cellule_illisible",
    "Cellule illisible",
    "{sentence}.",
)
MERGED = error(
    "cellules_fusionnees",
    "Cellules fusionnées",
    "Cette cellule est fusionnée avec d'autres : annulez la fusion et répétez la valeur sur chaque ligne.",
)
OUTSIDE = error(
    "hors_tableau",
    "Valeur hors du tableau",
    "{sentence}.",
)
TOO_LONG = error(
    "trop_long", "Texte trop long", "{length} caractères trouvés, {maximum} au plus : raccourcissez le texte."
)
UNEXPECTED_NATURE = error(
    "type_de_cellule",
    "Cellule d'un autre type que sa colonne",
    "Cette cellule contient {found}, et {expected} est attendu{hint} : mettez-la au format {format}, puis saisissez de "
    "nouveau sa valeur.",
)
NUMBER_AS_TEXT = warning(
    "nombre_lu_en_texte",
    "Nombre lu comme un texte",
    "Cette cellule contient un nombre, lu comme le texte « {found} » : vérifiez que le tableur n'a rien retiré (zéros "
    "au début, décimales).",
)
INVISIBLE = warning(
    "caracteres_invisibles",
    "Caractères invisibles retirés",
    "Des caractères invisibles ont été retirés de ce texte, qui devient « {value} ».",
)
NOT_IN_LIST = error(
    "hors_liste",
    "Valeur absente de la liste",
    "« {found} » n'est pas dans la liste : choisissez une valeur de la liste{hint}.",
)
TO_SEPARATE = error(
    NOT_IN_LIST.code,
    NOT_IN_LIST.label,
    "« {found} » contient plusieurs valeurs : séparez-les par « ; », par exemple « {example} ».",
)
LEAVE_EMPTY = error(
    "a_laisser_vide",
    "Cellule à laisser vide",
    "« {found} » n'est pas une valeur : laissez vide la cellule d'une donnée que vous n'avez pas.",
)
NOT_A_DATE = error(
    "date",
    "Date mal écrite",
    "« {found} » n'est pas une date : écrivez-la jour/mois/année, par exemple 31/12/2024{hint}.",
)
SHORT_YEAR = error(
    NOT_A_DATE.code, NOT_A_DATE.label, "« {found} » : écrivez l'année à quatre chiffres, par exemple {example}."
)
YEAR_ALONE = error(
    NOT_A_DATE.code,
    NOT_A_DATE.label,
    "« {found} » est une année seule : écrivez aussi le jour et le mois, par exemple 01/01/{found}.",
)
NUMBER_SHOWN_AS_DATE = error(
    "nombre_affiche_en_date",
    "Nombre affiché comme une date",
    "Le nombre {number} a été saisi dans cette cellule, qui affiche la date {found} : écrivez la date entière, par "
    "exemple {example}. Si {found} est la bonne date, mettez la cellule au format Texte et saisissez-la de nouveau.",
)
TIME_DROPPED = warning(
    "heure_ignoree", "Heure d'une date", "L'heure de « {found} » n'est pas gardée : la date lue est {date}."
)
UNLIKELY_DATE = warning(
    "date_peu_plausible", "Date peu plausible", "La date lue est {found} : vérifiez l'année, peu plausible ici."
)
DATE_OUT_OF_RANGE = error(
    "date_hors_bornes",
    "Date hors bornes",
    "La date {found} est hors bornes (de 01/01/1900 à 31/12/2100) : corrigez l'année.",
)
NOT_AN_INTEGER = error(
    "entier",
    "Nombre entier attendu",
    "« {found} » n'est pas un nombre entier : écrivez des chiffres seuls, sans virgule.",
)
INTEGER_OUT_OF_RANGE = error(
    "entier_hors_bornes", "Nombre hors bornes", "{found} est hors bornes : le nombre va de {minimum} à {maximum}."
)
UNLIKELY_INTEGER = warning(
    "nombre_peu_plausible", "Nombre peu plausible", "Le nombre lu est {found} : vérifiez-le, il est très élevé{hint}."
)
NOT_AN_AMOUNT = error(
    "montant",
    "Montant mal écrit",
    "« {found} » n'est pas un montant : écrivez-le en euros, deux décimales au plus, par exemple 1234,56.",
)
AMOUNT_OUT_OF_RANGE = error(
    "montant_hors_bornes",
    "Montant hors bornes",
    "« {found} » est hors bornes : un montant n'est pas négatif, et reste inférieur à {maximum} €.",
)
AMOUNT_ROUNDED = warning(
    "montant_arrondi",
    "Montant arrondi",
    "La cellule contient {found} : le montant lu est {amount}, au centime.",
)
UNLIKELY_AMOUNT = warning(
    "montant_peu_plausible", "Montant peu plausible", "Le montant lu est {amount} : vérifiez-le, il est très élevé."
)
NOT_YES_NO = error("oui_non", "Oui ou Non attendu", "« {found} » n'est ni Oui ni Non : choisissez l'un des deux.")
NOT_A_PHONE = error(
    "telephone",
    "Téléphone mal écrit",
    "« {found} » n'est pas un numéro de téléphone : écrivez 10 chiffres, par exemple 02 61 91 00 00, "
    "ou un numéro court, par exemple 115{hint}.",
)
PHONE_EXTENSION = error(
    "telephone_poste",
    "Téléphone avec un poste",
    "« {found} » contient plus qu'un numéro de téléphone : écrivez le numéro seul, sans le poste.",
)
SEVERAL_PHONES = error(
    "telephones_multiples",
    "Plusieurs téléphones",
    "« {found} » contient plusieurs numéros de téléphone : gardez-en un seul, par exemple {first}.",
)
DUMMY_PHONE = warning(
    "telephone_fictif", "Téléphone factice", "« {found} » n'est pas un vrai numéro : remplacez-le, ou effacez-le."
)
NOT_AN_EMAIL = error(
    "courriel",
    "Adresse courriel mal écrite",
    "« {found} » n'est pas une adresse courriel : écrivez-en une seule, par exemple contact@exemple.fr.",
)
UNKNOWN_REFERENCE = error(
    "reference_inconnue",
    "Renvoi à une ligne absente",
    "« {found} » n'est pas dans l'onglet {sheet} : {create}, ou corrigez le nom{hint}.",
)
BLANK_ROW = warning(
    "ligne_vide", "Ligne vide", "La ligne {row} est vide : elle est ignorée, les lignes suivantes sont lues."
)
BLANK_ROWS = warning(
    BLANK_ROW.code,
    BLANK_ROW.label,
    "Les lignes {first} à {last} sont vides : elles sont ignorées, les lignes suivantes sont lues.",
)

RULES = (
    REQUIRED,
    REQUIRED_WHEN_OPEN,
    CLOSED,
    SPREADSHEET_ERROR,
    NOT_COMPUTED,
    UNREADABLE,
    MERGED,
    OUTSIDE,
    TOO_LONG,
    UNEXPECTED_NATURE,
    NUMBER_AS_TEXT,
    INVISIBLE,
    NOT_IN_LIST,
    LEAVE_EMPTY,
    NOT_A_DATE,
    DATE_OUT_OF_RANGE,
    NUMBER_SHOWN_AS_DATE,
    TIME_DROPPED,
    UNLIKELY_DATE,
    NOT_AN_INTEGER,
    INTEGER_OUT_OF_RANGE,
    UNLIKELY_INTEGER,
    NOT_AN_AMOUNT,
    AMOUNT_OUT_OF_RANGE,
    AMOUNT_ROUNDED,
    UNLIKELY_AMOUNT,
    NOT_YES_NO,
    NOT_A_PHONE,
    PHONE_EXTENSION,
    SEVERAL_PHONES,
    DUMMY_PHONE,
    NOT_AN_EMAIL,
    UNKNOWN_REFERENCE,
    BLANK_ROW,
)
