"""The summary of errors of every form of the site: each line leads to its field, where the same words are read."""

import html
import re

import pytest
from django.db import transaction
from django.urls import reverse

from siao.socle.forms import PAGE_INCOMPLETE, Formulaire
from situations.models import Sr2
from tests.droits.monde import OBJETS, Monde
from tests.droits.test_table import TABLE, VIEWS

ACTEURS = {"ADMIN_NATIONAL": 11, "ADMIN_SIAO": 30, "ASSISTANT": 15, "visiteur": 2}
"""Who sends, and to how many pages at least that answer with a summary."""

SUMMARY = re.compile(r"<div[^>]*data-resume-erreurs.*?</div>", re.DOTALL)
LINE = re.compile(r"<li>\s*(.*?)\s*</li>", re.DOTALL)
LINK = re.compile(r'<a href="#([^"]*)">(.*?)</a>\s*:\s*(.*)', re.DOTALL)


@pytest.mark.django_db
@pytest.mark.parametrize("acteur", ACTEURS)
def test_each_error_leads_to_its_field_and_is_said_beside_it(acteur):
    monde = Monde()
    utilisateur, client = monde.acteur(acteur)
    wrong, answered = [], 0
    for line in TABLE:
        if line["methode"] != "POST" or "GET" not in VIEWS[line["route"]].methods:
            continue
        with transaction.atomic():
            objet = line["objet"]
            arguments = OBJETS[objet](monde, utilisateur, "mien") if objet else {}
            arguments.pop("?", None)
            # Something is sent, which answers to nothing that is asked.
            answer = client.post(reverse(line["route"], kwargs=arguments), {"rien": "1"})
            transaction.set_rollback(True)
        summary = SUMMARY.search(answer.text) if answer.status_code in (200, 409) else None
        if summary is None:
            continue
        answered += 1
        page = answer.text.replace(summary[0], "")
        for error in LINE.findall(summary[0]):
            link = LINK.fullmatch(error)
            if link is None:
                continue  # about the whole form
            target, _, message = link.groups()
            if f'id="{target}"' not in page:
                wrong.append(f"{line['route']}: #{target}")
            if html.unescape(message) not in html.unescape(page):
                wrong.append(f"{line['route']}: « {message} » n'est pas à côté de #{target}")
        described = " ".join(re.findall(r'aria-(?:describedby|labelledby)="([^"]*)"', page)).split()
        wrong += [f"{line['route']}: rien n'est #{each}" for each in {*described} if f'id="{each}"' not in page]
    assert not wrong, wrong
    assert answered >= ACTEURS[acteur], answered


@pytest.mark.django_db
@pytest.mark.parametrize("version", [None, "", "rien", "-1", "9" * 30])
def test_a_hidden_version_lost_on_the_way_is_said_of_the_whole_page_and_what_was_typed_can_be_sent_again(version):
    url = reverse("modifier_sr2", args=["I.1"])
    client = Monde().acteur("ADMIN_NATIONAL")[1]
    typed = {"libelle": "Libellé retapé"} | ({} if version is None else {"version": version})
    answer = client.post(url, typed)
    if answer.status_code == 200:
        summary = SUMMARY.search(answer.text)[0]
        assert html.unescape(LINE.findall(summary)[0]) == PAGE_INCOMPLETE
        assert "#id_version" not in summary
    else:  # a number, which no version is: somebody else was faster
        assert answer.status_code == 409
    assert 'value="Libellé retapé"' in answer.text
    typed["version"] = re.search(r'name="version" value="(\d+)"', answer.text)[1]
    assert client.post(url, typed).status_code == 302
    assert Sr2.objects.get(pk="I.1").libelle == "Libellé retapé"


MARK = "fr-required-marker"
EXPLAINED = "Les champs suivis d'une étoile (*) sont obligatoires."


@pytest.mark.django_db
@pytest.mark.parametrize("acteur", ACTEURS)
def test_each_compulsory_field_has_its_star_and_the_page_says_what_it_means(acteur):
    monde = Monde()
    utilisateur, client = monde.acteur(acteur)
    wrong = []
    for line in TABLE:
        if line["methode"] != "GET" or "POST" not in VIEWS[line["route"]].methods:
            continue
        with transaction.atomic():
            objet = line["objet"]
            arguments = OBJETS[objet](monde, utilisateur, "mien") if objet else {}
            arguments.pop("?", None)
            page = client.get(reverse(line["route"], kwargs=arguments))
            transaction.set_rollback(True)
        form = (page.context or {}).get("form") if page.status_code == 200 else None
        if not isinstance(form, Formulaire) or "data-resume" in page.text:
            continue
        shown = [f for f in form.visible_fields() if f.field.required and f'name="{f.html_name}"' in page.text]
        if page.text.count(MARK) < len(shown):
            wrong.append(f"{line['route']}: {[field.name for field in shown]}")
        if MARK in page.text and EXPLAINED not in html.unescape(page.text):
            wrong.append(f"{line['route']}: l'étoile n'est pas expliquée")
    assert not wrong, wrong
