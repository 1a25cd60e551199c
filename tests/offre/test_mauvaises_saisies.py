"""What a form of the offre must survive: many at once, forged ids, hostile texts, fields sent twice or too long."""

import pytest
from django.urls import reverse

from comptes.droits import Profil
from offre.models import Dispositif, Entite, Rattachement, Transition
from tests.classeurs import DISPOSITIF, ENTITE
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.offre.fabrique import make_financement, make_rattachement
from tests.offre.formulaires import champs
from tests.offre.test_fiches import make_chrs, opened, url
from tests.offre.test_import_concurrent import together
from tests.visite import Visiteur


def test_thirty_two_forms_on_one_version_are_one_change(base_reelle, site):
    entite = make_rattachement("44", nom="Nom de départ")
    usagers = [Visiteur(site.url, make_utilisateur()) for _ in range(32)]
    address = url("modifier", "entites", entite.pk)
    pages = together(
        *(
            lambda number=number, usager=usager: usager.post(address, {"version": "1", "nom": f"Nom n° {number}"})
            for number, usager in enumerate(usagers)
        )
    )
    assert sorted(page.status for page in pages) == [200] + [409] * 31
    winner = next(number for number, page in enumerate(pages) if page.status == 200)
    entite.refresh_from_db()
    assert (entite.nom, entite.version) == (f"Nom n° {winner}", 2)
    for number, page in enumerate(pages):
        if number != winner:
            assert f"Nom n° {number}" in page.text
    assert Transition.objects.count() == 1


def test_the_same_new_entite_ten_times_at_once_is_one(base_reelle, site):
    usagers = [Visiteur(site.url, make_utilisateur()) for _ in range(10)]
    pages = together(
        *(lambda usager=usager: usager.post(url("creer_entite"), champs("Entités", ENTITE)) for usager in usagers)
    )
    assert {page.status for page in pages} == {200}
    assert Entite.objects.count() == Rattachement.objects.count() == 1
    assert sum("SIREN" in page.text and "offre/entites/nouvelle" in page.url for page in pages) == 9


@pytest.mark.django_db
class TestOne:
    HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "=cmd|' /C calc'!A0")

    def test_a_hostile_text_is_shown_as_text(self, page):
        entite = make_rattachement("44", nom=self.HOSTILE[0])
        chrs = make_chrs(entite, nom=self.HOSTILE[1], commentaire=self.HOSTILE[2], horaires="")
        make_financement(chrs, commentaire=self.HOSTILE[0], reference_acte=self.HOSTILE[1])
        address = url("modifier", "dispositifs", chrs.pk)
        page.post(address, opened(page, address) | {"commentaire": self.HOSTILE[0]})
        for shown in (
            url("fiche", "entites", entite.pk),
            url("fiche", "dispositifs", chrs.pk),
            url("fiche", "financements", chrs.financements.get().pk),
            url("entites"),
            url("dispositifs") + "?q=<script>alert(1)</script>",
            url("financements"),
            url("synthese_financements"),
            url("fusionner", entite.pk),
            address,
        ):
            text = page.get(shown).text
            assert "<script>alert" not in text
            assert "<img src=x" not in text

    def test_too_long_too_many_or_twice(self, page):
        address = url("creer_entite")
        valid = champs("Entités", ENTITE)
        assert "caractères trouvés, 255 au plus" in words(page.post(address, valid | {"nom": "x" * 100_000}))
        assert page.post(address, valid | {"nom": "x" * 6_000_000}).status_code == 400
        assert page.post(address, valid | {f"champ{number}": "1" for number in range(2_000)}).status_code == 400
        assert not Rattachement.objects.exists()
        # The last of two values counts, once.
        page.post(address, valid | {"nom": ["Premier", "Second"]})
        assert Rattachement.objects.get().nom == "Second"

    @pytest.mark.parametrize("text", ["\x00", "\u202e", "\ud7ff", "٣٠", "1e3", "-0", "9" * 5_000, "0x1F", "３０"])
    def test_numbers_that_are_none(self, page, text):
        entite = make_rattachement("44", nom=ENTITE["nom"])
        data = champs("Dispositifs", DISPOSITIF) | {"places_pmr": text, "date_fermeture": text, "age_min": text}
        answer = page.post(url("creer_dispositif", entite.pk), data)
        assert answer.status_code in (200, 302)
        assert not Dispositif.objects.filter(places_pmr__gt=0).exists()

    def test_a_forged_parent_changes_nothing(self, page):
        mine, foreign = make_rattachement("44"), make_rattachement("35")
        chrs = make_chrs(mine)
        address = url("modifier", "dispositifs", chrs.pk)
        forged = {"entite": foreign.nom, "entite_id": foreign.pk, "departement": "35", "siren": foreign.entite.siren}
        forged |= {"statut": "FERME", "version_": "9", "cree_par": "1", "nom": "Nom choisi"}
        assert page.post(address, opened(page, address) | forged).status_code == 302
        chrs.refresh_from_db()
        assert (chrs.entite_id, chrs.departement_id, chrs.siren, chrs.statut, chrs.nom) == (
            mine.entite_id,
            "44",
            mine.entite.siren,
            "VALIDE",
            "Nom choisi",
        )

    @pytest.mark.parametrize("pk", ["99999999999999999999", "-1", "1e3", "１２", "0"])
    def test_an_id_that_is_none_is_not_found(self, page, pk):
        for path in (f"/offre/entites/{pk}/", f"/offre/dispositifs/{pk}/modifier/", f"/offre/propositions/{pk}/"):
            assert page.get(path).status_code == 404

    def test_a_form_of_somebody_else_is_refused(self, page):
        entite = make_rattachement("44")
        other = client_of(make_utilisateur(Profil.ADMIN_SIAO))
        answer = page.post(
            url("modifier", "entites", entite.pk), {"version": "1", "nom": "Autre", "ouvert_par": other.stamp()}
        )
        assert answer.status_code == 409
        assert Rattachement.objects.get().nom != "Autre"

    def test_a_name_taken_meanwhile_is_said_in_words(self, page, monkeypatch):
        """The form saw no double, the database did: its constraint speaks in the page."""
        make_rattachement("44", nom=ENTITE["nom"])
        monkeypatch.setattr("offre.forms.EntiteForm.check", lambda self, row, position: None)
        answer = page.post(reverse("offre:creer_entite"), champs("Entités", ENTITE))
        assert "Une autre entité du département porte déjà ce nom." in words(answer)
        assert Rattachement.objects.count() == 1
