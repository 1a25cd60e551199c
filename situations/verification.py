"""Counts over the whole base of what the constraints make impossible: each must be 0. And of what is not known."""

from django.db import connection

_CHAINES = {
    "situations": ("situations_situationresidentielle", "personne_id"),
    "appartenances": ("menages_appartenance", "personne_id"),
}
_CHAINE = """
    SELECT count(*) FILTER (WHERE date_fin < date_debut),
           count(*) FILTER (WHERE following <= coalesce(date_fin, 'infinity')),
           count(*) FILTER (WHERE following > date_fin + 1),
           count(*) FILTER (WHERE following IS NULL AND date_fin IS NOT NULL),
           count(*) FILTER (WHERE following IS NOT NULL AND date_fin IS NULL)
    FROM (SELECT date_debut, date_fin, lead(date_debut) OVER (PARTITION BY {owner} ORDER BY date_debut) AS following
          FROM {table}) AS periods
"""
_NOMS = ("fin avant le début", "chevauchements", "trous", "sans période en cours", "plusieurs périodes en cours")
_ZERO = {
    "personnes sans situation": """
        SELECT count(*) FROM menages_personne p WHERE NOT EXISTS (
            SELECT FROM situations_situationresidentielle s WHERE s.personne_id = p.id AND s.date_fin IS NULL)""",
    "personnes sans ménage": """
        SELECT count(*) FROM menages_personne p WHERE NOT EXISTS (
            SELECT FROM menages_appartenance a WHERE a.personne_id = p.id AND a.date_fin IS NULL)""",
    "fusions en chaîne": """
        SELECT count(*) FROM menages_personne p JOIN menages_personne m ON m.id = p.fusionnee_dans_id
        WHERE m.fusionnee_dans_id IS NOT NULL""",
    "ménages vides non archivés": """
        SELECT count(*) FROM menages_menage g WHERE g.archive_le IS NULL AND NOT EXISTS (
            SELECT FROM menages_appartenance a JOIN menages_personne p ON p.id = a.personne_id AND p.active
            WHERE a.menage_id = g.id AND a.date_fin IS NULL)""",
    "ménages archivés où quelqu'un vit": """
        SELECT count(*) FROM menages_menage g WHERE g.archive_le IS NOT NULL AND EXISTS (
            SELECT FROM menages_appartenance a JOIN menages_personne p ON p.id = a.personne_id AND p.active
            WHERE a.menage_id = g.id AND a.date_fin IS NULL)""",
}
_A_SUIVRE = {
    "situations non renseignées": """
        SELECT count(*) FROM situations_situationresidentielle s JOIN menages_personne p ON p.id = s.personne_id
        WHERE p.active AND s.date_fin IS NULL AND s.sr2_id = 'NR'""",
}


def verify() -> tuple[dict[str, int], dict[str, int]]:
    """Violations by kind, then what is only worth knowing."""
    with connection.cursor() as cursor:
        violations = {}
        for chain, (table, owner) in _CHAINES.items():
            cursor.execute(_CHAINE.format(table=table, owner=owner))
            violations |= {f"{chain}, {name}": n for name, n in zip(_NOMS, cursor.fetchone(), strict=True)}
        violations |= {name: _one(cursor, query) for name, query in _ZERO.items()}
        return violations, {name: _one(cursor, query) for name, query in _A_SUIVRE.items()}


def _one(cursor, query: str) -> int:
    cursor.execute(query)
    return cursor.fetchone()[0]
