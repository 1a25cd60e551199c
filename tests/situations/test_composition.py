"""Opening a dossier, adding persons, duplicates shown first; moving, splitting, joining."""

import datetime
import re

import pytest
from django.urls import reverse

from comptes.actions import share
from comptes.droits import Profil
from comptes.models import Siao
from menages.actions.deplacement import move_personnes
from menages.models import AccesProtege, Menage, Personne
from siao.socle.refusal import Refusal
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import accompany, chain_of, jour, make_menage, make_operateur, make_personne
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db
NOUVEAU = "/dossiers/nouveau/"


@pytest.fixture
def operateur():
    return client_of(make_operateur().utilisateur)


def lines(*persons: dict, **more) -> dict:
    fields = {"p-TOTAL_FORMS": len(persons), "p-INITIAL_FORMS": 0, "etape": "creer"}
    fields |= {"date_debut": f"{jour(0):%d/%m/%Y}", **more}
    for number, person in enumerate(persons):
        fields |= {f"p-{number}-{name}": value for name, value in person.items()}
    return fields


ROSA = {"nom": "Exemple", "prenom": "Rosa", "date_naissance": "17/09/1986", "sexe": "F"}
LEON = {"nom": "Exemple", "prenom": "Léon"}


def test_a_dossier_begins_with_everybody_non_renseignee_today(operateur):
    answer = operateur.post(NOUVEAU, lines(ROSA, LEON))
    menage = Menage.objects.get()
    people = list(Personne.objects.order_by("pk"))
    assert [chain_of(each) for each in people] == [[("NR", jour(0), None)]] * 2
    assert re.fullmatch(r"44-[0-9]{6}", menage.numero)
    # The next page describes their situation, all ticked.
    page = operateur.get(answer.url)
    assert page.context["form"]["personnes"].value() == [each.pk for each in people]
    assert page.context["form"]["sr2"].value() is None


def test_a_dossier_says_since_when_its_persons_are_together(operateur):
    refused = operateur.post(NOUVEAU, lines(ROSA, date_debut=f"{jour(-1):%d/%m/%Y}"))
    assert "aujourd'hui au plus tard" in words(refused)
    assert operateur.post(NOUVEAU, lines(ROSA, date_debut=f"{jour(40):%d/%m/%Y}")).status_code == 302
    assert Personne.objects.get().appartenances.get().date_debut == jour(40)


def test_a_baby_is_there_since_the_birth_which_is_today_at_the_latest(operateur):
    bebe = {"prenom": "Léa", "date_naissance": f"{jour(40):%d/%m/%Y}"}
    demain = {"prenom": "Léa", "date_naissance": f"{jour(-1):%d/%m/%Y}"}
    assert "une naissance est aujourd'hui au plus tard" in words(operateur.post(NOUVEAU, lines(ROSA, demain)))
    assert not Personne.objects.exists()
    answer = operateur.post(NOUVEAU, lines(ROSA, bebe, date_debut=f"{jour(400):%d/%m/%Y}"))
    assert answer.status_code == 302
    arrivals = Personne.objects.order_by("pk").values_list("appartenances__date_debut", flat=True)
    assert list(arrivals) == [jour(400), jour(40)]
    page = words(operateur.get(reverse("dossier", args=[Menage.objects.get().pk])))
    assert f"né ou née le {jour(40):%d/%m/%Y} (1 mois)" in page


def test_overseas_a_birth_of_the_day_is_not_in_advance(time_machine):
    """Two hours after midnight in La Réunion, it is still the day before in Paris."""
    time_machine.move_to(datetime.datetime.fromisoformat("2026-06-10 23:00+02:00"), tick=False)
    client = client_of(make_operateur("974").utilisateur)
    for born, status in (("11/06/2026", 302), ("12/06/2026", 200)):
        answer = client.post(NOUVEAU, lines({"prenom": "Léa", "date_naissance": born}, date_debut="10/06/2026"))
        assert answer.status_code == status


def test_no_more_persons_than_a_form_holds(operateur):
    page = operateur.post(NOUVEAU, lines(*[{"prenom": "Léa"}] * 21))
    assert "Pas plus de 20 personnes à la fois" in words(page)
    assert not Personne.objects.exists()


def test_no_identity_is_compulsory_but_somebody_is(operateur):
    assert "Décrivez au moins une personne" in words(operateur.post(NOUVEAU, lines({"nom": ""})))
    assert not Personne.objects.exists()
    assert operateur.post(NOUVEAU, lines({"inconnue": "on"})).status_code == 302
    assert Personne.objects.get().designation == "Personne sans nom"


def test_one_more_line_keeps_what_is_typed(operateur):
    page = operateur.post(NOUVEAU, lines(ROSA, etape="ligne"))
    assert 'value="Rosa"' in page.text
    assert 'name="p-1-nom"' in page.text
    assert "à corriger" not in page.text
    many = operateur.post(NOUVEAU, {**lines(*[LEON] * 20), "etape": "ligne"})
    assert 'name="p-20-nom"' not in many.text


def test_mistakes_are_told_by_line(operateur):
    text = words(operateur.post(NOUVEAU, lines(LEON, {**ROSA, "date_naissance": "31/02/1986"})))
    assert "Personne 2, Date de naissance</a> :" in text
    assert not Personne.objects.exists()


def test_likely_duplicates_are_shown_before_and_again_when_others_come(operateur):
    known = make_personne(make_menage(), "Rosa Exemple")
    shown = operateur.post(NOUVEAU, lines({**ROSA, "nom": "Exemples"}, LEON))
    assert "existent peut-être déjà" in words(shown)
    assert known.numero in words(shown)
    assert Personne.objects.count() == 1
    vus = re.search(r'name="vus" value="(\w+)"', shown.text)[1]
    autre = make_personne(make_menage(), "Rosa Exemple")
    again = operateur.post(NOUVEAU, lines({**ROSA, "nom": "Exemples"}, LEON, vus=vus))
    assert autre.numero in words(again)
    vus = re.search(r'name="vus" value="(\w+)"', again.text)[1]
    assert operateur.post(NOUVEAU, lines({**ROSA, "nom": "Exemples"}, LEON, vus=vus)).status_code == 302
    assert Personne.objects.count() == 4


@pytest.mark.parametrize(
    ("typed", "said", "precision"),
    [
        ("1990", "en 1990", "ANNEE"),
        ("en 1990", "en 1990", "ANNEE"),
        ("vers 1990", "vers 1990", "ENVIRON"),
        (" Environ  1990", "vers 1990", "ENVIRON"),
        ("01/01/1990", "le 01/01/1990", "JOUR"),
    ],
)
def test_a_year_alone_or_presumed_is_kept_and_shown_as_such(operateur, time_machine, typed, said, precision):
    time_machine.move_to("2026-06-10T10:00:00Z", tick=False)
    operateur = client_of(make_operateur().utilisateur)
    operateur.post(NOUVEAU, lines({**ROSA, "date_naissance": typed}, date_debut="10/06/2026"))
    rosa = Personne.objects.get()
    assert (rosa.date_naissance, rosa.naissance_precision) == (datetime.date(1990, 1, 1), precision)
    menage = Menage.objects.get()
    age = "36 ans" if precision == "JOUR" else "environ 36 ans"
    assert f"née {said} ({age})" in words(operateur.get(reverse("dossier", args=[menage.pk])))
    fiche = reverse("fiche_personne", args=[rosa.pk])
    edit = reverse("modifier_personne", args=[rosa.pk])
    for url in (fiche, reverse("imprimer_dossier", args=[menage.pk])):
        page = words(operateur.get(url))
        assert rosa.naissance in page
        assert ("01/01/1990" in page) == (precision == "JOUR")
    assert f'value="{rosa.naissance}"' in operateur.get(edit).text
    # Given back as it is, it stays as it is; then a paper gives the day.
    same = {"nom": "Exemple", "prenom": "Rosa", "sexe": "F", "motif": "Pièce vue", "date_naissance": rosa.naissance}
    operateur.post(edit, {**same, "version": rosa.version})
    rosa.refresh_from_db()
    assert rosa.naissance_precision == precision
    operateur.post(edit, {**same, "date_naissance": "17/09/1990", "version": rosa.version})
    told = words(operateur.get(reverse("modifications", args=[menage.pk])))
    assert f"date de naissance « {rosa.naissance} » devient « 17/09/1990 »" in told


def test_a_year_that_is_not_one_is_refused(operateur):
    for wrong in ("19", "0026", "2199", "vers 1890", "vers", "1990 ou 1991"):
        page = operateur.post(NOUVEAU, lines({**ROSA, "date_naissance": wrong}))
        assert "Personne 1, Date de naissance</a> :" in words(page)
        assert f'value="{wrong}"' in page.text
    assert not Personne.objects.exists()


def test_a_duplicate_known_by_its_year_is_shown(operateur):
    operateur.post(NOUVEAU, lines({**ROSA, "date_naissance": "vers 1986"}))
    page = operateur.post(NOUVEAU, lines(ROSA))
    assert "existent peut-être déjà" in words(page)
    assert "vers 1986" in words(page)


def vus_of(answer) -> str:
    return re.search(r'name="vus" value="(\w+)"', answer.text)[1]


def test_the_same_person_on_two_lines_is_said_before_anything_is_created(operateur):
    page = operateur.post(
        NOUVEAU, lines(ROSA, LEON, {"nom": "ROSA", "prenom": "Exemple", "date_naissance": "17/09/1986"})
    )
    assert "Personne 1 et personne 3 : Exemple ROSA" in words(page)
    assert not Personne.objects.exists()
    jumeaux = lines(
        {**LEON, "date_naissance": "01/02/2020"}, {**LEON, "prenom": "Nina", "date_naissance": "01/02/2020"}
    )
    assert operateur.post(NOUVEAU, jumeaux).status_code == 302
    # Two persons without a first name, nor any likeness with who has one.
    sans = lines({"nom": "Essai"}, {"nom": "Essai", "prenom": "Zoé"}, {"inconnue": "on"}, {"inconnue": "on"})
    assert operateur.post(NOUVEAU, sans).status_code == 302


def test_two_lines_accepted_as_two_persons_are_not_duplicates(operateur):
    page = operateur.post(NOUVEAU, lines(ROSA, ROSA))
    assert operateur.post(NOUVEAU, lines(ROSA, ROSA, vus=vus_of(page))).status_code == 302
    one, two = Personne.objects.order_by("pk")
    answer = operateur.post(reverse("fusionner", args=[one.pk]), {"etape": "chercher"})
    assert answer.context["trouvees"] == []
    assert two.numero not in words(answer)
    assert "1 fiche qui lui ressemble : déclarée différente." in words(answer)


@pytest.mark.parametrize("typed", [{"nom": "Fatoumata"}, {"prenom": "fatumata"}, {"nom_usage": "FATOUMATA"}])
def test_a_single_name_without_date_is_not_created_twice_without_a_word(operateur, typed):
    assert operateur.post(NOUVEAU, lines({"prenom": "Fatoumata"})).status_code == 302
    known = Personne.objects.get()
    make_personne(make_menage(), "Fatoumata Diallo")  # one criterion does not find who has two names
    page = operateur.post(NOUVEAU, lines(typed))
    assert "existent peut-être déjà" in words(page)
    assert known.numero in words(page)
    assert "Diallo" not in words(page)
    assert Personne.objects.count() == 2
    assert operateur.post(NOUVEAU, lines(typed, vus=vus_of(page))).status_code == 302
    assert Personne.objects.count() == 3


def test_known_in_another_departement_is_said_at_creation_and_nothing_more(operateur):
    from menages.models import DemandeDAcces

    known = make_personne(make_menage("35"), nom="Exemple", prenom="Rosa", date_naissance=datetime.date(1986, 9, 17))
    page = operateur.post(NOUVEAU, lines(ROSA, LEON))
    assert "Connue dans un autre département" in words(page)
    assert "Rosa Exemple : une fiche qui ressemble" in words(page)
    for hidden in (known.numero, known.appartenances.get().menage.numero, "Ille-et-Vilaine"):
        assert hidden not in words(page)
    recherche = re.search(r'name="recherche" value="(\d+)"', page.text)[1]
    asked = operateur.post(reverse("demander_acces"), {"recherche": recherche, "motif": "Appel de la nuit"})
    assert asked.status_code == 302
    assert DemandeDAcces.objects.get().personne == known
    assert operateur.post(NOUVEAU, lines(ROSA, LEON, vus=vus_of(page))).status_code == 302


@pytest.mark.parametrize("hidden", ["protegee", "avec elle", "un seul nom", "equipe"])
def test_at_creation_nothing_is_said_of_a_protected_person_elsewhere_nor_to_a_team(operateur, hidden):
    known = make_personne(make_menage("35"), nom="Exemple", prenom="Rosa", date_naissance=datetime.date(1986, 9, 17))
    typed = ROSA
    if hidden == "protegee":
        Personne.objects.filter(pk=known.pk).update(protegee=True)
    elif hidden == "avec elle":
        protegee = make_personne(known.appartenances.get().menage, "Mère Exemple")
        Personne.objects.filter(pk=protegee.pk).update(protegee=True)
    elif hidden == "un seul nom":
        Personne.objects.filter(pk=known.pk).update(nom="", date_naissance=None)
        typed = {"prenom": "Rosa"}
    else:
        dispositif = make_dispositif(make_rattachement("44"))
        operateur = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    assert operateur.post(NOUVEAU, lines(typed)).status_code == 302


def test_duplicates_of_another_siao_are_not_shown(operateur):
    make_personne(make_menage("35"), "Rosa Exemple")
    assert operateur.post(NOUVEAU, lines(ROSA)).status_code == 302


def test_a_team_opens_a_dossier_that_it_accompanies():
    dispositif = make_dispositif(make_rattachement("44"))
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    assert team.post(NOUVEAU, lines(ROSA)).status_code == 302
    menage = Menage.objects.get()
    assert menage.siao_id == "44"
    assert team.get(reverse("dossier", args=[menage.pk])).status_code == 200


def test_adding_a_person_dates_the_arrival(operateur):
    menage = make_menage(personnes=["Rosa Exemple"])
    url = reverse("ajouter_personnes", args=[menage.pk])
    assert "Une arrivée ne s'enregistre pas d'avance" in words(
        operateur.post(url, lines(LEON, date_debut=f"{jour(-1):%d/%m/%Y}"))
    )
    assert operateur.post(url, lines(LEON, date_debut=f"{jour(5):%d/%m/%Y}")).status_code == 302
    leon = Personne.objects.get(prenom="Léon")
    assert leon.appartenances.get().date_debut == jour(5)
    assert chain_of(leon) == [("NR", jour(0), None)]


# --- Déplacer ---------------------------------------------------------------------------------------------------


def deplacer(client, menage, personnes, quand, vers="nouveau", numero="", confirm=True, suivent=()):
    url = reverse("deplacer", args=[menage.pk])
    fields = {
        "personnes": [each.pk for each in personnes],
        "date_debut": f"{quand:%d/%m/%Y}",
        "vers": vers,
        "numero": numero,
        "suivent": list(suivent),
    }
    answer = client.post(url, fields)
    lue = re.search(r'name="lue" value="(\w+)"', answer.text) if answer.status_code == 200 else None
    return client.post(url, {**fields, "lue": lue[1]}) if lue and confirm else answer


@pytest.fixture
def famille():
    menage = make_menage()
    return menage, [make_personne(menage, f"{p} Exemple", depuis=50, parcours=[("I.1", 50)]) for p in ("Rosa", "Léon")]


def test_splitting_situations_follow(operateur, famille):
    menage, (rosa, leon) = famille
    said = words(deplacer(operateur, menage, [rosa], jour(3), confirm=False))
    assert f"Rosa Exemple quitte le dossier {menage.numero} et entre dans un nouveau dossier" in said
    assert rosa.appartenances.count() == 1
    answer = deplacer(operateur, menage, [rosa], jour(3))
    nouveau = Menage.objects.order_by("-pk").first()
    assert answer.url == reverse("dossier", args=[nouveau.pk])
    assert chain_of(rosa) == [("I.1", jour(50), None)]
    stays = list(rosa.appartenances.order_by("date_debut").values_list("menage", "date_debut", "date_fin"))
    assert stays == [(menage.pk, jour(50), jour(4)), (nouveau.pk, jour(3), None)]
    old = words(operateur.get(reverse("dossier", args=[menage.pk])))
    assert f"Rosa Exemple, jusqu'au {jour(4):%d/%m/%Y}" in old
    assert leon.designation in old


def test_which_accompagnements_follow_is_asked_none_by_default_when_somebody_is_protected(famille):
    """Neither way: the team of who leaves on the new dossier of who is protected, nor her refuge on the other's."""
    menage, (rosa, leon) = famille
    refuge = accompany(menage, make_dispositif(make_rattachement("44"), nom="Refuge des Genêts"))
    other = accompany(menage, make_dispositif(make_rattachement("44"), nom="Maison des Ormes"))
    named = make_operateur()
    client, url = client_of(named.utilisateur), reverse("deplacer", args=[menage.pk])
    assert client.get(url).context["form"]["suivent"].value() == [refuge.pk, other.pk]
    Personne.objects.filter(pk=rosa.pk).update(protegee=True)
    AccesProtege.objects.create(personne=rosa, utilisateur=named.utilisateur)
    assert not client.get(url).context["form"]["suivent"].value()
    said = words(deplacer(client, menage, [leon], jour(2), confirm=False))
    assert "Le nouveau dossier est accompagné par : aucun dispositif." in said
    deplacer(client, menage, [leon], jour(2))
    assert not Menage.objects.latest("pk").accompagnements.exists()
    deplacer(client, menage, [rosa], jour(1), suivent=[refuge.pk])
    hers = Menage.objects.latest("pk")
    assert [each.dispositif for each in hers.accompagnements.all()] == [refuge.dispositif]
    elsewhere = accompany(make_menage(), other.dispositif)
    assert "a pris fin" in words(deplacer(client, hers, [rosa], jour(0), suivent=[elsewhere.pk]))


def test_a_protected_person_enters_a_dossier_of_which_all_readers_are_told(famille):
    menage, (rosa, leon) = famille
    named, other = make_operateur(), make_menage(personnes=["Louise Exemple"])
    client = client_of(named.utilisateur)
    accompany(other, make_dispositif(make_rattachement("44"), nom="Maison des Zqormes"))
    share(auteur=named, objet=other, siao=Siao.objects.get(pk="35"), date_fin=jour(-30), motif="Départ")
    assert "Zqormes" not in words(deplacer(client, menage, [rosa], jour(3), "existant", other.numero, confirm=False))
    Personne.objects.filter(pk=rosa.pk).update(protegee=True)
    AccesProtege.objects.create(personne=rosa, utilisateur=named.utilisateur)
    said = words(deplacer(client, menage, [rosa], jour(3), "existant", other.numero, confirm=False))
    assert "saura où elle est : l'équipe de Maison des Zqormes, SIAO Ille-et-Vilaine (partage)." in said
    assert "Zqormes" not in words(deplacer(client, menage, [leon], jour(3), "existant", other.numero, confirm=False))


def test_who_does_not_see_a_dossier_whole_lets_no_protected_person_into_it(famille):
    menage, (rosa, _) = famille
    other = make_menage(personnes=["Louise Exemple"])
    Personne.objects.filter(pk=rosa.pk).update(protegee=True)
    named = make_operateur()
    AccesProtege.objects.create(personne=rosa, utilisateur=named.utilisateur)
    Personne.objects.filter(appartenances__menage=other).update(protegee=True)
    client = client_of(named.utilisateur)
    refused = deplacer(client, menage, [rosa], jour(3), "existant", other.numero)
    assert "vous ne voyez pas qui y lirait" in words(refused)
    with pytest.raises(Refusal, match="ne voyez pas"):
        move_personnes(auteur=named, origine=menage, personnes=[rosa.pk], destination=other, jour=jour(3))
    assert rosa.appartenances.count() == 1


# --- Common days ------------------------------------------------------------------------------------------------


@pytest.fixture
def separes():
    """Rosa, protected, and Léon lived in III.1 then I.3; one left, each has lived elsewhere since."""

    def _separes(leaver: str):
        menage, elsewhere = make_menage(), make_menage()
        path = [("I.4", 90), ("III.1", 50), ("I.3", 40), ("VI.1", 5)]
        rosa, leon = (make_personne(menage, f"{name} Exemple", depuis=60, parcours=path) for name in ("Rosa", "Léon"))
        named = make_operateur()
        leaving = {"rosa": rosa, "leon": leon}[leaver]
        move_personnes(auteur=named, origine=menage, personnes=[leaving.pk], destination=elsewhere, jour=jour(10))
        Personne.objects.filter(pk=rosa.pk).update(protegee=True)
        AccesProtege.objects.create(personne=rosa, utilisateur=named.utilisateur)
        return (elsewhere if leaver == "leon" else menage), leon, named

    return _separes


@pytest.mark.parametrize("leaver", ["leon", "rosa"])
def test_the_days_lived_with_a_protected_person_are_hidden_from_who_does_not_see_her(separes, leaver):
    """The husband's team, an operator, and their SIAO's print: his current situation stays, and can be written."""
    his, leon, named = separes(leaver)
    suivi = accompany(his, make_dispositif(make_rattachement("44")))
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[suivi.dispositif]))
    pages = [
        reverse(name, args=[his.pk])
        for name in ("dossier", "situations_du_menage", "modifications", "imprimer_dossier", "ajouter_situation")
    ]
    for client in (team, client_of(make_operateur().utilisateur)):
        for page in pages:
            read = client.get(page)
            assert read.status_code == 200
            codes = () if "ajouter" in page else ("III.1", "I.3")  # those that can be chosen
            for secret in (*codes, f"{jour(50):%d/%m/%Y}", f"{jour(40):%d/%m/%Y}"):
                assert secret not in words(read), (page, secret)
        assert client.get(reverse("corriger_parcours", args=[leon.pk])).status_code == 404
        assert reverse("corriger_parcours", args=[leon.pk]) not in client.get(pages[1]).text
        table = words(client.get(pages[1]))
        assert f"{jour(5):%d/%m/%Y}" in table
        # What was true before they met is his own, unless it went on among them.
        [chain] = [m for m in client.get(pages[0]).context["dossier"].presents if m.personne.pk == leon.pk]
        assert [s.sr2_id for s in chain.situations] == ["VI.1"]
        assert chain.courante.sr2_id == "VI.1"
        assert client.get(reverse("modifier_situation", args=[chain.courante.pk])).status_code == 200
    whole = words(client_of(named.utilisateur).get(pages[1]))
    assert "III.1" in whole
    assert f"{jour(40):%d/%m/%Y}" in whole


def test_a_situation_that_goes_on_since_the_common_days_is_still_the_current_one():
    menage = make_menage()
    path = [("III.1", 50), ("I.3", 20)]
    rosa, leon = (make_personne(menage, f"{name} Exemple", depuis=60, parcours=path) for name in ("Rosa", "Léon"))
    elsewhere = make_menage()
    move_personnes(auteur=make_operateur(), origine=menage, personnes=[leon.pk], destination=elsewhere, jour=jour(10))
    Personne.objects.filter(pk=rosa.pk).update(protegee=True)
    page = client_of(make_operateur().utilisateur).get(reverse("dossier", args=[elsewhere.pk]))
    [membre] = page.context["dossier"].presents
    assert [each.sr2_id for each in membre.situations] == ["I.3"]
    assert membre.courante.sr2_id == "I.3"
    assert membre.parcours.precedente is None
    assert "d'errance en tout" not in words(page)  # it would be false


def test_what_changes_his_current_situation_tells_nothing_of_the_one_before(separes):
    """Neither deleting it, nor an earlier date, nor the token of another situation."""
    _, leon, named = separes("leon")
    client = client_of(make_operateur().utilisateur)
    now, before = leon.situations.order_by("-date_debut")[:2]
    fields = {"personnes": [leon.pk], f"jeton-{leon.pk}": f"{now.pk}.{now.version}"}
    delete, modify = (reverse(f"{name}_situation", args=[now.pk]) for name in ("supprimer", "modifier"))
    refused = client.post(delete, fields)
    earlier = {**fields, "date_debut": f"{jour(45):%d/%m/%Y}", "sr1": "I", "sr2": "I.1", "etape": "enregistrer"}
    late = client.post(modify, earlier)
    stolen = {**earlier, "date_debut": f"{jour(2):%d/%m/%Y}", f"jeton-{leon.pk}": f"{before.pk}.{before.version}"}
    conflict = client.post(modify, stolen)
    assert conflict.status_code == 409
    assert f"{jour(40):%d/%m/%Y}" not in words(conflict)
    for answer in (refused, late):
        assert "Ce qu'elle a vécu avant est protégé" in words(answer)
        assert f"{jour(40):%d/%m/%Y}" not in words(answer)
    assert leon.situations.filter(pk=now.pk, date_debut=jour(5)).exists()
    answer = client.post(modify, {**earlier, "date_debut": f"{jour(2):%d/%m/%Y}"})
    assert "devient" in words(answer)
    assert client_of(named.utilisateur).get(delete).context["impossible"] == ""


def test_what_he_lived_before_and_after_is_his_own_and_stays():
    """Nor do the days with somebody else of another ménage hide anything."""
    before, menage, after = make_menage(), make_menage(), make_menage()
    path = [("I.4", 90), ("II.1", 70), ("III.1", 60), ("VI.1", 30), ("I.1", 9)]
    leon = make_personne(before, "Léon Exemple", depuis=90, parcours=path)
    rosa = make_personne(menage, "Rosa Exemple", depuis=60, parcours=[("III.1", 60)])
    auteur = make_operateur()
    for origine, destination, ago in ((before, menage, 60), (menage, after, 30)):
        move_personnes(auteur=auteur, origine=origine, personnes=[leon.pk], destination=destination, jour=jour(ago))
    client, page = client_of(make_operateur().utilisateur), reverse("situations_du_menage", args=[after.pk])
    [membre] = client.get(page).context["dossier"].presents
    assert [each.sr2_id for each in membre.situations] == ["I.4", "II.1", "III.1", "VI.1", "I.1"]
    Personne.objects.filter(pk=rosa.pk).update(protegee=True)
    [membre] = client.get(page).context["dossier"].presents
    assert [each.sr2_id for each in membre.situations] == ["I.4", "II.1", "VI.1", "I.1"]
    assert "III.1" not in words(client.get(page))


def test_his_own_right_to_his_data_is_whole(separes):
    _, leon, _ = separes("leon")
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    assert "III.1" in words(admin.get(reverse("donnees_personne", args=[leon.pk])))


def test_joining_archives_the_empty_menage_which_opens_again(operateur, famille):
    menage, people = famille
    autre = make_menage(personnes=["Louise Exemple"])
    assert deplacer(operateur, menage, people, jour(0), "existant", autre.numero).status_code == 302
    menage.refresh_from_db()
    assert menage.archive_le == jour(0)
    assert "plus personne ne s'y trouve" in words(operateur.get(reverse("dossier", args=[menage.pk])))
    deplacer(operateur, autre, people[:1], jour(0), "existant", menage.numero)
    menage.refresh_from_db()
    assert menage.archive_le is None


@pytest.mark.parametrize(
    ("vers", "numero", "quand", "phrase"),
    [
        ("existant", "44-999999", 0, "Aucun dossier de votre périmètre"),
        ("existant", "", 0, "Aucun dossier de votre périmètre"),
        ("nouveau", "", -1, "aujourd'hui au plus tard"),
        ("nouveau", "", 60, "choisissez ce jour-là au plus tôt"),
        ("", "", 0, "Choisissez où vont ces personnes"),
    ],
)
def test_moves_that_are_refused(operateur, famille, vers, numero, quand, phrase):
    menage, people = famille
    assert phrase in words(deplacer(operateur, menage, people, jour(quand), vers, numero))
    assert all(each.appartenances.count() == 1 for each in people)


def test_towards_the_perimeter_only(operateur, famille):
    menage, people = famille
    ailleurs = make_menage("35")
    assert "Aucun dossier de votre périmètre" in words(
        deplacer(operateur, menage, people, jour(0), "existant", ailleurs.numero)
    )
    assert "C'est le dossier où ces personnes se trouvent" in words(
        deplacer(operateur, menage, people, jour(0), "existant", menage.numero)
    )
    dispositif = make_dispositif(make_rattachement("44"))
    accompany(menage, dispositif)
    responsable = client_of(make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[dispositif]))
    assert responsable.get(reverse("deplacer", args=[menage.pk])).status_code == 403


def test_a_correction_on_the_day_of_arrival_leaves_no_stay_behind(operateur, famille):
    menage, (rosa, _) = famille
    assert deplacer(operateur, menage, [rosa], jour(50)).status_code == 302
    assert rosa.appartenances.count() == 1
    assert rosa.appartenances.get().menage != menage
