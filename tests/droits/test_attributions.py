"""Who may give what to whom: 10 profils × 10 profils × inside or outside, against ``attributions.csv``.

« +alerte »: the receiver holds a right that the giver does not, and an alert says so. ``soi_meme``: whether the giver
may be the receiver, under any profil and any spelling of their address.
"""

import csv
from pathlib import Path

import pytest
from django.db import transaction
from django.urls import reverse

from comptes import actions
from comptes.droits import Niveau, Profil
from comptes.models import Alerte, Departement, Siao, Utilisateur
from siao.socle.refusal import Refusal
from tests.comptes.fabrique import habilitation_of, make_utilisateur
from tests.droits.monde import Monde

with (Path(__file__).parent / "attributions.csv").open(encoding="utf-8", newline="") as file:
    TABLE = {line["donneur"]: line for line in csv.DictReader(file)}

GUEST = {"courriel": "invitee@test.example", "prenom": "P", "nom": "N", "date_debut": "01/01/2026", "date_fin": ""}


def _where(monde: Monde, profil: Profil, inside: bool) -> tuple[dict, dict]:
    """The same territory twice: as the form sends it, and as the action takes it."""
    lieu = monde.lieux["mien" if inside else "ailleurs"]
    match profil.niveaux[-1]:
        case Niveau.SIAO:
            return {"territoire": f"siao-{lieu.code}"}, {"territoire": Siao.objects.get(pk=lieu.code)}
        case Niveau.DEPARTEMENT:
            departement = Departement.objects.get(pk=lieu.code)
            return {"territoire": f"departement-{lieu.code}"}, {"territoire": departement}
        case Niveau.ENTITE:
            return {"objets": [lieu.rattachement.pk]}, {"objets": [lieu.rattachement]}
        case Niveau.DISPOSITIF:
            return {"objets": [lieu.dispositif.pk]}, {"objets": [lieu.dispositif]}
        case _:
            return {"territoire": "france"}, {}


@pytest.mark.django_db
@pytest.mark.parametrize("donneur", Profil.values)
def test_nobody_gives_above_or_outside_their_own(donneur, record_property):
    monde = Monde()
    utilisateur, client = monde.acteur(donneur)
    auteur, guest = habilitation_of(utilisateur), make_utilisateur(None)
    wrong, count = [], 0
    for profil in Profil:
        allowed, _, alerted = TABLE[donneur][profil].partition("+")
        for inside in (True, False):
            typed, taken = _where(monde, profil, inside)
            expected = allowed == "partout" or (allowed == "dedans" and inside)
            with transaction.atomic():
                code = monde.lieux["mien" if inside else "ailleurs"].code
                address = reverse("inviter") + f"?profil={profil}&departement={code}"
                by_page = client.post(address, {**GUEST, **typed}).status_code == 302
                transaction.set_rollback(True)
            with transaction.atomic():
                try:
                    actions.grant(auteur=auteur, utilisateur=guest, profil=profil, **taken)
                    by_action = True
                except Refusal:
                    by_action = False
                told = Alerte.objects.filter(nature="ATTRIBUTION", utilisateur=utilisateur).count()
                transaction.set_rollback(True)
            count += 1
            if told != (expected and alerted == "alerte"):
                wrong.append(f"{profil}: {told} alerte")
            if (by_page, by_action) != (expected, expected):
                wrong.append(f"{profil} {'dedans' if inside else 'dehors'}: page {by_page}, action {by_action}")
    record_property("attributions", count)
    assert not wrong, wrong


@pytest.mark.django_db
@pytest.mark.parametrize("donneur", Profil.values)
def test_nobody_gives_anything_to_themselves(donneur):
    assert TABLE[donneur]["soi_meme"] == "non"
    monde = Monde()
    utilisateur, client = monde.acteur(donneur)
    auteur = habilitation_of(utilisateur)
    before = set(utilisateur.habilitations.values_list("pk", flat=True))
    local, domain = utilisateur.courriel.split("@")
    addresses = (utilisateur.courriel, f" {utilisateur.courriel.upper()} ", f"{local}+autre@{domain}")
    addresses = (*addresses, f"{local[0]}.{local[1:]}@{domain}")
    for profil in Profil:
        typed, taken = _where(monde, profil, inside=True)
        with pytest.raises(Refusal):
            actions.grant(auteur=auteur, utilisateur=utilisateur, profil=profil, **taken)
        for address in addresses:
            url = reverse("inviter") + f"?profil={profil}&departement={monde.lieux['mien'].code}"
            assert client.post(url, {**GUEST, **typed, "courriel": address}).status_code != 302
        client.post(reverse("ajouter_habilitation", args=[utilisateur.pk]) + f"?profil={profil}", typed)
    assert set(utilisateur.habilitations.values_list("pk", flat=True)) == before
    assert not Utilisateur.objects.filter(courriel__in=[address.strip() for address in addresses[2:]]).exists()
    assert not Alerte.objects.filter(nature="ATTRIBUTION").exists()
