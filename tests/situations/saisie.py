"""Filling the forms of situations as the pages do: persons ticked with what the page saw, the consequence read."""

import re

from django.urls import reverse

from menages.models import Menage
from situations.models import SituationResidentielle


def jeton(personne) -> dict[str, str]:
    courante = SituationResidentielle.objects.get(personne=personne, date_fin=None)
    return {f"jeton-{personne.pk}": f"{courante.pk}.{courante.version}"}


def typed(personnes, sr2: str, jour=None, **more) -> dict:
    """What is posted for ``personnes``: ``jour`` is a date or what was typed."""
    fields = {"personnes": [personne.pk for personne in personnes], "sr1": sr2.partition(".")[0], "sr2": sr2}
    for personne in personnes:
        fields |= jeton(personne)
    fields["date_debut"] = jour if isinstance(jour, str) else f"{jour:%d/%m/%Y}" if jour else ""
    return {**fields, "etape": "enregistrer", **more}


def submit(client, url: str, fields: dict):
    """Send, read what will happen, send again. A page that refuses comes back at once."""
    answer = client.post(url, fields)
    lue = re.search(r'name="lue" value="(\w+)"', answer.text) if answer.status_code == 200 else None
    return client.post(url, {**fields, "lue": lue[1]}) if lue else answer


def ajouter(client, menage: Menage, personnes, sr2: str, jour, **more):
    return submit(client, reverse("ajouter_situation", args=[menage.pk]), typed(personnes, sr2, jour, **more))


def url_modifier(personne) -> str:
    return reverse("modifier_situation", args=[current_of(personne).pk])


def modifier(client, personne, sr2: str, jour, personnes=None, **more):
    return submit(client, url_modifier(personne), typed(personnes or [personne], sr2, jour, **more))


def supprimer(client, personne, personnes=None):
    fields = {"personnes": [each.pk for each in personnes or [personne]]}
    for each in personnes or [personne]:
        fields |= jeton(each)
    return client.post(reverse("supprimer_situation", args=[current_of(personne).pk]), fields)


def current_of(personne) -> SituationResidentielle:
    return SituationResidentielle.objects.get(personne=personne, date_fin=None)
