"""P6: the pages that people live in, with the whole country in the database.

The peer is Django's admin on the same tables (``tests.bench.admin``), the limit an empty view behind the same
middleware and login; all three in this process, in turn. A page's figure is the 95th percentile of its answers.
"""

import os
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes import saisies
from comptes.droits import Profil
from menages.models import Appartenance, Menage, Personne, Recherche
from offre.models import Dispositif
from offre.models.nomenclature import Statut
from tests.bench.mesures import Measure
from tests.bench.population import populate
from tests.comptes.fabrique import client_of, make_utilisateur

PERSONNES = int(os.environ.get("PERSONNES", "1000000"))
REPETITIONS = 8
"""Answers of each side for one of the runs: five runs give a percentile of forty."""

TRANSACTION = re.compile(r"BEGIN|COMMIT|SAVEPOINT|RELEASE|SET ")
"""What opens and closes a transaction is not counted among the queries of a page."""

Ask = Callable[[], object]


def measure(runs: int) -> Iterator[Measure]:
    administrateur = make_utilisateur()
    operateur = make_utilisateur(Profil.OPERATEUR_SIAO)
    populate(PERSONNES)
    empty = _getter(client_of(operateur), lambda: "/vide/")
    for name, siao, peer in _pages(client_of(operateur), client_of(administrateur)):
        siao()  # what is computed once for all is
        connection.queries_log.clear()  # it keeps the last 9 000 only
        with CaptureQueriesContext(connection) as captured:
            siao()
        queries = [query for query in captured.captured_queries if not TRANSACTION.match(query["sql"])]
        sides = {"siao": siao, "pair": peer, "limite": empty}
        times: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(runs * REPETITIONS):
            for side, ask in sides.items():
                Recherche.objects.all().delete()
                started = time.perf_counter()
                ask()
                times[side].append(time.perf_counter() - started)
        seconds = {side: statistics.quantiles(found, n=20)[-1] for side, found in times.items()}
        slowest = max(float(query["time"]) for query in queries)
        medians = ", ".join(f"{side} {statistics.median(found) * 1000:.0f} ms" for side, found in times.items())
        note = f"{len(queries)} requêtes, {slowest * 1000:.0f} ms pour la plus lente ; médianes : {medians}"
        yield Measure("P6", f"{name}, {PERSONNES} personnes", seconds, goals={"pair": 1}, notes=[note])


def _pages(operateur, administrateur) -> Iterator[tuple[str, Ask, Ask]]:
    """Name of each page, how to ask for ours, and for the one of the peer that answers the same question."""
    rng = random.Random(115)
    menages = list(Menage.objects.filter(siao="44").order_by("pk").values_list("pk", flat=True)[:2000])
    seen = Appartenance.objects.filter(menage__in=menages).values("personne")
    personnes = list(Personne.objects.filter(pk__in=seen).order_by("pk")[:2000])
    hebergements = list(Dispositif.objects.filter(departement="44").order_by("pk").values_list("pk", flat=True))
    stamp = {saisies.FIELD: operateur.stamp()}

    def search():
        personne = rng.choice(personnes)
        criteria = {"nom": personne.nom, "prenom": personne.prenom}
        page = operateur.post(reverse("recherche"), {**stamp, **criteria, "date_naissance": ""})
        assert personne.nom in page.text

    def peer_search():
        personne = rng.choice(personnes)
        page = operateur.get("/admin/menages/personne/", {"q": f"{personne.nom} {personne.prenom}"})
        assert personne.nom in page.text

    def of_a(keys, name):
        return lambda: reverse(name, args=[rng.choice(keys)])

    def admin(model, keys=None, query=""):
        path = f"/admin/{model}/{query}"
        return _getter(operateur, (lambda: f"{path}{rng.choice(keys)}/change/") if keys else (lambda: path))

    unknown = admin("situations/situationresidentielle", query="?sr2__exact=NR&date_fin__isnull=True")
    yield "accueil, avec ce qui attend", _getter(operateur, lambda: "/"), unknown
    yield "recherche", search, peer_search
    for page in ("dossier", "ajouter_situation"):
        yield page, _getter(operateur, of_a(menages, page)), admin("menages/menage", menages)
    free = reverse("offre:disponibilites") + "?composition=40&taille=3"
    yield "places disponibles", _getter(operateur, lambda: free), admin("offre/groupeplaces")
    for page, model in (("entites", "rattachement"), ("dispositifs", "dispositif"), ("places", "groupeplaces")):
        url = reverse(f"offre:{page}")
        yield f"liste : {page}", _getter(administrateur, lambda url=url: url), admin(f"offre/{model}")
    change = admin("offre/dispositif", hebergements)

    def fiche():
        return reverse("offre:fiche", args=["dispositifs", rng.choice(hebergements)])

    yield "fiche d'un dispositif", _getter(operateur, fiche), change
    yield "places d'un dispositif", _getter(operateur, of_a(hebergements, "offre:places_dispositif")), change
    waiting = admin("offre/dispositif", query=f"?statut__exact={Statut.PREVALIDE}")
    yield "file de validation", _getter(administrateur, lambda: reverse("offre:a_valider")), waiting


def _getter(client, address: Callable[[], str]) -> Ask:
    def ask():
        answer = client.get(address())
        assert answer.status_code == 200, (answer.status_code, answer.request["PATH_INFO"])

    return ask
