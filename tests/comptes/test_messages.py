"""Messages to users: by profil, territory and dates, on the home page, put away by each."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import Message
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db
ACCUEIL = reverse("accueil")
TYPED = {
    "nature": "MAINTENANCE",
    "titre": "Coupure de mardi",
    "texte": "Le service s'arrête à midi. <script>alert(1)</script>",
    "territoire": "departement-44",
    "debut": "01/01/2026 08:00",
    "fin": "01/01/2100 08:00",
}


def make(titre="Message", *, days=(-1, 1), **fields) -> Message:
    now = timezone.now()
    return Message.objects.create(
        nature="INFORMATION",
        titre=titre,
        texte="Texte",
        debut=now + datetime.timedelta(days=days[0]),
        fin=now + datetime.timedelta(days=days[1]),
        auteur=make_utilisateur(None),
        **fields,
    )


def test_published_by_a_siao_it_is_read_in_its_departement():
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    assert admin.post(reverse("publier_message"), TYPED).url == reverse("messages")
    dispositif = make_dispositif(make_rattachement("44"))
    for reader in (
        make_utilisateur(Profil.ECOUTANT_115),
        make_utilisateur(Profil.ADMIN_DEPARTEMENTAL),
        make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]),
        make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, region_id="52"),
    ):
        page = client_of(reader).get(ACCUEIL)
        assert "Coupure de mardi" in words(page)
        assert "<script>alert" not in page.text
    assert "Coupure" not in words(client_of(make_utilisateur(Profil.ECOUTANT_115, departement_id="35")).get(ACCUEIL))


def test_a_siao_publishes_nowhere_else():
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    for elsewhere in ("france", "region-52", "departement-35"):
        answer = admin.post(reverse("publier_message"), {**TYPED, "territoire": elsewhere})
        assert answer.status_code == 200
        assert "Coupure de mardi" in answer.text
    assert not Message.objects.exists()
    national = client_of(make_utilisateur(Profil.ADMIN_NATIONAL))
    for anywhere in ("france", "region-52", "departement-35"):
        assert national.post(reverse("publier_message"), {**TYPED, "territoire": anywhere}).status_code == 302


def test_by_territory_profil_and_date():
    make("France")
    make("Région", region_id="52")
    make("Ailleurs", departement_id="35")
    make("Écoutants", profils=[Profil.ECOUTANT_115])
    make("Opérateurs", profils=[Profil.OPERATEUR_SIAO])
    make("Demain", days=(1, 2))
    make("Hier", days=(-2, -1))
    page = words(client_of(make_utilisateur(Profil.ECOUTANT_115)).get(ACCUEIL)).split("<main")[1]
    shown = {
        titre
        for titre in ("France", "Région", "Ailleurs", "Écoutants", "Opérateurs", "Demain", "Hier")
        if titre in page
    }
    assert shown == {"France", "Région", "Écoutants"}


def test_each_puts_it_away_for_themselves():
    message = make("À masquer")
    one, two = (client_of(make_utilisateur(Profil.ECOUTANT_115)) for _ in range(2))
    for _ in range(2):
        one.post(reverse("masquer_message", args=[message.pk]))
    assert "À masquer" not in words(one.get(ACCUEIL))
    assert "À masquer" in words(two.get(ACCUEIL))


def test_corrected_then_stopped_it_stays_in_the_list():
    admin = make_utilisateur(Profil.ADMIN_SIAO)
    client = client_of(admin)
    client.post(reverse("publier_message"), TYPED)
    message = Message.objects.get()
    form = client.get(reverse("modifier_message", args=[message.pk]))
    assert 'value="01/01/2026 08:00"' in form.text
    client.post(reverse("modifier_message", args=[message.pk]), {**TYPED, "titre": "Coupure de mercredi"})
    client.post(reverse("retirer_message", args=[message.pk]))
    page = words(client.get(reverse("messages")))
    assert "Coupure de mercredi" in page
    assert "Terminé" in page
    assert "Coupure" not in words(client.get(ACCUEIL))
    assert Message.objects.count() == 1


def test_the_end_follows_the_beginning():
    client = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    answer = client.post(reverse("publier_message"), {**TYPED, "fin": "01/01/2020 08:00"})
    assert "L'affichage doit finir après avoir commencé" in words(answer)
    assert "31/12/2026 08:00" in words(client.post(reverse("publier_message"), {**TYPED, "debut": "demain"}))
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "dates",
    [
        {"debut": "01/01/0001 00:00", "fin": "01/01/2030 08:00"},
        {"debut": "31/12/1899 23:59", "fin": "01/01/2030 08:00"},
        {"debut": "01/01/2026 08:00", "fin": "31/12/9999 23:59"},
    ],
)
def test_a_mistyped_year_closes_nobody_s_home_page(dates):
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    answer = admin.post(reverse("publier_message"), {**TYPED, **dates})
    assert "Écrivez une année entre 1900 et 2199" in words(answer)
    assert "Coupure de mardi" in answer.text  # nothing typed is lost
    assert admin.get(reverse("messages")).status_code == 200
    assert admin.get(ACCUEIL).status_code == 200
    assert not Message.objects.exists()


def test_the_database_refuses_it_too():
    with pytest.raises(IntegrityError, match="message_de_cette_epoque"), transaction.atomic():
        make(days=(-365 * 30, 1))
