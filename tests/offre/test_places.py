"""Places: groups with the ménages they receive, one click to free a place, works and disasters."""

import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import EntreeJournal
from offre.actions import places as actions
from offre.models import DeclarationPlace, Dispositif, GroupePlaces, Indisponibilite, Place
from offre.models.nomenclature import Statut
from siao.socle.database import sentence_of
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, plain, words
from tests.offre.fabrique import (
    make_accompagnement,
    make_dispositif,
    make_groupe,
    make_hebergement,
    make_place,
    make_rattachement,
)

pytestmark = pytest.mark.django_db

A_DAY = datetime.timedelta(days=1)


@pytest.fixture
def rattachement():
    return make_rattachement("44")


@pytest.fixture
def chrs(rattachement):
    return make_hebergement(rattachement)


@pytest.fixture
def assistant(rattachement):
    return make_utilisateur(Profil.ASSISTANT, objets=[rattachement])


@pytest.fixture
def responsable(chrs):
    return make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[chrs])


def typed(**changes) -> dict:
    """The form of a group of twelve family rooms."""
    return {
        "libelle": "Chambres familiales",
        "type": "30",
        "categorie": "60",
        "couchages": "4",
        "accepte_100": "on",
        "min_100": "3",
        "max_100": "",
        "accepte_40": "on",
        "min_40": "2",
        "max_40": "3",
        "nombre": "12",
        "prefixe": "Chambre",
        "premier": "1",
        "ouverte_le": "01/01/2024",
        "financees": "40",
        "financees_depuis": "01/01/2024",
        **changes,
    }


# --- Groups -----------------------------------------------------------------------------------------------------


def test_the_assistant_creates_a_group_of_family_rooms(chrs, assistant):
    page = client_of(assistant)
    answer = page.post(reverse("offre:creer_groupe", args=[chrs.pk]), typed(), follow=True)
    [groupe] = GroupePlaces.objects.all()
    assert "« Chambres familiales » est créé" in words(answer)
    assert groupe.accueil == "Femme seule avec enfant(s) (2 à 3), Couple avec enfant (3 à 4)"
    assert [place.nom for place in groupe.places.all()][::11] == ["Chambre 01", "Chambre 12"]
    assert [(step.nombre, step.depuis) for step in groupe.financees_depuis.all()] == [(40, datetime.date(2024, 1, 1))]
    text = plain(answer)
    assert "12 places de 4 couchages" in text
    assert "40 couchages financés" in text
    assert EntreeJournal.objects.filter(action="offre.creer_groupe", objet_id=str(groupe.pk)).count() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"libelle": " \u200b "}, "Donnez un nom au groupe"),
        ({"couchages": "0"}, "Au moins 1"),
        ({"couchages": "51"}, "Au plus 50"),
        ({"accepte_100": "", "accepte_40": ""}, "Cochez au moins une composition"),
        ({"max_40": "5"}, "Une place n'a que 4 couchages"),
        ({"min_100": "2"}, "compte au moins 3 personnes"),
        ({"min_40": "3", "max_40": "2"}, "Le premier nombre ne peut pas dépasser le second"),
        ({"accepte_10": "on", "max_10": "2"}, "« Homme seul » compte 1 personne"),
        ({"type": "9999"}, "choix"),
        ({"nombre": "201"}, "Au plus 200"),
        ({"ouverte_le": "31/02/2024"}, "Écrivez une date qui existe"),
        ({"financees_depuis": ""}, "Donnez la date depuis laquelle"),
    ],
)
def test_a_group_that_makes_no_sense_is_refused_and_what_was_typed_stays(chrs, assistant, changes, sentence):
    answer = client_of(assistant).post(reverse("offre:creer_groupe", args=[chrs.pk]), typed(**changes))
    assert answer.status_code == 200
    assert sentence in words(answer)
    assert 'value="Chambre"' in answer.text
    assert not GroupePlaces.objects.exists()


def test_sizes_left_blank_are_all_those_that_fit(chrs, assistant):
    blank = typed(min_100="", max_100="", min_40="", max_40="", couchages="5")
    client_of(assistant).post(reverse("offre:creer_groupe", args=[chrs.pk]), blank)
    assert GroupePlaces.objects.get().accueil == "Femme seule avec enfant(s) (2 à 5), Couple avec enfant (3 à 5)"


def test_two_groups_of_a_dispositif_have_different_names(chrs, assistant):
    page = client_of(assistant)
    page.post(reverse("offre:creer_groupe", args=[chrs.pk]), typed())
    answer = page.post(reverse("offre:creer_groupe", args=[chrs.pk]), typed(libelle="CHAMBRES  familiales"))
    assert "Un autre groupe de ce dispositif porte déjà ce nom." in words(answer)
    assert GroupePlaces.objects.count() == 1


def test_only_hebergements_and_logements_have_places(rattachement, assistant):
    maraude = make_dispositif(rattachement)
    page = client_of(assistant)
    assert page.get(reverse("offre:creer_groupe", args=[maraude.pk])).status_code == 404
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        make_groupe(maraude)
    assert sentence_of(caught.value) == "Seuls les hébergements et les logements ont des places."


def test_a_closed_dispositif_changes_no_more(chrs, assistant, responsable):
    groupe = make_groupe(chrs, etats=["OCCUPEE"])
    place = groupe.places.get()
    chrs.statut, chrs.date_fermeture = Statut.FERME, timezone.localdate()
    chrs.save()
    page = client_of(assistant)
    answer = page.post(reverse("offre:creer_groupe", args=[chrs.pk]), typed())
    assert "Ce dispositif est fermé" in words(answer)
    answer = client_of(responsable).post(
        reverse("offre:declarer_place", args=[place.pk]), {"etat": "LIBRE"}, follow=True
    )
    assert "Ce dispositif est fermé" in words(answer)
    place.refresh_from_db()
    assert place.etat == "OCCUPEE"
    shown = words(client_of(responsable).get(reverse("offre:places_dispositif", args=[chrs.pk])))
    assert "Fermé : son offre ne change plus" in shown
    assert "tout confirmer" not in shown
    assert "Une place se libère" not in shown
    assert "Déclarer indisponible" not in words(client_of(responsable).get(reverse("offre:place", args=[place.pk])))


def test_a_group_is_changed_with_its_sizes_and_its_funding(chrs, assistant):
    groupe = make_groupe(chrs, accueils={"100": (3, 4), "40": (2, 4)})
    page = client_of(assistant)
    url = reverse("offre:modifier_groupe", args=[groupe.pk])
    assert 'name="min_100" value="3"' in page.get(url).text
    smaller = typed(version="1", couchages="3", max_100="3", accepte_40="", pmr="on", financees_depuis="01/02/2024")
    assert page.post(url, smaller).status_code == 302
    groupe.refresh_from_db()
    assert (groupe.version, groupe.couchages, groupe.pmr, groupe.accueil) == (2, 3, True, "Couple avec enfant (3)")
    page.post(url, {**smaller, "version": "2", "financees": "30", "financees_depuis": "01/03/2024"})
    at = GroupePlaces.objects.for_list
    assert [at(datetime.date(2024, month, 15)).get().financees for month in (1, 2, 3)] == [None, 40, 30]


def test_a_funding_typed_with_a_wrong_date_is_refused_or_seen_and_taken_back(chrs, assistant):
    groupe = make_groupe(chrs)
    page = client_of(assistant)
    url = reverse("offre:modifier_groupe", args=[groupe.pk])
    today = timezone.localdate()
    far = page.post(url, typed(version="1", financees_depuis="31/12/2199"))
    assert f"au plus tard le 31/12/{today.year + 5}" in words(far)
    assert not groupe.financees_depuis.exists()
    page.post(url, typed(version="1"))
    page.post(url, typed(version="2", financees="5", financees_depuis=f"31/12/{today.year + 5}"))
    wrong = groupe.financees_depuis.get(nombre=5)
    shown = words(page.get(url))
    assert f"5 depuis le 31/12/{today.year + 5}" in shown
    assert "40 depuis le 01/01/2024" in shown
    take_back = reverse("offre:retirer_financees", args=[wrong.pk])
    assert "est retirée" in words(page.post(take_back, follow=True))
    assert groupe.financees_depuis.get().nombre == 40
    assert page.post(take_back).status_code == 404
    Dispositif.objects.update(statut=Statut.FERME, date_fermeture=today)
    left = reverse("offre:retirer_financees", args=[groupe.financees_depuis.get().pk])
    assert "Ce dispositif est fermé" in words(page.post(left, follow=True))
    assert groupe.financees_depuis.count() == 1


def test_the_second_of_two_editors_gets_both_versions(chrs, assistant):
    groupe = make_groupe(chrs)
    page = client_of(assistant)
    url = reverse("offre:modifier_groupe", args=[groupe.pk])
    assert page.post(url, typed(version="1", libelle="Le premier")).status_code == 302
    answer = page.post(url, typed(version="1", libelle="Le second"))
    text = words(answer)
    assert answer.status_code == 409
    assert "modifié pendant que vous l'aviez sous les yeux" in text
    assert "<del>Le premier</del>" in text
    assert "<strong>Le second</strong>" in text
    assert 'value="Le second"' in text
    assert GroupePlaces.objects.get().libelle == "Le premier"
    assert page.post(url, typed(version="2", libelle="Le second")).status_code == 302
    assert GroupePlaces.objects.get().libelle == "Le second"


def test_the_conflict_page_shows_only_what_somebody_typed(chrs, assistant):
    groupe = make_groupe(chrs, libelle="Familles")
    page = client_of(assistant)
    url = reverse("offre:modifier_groupe", args=[groupe.pk])
    form = page.get(url).context["form"]
    as_shown = {field.html_name: field.value() for field in form if field.value() not in (None, "", False)}
    as_shown["financees_depuis"] = f"{timezone.localdate():%d/%m/%Y}"
    assert page.post(url, as_shown | {"libelle": "Le premier"}).status_code == 302
    answer = page.post(url, as_shown | {"libelle": "Le second", "accepte_40": "on"})
    assert answer.status_code == 409
    assert answer.context["conflit"] == [
        ("Nom du groupe", "Le premier", "Le second"),
        ("Femme seule avec enfant(s)", "", "oui"),
    ]


def test_places_are_added_to_a_group(chrs, assistant):
    groupe = make_groupe(chrs)
    page = client_of(assistant)
    url = reverse("offre:ajouter_places", args=[groupe.pk])
    more = {"nombre": "3", "prefixe": "Chambre", "premier": "2", "ouverte_le": "01/01/2024"}
    assert "3 places de plus" in words(page.post(url, more, follow=True))
    assert "porte déjà ce nom" in words(page.post(url, more))
    assert groupe.places.count() == 4


# --- Free, taken ------------------------------------------------------------------------------------------------


def test_a_place_is_freed_in_one_click(chrs, responsable):
    place = make_groupe(chrs, etats=["OCCUPEE"]).places.get()
    page = client_of(responsable)
    url = reverse("offre:places_dispositif", args=[chrs.pk])
    assert "0 libre" in words(page.get(url))
    answer = page.post(reverse("offre:declarer_place", args=[place.pk]), {"etat": "LIBRE"})
    assert answer.url == f"{url}#reponse"
    text = words(page.get(url))
    assert "1 libre" in text
    assert "à l'instant" in text
    [declaration] = place.declarations.all()
    assert (declaration.etat, declaration.auteur, declaration.habilitation.profil) == (
        "LIBRE",
        responsable,
        "RESPONSABLE_DISPOSITIF",
    )


def test_the_answer_to_a_click_is_in_the_line_of_its_place(chrs, responsable):
    """The page opens at that answer: on a phone, its top is out of sight."""
    second = make_groupe(chrs, etats=["OCCUPEE", "OCCUPEE"]).places.last()
    page = client_of(responsable)

    def click(place):
        answer = page.post(reverse("offre:declarer_place", args=[place.pk]), {"etat": "LIBRE"}, follow=True)
        assert answer.redirect_chain[-1][0].endswith("#reponse")
        assert answer.text.count('id="reponse"') == 1
        before, lines = words(answer).split('<ul class="places">')
        return before, lines.split(f'id="place-{second.pk}"')

    before, [of_first, of_second] = click(second)
    assert "le SIAO le voit dès maintenant" in of_second
    assert 'role="status"' in of_second
    assert "le SIAO le voit dès maintenant" not in before + of_first
    second.indisponibilites.create(motif="TRAVAUX", date_debut=timezone.localdate())
    before, [of_first, of_second] = click(second)
    assert "remettez-la d'abord en service" in of_second
    assert 'role="alert"' in of_second
    assert "remettez-la d'abord en service" not in before + of_first
    # A place that the page no longer shows is answered at its top.
    Place.objects.filter(pk=second.pk).update(fermee_le=timezone.localdate())
    before, _ = click(second)
    assert "n'est pas ouverte aujourd'hui" in before


SEEN = {
    "": {},
    "le SIAO n'oriente pas vers ce dispositif": {"orientation_siao": False},
    "la fiche du dispositif n'est pas validée": {"statut": "PREVALIDE"},
    "le dispositif ouvre le": {"date_ouverture": datetime.date(2100, 1, 1)},
}


@pytest.mark.parametrize("why", SEEN)
def test_what_is_said_of_the_siao_is_what_it_sees_and_what_waits_is_what_it_needs(chrs, responsable, why):
    Dispositif.objects.filter(pk=chrs.pk).update(**SEEN[why])
    [place, _] = make_groupe(chrs, etats=["", ""]).places.all()
    page = client_of(responsable)
    operateur = client_of(make_utilisateur(Profil.OPERATEUR_SIAO))
    home = plain(page.get("/"))
    shown = words(page.get(reverse("offre:places_dispositif", args=[chrs.pk])))
    assert ("2 places à déclarer" in home) == (shown.count("À déclarer") == 2) == (not why)
    assert shown.count("Non déclarée") == (2 if why else 0)
    assert (f"ne sont pas montrées au SIAO : {why}" in plain_text(shown)) == bool(why)

    said = words(page.post(reverse("offre:declarer_place", args=[place.pk]), {"etat": "LIBRE"}, follow=True))
    assert ("le SIAO le voit dès maintenant" in said) == (not why)
    assert (f"le SIAO n'en est pas informé, car {why}" in said) == bool(why)
    found = operateur.get(reverse("offre:disponibilites"), {"composition": "100", "taille": "4"})
    assert (str(chrs) in words(found)) == (not why)

    # A day later, only what the SIAO needs is to be said again; the list of groups says the same.
    before = timezone.now() - datetime.timedelta(hours=25)
    Place.objects.filter(pk=place.pk).update(declare_le=before, etat_depuis=before)
    shown = words(page.get(reverse("offre:places_dispositif", args=[chrs.pk])))
    listed = words(operateur.get(reverse("offre:places"), {"q": str(chrs)}))
    assert ("à confirmer</strong>" in shown) == (not why)
    assert (", à confirmer" in listed) == (not why)
    assert (", à confirmer" in shown) == (not why)


def plain_text(text: str) -> str:
    return " ".join(text.split())


def test_a_group_that_receives_nobody_says_that_it_is_found_by_nobody(chrs, responsable):
    groupe = make_groupe(chrs, etats=["OCCUPEE"])
    groupe.configurations.all().delete()
    page = client_of(responsable)
    said = words(
        page.post(reverse("offre:declarer_place", args=[groupe.places.get().pk]), {"etat": "LIBRE"}, follow=True)
    )
    assert "le SIAO ne la trouvera pas" in said
    assert "le SIAO le voit" not in said


def test_who_clicks_second_is_told_and_changes_nothing(chrs, responsable):
    place = make_groupe(chrs, etats=["LIBRE"]).places.get()
    operateur = make_utilisateur(Profil.OPERATEUR_SIAO)
    url = reverse("offre:declarer_place", args=[place.pk])
    client_of(operateur).post(url, {"etat": "OCCUPEE"})
    answer = client_of(responsable).post(url, {"etat": "OCCUPEE"}, follow=True)
    assert f"comme avant, déclarée par {operateur} à l'instant" in words(answer)
    assert place.declarations.count() == 1
    place.refresh_from_db()
    assert place.declare_par == responsable


@pytest.mark.parametrize("etat", ["", "libre", "FERMEE", "LIBRE\x00"])
def test_a_state_that_does_not_exist_is_refused(chrs, responsable, etat):
    place = make_groupe(chrs).places.get()
    answer = client_of(responsable).post(reverse("offre:declarer_place", args=[place.pk]), {"etat": etat}, follow=True)
    assert "Dites si la place est libre ou occupée." in words(answer)
    place.refresh_from_db()
    assert place.etat == ""


def test_everything_is_confirmed_at_once_but_what_changed_meanwhile(chrs, responsable):
    groupe = make_groupe(chrs, etats=[])
    old = {"il_y_a": 2 * A_DAY, "groupe": groupe}
    same, changed, unknown = make_place(etat="LIBRE", **old), make_place(etat="LIBRE", **old), make_place(**old)
    seen = [f"{same.pk}:LIBRE", f"{changed.pk}:LIBRE", f"{unknown.pk}:", "x:LIBRE", "9" * 30 + ":LIBRE"]
    Place.objects.filter(pk=changed.pk).update(etat="OCCUPEE")
    page = client_of(responsable)
    answer = page.post(reverse("offre:confirmer_places", args=[chrs.pk]), {"vue": seen}, follow=True)
    assert "1 place confirmée à l'instant" in words(answer)
    assert "D'autres ont changé" in words(answer)
    fresh = Place.objects.filter(declare_le__gt=timezone.now() - A_DAY)
    assert [place.pk for place in fresh] == [same.pk]
    assert not DeclarationPlace.objects.exists()


def test_a_place_elsewhere_does_not_exist(responsable):
    elsewhere = make_groupe(make_hebergement(make_rattachement("44")), etats=["LIBRE"]).places.get()
    page = client_of(responsable)
    assert page.post(reverse("offre:declarer_place", args=[elsewhere.pk]), {"etat": "OCCUPEE"}).status_code == 404
    assert page.get(reverse("offre:place", args=[elsewhere.pk])).status_code == 404


def test_declarations_are_appended_and_never_changed(chrs, responsable):
    place = make_groupe(chrs).places.get()
    actions.declare(auteur=habilitation_of(responsable), place=place, etat="LIBRE")
    for change in (
        lambda: DeclarationPlace.objects.update(etat="OCCUPEE"),
        lambda: DeclarationPlace.objects.all().delete(),
    ):
        with pytest.raises(Exception, match="ajout seul"), transaction.atomic():
            change()
    assert place.declarations.get().etat == "LIBRE"


def test_a_click_that_was_refused_may_be_sent_again_and_one_that_was_done_may_not(chrs, responsable):
    place = make_groupe(chrs, etats=[""]).places.get()
    works = place.indisponibilites.create(motif="TRAVAUX", date_debut=timezone.localdate())
    page = client_of(responsable)
    click = reverse("offre:declarer_place", args=[place.pk]), {"etat": "LIBRE", "ouvert_par": page.stamp()}
    assert "remettez-la d'abord en service" in words(page.post(*click, follow=True))
    works.delete()
    assert "est libre : le SIAO le voit" in words(page.post(*click, follow=True))
    place.refresh_from_db()
    assert place.etat == "LIBRE"
    assert "Cet envoi était déjà enregistré" in words(page.post(*click, follow=True))
    assert place.declarations.count() == 1


# --- Works, disasters, dates ------------------------------------------------------------------------------------


def test_a_place_under_works_is_not_offered_then_is_again(chrs, responsable):
    place = make_place(make_groupe(chrs, etats=()), etat="LIBRE", il_y_a=5 * A_DAY)
    page = client_of(responsable)
    today = timezone.localdate()
    period = {"motif": "TRAVAUX", "precision": "", "date_debut": f"{today:%d/%m/%Y}", "date_fin": ""}
    url = reverse("offre:rendre_indisponible", args=[place.pk])
    assert "ne sera pas proposée" in words(page.post(url, period, follow=True))
    assert "0 libre" in words(page.get(reverse("offre:places_dispositif", args=[chrs.pk])))
    refused = page.post(reverse("offre:declarer_place", args=[place.pk]), {"etat": "OCCUPEE"}, follow=True)
    assert "remettez-la d'abord en service" in words(refused)
    assert "déjà indisponible à une partie de ces dates" in words(page.post(url, period))
    [works] = Indisponibilite.objects.all()
    Indisponibilite.objects.update(date_debut=today - 3 * A_DAY)
    again = page.post(reverse("offre:remettre_en_service", args=[works.pk]), follow=True)
    assert "de nouveau en service : dites si elle est libre" in words(again)
    assert "indisponible entre-temps : <strong>à dire de nouveau" in words(again)
    works.refresh_from_db()
    assert works.date_fin == today - A_DAY
    page.post(reverse("offre:remettre_en_service", args=[works.pk]))
    works.refresh_from_db()
    assert works.date_fin == today - A_DAY, "une indisponibilité finie ne bouge plus"
    assert not Place.objects.free(today).exists(), "elle était libre avant les travaux : personne ne le sait plus"
    shown = words(page.get(reverse("offre:places_dispositif", args=[chrs.pk])))
    assert "À déclarer" in shown
    assert "0 libre" in shown
    assert "tout confirmer" not in shown
    page.post(reverse("offre:confirmer_places", args=[chrs.pk]), {"vue": f"{place.pk}:LIBRE"})
    assert not Place.objects.free(today).exists()
    page.post(reverse("offre:declarer_place", args=[place.pk]), {"etat": "LIBRE"})
    assert Place.objects.free(today).get() == place
    assert "à dire de nouveau" not in words(page.get(reverse("offre:place", args=[place.pk])))


@pytest.mark.parametrize(
    ("declared", "ended", "free"), [(5, 2, False), (2, 2, False), (1, 2, True), (5, 6, True), (5, -1, False)]
)
def test_what_was_said_before_the_end_of_works_is_to_be_said_again(chrs, responsable, declared, ended, free):
    """Both in days before today: nobody put the place back by hand, its works ended at their date."""
    today = timezone.localdate()
    place = make_groupe(chrs, etats=[""]).places.get()
    moment = timezone.now() - declared * A_DAY
    Place.objects.update(etat="LIBRE", etat_depuis=moment, declare_le=moment, declare_par=responsable)
    place.indisponibilites.create(motif="TRAVAUX", date_debut=today - 9 * A_DAY, date_fin=today - ended * A_DAY)
    assert Place.objects.free(today).exists() is free
    assert Place.objects.free_for(composition="100", taille=4, day=today).exists() is free
    assert GroupePlaces.objects.for_list(today).get().nb_libres == free


def test_works_are_changed_and_those_to_come_are_cancelled(chrs, responsable):
    place = make_groupe(chrs).places.get()
    page = client_of(responsable)
    today = timezone.localdate()
    works = Indisponibilite.objects.create(place=place, motif="TRAVAUX", date_debut=today + A_DAY)
    url = reverse("offre:modifier_indisponibilite", args=[works.pk])
    vague = {"vu": works.vu, "motif": "AUTRE", "date_debut": "01/01/2030"}
    assert "Précisez le motif" in words(page.post(url, vague))
    changed = {"motif": "SINISTRE", "precision": "Fuite", "date_debut": "01/01/2030", "date_fin": "03/01/2030"}
    stale = page.post(url, {**changed, "vu": "TRAVAUX||2020-01-01|None"})
    assert stale.status_code == 409
    assert ("Motif", "TRAVAUX", "SINISTRE") in stale.context["conflit"]
    works.refresh_from_db()
    assert works.motif == "TRAVAUX"
    assert page.post(url, {**changed, "vu": works.vu}).status_code == 302
    works.refresh_from_db()
    assert str(works) == "Fuite, du 01/01/2030 au 03/01/2030"
    page.post(reverse("offre:remettre_en_service", args=[works.pk]))
    assert not Indisponibilite.objects.exists()


@pytest.mark.parametrize(
    ("period", "refused"),
    [
        (("2026-01-10", "2026-01-20"), False),
        (("2026-02-01", None), False),
        (("2026-01-31", "2026-01-31"), True),
        (("2026-01-01", None), True),
        (("2026-01-21", "2026-01-23"), True),
    ],
)
def test_two_periods_of_a_place_never_overlap_whoever_writes(chrs, period, refused):
    groupe = make_groupe(chrs, etats=["", ""])
    place, other = groupe.places.all()
    for one in (place, other):
        Indisponibilite.objects.create(place=one, motif="TRAVAUX", date_debut="2026-01-22", date_fin="2026-01-31")
    said = None
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO offre_indisponibilite (place_id, motif, precision, date_debut, date_fin) "
                "VALUES (%s, 'SINISTRE', '', %s, %s)",
                [place.pk, *period],
            )
    except IntegrityError as error:
        said = sentence_of(error)
    assert said == ("Cette place est déjà indisponible à une partie de ces dates." if refused else None)


def test_a_place_has_its_dates(chrs, assistant):
    place = make_groupe(chrs, etats=["LIBRE"]).places.get()
    page = client_of(assistant)
    url = reverse("offre:modifier_place", args=[place.pk])
    late = {"vu": place.vu, "nom": "Chambre bleue", "ouverte_le": "01/01/2024", "fermee_le": "31/12/2023"}
    assert "La fermeture ne peut pas précéder l'ouverture." in words(page.post(url, late))
    assert page.post(url, {**late, "fermee_le": f"{timezone.localdate():%d/%m/%Y}"}).status_code == 302
    assert not Place.objects.free(timezone.localdate()).exists()
    assert Place.objects.free(timezone.localdate() - A_DAY).exists()
    answer = page.post(reverse("offre:declarer_place", args=[place.pk]), {"etat": "OCCUPEE"}, follow=True)
    assert "n'est pas ouverte aujourd'hui" in words(answer)


def test_the_second_of_two_editors_of_a_place_gets_both_versions(chrs, assistant):
    place = make_groupe(chrs).places.get()
    page = client_of(assistant)
    url = reverse("offre:modifier_place", args=[place.pk])
    typed_by = {name: {"vu": place.vu, "nom": name, "ouverte_le": "01/01/2020"} for name in ("Bleue", "Rouge")}
    assert page.post(url, typed_by["Bleue"]).status_code == 302
    answer = page.post(url, typed_by["Rouge"])
    assert answer.status_code == 409
    assert answer.context["conflit"] == [("Nom ou numéro", "Bleue", "Rouge")]
    place.refresh_from_db()
    assert place.nom == "Bleue"
    assert f'value="{place.vu}"' in answer.text
    assert page.post(url, typed_by["Rouge"] | {"vu": place.vu}).status_code == 302


def test_a_place_that_served_is_not_deleted(chrs, assistant):
    served, mistake = make_groupe(chrs, etats=["LIBRE", ""]).places.all()
    page = client_of(assistant)
    answer = page.post(reverse("offre:supprimer_place", args=[served.pk]), follow=True)
    assert "Cette place a déjà servi" in words(answer)
    assert page.post(reverse("offre:supprimer_place", args=[mistake.pk])).status_code == 302
    assert Place.objects.get() == served


# --- The list ---------------------------------------------------------------------------------------------------


def test_the_list_of_groups_says_what_is_free(chrs, assistant):
    groupe = make_groupe(chrs, libelle="Familles", etats=["LIBRE", "OCCUPEE", ""])
    make_groupe(chrs, libelle="Isolés", accueils={"10": (1, 1)}, couchages=1, type_id="10", etats=["OCCUPEE"])
    url = reverse("offre:places")
    page = client_of(assistant)
    text = words(page.get(url, {"q": "familles"}))
    assert "Isolés" not in text
    assert "Couple avec enfant (3 à 4)" in text
    assert "Isolés" not in words(page.get(url, {"etat": "libres"}))
    assert "Isolés" in words(page.get(url, {"type": "10"}))
    assert "2 groupes" in words(page.get(url, {"etat": "n'importe quoi"}))
    assert "0 groupe" in words(page.get(url, {"etat": "indisponibles"}))
    Indisponibilite.objects.create(place=groupe.places.first(), motif="SINISTRE", date_debut="2026-01-01")
    assert "1 groupe" in words(page.get(url, {"etat": "indisponibles"}))
    assert "0 groupe" in words(page.get(url, {"etat": "libres"}))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (make_hebergement, "places_dispositif"),
        (make_accompagnement, "mesures_dispositif"),
        (make_dispositif, "prestations_dispositif"),
    ],
)
def test_who_works_in_one_dispositif_goes_straight_to_what_it_offers(rattachement, make, name):
    dispositif = make(rattachement)
    page = client_of(make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[dispositif]))
    assert page.get(reverse("offre:places")).url == reverse(f"offre:{name}", args=[dispositif.pk])


def test_who_declared_is_named_to_those_who_declare(chrs, responsable):
    place = make_groupe(chrs).places.get()
    actions.declare(auteur=habilitation_of(responsable), place=place, etat="LIBRE")
    pages = [reverse("offre:places_dispositif", args=[chrs.pk]), reverse("offre:place", args=[place.pk])]
    for profil, named in ((Profil.OPERATEUR_SIAO, True), (Profil.ADMIN_DEPARTEMENTAL, False), (Profil.ANALYSTE, False)):
        reader = client_of(make_utilisateur(profil))
        for url in pages:
            text = words(reader.get(url))
            assert "à l'instant" in text
            assert (str(responsable) in text) == named, (profil, url)


@pytest.mark.parametrize(("name", "count"), [("places", 17), ("places_dispositif", 17)])
def test_same_number_of_queries_for_one_group_or_twenty(chrs, assistant, name, count, django_assert_num_queries):
    page = client_of(assistant)
    url = reverse(f"offre:{name}", args=[chrs.pk] if name == "places_dispositif" else [])
    make_groupe(chrs, etats=["LIBRE"])
    page.get(url)
    with django_assert_num_queries(count):
        page.get(url)
    for _ in range(20):
        groupe = make_groupe(chrs, etats=["LIBRE", "OCCUPEE", ""])
        Indisponibilite.objects.create(place=groupe.places.first(), motif="SINISTRE", date_debut="2026-01-01")
    with django_assert_num_queries(count):
        page.get(url)
