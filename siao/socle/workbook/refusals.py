"""Every reason to refuse a workbook, with the sentence the user reads: what is wrong, then what to do."""

from siao.socle.refusal import Refusal

_RESAVE = (
    "Ouvrez-le dans votre tableur (Excel ou LibreOffice), choisissez « Enregistrer sous > Classeur Excel (.xlsx) », "
    "puis déposez le nouveau fichier."
)
_COPY = (
    "Copiez vos données dans un modèle vierge (Collage spécial > Valeurs), enregistrez-le, "
    "puis déposez le nouveau fichier."
)

SENTENCES = {
    # What the file is
    "vide": "Le fichier est vide. Vérifiez qu'il a bien été enregistré, puis déposez-le de nouveau.",
    "trop_gros": (
        "Le fichier dépasse {limit} Mo. Retirez les images et les onglets qui ne servent pas, "
        "puis déposez-le de nouveau."
    ),
    "pas_un_classeur": "Ce fichier n'est pas un classeur .xlsx. " + _RESAVE,
    "csv": "Ce fichier n'est pas un classeur .xlsx : c'est du texte (CSV). " + _RESAVE,
    "ancien_format": "Ce fichier est dans un ancien format Excel (.xls). " + _RESAVE,
    "xlsb": "Ce fichier est au format binaire d'Excel (.xlsb). " + _RESAVE,
    "strict": (
        'Ce fichier est au format "Open XML Strict". Enregistrez en "Classeur Excel (.xlsx)", '
        'pas en "Open XML Strict", puis déposez le nouveau fichier.'
    ),
    "autre_document": (
        "Ce fichier n'est pas un classeur .xlsx : c'est un autre document (texte, présentation…). "
        "Déposez le classeur rempli à partir du modèle."
    ),
    "mot_de_passe": (
        "Ce fichier est protégé par un mot de passe. Ouvrez-le, retirez le mot de passe d'ouverture (dans Excel : "
        "Fichier > Informations > Protéger le classeur > Chiffrer avec mot de passe), enregistrez-le, "
        "puis déposez-le de nouveau."
    ),
    "macros": "Ce fichier contient des macros. " + _RESAVE,
    "objet": (
        "Ce fichier contient un objet incorporé, un contrôle ActiveX ou un menu personnalisé. "
        "Supprimez-le, ou bien : " + _COPY[0].lower() + _COPY[1:]
    ),
    # Its archive
    "endommage": (
        "Le fichier est endommagé ou incomplet. Ouvrez-le dans votre tableur : s'il s'ouvre, enregistrez-le de nouveau "
        "au format Classeur Excel (.xlsx) et déposez-le ; sinon, repartez de votre dernière copie."
    ),
    "compression": "Ce fichier est compressé d'une façon que les classeurs n'utilisent pas. " + _RESAVE,
    "doublon": "Ce fichier est endommagé : il contient deux fois le même élément. " + _RESAVE,
    "chemin": "Ce fichier contient des éléments aux noms interdits. " + _RESAVE,
    "trop_d_elements": (
        "Ce fichier contient plus de {limit} éléments (images, graphiques, onglets…). "
        "Retirez ceux qui ne servent pas, puis déposez-le de nouveau."
    ),
    "trop_volumineux": (
        "Le contenu de ce fichier dépasse {limit} Mo une fois décompressé. Supprimez les lignes et les colonnes vides "
        "mises en forme au-delà du tableau et les onglets qui ne servent pas, puis déposez-le de nouveau."
    ),
    "trop_de_texte": (
        "Ce fichier contient trop de texte ({limit} Mo au plus). Supprimez les onglets et les lignes qui ne servent "
        "pas, raccourcissez les textes les plus longs, puis déposez-le de nouveau."
    ),
    "trop_compresse": (
        "Ce fichier répète un très grand nombre de fois le même contenu. Supprimez les lignes et les colonnes vides "
        "mises en forme au-delà du tableau, puis déposez-le de nouveau."
    ),
    # Its XML
    "dtd": "Ce fichier contient une définition interdite (DTD), qu'aucun tableur n'écrit. " + _RESAVE,
    "encodage": "Ce fichier utilise un codage de caractères que les classeurs n'utilisent pas. " + _RESAVE,
    "structure": "Ce fichier a une structure anormale, qu'aucun tableur n'écrit. " + _RESAVE,
    "lien_externe": "Ce fichier va chercher une partie de son contenu dans un autre fichier ou sur internet. " + _COPY,
    # Its sheets
    "onglet_illisible": "L'onglet « {sheet} » est illisible. " + _COPY,
    "ligne_en_desordre": (
        "L'onglet « {sheet} » est illisible : sa ligne {row} est mal numérotée, en double ou dans le désordre. " + _COPY
    ),
    "lignes": (
        "L'onglet « {sheet} » contient plus de {limit} lignes. Supprimez les lignes qui ne servent pas "
        "ou répartissez-les dans plusieurs fichiers, puis déposez-les."
    ),
    "cellules": (
        "Ce fichier contient trop de cellules remplies ({limit} au plus). Supprimez les colonnes, les lignes et les "
        "onglets qui ne servent pas, puis déposez-le de nouveau."
    ),
    "fusions": (
        "L'onglet « {sheet} » contient plus de {limit} cellules fusionnées. Annulez les fusions, répétez la valeur sur "
        "chaque ligne, puis déposez-le de nouveau."
    ),
    # Its reading
    "trop_complexe": "La lecture de ce fichier demande trop de mémoire ou de calcul. " + _COPY,
    "trop_long": "La lecture de ce fichier prend trop de temps. " + _COPY,
    "illisible": "Ce fichier n'a pas pu être lu. " + _COPY,
}


class Refused(Refusal):
    """The workbook as a whole is refused. ``code`` is a key of ``SENTENCES``; the text is the sentence, filled in."""

    def __init__(self, code: str, **details: str | int):
        self.code = code
        self.details = details
        super().__init__(SENTENCES[code].format(**{name: spaced(value) for name, value in details.items()}))

    def __reduce__(self):
        """Exceptions of Celery's workers travel between processes."""
        return _refused, (self.code, self.details)


def _refused(code: str, details: dict) -> Refused:
    return Refused(code, **details)


def spaced(value: str | int) -> str:
    """« 5 000 » for 5000, with the thin space of French; a text as it is."""
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else value
