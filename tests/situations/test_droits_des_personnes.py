"""Rights of persons: the notice, their data, the gel, erasure, and forgetting after two years."""

import datetime
import hashlib
import json

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from menages.actions.deplacement import move_personnes
from menages.actions.fusion import merge
from menages.actions.personnes import protect
from menages.models import Accompagnement, Appartenance, DemandeDAcces, Fusion, Menage, Personne, Recherche
from situations import nuit
from situations.actions import oubli
from situations.models import Oubli, SituationOubliee, SituationResidentielle
from situations.verification import verify
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import accompany, chain_of, jour, make_menage, make_operateur, make_personne
from tests.offre.fabrique import make_dispositif, make_rattachement
from tests.situations.saisie import ajouter, submit, typed

pytestmark = pytest.mark.django_db
NAISSANCE = datetime.date(1986, 9, 17)


@pytest.fixture
def admin():
    return client_of(make_utilisateur(Profil.ADMIN_SIAO))


@pytest.fixture
def rosa(db):
    return make_personne(
        make_menage(),
        "Zqrosa Zqexemple",
        depuis=90,
        parcours=[("VII.1", 90), ("III.1", 20)],
        date_naissance=NAISSANCE,
        nom_usage="Zqusage",
    )


def test_g13_the_notice_is_one_click_from_each_form(rosa):
    client = client_of(make_operateur().utilisateur)
    menage = rosa.appartenances.get().menage
    current = rosa.situations.get(date_fin=None)
    notice = f'href="{reverse("notice")}"'
    for url in (
        reverse("nouveau_dossier"),
        reverse("ajouter_personnes", args=[menage.pk]),
        reverse("ajouter_situation", args=[menage.pk]),
        reverse("modifier_situation", args=[current.pk]),
        reverse("modifier_personne", args=[rosa.pk]),
        reverse("modifier_menage", args=[menage.pk]),
        reverse("deplacer", args=[menage.pk]),
        reverse("dossier", args=[menage.pk]),
    ):
        assert notice in client.get(url).text, url
    assert "SIAO Loire-Atlantique" in words(client.get(reverse("notice")))


def test_g08_everything_is_in_both_exports_and_nothing_of_the_others(admin, rosa):
    menage = rosa.appartenances.get().menage
    make_personne(menage, "Conjoint Secret", depuis=90, parcours=[("V.2", 90)])
    data = json.loads(b"".join(admin.get(reverse("donnees_personne_json", args=[rosa.pk])).streaming_content))
    page = words(admin.get(reverse("donnees_personne", args=[rosa.pk])))
    assert data["fiche"]["nom"] == "Zqexemple"
    paths = data["tables"]["situations résidentielles"]
    assert [line["situation résidentielle"] for line in paths] == [
        "VII.1 Expulsion du logement comme locataire",
        "III.1 CHRS sauf FVV",
    ]
    for text in (json.dumps(data, ensure_ascii=False), page):
        assert "III.1 CHRS" in text
        assert menage.numero in text
        for other in ("Secret", "Conjoint", "V.2"):
            assert other not in text


def exports(client, personne) -> tuple[str, str]:
    """Both exports of a person, as text."""
    answer = client.get(reverse("donnees_personne_json", args=[personne.pk]))
    data = json.loads(b"".join(answer.streaming_content))
    return json.dumps(data, ensure_ascii=False), words(client.get(reverse("donnees_personne", args=[personne.pk])))


def test_g09_a_separated_couple_one_protected(admin):
    """Each may ask for their own data: neither learns where the other is, nor what was written about them."""
    together, refuge = make_menage(), make_menage()
    karim = make_personne(together, "Karim Zqconjoint", depuis=300, parcours=[("VIII.1", 300), ("I.3", 20)])
    ines = make_personne(together, "Inès Zqvictime", depuis=300, parcours=[("VIII.1", 300)])
    enfant = make_personne(together, "Noé Zqenfant", depuis=300, parcours=[("VIII.1", 300)])
    auteur = make_operateur()
    move_personnes(auteur=auteur, origine=together, personnes=[ines.pk, enfant.pk], destination=refuge, jour=jour(30))
    for each in (ines, enfant):
        ajouter(client_of(auteur.utilisateur), refuge, [each], "III.2", jour(29))
    protect(auteur=auteur, personne=ines)
    DemandeDAcces.objects.create(
        personne=karim, siao_id="44", siao_demandeur_id="35", motif="Zqtiers", demandee_par=auteur.utilisateur
    )
    for text in exports(admin, karim):
        assert "Zqconjoint" in text
        assert "I.3 Voiture" in text
        for secret in ("Zqvictime", "Inès", "Zqenfant", refuge.numero, "III.2", "Zqtiers"):
            assert secret not in text, secret
    # Who is not named gives her her data without the place; she gets it from a named agent.
    for person in (ines, enfant):
        for text in exports(admin, person):
            assert "demandez-la à un agent désigné" in text
            assert "III.2" not in text
            assert "Zqconjoint" not in text


def test_g11_frozen_data_are_closed_to_every_writing(admin, rosa):
    menage = rosa.appartenances.get().menage
    other = make_personne(menage, "Zqdouble Zqexemple", depuis=90)
    admin.post(reverse("geler", args=[rosa.pk]), {"motif": "Contestation"})
    before = (chain_of(rosa), *Personne.objects.values_list("nom", "fusionnee_dans", "protegee").get(pk=rosa.pk))
    current = rosa.situations.get(date_fin=None)
    operateur = client_of(make_operateur().utilisateur)
    ticked = {"personnes": [rosa.pk], f"jeton-{rosa.pk}": f"{current.pk}.{current.version}"}
    for client in (operateur, admin):
        for url, fields in (
            (reverse("ajouter_situation", args=[menage.pk]), typed([rosa], "I.1", jour(1))),
            (reverse("modifier_situation", args=[current.pk]), typed([rosa], "I.1", jour(1))),
            (reverse("supprimer_situation", args=[current.pk]), ticked),
            (reverse("confirmer_situations", args=[menage.pk]), ticked),
            (reverse("proteger", args=[rosa.pk]), {}),
            (reverse("deplacer", args=[menage.pk]), {**ticked, "vers": "nouveau", "date_debut": f"{jour(1):%d/%m/%Y}"}),
            (reverse("comparer", args=[rosa.pk, other.pk]), {}),
            (reverse("comparer", args=[other.pk, rosa.pk]), {}),
        ):
            submit(client, url, fields)
    assert before == (
        chain_of(rosa),
        *Personne.objects.values_list("nom", "fusionnee_dans", "protegee").get(pk=rosa.pk),
    )
    assert rosa.appartenances.get().menage == menage
    for change in (
        lambda: rosa.situations.update(confirmee_le=jour(0)),
        lambda: rosa.appartenances.update(date_debut=jour(91)),
        lambda: Personne.objects.filter(pk=rosa.pk).update(nom="Autre"),
    ):
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            change()
        assert refused.value.__cause__.diag.constraint_name == "personne_fermee"


def test_g11_frozen_data_are_read_by_the_dpo_profile_alone_and_closed(admin, rosa):
    url = reverse("geler", args=[rosa.pk])
    assert "Donnez le motif" in words(admin.post(url, {"motif": ""}))
    assert admin.post(url, {"motif": "Contestation"}).status_code == 302
    operateur = client_of(make_operateur().utilisateur)
    menage = rosa.appartenances.get().menage
    assert "Zqrosa" not in words(operateur.get(reverse("dossier", args=[menage.pk])))
    assert operateur.get(reverse("fiche_personne", args=[rosa.pk])).status_code == 404
    assert "Contestation" in words(admin.get(reverse("fiche_personne", args=[rosa.pk])))
    assert "gelées : rien ne peut y être écrit" in words(
        admin.post(
            reverse("modifier_personne", args=[rosa.pk]),
            {"version": Personne.objects.get(pk=rosa.pk).version, "nom": "X", "motif": "Y"},
        )
    )
    assert admin.post(url).status_code == 302
    assert "Zqrosa" in words(operateur.get(reverse("dossier", args=[menage.pk])))


def test_erasure_asks_for_the_number_then_leaves_no_trace(admin, rosa):
    url = reverse("effacer", args=[rosa.pk])
    assert "écrivez " + rosa.numero in words(admin.post(url, {"numero": "P-1"}))
    assert Personne.objects.filter(pk=rosa.pk).exists()
    values = leave_traces(rosa)
    assert admin.post(url, {"numero": rosa.numero}).status_code == 302
    assert occurrences(values) == []
    assert not Menage.objects.filter(appartenances__personne=rosa.pk).exists()


SENTINELS = ("zqrosa", "zqexemple", "zqusage", "zqmotif", "zqdouble", "zqancien", "1986-09-17", "1987-10-18")


WRITTEN = (
    {"nom": "Zqexemple", "prenom": "Zqrosa"},
    {"nom": "Zqancien", "prenom": "Zqancienne"},
    {"date_naissance": "1986-09-17", "nom": "Zqancien"},
)
"""Searches, as they are given to the hash of the journal."""


def leave_traces(rosa) -> list[str]:
    """What people do: corrections with a motive, searches, a fusion, a demande d'accès. Returns the numbers told."""
    auteur = make_operateur()
    client = client_of(auteur.utilisateur)
    rosa.refresh_from_db()
    fields = {"version": rosa.version, "nom": "Zqexemple", "prenom": "Zqrosa", "nom_usage": "Zqusage"}
    fields |= {"date_naissance": "17/09/1986", "motif": "Zqmotif"}
    assert client.post(reverse("modifier_personne", args=[rosa.pk]), fields).status_code == 302
    numbers = [rosa.numero, rosa.appartenances.get().menage.numero]
    for searched in searches_of(rosa):
        assert "points à corriger" not in words(client.post(reverse("recherche"), searched)), searched
    double = make_personne(make_menage(), "Zqdouble Zqexemple", depuis=5, parcours=[("I.1", 5)])
    rosa.refresh_from_db()
    merge(auteur=auteur, maitre=rosa, absorbee=double, identite={"prenom": "Zqrosa"})
    DemandeDAcces.objects.create(
        personne=rosa, siao_id="44", siao_demandeur_id="35", motif="Zqmotif", demandee_par=auteur.utilisateur
    )
    return numbers


def searches_of(rosa) -> list[dict[str, str]]:
    """Under the identity of today, under one corrected since, and by number beside one value, as people type it."""
    rosa.refresh_from_db()
    now = {"nom": rosa.nom, "prenom": rosa.prenom, "nom_usage": rosa.nom_usage, "date_naissance": rosa.date_naissance}
    before = {"nom": "Zqancien", "prenom": "Zqancienne", "date_naissance": datetime.date(1987, 10, 18)}
    for identite in (before, now):
        Personne.objects.filter(pk=rosa.pk).update(**identite)
    dossier = rosa.appartenances.get().menage.numero
    return [
        {"nom": "Zqexemple", "prenom": "Zqrosa"},
        {"nom": "Zqancien", "prenom": "Zqancienne"},
        {"nom": "Zqancien", "date_naissance": "17/09/1986"},
        {"prenom": "Zqancienne", "date_naissance": "18/10/1987"},
        {"numero": rosa.numero, "date_naissance": "17/09/1986"},
        {"numero": rosa.numero.lower().replace("-", " "), "prenom": "Zqrosa"},
        {"numero": f"P{rosa.pk}", "date_naissance": "18/10/1987"},
        {"numero": dossier, "prenom": "Zqrosa"},
        {"numero": "44-9999999", "date_naissance": "17/09/1986"},
        {"numero": "P-999999", "nom": "zq-exemple Zqexemple"},
        {"q": f"{rosa.numero} Zqusage"},
        {"q": f"{dossier} 17/09/1986"},
    ]


def occurrences(values=()) -> list[str]:
    """Tables where a sentinel, or one of ``values``, is left: histories, searches, and hashes that anybody computes."""
    hashes = [
        hashlib.sha256(text.encode()).hexdigest()
        for each in WRITTEN
        for text in (json.dumps(each, ensure_ascii=False, sort_keys=True), *each.values())
    ]
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text ~* %s',  # noqa: S608
                ["|".join([*SENTINELS, *values, *hashes])],
            )
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def test_g16_the_traces_are_there_before():
    """The test above would prove nothing if they were not."""
    rosa = make_personne(make_menage(), "Zqrosa Zqexemple", date_naissance=NAISSANCE)
    leave_traces(rosa)
    found = occurrences()
    for table in (
        "menages_personne",
        "menages_recherche",
        "menages_fusion",
        "menages_demandedacces",
        "pghistory_context",
    ):
        assert table in found, found


# --- Forgetting -------------------------------------------------------------------------------------------------


def quiet(personne, days: int) -> None:
    """Nothing happened to ``personne`` for ``days`` days."""
    when = timezone.now() - datetime.timedelta(days=days)
    Personne.objects.filter(pk=personne.pk).update(cree_le=when, modifie_le=when)
    SituationResidentielle.objects.filter(personne=personne).update(modifie_le=when)
    Appartenance.objects.filter(personne=personne).update(saisie_le=when)


ACTIVITIES = {
    "la fiche est créée ou modifiée": lambda p, when: Personne.objects.filter(pk=p.pk).update(modifie_le=when),
    "une situation est saisie, modifiée ou confirmée": lambda p, when: p.situations.update(modifie_le=when),
    "une arrivée ou un déplacement est saisi": lambda p, when: p.appartenances.update(saisie_le=when),
    "un SIAO demande l'accès, ou reçoit sa réponse": lambda p, when: DemandeDAcces.objects.create(
        personne=p, siao_id="44", siao_demandeur_id="35", motif="x", demandee_le=when, demandee_par=agent()
    ),
    "une fiche est fusionnée dans celle-ci": lambda p, when: Fusion.objects.create(
        maitre=p, absorbee=other(), faite_par=agent(), faite_le=when
    ),
    "une fusion est défaite": lambda p, when: Fusion.objects.create(
        maitre=p,
        absorbee=other(),
        faite_par=agent(),
        faite_le=when - datetime.timedelta(days=900),
        defaite_le=when,
        defaite_par=agent(),
    ),
    "un dispositif accompagne le ménage": lambda p, when: Accompagnement.objects.create(
        menage=p.appartenances.get().menage,
        dispositif=make_dispositif(make_rattachement("44")),
        date_debut=timezone.localdate(when) - datetime.timedelta(days=9),
        date_fin=timezone.localdate(when),
    ),
}


def agent():
    return make_utilisateur(Profil.OPERATEUR_SIAO)


def other():
    return make_personne(make_menage(), "Autre Exemple")


def test_each_activity_is_tested():
    assert set(ACTIVITIES) == set(oubli.ACTIVITES)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_g14_day_730_and_day_731(rosa, activity):
    today = timezone.localdate()
    quiet(rosa, 900)
    since = today - datetime.timedelta(days=oubli.DELAI)
    assert rosa in oubli.inactive_since(since)
    ACTIVITIES[activity](rosa, timezone.now() - datetime.timedelta(days=730))
    assert rosa not in oubli.inactive_since(since)
    assert rosa in oubli.inactive_since(since + datetime.timedelta(days=1))  # the day after


def test_g15_announced_thirty_days_ahead_then_forgotten(admin, rosa):
    today = timezone.localdate()
    quiet(rosa, 731)
    nuit.run()
    assert Oubli.objects.get().echeance == today + datetime.timedelta(days=30)
    assert Personne.objects.filter(pk=rosa.pk).exists()
    assert "Zqrosa Zqusage, P-" in words(admin.get(reverse("oublis")))
    assert "1 personne sans activité, bientôt oubliée" in words(admin.get(reverse("accueil")))
    Oubli.objects.update(echeance=today)
    assert nuit.run()["personnes_oubliees"] == 1
    assert occurrences() == []
    assert nuit.run()["personnes_oubliees"] == 0  # idempotent


def test_activity_cancels_it(rosa):
    quiet(rosa, 731)
    nuit.run()
    rosa.situations.update(modifie_le=timezone.now())
    Oubli.objects.update(echeance=timezone.localdate())
    done = nuit.run()
    assert (done["oublis_annules"], done["personnes_oubliees"]) == (1, 0)
    assert not Oubli.objects.exists()
    assert Personne.objects.filter(pk=rosa.pk).exists()


def test_frozen_data_wait(rosa):
    quiet(rosa, 900)
    when = timezone.now() - datetime.timedelta(days=900)
    Personne.objects.filter(pk=rosa.pk).update(gelee_le=when, gel_motif="x", modifie_le=when)
    nuit.run()
    assert not Oubli.objects.exists()


def test_g17_counts_stay_and_lead_back_to_nobody(rosa):
    accompany(rosa.appartenances.get().menage, make_dispositif(make_rattachement("44")))
    oubli.forget(rosa.pk)
    kept = list(SituationOubliee.objects.values_list("annee", "departement", "tranche_age", "sr1", "mois", "nombre"))
    assert sorted(kept) == sorted(
        [
            (jour(90).year, "44", "25-59", "VII", 2, 1),
            (jour(20).year, "44", "25-59", "III", 0, 1),
        ]
    )
    assert not Menage.objects.exists()
    second = make_personne(
        make_menage(), "Autre Exemple", depuis=90, parcours=[("VII.1", 90), ("III.1", 20)], date_naissance=NAISSANCE
    )
    oubli.forget(second.pk)
    assert set(SituationOubliee.objects.values_list("nombre", flat=True)) == {2}


def test_g18_who_is_still_active_keeps_the_dossier(rosa):
    menage = rosa.appartenances.get().menage
    leon = make_personne(menage, "Léon Exemple")
    oubli.forget(rosa.pk)
    assert list(Personne.objects.all()) == [leon]
    assert Menage.objects.get() == menage
    assert occurrences() == []


def test_a_dossier_that_nobody_is_left_in_is_archived(rosa):
    """It stays for those who were in it once; still inhabited, it stays open."""
    menage = rosa.appartenances.get().menage
    leon, lia = (make_personne(menage, name, depuis=9) for name in ("Léon Exemple", "Lia Exemple"))
    move_personnes(auteur=make_operateur(), origine=menage, personnes=[leon.pk], destination=None, jour=jour(1))
    oubli.forget(rosa.pk)
    assert Menage.objects.get(pk=menage.pk).archive_le is None
    oubli.erase(auteur=make_operateur(), personne=lia)
    assert Menage.objects.get(pk=menage.pk).archive_le == jour(0)
    assert not any(verify()[0].values())


def test_parcours_verifier_finds_archives_where_somebody_lives(rosa, capsys):
    Menage.objects.update(archive_le=jour(0))
    with pytest.raises(SystemExit):
        call_command("parcours", "verifier")
    assert "ménages archivés où quelqu'un vit : 1\n" in capsys.readouterr().out


def test_g18_the_inactive_adult_goes_alone(rosa):
    menage = rosa.appartenances.get().menage
    leon = make_personne(menage, "Léon Exemple", depuis=90, parcours=[("I.3", 90)])
    quiet(rosa, 900)
    nuit.run()
    assert list(Oubli.objects.values_list("personne", flat=True)) == [rosa.pk]
    Oubli.objects.update(echeance=timezone.localdate())
    assert nuit.run()["personnes_oubliees"] == 1
    assert list(Personne.objects.all()) == [leon]
    assert chain_of(leon) == [("I.3", jour(90), None)]
    assert occurrences() == []
    page = words(client_of(make_operateur().utilisateur).get(reverse("dossier", args=[menage.pk])))
    assert "1 personne" in page


def test_g19_the_absorbed_fiche_and_its_history_go_too(rosa):
    double = make_personne(make_menage(), "Zqdouble Zqexemple", depuis=5, parcours=[("I.1", 5)])
    merge(auteur=make_operateur(), maitre=rosa, absorbee=double, identite={})
    oubli.forget(rosa.pk)
    assert not Personne.objects.exists()
    assert occurrences() == []


def test_g22_stopped_between_two_persons_the_night_goes_on(rosa, monkeypatch):
    second = make_personne(make_menage(), "Seconde Exemple")
    for each in (rosa, second):
        quiet(each, 900)
        Oubli.objects.create(personne=each, annonce_le=jour(40), echeance=jour(1))
    forget, calls = oubli.forget, []

    def killed(pk):
        forget(pk)
        calls.append(pk)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(oubli, "forget", killed)
    with pytest.raises(KeyboardInterrupt):
        oubli.forget_due(today=timezone.localdate())
    assert Personne.objects.count() == 1  # the second one is whole
    monkeypatch.undo()
    assert oubli.forget_due(today=timezone.localdate()) == 1
    assert not Personne.objects.exists()


def test_the_command_rehearses_unless_told(rosa, capsys):
    quiet(rosa, 900)
    Oubli.objects.create(personne=rosa, annonce_le=jour(40), echeance=jour(1))
    call_command("oublier")
    assert "Répétition" in capsys.readouterr().out
    assert Personne.objects.exists()
    call_command("oublier", appliquer=True)
    assert "1  personnes_oubliees" in capsys.readouterr().out
    assert not Personne.objects.exists()


def test_searches_are_kept_six_months(rosa):
    client_of(make_operateur().utilisateur).post(reverse("recherche"), {"nom": "Abc", "prenom": "Def"})
    Recherche.objects.update(quand=timezone.now() - datetime.timedelta(days=182))
    nuit.run()
    assert Recherche.objects.exists()
    Recherche.objects.update(quand=timezone.now() - datetime.timedelta(days=184))
    nuit.run()
    assert not Recherche.objects.exists()


def test_parcours_verifier_counts(rosa, capsys):
    make_personne(rosa.appartenances.get().menage, "Nouvelle Exemple")
    call_command("parcours", "verifier", "--json")
    counts = json.loads(capsys.readouterr().out)
    assert set(counts["violations"].values()) == {0}
    assert len(counts["violations"]) == 15
    assert counts["a_suivre"] == {"situations non renseignées": 1}
