"""A country to measure on: the volumes of the field, invented, chained as the constraints ask.

Rows go in by sets, without triggers nor foreign keys (``session_replication_role``): checks and unicity still hold,
and ``manage.py parcours verifier`` finds nothing to say.
"""

import datetime
import itertools
import random

from django.db import connection, transaction
from django.utils import timezone
from stdnum.luhn import calc_check_digit

from comptes.models import CodePostal, Departement
from offre.models import Configuration, Dispositif, Entite, GroupePlaces, Place, Rattachement
from offre.models.nomenclature import Categorie, Statut

ENTITES, DISPOSITIFS, GROUPES = 2_500, 12_000, 60_000
PERSONNES_PAR_MENAGE = 20 / 9

_MENAGES = """
INSERT INTO menages_menage (id, numero, siao_id)
SELECT m, siao.code || '-' || lpad(m::text, 6, '0'), siao.code
FROM generate_series(1, %(menages)s) AS m
JOIN (SELECT code, row_number() OVER (ORDER BY code) - 1 AS rang, count(*) OVER () AS total FROM comptes_siao) AS siao
  ON siao.rang = m %% siao.total
"""

# 46 656 surnames of three syllables, 1 296 first names of two: some are shared by many, as in life.
# One person in fifty is protected.
_PERSONNES = """
INSERT INTO menages_personne (id, nom, nom_usage, prenom, date_naissance, sexe, gel_motif, protegee)
SELECT p, upper(s[1 + h1 %% 36] || s[1 + h2 %% 36] || s[1 + h3 %% 36]), '', initcap(s[1 + h4 %% 36] || s[1 + h5 %% 36]),
       DATE '1940-01-01' + h6 %% 29000, CASE p %% 3 WHEN 0 THEN 'F' WHEN 1 THEN 'H' ELSE '' END, '',
       p %% 50 = 0
FROM (
    SELECT p, get_byte(d, 0) AS h1, get_byte(d, 1) AS h2, get_byte(d, 2) AS h3, get_byte(d, 3) AS h4,
           get_byte(d, 4) AS h5, get_byte(d, 5) * 256 + get_byte(d, 6) AS h6
    FROM generate_series(1, %(personnes)s) AS p, LATERAL (SELECT decode(md5('personne' || p), 'hex') AS d) AS hache
) AS tirage,
(SELECT string_to_array('ba be bi bo bu da de di do du fa fe ga go la le li lo lu ma me mi mo na ne ni no ra re ri '
                        'ro sa se ta te vi vo', ' ') AS s) AS syllabes
"""

_APPARTENANCES = """
INSERT INTO menages_appartenance (personne_id, menage_id, date_debut)
SELECT p, 1 + floor((p - 1) / %(par_menage)s)::int, CURRENT_DATE - 2900 FROM generate_series(1, %(personnes)s) AS p
"""

# One to seven situations of one to eleven months each, the last one open.
_SITUATIONS = """
INSERT INTO situations_situationresidentielle (personne_id, sr2_id, date_debut, date_fin, confirmee_le)
SELECT p, sr2.code, debut, lead(debut) OVER chaine - 1, debut
FROM (
    SELECT p, n, rang, CURRENT_DATE - 2900 + sum(duree) OVER (PARTITION BY p ORDER BY n)::int AS debut
    FROM (
        SELECT p, n, hashint8(p * 10 + n) & 1048575 AS rang, 30 + (hashint8(p * 10 + n) & 255) AS duree
        FROM generate_series(1, %(personnes)s) AS p, generate_series(1, 1 + (hashint8(p) & 1048575) %% 7) AS n
    ) AS tirage
) AS dates
JOIN (
    SELECT code, row_number() OVER (ORDER BY code) - 1 AS place, count(*) OVER () AS total
    FROM situations_sr2 WHERE NOT region_obligatoire
) AS sr2 ON sr2.place = dates.rang %% sr2.total
WINDOW chaine AS (PARTITION BY p ORDER BY debut)
"""

_TABLES = ["menages_menage", "menages_personne", "menages_appartenance", "situations_situationresidentielle"]


def populate(personnes: int) -> None:
    """Fill the database with the offre of the country, and ``personnes`` persons in their ménages."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        _offre()
        menages = int((personnes - 1) / PERSONNES_PAR_MENAGE) + 1
        sizes = {"personnes": personnes, "menages": menages, "par_menage": PERSONNES_PAR_MENAGE}
        for statement in (_MENAGES, _PERSONNES, _APPARTENANCES, _SITUATIONS):
            cursor.execute(statement, sizes)
        for table in _TABLES[:2]:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _offre() -> None:
    """The same number of entités, dispositifs and groupes in each département; one place in ten is free."""
    rng, now = random.Random(44), timezone.now()
    addresses = _addresses()
    departements = sorted(addresses)
    entites = Entite.objects.bulk_create(Entite(siren=_siren(n)) for n in range(ENTITES))
    rattachements = Rattachement.objects.bulk_create(
        Rattachement(
            entite=entite,
            departement_id=code,
            nom=f"Association d'essai {n}",
            statut=Statut.VALIDE,
            telephone="",
            courriel="",
        )
        for n, (entite, code) in enumerate(zip(entites, itertools.cycle(departements)))
    )
    dispositifs = Dispositif.objects.bulk_create(
        _hebergement(n, fiche, addresses[fiche.departement_id], rng)
        for n, fiche in zip(range(DISPOSITIFS), itertools.cycle(rattachements))
    )
    groupes = GroupePlaces.objects.bulk_create(
        GroupePlaces(
            dispositif=dispositif,
            categorie_dispositif=dispositif.categorie,
            libelle=f"Groupe {n}",
            type_id="30",
            categorie_id="60",
            pmr=n % 8 == 0,
            couchages=1 + n % 5,
        )
        for n, dispositif in zip(range(GROUPES), itertools.cycle(dispositifs))
    )
    Configuration.objects.bulk_create(
        Configuration(
            groupe=groupe, composition_id=code, couchages=groupe.couchages, taille_min=1, taille_max=groupe.couchages
        )
        for groupe in groupes
        for code in rng.sample(("10", "20", "30", "40", "50", "100"), 2)
    )
    Place.objects.bulk_create(
        Place(
            groupe=groupe,
            nom=f"Place {number}",
            ouverte_le=datetime.date(2020, 1, 1),
            etat="LIBRE" if rng.random() < 0.1 else "OCCUPEE",
            etat_depuis=now,
            declare_le=now,
            declare_par_id=1,
        )
        for groupe in groupes
        for number in range(rng.randint(1, 6))
    )


def _addresses() -> dict[str, list[tuple[str, str]]]:
    """Postal code and commune of a few places of each département."""
    found: dict[str, list[tuple[str, str]]] = {}
    known = set(Departement.objects.values_list("pk", flat=True))
    rows = CodePostal.objects.order_by("pk").values_list("commune__departement", "code", "commune")
    for departement, code, commune in rows:
        if departement in known and len(found.setdefault(departement, [])) < 20:
            found[departement].append((code, commune))
    return found


def _siren(number: int) -> str:
    start = f"7{number:07d}"
    return start + calc_check_digit(start)


def _hebergement(number: int, fiche: Rattachement, addresses: list, rng: random.Random) -> Dispositif:
    code, commune = rng.choice(addresses)
    return Dispositif(
        entite=fiche.entite,
        departement_id=fiche.departement_id,
        siren=fiche.entite.siren,
        nom=f"Hébergement d'essai {number}",
        categorie=Categorie.HEBERGEMENT,
        type_id="CHRS",
        date_ouverture=datetime.date(2015, 2, 1),
        perennite="PERENNE",
        implantation="DIFFUS",
        participation="AUCUNE",
        voie="1 rue des Exemples",
        code_postal=code,
        commune_id=commune,
        adresse_confidentielle=number % 20 == 0,
        orientation_siao=True,
        places=20,
        places_urgence=10,
        places_stabilisation=0,
        places_insertion=10,
        statut=(Statut.VALIDE, Statut.VALIDE, Statut.VALIDE, Statut.PREVALIDE)[number % 4],
    )
