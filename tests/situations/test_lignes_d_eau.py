"""The picture of the paths, and its acceptance test: the example of the source."""

import re

import pytest
from django.urls import reverse

from menages.actions.deplacement import move_personnes
from situations.lignes_d_eau import CODE, LARGEUR
from tests.comptes.fabrique import client_of, words
from tests.menages.fabrique import jour, make_menage, make_operateur, make_personne

pytestmark = pytest.mark.django_db


@pytest.fixture
def operateur():
    return client_of(make_operateur().utilisateur)


@pytest.fixture
def exemple():
    """Léon, Rosa and Louise: expulsion; urgences or rue; CHRS, Léon later."""
    menage = make_menage()
    common = [("VII.1", 300), ("I.1", 200), ("III.1", 120)]
    make_personne(menage, "Léon Exemple", depuis=300, parcours=[("VII.1", 300), ("IV.2", 200), ("III.1", 60)])
    make_personne(menage, "Rosa Exemple", depuis=300, parcours=common)
    make_personne(menage, "Louise Exemple", depuis=300, parcours=common)
    return menage


def image(client, menage):
    return client.get(reverse("dossier", args=[menage.pk])).context["image"]


def test_the_example_of_the_source(operateur, exemple):
    drawn = image(operateur, exemple)
    leon, rosa, louise = drawn.lignes
    assert [each.nom for each in drawn.lignes] == ["Léon", "Rosa", "Louise"]
    assert [t.couleur for t in leon.troncons] == ["marron", "turquoise", "bleu"]
    assert [t.couleur for t in rosa.troncons] == ["marron", "rouge", "bleu"]
    # Common spells begin and end at the same place; Léon joins them later.
    assert [(t.x, t.fin) for t in rosa.troncons] == [(t.x, t.fin) for t in louise.troncons]
    assert leon.troncons[1].x == rosa.troncons[1].x
    assert leon.troncons[2].x > rosa.troncons[2].x
    assert {t.troncons[-1].fin for t in drawn.lignes} == {LARGEUR}
    assert [r.texte for r in drawn.ruptures] == [f"{jour(n):%d/%m/%Y}" for n in (200, 120, 60)]


def test_lanes_have_no_hole_and_no_overlap(operateur, exemple):
    for ligne in image(operateur, exemple).lignes:
        assert ligne.troncons[0].x == 0
        for before, after in zip(ligne.troncons, ligne.troncons[1:], strict=False):
            assert before.fin == after.x


def test_never_colour_alone_and_no_script_nor_style(operateur, exemple):
    page = operateur.get(reverse("dossier", args=[exemple.pk])).text
    svg = page[page.index("<figure") : page.index("</figure>")]
    svg = svg[: svg.rindex("</svg>", 0, svg.index("<figcaption"))]
    assert svg.count('fill="url(#motif-') == 9
    assert "IV.2 Aux urgences</tspan>" in svg
    assert f"<title>Léon Exemple : IV.2 Aux urgences, du {jour(200):%d/%m/%Y} au {jour(61):%d/%m/%Y}</title>" in svg
    assert "style=" not in svg
    assert not re.search(r"\d,\d", re.sub(r"<(title|desc|text)[^>]*>.*?</\1>", "", svg, flags=re.S))  # French decimals


def test_the_table_says_the_same(operateur, exemple):
    text = words(operateur.get(reverse("dossier", args=[exemple.pk])))
    table = text[text.index("Voir le tableau") : text.index("</details>")]
    assert table.count("<tr>") == 1 + 9
    assert f"III.1 CHRS sauf FVV, depuis le {jour(60):%d/%m/%Y}" in table


def test_what_began_long_ago_does_not_crush_the_rest(operateur):
    menage = make_menage()
    make_personne(menage, "Ancienne Exemple", depuis=9000, parcours=[("VIII.11", 9000), ("I.1", 90), ("III.1", 30)])
    lane = image(operateur, menage).lignes[0]
    assert lane.troncons[0].avant
    assert lane.troncons[1].largeur > 300
    assert lane.troncons[0].etiquette[-1].startswith("‹ depuis ")


PARCOURS = {
    "since yesterday": [("VII.1", 900), ("I.1", 1)],
    "since today": [("VII.1", 900), ("I.1", 30), ("III.1", 0)],
    "three changes this week": [("VIII.11", 4000), ("I.1", 6), ("I.2", 3), ("III.1", 1)],
    "first day": [("NR", 0)],
    "forty changes": [(("I.1", "II.1")[n % 2], 400 - 10 * n) for n in range(40)],
}


@pytest.mark.parametrize("parcours", PARCOURS.values(), ids=PARCOURS)
def test_the_present_is_always_told_by_its_code_and_fades_by_half_at_most(operateur, parcours):
    menage = make_menage()
    make_personne(menage, "Rosa Exemple", depuis=parcours[0][1], parcours=parcours)
    make_personne(menage, "Léon Exemple", depuis=parcours[0][1], parcours=parcours[:-1] or parcours)
    for lane in image(operateur, menage).lignes:
        last = lane.troncons[-1]
        assert last.etiquette[0].split()[0] in (lane.passages[-1].split()[0], "NR")
        assert 0 < last.fondu <= last.largeur / 2
        assert last.hachures <= last.largeur / 2
        assert all(troncon.largeur >= 2 for troncon in lane.troncons)


def test_an_arrival_of_ten_years_ago_leaves_its_room_to_two_months(operateur):
    menage = make_menage()
    make_personne(menage, "Rosa Exemple", depuis=4000, parcours=[("VIII.11", 4000), ("I.1", 60), ("III.1", 20)])
    make_personne(menage, "Louise Exemple", depuis=3900, parcours=[("VIII.11", 4000)])
    rosa, louise = image(operateur, menage).lignes
    assert rosa.troncons[0].etiquette[-1] == f"‹ depuis {jour(4000):%Y}"
    assert rosa.troncons[1].largeur + rosa.troncons[2].largeur > LARGEUR / 2
    assert [troncon.fin for troncon in louise.troncons] == [LARGEUR]


def test_who_left_and_absorbed_fiches_have_their_last_code_too(operateur, exemple):
    louise = exemple.appartenances.get(personne__prenom="Louise").personne
    move_personnes(auteur=make_operateur(), origine=exemple, personnes=[louise.pk], destination=None, jour=jour(119))
    gone = next(each for each in image(operateur, exemple).lignes if each.nom == "Louise")
    assert gone.troncons[-1].etiquette[0] == "III.1"
    assert gone.troncons[-1].largeur >= CODE
    assert [each.maintenant for each in image(operateur, exemple).lignes] == ["III.1", "III.1", ""]


def test_a_long_label_wraps_on_two_lines(operateur):
    menage = make_menage()
    make_personne(menage, "Rosa Exemple", depuis=400, parcours=[("VI.1", 400), ("V.1", 200), ("IV.9", 60)])
    lines = [troncon.etiquette for troncon in image(operateur, menage).lignes[0].troncons]
    assert {len(each) for each in lines} <= {1, 2}
    assert any(len(each) == 2 and not each[1].startswith("‹") for each in lines)


def test_unconfirmed_for_three_months_is_hatched(operateur, exemple):
    leon, rosa, _ = image(operateur, exemple).lignes
    assert leon.troncons[-1].hachures == 0
    assert rosa.troncons[-1].hachures > 0


def test_arrivals_and_departures_are_marked(operateur, exemple):
    from menages.actions.deplacement import move_personnes

    louise = exemple.appartenances.get(personne__prenom="Louise").personne
    autre = move_personnes(
        auteur=make_operateur(), origine=exemple, personnes=[louise.pk], destination=None, jour=jour(30)
    )
    gone = next(each for each in image(operateur, exemple).lignes if each.nom == "Louise")
    assert gone.marques[-1][1] == f"Louise Exemple quitte le ménage le {jour(31):%d/%m/%Y}"
    assert gone.troncons[-1].fin < LARGEUR
    [arrived] = image(operateur, autre).lignes
    assert arrived.marques == [(arrived.marques[0][0], f"Louise Exemple arrive dans le ménage le {jour(30):%d/%m/%Y}")]
    assert len(arrived.troncons) == 3  # her situations followed her


def test_an_empty_or_brand_new_menage_is_drawn(operateur):
    menage = make_menage()
    assert image(operateur, menage).lignes == []
    make_personne(menage, "Nouvelle Exemple")
    [lane] = image(operateur, menage).lignes
    assert lane.troncons[0].couleur == "nr"
    assert lane.troncons[0].largeur >= 2


def test_who_left_before_any_situation_was_known_is_said_in_words(operateur):
    """Her path begins the day her fiche was created, after she had left."""
    menage = make_menage(personnes=["Rosa Exemple"])
    leon = make_personne(menage, "Léon Exemple", depuis=30, parcours=[("NR", 0)])
    move_personnes(auteur=make_operateur(), origine=menage, personnes=[leon.pk], destination=None, jour=jour(10))
    told = image(operateur, menage).description
    assert "Léon Exemple : aucune situation connue pendant son séjour." in told
    assert "Rosa Exemple : Non renseignée" in told


def test_long_names_are_cut_and_whole_in_the_title(operateur):
    menage = make_menage()
    make_personne(menage, prenom="Marie-Antoinette-Philippine", nom="Exemple")
    lane = image(operateur, menage).lignes[0]
    assert lane.nom.endswith("…")
    assert lane.complet == "Marie-Antoinette-Philippine Exemple"


def test_archived_paths_come_below(operateur, exemple):
    from menages.actions.fusion import merge

    louise = exemple.appartenances.get(personne__prenom="Louise").personne
    ancienne = make_personne(make_menage(), "Louise Exemples", depuis=50, parcours=[("I.2", 50)])
    zoe = make_personne(exemple, "Zoé Exemple", depuis=20, parcours=[("I.1", 20)])
    merge(auteur=make_operateur(), maitre=louise, absorbee=ancienne, identite={})
    lanes = image(operateur, exemple).lignes
    assert [(each.nom, each.archivee) for each in lanes][-2:] == [(zoe.prenom, False), (ancienne.numero, True)]
    assert lanes[-1].complet == f"Louise Exemples (fiche absorbée {ancienne.numero})"
