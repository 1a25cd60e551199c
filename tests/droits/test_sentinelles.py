"""Sentinels: each field of ``FIELDS`` holds a token of its own; each actor reads all they can; the tokens are counted.

``sentinelles.csv`` says which territories' tokens each actor may come across (same words as ``table.csv``); a token
anywhere else — page, file, e-mail, log — is a leak.
"""

import csv
import datetime
import html
import io
import itertools
import logging
import re
import zipfile
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pghistory
import pytest
from django.core import mail
from django.core.management import call_command
from django.urls import reverse
from stdnum import luhn

from comptes import actions, nuit
from comptes.historique import acting
from comptes.models import Message, Partage, Utilisateur
from menages.models import DemandeDAcces, Menage, Personne
from offre.models import (
    Composition,
    Dispositif,
    Financement,
    GroupeMesures,
    GroupePlaces,
    Import,
    Indisponibilite,
    Place,
    Rattachement,
)
from siao.menu import ENTRIES
from situations.models import SituationResidentielle
from tests.droits.monde import ACTEURS, OBJETS, TERRITOIRES, Monde
from tests.droits.test_table import COLONNES, SEEN_FROM, TABLE, body_of

with (Path(__file__).parent / "sentinelles.csv").open(encoding="utf-8", newline="") as file:
    POLICY = {line["champ"]: line for line in csv.DictReader(file)}

TOKEN = re.compile(r"zq([a-z]+)x([a-z]+)x(mien|voisin|region|ailleurs)", re.IGNORECASE)
LINK = re.compile(r'(?:href|action)="([^"]+)"')
FIELDS = {
    "compte": (Utilisateur, ("nom", "prenom", "courriel")),
    "entite": (Rattachement, ("nom", "courriel")),
    "dispositif": (Dispositif, ("nom", "voie", "courriel", "commentaire")),
    "fvv": (Dispositif, ("voie", "complement", "siret")),
    "financement": (Financement, ("reference", "commentaire")),
    "hebergement": (Dispositif, ("voie", "finess")),
    "groupe": (GroupePlaces, ("libelle",)),
    "place": (Place, ("nom",)),
    "indisponibilite": (Indisponibilite, ("precision",)),
    "mesures": (GroupeMesures, ("libelle",)),
    "message": (Message, ("titre", "texte")),
    "import": (Import, ("nom_fichier",)),
    "personne": (Personne, ("nom", "nom_usage", "prenom", "date_naissance", "motif")),
    "demande": (DemandeDAcces, ("motif", "reponse")),
    "partage": (Partage, ("motif",)),
    "cachee": (Personne, ("prenom", "date_naissance", "motif")),
    "sejour": (SituationResidentielle, ("date_debut",)),
    "abri": (Dispositif, ("nom",)),
    "veilleur": (Utilisateur, ("nom", "prenom", "courriel")),
    "gelee": (Personne, ("gel_motif",)),
}
DATES = ("personne.date_naissance", "cachee.date_naissance", "sejour.date_debut")
"""Fields that hold a day: their token is one of 1905, a month for each field and a day for each territory."""
ECART = 5
"""Days between those of two territories: pages also tell of the day before and of the day after."""
JOUR = re.compile(r"(?P<jour>[0-9]{2})/(?P<mois>[0-9]{2})/1905|1905-(?P<m>[0-9]{2})-(?P<j>[0-9]{2})")
DES_DOSSIERS = re.compile(
    "|".join([*map(re.escape, ENTRIES[0].prefixes), "/oublis/", r"/(journal|historique)/(?!comptes\.|alertes/)"])
)
"""Where the name of a dispositif, or of who works there, tells where somebody lives; elsewhere both are in a list."""
A_LEUR_PLACE = ("zqabri", "zqveilleur")
"""Tokens that count there only."""


def day(kind: str, field: str, territoire: str) -> datetime.date:
    return datetime.date(1905, 1 + DATES.index(f"{kind}.{field}"), ECART * (1 + list(TERRITOIRES).index(territoire)))


NUMBERS = {
    "fvv.siret": re.compile(r"\b000[0-9]{6}990([0-3])[0-9]\b"),
    "hebergement.finess": re.compile(r"\b99000990([0-3])\b"),
}
"""Fields that only take digits: the number planted there, with the rank of its territory, stands for the token."""


def token(kind: str, field: str, territoire: str) -> str:
    return f"zq{kind}x{field.replace('_', '')}x{territoire}"


def plant(monde: Monde) -> int:
    """Write a token in every field of ``FIELDS``, in each territory; return how many."""
    planted = 0
    corrections = {("personne", "motif"): [], ("cachee", "motif"): []}
    for territoire, lieu in monde.lieux.items():
        rows = {
            "compte": lieu.compte.pk,
            "entite": lieu.rattachement.pk,
            "dispositif": lieu.dispositif.pk,
            "fvv": lieu.fvv.pk,
            "financement": lieu.dispositif.financements.get().pk,
            "hebergement": lieu.hebergement.pk,
            "groupe": lieu.groupe.pk,
            "place": lieu.place.pk,
            "indisponibilite": lieu.indisponibilite.pk,
            "mesures": lieu.mesures.pk,
            "message": lieu.message.pk,
            "import": lieu.travail.pk,
            "personne": lieu.dossier.personne.pk,
            "demande": lieu.dossier.demande.pk,
            "partage": lieu.dossier.partage.pk,
            "cachee": lieu.dossier.protegee.pk,
            "sejour": lieu.dossier.sejour.pk,
            "abri": lieu.dossier.abri.dispositif_id,
            "veilleur": lieu.dossier.veilleur.pk,
            "gelee": lieu.dossier.gelee.pk,
        }
        for kind, (model, fields) in FIELDS.items():
            for field in fields:
                planted += 1
                value, row = token(kind, field, territoire), model.objects.filter(pk=rows[kind])
                if f"{kind}.{field}" in DATES:
                    row.update(**{field: day(kind, field, territoire)})
                    continue
                if (kind, field) in corrections:
                    corrections[kind, field].append((row, value))
                    continue
                if field in ("siret", "finess"):
                    rank = list(TERRITOIRES).index(territoire)
                    siret = f"{lieu.fvv.siren}990{rank}"
                    value = siret + luhn.calc_check_digit(siret) if field == "siret" else f"99000990{rank}"
                column = "reference_acte" if field == "reference" else field
                suffix = "@test.example" if field == "courriel" else ""
                row.update(**{column: value + suffix})
    # Last: in one transaction, what is written next would have the same motive.
    for row, value in itertools.chain(*corrections.values()):
        with pghistory.context(motif=value):
            row.update(sexe="A")
    for lieu in monde.lieux.values():
        dossier = lieu.dossier
        with acting(utilisateur=dossier.veilleur):
            Personne.objects.filter(pk=dossier.protegee.pk).update(sexe="F")
            Menage.objects.filter(pk=dossier.refuge.pk).update(composition=Composition.objects.first())
    return planted


def crawl(client, start: set[str]) -> set[str]:
    """The tokens in all that ``client`` reads: pages, files (workbooks unpacked), following links and GET forms."""
    seen, todo, found = set(), set(start), set()
    while todo:
        address = todo.pop()
        seen.add(address)
        answer = client.get(address)
        body = body_of(answer)
        for closer in answer._resource_closers:
            closer()
        if body.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(body)) as book:
                body = b"".join(book.read(name) for name in book.namelist())
        text = html.unescape(body.decode(errors="replace"))
        found |= {t for t in tokens_in(text) if not t.startswith(A_LEUR_PLACE) or DES_DOSSIERS.match(address)}
        for link in LINK.findall(text):
            place = urlsplit(link)
            known = place.path.startswith("/") and not place.netloc and not place.path.startswith("/static/")
            following = f"{place.path}?{place.query}" if place.query else place.path
            # The questionnaire has an address per path through it, and no data; sorted otherwise, a list shows the
            # same rows.
            skipped = "/deconnexion/" in following or following.startswith("/aide/situations/choisir/?")
            if known and following not in seen and not skipped and "tri=" not in place.query:
                todo.add(following)
    return found


def allowed(acteur: str) -> set[str]:
    found = set()
    for champ, line in POLICY.items():
        kind, field = champ.split(".")
        for territoire in SEEN_FROM.get(line[COLONNES[acteur]], ()):
            found.add(token(kind, field, territoire).lower())
    return found


def tokens_in(text: str) -> set[str]:
    numbers = {
        token(*champ.split("."), list(TERRITOIRES)[int(match[1])])
        for champ, pattern in NUMBERS.items()
        for match in pattern.finditer(text)
    }
    days = set(filter(None, map(_of_day, JOUR.finditer(text))))
    return numbers | days | {match[0].lower() for match in TOKEN.finditer(text)}


def _of_day(match: re.Match) -> str:
    month, number = int(match["mois"] or match["m"]), int(match["jour"] or match["j"])
    territoire = dict(zip(range(ECART, 31, ECART), TERRITOIRES, strict=False)).get(number)
    return token(*DATES[month - 1].split("."), territoire) if territoire and month <= len(DATES) else ""


@pytest.mark.django_db
@pytest.mark.parametrize("acteur", ACTEURS)
def test_each_actor_comes_across_their_own_tokens_only(acteur, caplog, record_property):
    caplog.set_level(logging.INFO)
    monde = Monde()
    planted = plant(monde)
    assert {f"{kind}.{field}" for kind, (_, fields) in FIELDS.items() for field in fields} == set(POLICY)
    utilisateur, client = monde.acteur(acteur)
    client.raise_request_exception = False

    start = {"/", "/plan-du-site/"}
    for line in TABLE:
        if line["methode"] == "GET":
            for territoire in (*TERRITOIRES, "inconnu") if line["objet"] else ("mien",):
                arguments = OBJETS[line["objet"]](monde, utilisateur, territoire) if line["objet"] else {}
                query = arguments.pop("?", None)
                path = reverse(line["route"], kwargs=arguments)
                start.add(f"{path}?{urlencode({**query, 'prerempli': 1})}" if query else path)
    found = crawl(client, start)

    record_property("sentinelles", planted)
    assert found <= allowed(acteur), f"fuites : {sorted(found - allowed(acteur))}"
    if acteur not in ("visiteur", "desactive", "sans_habilitation"):
        assert found, "le parcours n'a rien vu : il ne prouve rien"
    assert not tokens_in(caplog.text), "dans les journaux techniques"


@pytest.mark.django_db
def test_no_token_in_emails_logs_nor_in_the_journal(caplog):
    caplog.set_level(logging.DEBUG)
    monde = Monde()
    plant(monde)
    compte = Utilisateur.objects.get(pk=monde.lieux["mien"].compte.pk)
    _, client = monde.acteur("ADMIN_SIAO")
    client.post(reverse("reinitialiser_compte", args=[compte.pk]))
    client.get(reverse("comptes"), {"q": token("compte", "nom", "mien")})
    client.post(reverse("modifier_compte", args=[compte.pk]), {"prenom": token("compte", "nom", "mien"), "nom": ""})
    client.get("/comptes/999999999/")
    actions.send_pending_links()
    nuit.run()
    out = io.StringIO()
    call_command("verifier_journal", stdout=out)
    [message] = mail.outbox
    assert not tokens_in(message.body + message.subject)
    # A search is in the address of its page, hence never in the logs: they start at the warnings.
    warnings = "\n".join(str(record.msg) for record in caplog.records if record.levelno >= logging.WARNING)
    assert not tokens_in(warnings + out.getvalue())
