"""G06: unusual accesses, one alert each, read again in the journal with a clock of our own."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from comptes import nuit
from comptes.droits import Profil
from comptes.models import Alerte, EntreeJournal, NatureAlerte
from menages.models import Personne
from menages.recherche import LIMITE
from situations import alertes
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, plain
from tests.menages.fabrique import accompany, make_menage, make_operateur
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
MIDI = datetime.datetime(2026, 3, 11, 12, 0, tzinfo=PARIS)
HEURE = datetime.timedelta(hours=1)


def replay(habilitation, quand, *, action="dossier", objets=("",), objet_type="menages.menage", **fields) -> None:
    """The entries that opening ``objets`` wrote at ``quand``."""
    fields = {"resultat": "PERMIS", **fields}
    EntreeJournal.objects.bulk_create(
        EntreeJournal(
            quand=quand,
            utilisateur_id=habilitation.utilisateur_id,
            habilitation=habilitation,
            action=action,
            objet_type=objet_type,
            objet_id=str(objet),
            **fields,
        )
        for objet in objets
    )


def raised() -> list[tuple]:
    return list(Alerte.objects.order_by("pk").values_list("nature", "utilisateur", "jour", "nombre"))


def opened(siao: str, count: int) -> list[int]:
    return [make_menage(siao).pk for _ in range(count)]


def test_more_than_thirty_dossiers_of_elsewhere_in_a_day():
    operateur = make_operateur()
    elsewhere = opened("35", 31)
    replay(operateur, MIDI, objets=elsewhere[:30] * 2)  # thirty, each twice
    replay(operateur, MIDI, objets=opened("44", 40))
    replay(operateur, MIDI, objets=elsewhere[30:], resultat="INTROUVABLE")
    replay(operateur, MIDI - 24 * HEURE, objets=elsewhere[30:])  # another day
    assert alertes.detect(now=MIDI + HEURE) == 0
    replay(operateur, MIDI + HEURE, objets=elsewhere[30:])
    assert alertes.detect(now=MIDI + 2 * HEURE) == 1
    assert raised() == [("AILLEURS", operateur.utilisateur_id, MIDI.date(), 31)]
    assert alertes.detect(now=MIDI + 3 * HEURE) == 0  # one alert


def test_where_an_entite_works_is_not_elsewhere():
    dispositifs = [make_dispositif(make_rattachement(code)) for code in ("44", "49")]
    agent = habilitation_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=dispositifs))
    replay(agent, MIDI, objets=opened("49", 31))
    assert alertes.detect(now=MIDI + HEURE) == 0
    replay(agent, MIDI, objets=opened("35", 31))
    assert alertes.detect(now=MIDI + HEURE) == 1


def test_an_address_that_is_no_number_breaks_nothing():
    replay(make_operateur(), MIDI, objets=["", "x", "9" * 40])
    assert alertes.detect(now=MIDI + HEURE) == 0


@pytest.mark.parametrize("action", alertes.EXTRAITS)
def test_more_than_three_extractions_in_a_day(action):
    agent = habilitation_of(make_utilisateur(Profil.ADMIN_SIAO))
    replay(agent, MIDI, action=action, objets=(1, 2, 3), objet_type="menages.personne")
    replay(agent, MIDI - 13 * HEURE, action=action, objet_type="menages.personne")
    night = NatureAlerte.NUIT
    alertes.detect(now=MIDI + HEURE)
    assert [row for row in raised() if row[0] != night] == []
    replay(agent, MIDI, action=action, objet_type="menages.personne")
    alertes.detect(now=MIDI + HEURE)
    assert [row for row in raised() if row[0] != night] == [("EXTRACTIONS", agent.utilisateur_id, MIDI.date(), 4)]


def test_the_extractions_are_pages_of_the_product():
    for name, arguments in (("exporter_comptes", []), ("donnees_personne_json", [1])):
        assert name in alertes.EXTRAITS
        assert reverse(name, args=arguments)


EVENING = datetime.date(2026, 3, 10)


@pytest.mark.parametrize(
    ("clock", "alerted"),
    [
        ("2026-03-10 21:59", False),
        ("2026-03-10 22:00", True),
        ("2026-03-11 05:59", True),
        ("2026-03-11 06:00", False),
    ],
)
def test_the_night_outside_the_115(clock, alerted):
    when = datetime.datetime.fromisoformat(clock).replace(tzinfo=PARIS)
    operateur, ecoutant = make_operateur(), habilitation_of(make_utilisateur(Profil.ECOUTANT_115))
    replay(ecoutant, when, objets=(1, 2))
    replay(operateur, when, objets=(1,), objet_type="comptes.message")
    alertes.detect(now=MIDI)
    assert raised() == []
    replay(operateur, when, objets=(1, 2))
    alertes.detect(now=MIDI)
    assert raised() == ([("NUIT", operateur.utilisateur_id, EVENING, 2)] if alerted else [])


def test_the_night_is_that_of_where_one_works():
    """23:00 in Réunion is the evening here; 23:00 here is the small hours there."""
    there = make_operateur("974")
    replay(there, datetime.datetime(2026, 3, 10, 23, tzinfo=ZoneInfo("Indian/Reunion")), objets=(1,))
    assert alertes.detect(now=MIDI) == 1
    assert raised() == [("NUIT", there.utilisateur_id, EVENING, 1)]
    replay(make_operateur("974"), datetime.datetime(2026, 3, 11, 10, tzinfo=ZoneInfo("Indian/Reunion")), objets=(1,))
    assert alertes.detect(now=MIDI) == 0


def test_searches_are_counted_as_they_are_made():
    operateur = make_operateur()
    client, typed = client_of(operateur.utilisateur), {"nom": "Exemple", "prenom": "Rosa"}
    codes = [client.post(reverse("recherche"), typed).status_code for _ in range(LIMITE + 2)]
    assert codes == [200] * LIMITE + [429] * 2
    [alerte] = Alerte.objects.all()
    assert (alerte.nature, alerte.habilitation) == ("RECHERCHES", operateur)


def test_real_pages_are_what_the_rules_read():
    """No replay here: the entries are those that the pages write."""
    menage = make_menage("35", personnes=["Rosa Exemple"])
    dispositif = make_dispositif(make_rattachement("44"))
    accompany(menage, dispositif)
    agent = make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif])
    assert client_of(agent).get(reverse("dossier", args=[menage.pk])).status_code == 200
    admin = make_utilisateur(Profil.ADMIN_SIAO, siao_id="35")
    rosa = Personne.objects.get()
    assert client_of(admin).get(reverse("donnees_personne_json", args=[rosa.pk])).status_code == 200
    entries = EntreeJournal.objects.filter(utilisateur__in=(agent, admin))
    assert set(entries.values_list("action", "objet_type", "objet_id")) == {
        ("dossier", "menages.menage", str(menage.pk)),
        ("donnees_personne_json", "menages.personne", str(rosa.pk)),
    }


# --- Examined -----------------------------------------------------------------------------------------------------


@pytest.fixture
def alerte():
    operateur = make_operateur()
    replay(operateur, MIDI - 13 * HEURE, objets=(1,))
    alertes.detect(now=MIDI)
    return Alerte.objects.get()


def test_it_waits_for_the_administrator_of_the_siao_who_examines_it(alerte):
    admin = make_utilisateur(Profil.ADMIN_SIAO)
    client = client_of(admin)
    assert "1 alerte sur des accès inhabituels, à examiner" in plain(client.get(reverse("accueil")))
    page = client.get(reverse("alertes"))
    assert "Consultation de dossiers la nuit, hors 115" in plain(page)
    assert f'href="{reverse("journal")}?alerte={alerte.pk}"' in page.text  # no e-mail in an address
    read = client.get(reverse("journal"), {"alerte": alerte.pk})
    assert [entry.utilisateur for entry in read.context["entrees"]] == [alerte.utilisateur]
    assert not client.get(reverse("journal"), {"alerte": 10**9}).context["entrees"]
    url = reverse("examiner_alerte", args=[alerte.pk])
    assert client.post(url).status_code == 302
    alerte.refresh_from_db()
    assert alerte.examinee_par == admin
    assert f"par {admin}" in plain(client.get(reverse("alertes")))
    assert "inhabituels, à examiner" not in plain(client.get(reverse("accueil")))
    assert "a déjà été examinée" in plain(client.post(url, follow=True))
    assert EntreeJournal.objects.filter(action="comptes.examiner_alerte", objet_id=alerte.pk).count() == 1


def test_nobody_examines_their_own():
    admin = make_utilisateur(Profil.ADMIN_SIAO)
    replay(habilitation_of(admin), MIDI - 13 * HEURE, objets=(1,))
    alertes.detect(now=MIDI)
    client, alerte = client_of(admin), Alerte.objects.get()
    assert "alertes sur des accès" not in plain(client.get(reverse("accueil")))
    page = plain(client.post(reverse("examiner_alerte", args=[alerte.pk]), follow=True))
    assert "quelqu'un d'autre doit l'examiner" in page
    assert Alerte.objects.to_examine().exists()


def test_kept_as_long_as_the_journal(alerte):
    for days, kept in ((364, True), (366, False)):
        Alerte.objects.update(levee_le=timezone.now() - datetime.timedelta(days=days))
        nuit.run()
        assert Alerte.objects.exists() is kept


def test_another_siao_does_not_find_it(alerte):
    stranger = client_of(make_utilisateur(Profil.ADMIN_SIAO, siao_id="35"))
    assert stranger.post(reverse("examiner_alerte", args=[alerte.pk])).status_code == 404
    assert "Aucune alerte" in plain(stranger.get(reverse("alertes")))
    assert not stranger.get(reverse("journal"), {"alerte": alerte.pk}).context["entrees"]
