"""Giving, extending and taking away habilitations; the last national administrator; orphan grants."""

import datetime
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from comptes import actions
from comptes.droits import Profil
from comptes.models import Alerte, EntreeJournal, Habilitation, Octroi, Utilisateur
from comptes.nuit import run
from siao.socle.refusal import Refusal
from tests.comptes.fabrique import client_of, habilitation_of, habilite, make_utilisateur, plain, words
from tests.installation import somebody_waits_for_a_lock, wait_until
from tests.offre.fabrique import make_dispositif, make_rattachement


@pytest.fixture
def admin(db):
    return make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)


@pytest.fixture
def page(admin):
    return client_of(admin)


def test_given_then_withdrawn_it_counts_from_the_next_click(page, admin):
    agent = make_utilisateur(Profil.ECOUTANT_115)
    elsewhere = client_of(agent)
    add = reverse("ajouter_habilitation", args=[agent.pk])
    page.post(f"{add}?profil=ADMIN_SIAO", {"territoire": "siao-44", "date_debut": "01/01/2026", "date_fin": ""})
    given = agent.habilitations.get(profil=Profil.ADMIN_SIAO)
    assert given.accordee_par == admin
    elsewhere.post(reverse("choisir_habilitation"), {"habilitation": given.pk})
    assert elsewhere.get(reverse("comptes")).status_code == 200

    withdraw = reverse("retirer_habilitation", args=[given.pk])
    assert "Elle cesse tout de suite" in words(page.get(withdraw))
    assert page.post(withdraw).url == reverse("compte", args=[agent.pk])
    given.refresh_from_db()
    assert given.retiree_par == admin
    assert elsewhere.get(reverse("comptes")).status_code == 403
    assert page.post(withdraw).status_code == 404  # already withdrawn
    assert list(EntreeJournal.objects.filter(objet_type="comptes.habilitation").values_list("action", flat=True)) == [
        "retirer_habilitation",
        "comptes.retirer",
        "retirer_habilitation",
        "comptes.accorder",
    ]


@pytest.mark.parametrize(
    ("profil", "territoire"),
    [("ADMIN_DEPARTEMENTAL", "departement-44"), ("ADMIN_SIAO", "siao-35"), ("ANALYSTE", "france")],
    ids=["same rank", "another département", "wider"],
)
def test_nobody_gives_above_or_outside_their_own(page, profil, territoire):
    agent = make_utilisateur(Profil.ECOUTANT_115)
    address = reverse("ajouter_habilitation", args=[agent.pk]) + f"?profil={profil}"
    form = {"territoire": territoire, "date_debut": "01/01/2026", "date_fin": ""}
    assert page.post(address, form).status_code == 200
    assert agent.habilitations.count() == 1


def test_the_action_refuses_by_itself_what_no_form_offers(admin):
    """What a forged request could ask: the rule is in the action, not in the choices of the form."""
    from comptes.models import Departement, Region, Siao

    auteur, agent = habilitation_of(admin), make_utilisateur(None)
    elsewhere, here = make_rattachement("35"), make_rattachement("44")
    for profil, where in (
        (Profil.ADMIN_NATIONAL, {}),
        (Profil.ADMIN_DEPARTEMENTAL, {"territoire": Departement.objects.get(pk="44")}),
        (Profil.ANALYSTE, {"territoire": Region.objects.get(pk="52")}),
        (Profil.ANALYSTE, {}),
        (Profil.ADMIN_SIAO, {"territoire": Siao.objects.get(pk="35")}),
        (Profil.ASSISTANT, {"objets": [elsewhere]}),
        (Profil.ASSISTANT, {"objets": [here, elsewhere]}),
        (Profil.ASSISTANT, {"objets": []}),
        (Profil.GESTIONNAIRE_ENTITE, {"objets": [here]}),
        (Profil.TRAVAILLEUR_SOCIAL, {"objets": [make_dispositif(here)]}),
        (Profil.OPERATEUR_SIAO, {"territoire": Siao.objects.get(pk="44")}),
    ):
        with pytest.raises(Refusal):
            actions.grant(auteur=auteur, utilisateur=agent, profil=profil, **where)
    assert not agent.habilitations.exists()
    actions.grant(auteur=auteur, utilisateur=agent, profil=Profil.ASSISTANT, objets=[here])
    assert agent.habilitations.count() == 1


@pytest.mark.django_db
def test_nobody_widens_their_own_habilitation():
    """By the page, and by the action: an Assistant who is also the Responsable of one dispositif."""
    port = make_rattachement("44")
    agent = make_utilisateur(Profil.ASSISTANT, objets=[port])
    auteur = habilitation_of(agent)
    own = habilite(agent, Profil.RESPONSABLE_DISPOSITIF, objets=[make_dispositif(port)])
    more = make_dispositif(port)
    with pytest.raises(Refusal, match="Personne ne se donne"):
        actions.extend(auteur=auteur, habilitation=own, objets=[more])
    answer = client_of(agent).post(reverse("etendre_habilitation", args=[own.pk]), {"objets": [more.pk]})
    assert "Personne ne se donne" in words(answer)
    assert own.octrois.count() == 1


@pytest.mark.django_db
def test_rights_that_the_giver_lacks_are_told_to_the_siao_and_to_the_national_administrator():
    from comptes.models import Siao

    state, guest = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL), make_utilisateur(None)
    there, here = make_utilisateur(Profil.ADMIN_SIAO, departement_id="35"), make_utilisateur(Profil.ADMIN_SIAO)
    given = actions.grant(
        auteur=habilitation_of(state),
        utilisateur=guest,
        profil=Profil.ADMIN_SIAO,
        territoire=Siao.objects.get(pk="44"),
    )
    alerte = Alerte.objects.get(nature="ATTRIBUTION", utilisateur=state, habilitation=given)
    for reader in (here, make_utilisateur(Profil.ADMIN_NATIONAL)):
        assert f"donnée à {guest}" in plain(client_of(reader).get(reverse("alertes")))
    assert f"donnée à {guest}" not in plain(client_of(there).get(reverse("alertes")))
    examine = reverse("examiner_alerte", args=[alerte.pk])
    client_of(guest).post(examine)  # who received is nobody to say that all is well
    assert Alerte.objects.to_examine().filter(pk=alerte.pk).exists()
    client_of(here).post(examine)
    assert not Alerte.objects.to_examine().filter(pk=alerte.pk).exists()


@pytest.mark.django_db
def test_one_entite_in_several_departements():
    port = make_rattachement("44")
    region = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, region_id="52")
    same_entite = make_rattachement("49", entite=port.entite, nom="Association du Port, Anjou")
    agent = make_utilisateur(Profil.ASSISTANT, objets=[port])
    [one] = agent.habilitations.all()
    page = client_of(region)
    address = reverse("etendre_habilitation", args=[one.pk])
    assert "Voir ce département" in words(page.get(address))
    assert "Association du Port, Anjou" in words(page.get(f"{address}?departement=49"))
    page.post(f"{address}?departement=49", {"objets": [same_entite.pk]})

    habilitation = habilitation_of(agent)
    assert habilitation.codes_departements == {"44", "49"}
    here, there, not_theirs = (
        make_dispositif(port),
        make_dispositif(same_entite),
        make_dispositif(make_rattachement("49")),
    )
    seen = set(type(here).objects.visible_to(habilitation.perimetre))
    assert seen == {here, there}
    assert not_theirs not in seen
    # The administrator of one of the two départements no longer manages it alone.
    departement = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL))
    assert departement.get(reverse("retirer_habilitation", args=[one.pk])).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("profil", [Profil.GESTIONNAIRE_ENTITE, Profil.ASSISTANT])
def test_another_entite_is_another_habilitation(profil):
    port, phare = make_rattachement("44"), make_rattachement("44")
    page = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    agent = make_utilisateur(profil, objets=[port])
    [one] = agent.habilitations.all()
    refused = page.post(reverse("etendre_habilitation", args=[one.pk]), {"objets": [phare.pk]})
    assert "Une habilitation porte sur une seule entité" in words(refused)
    assert one.octrois.count() == 1
    address = f"{reverse('ajouter_habilitation', args=[agent.pk])}?profil={profil}"
    dates = {"date_debut": "01/01/2026"}
    both = page.post(address, {**dates, "objets": [port.pk, phare.pk]})
    assert "Une habilitation porte sur une seule entité" in words(both)
    assert page.post(address, {**dates, "objets": [phare.pk]}).status_code == 302
    assert agent.habilitations.count() == 2


# --- The last national administrator ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_last_national_administrator_stays():
    only = make_utilisateur(Profil.ADMIN_NATIONAL)
    page = client_of(only)
    habilitation = habilitation_of(only)
    answer = page.post(reverse("retirer_habilitation", args=[habilitation.pk]))
    assert "C'est le dernier administrateur national" in words(answer)
    answer = page.post(reverse("desactiver_compte", args=[only.pk]))
    assert "C'est le dernier administrateur national" in words(answer)
    assert page.get(reverse("comptes")).status_code == 200

    second = make_utilisateur(Profil.ADMIN_NATIONAL)
    Utilisateur.objects.filter(pk=second.pk).update(is_active=False)  # does not count
    assert page.post(reverse("retirer_habilitation", args=[habilitation.pk])).status_code == 200
    Utilisateur.objects.filter(pk=second.pk).update(is_active=True)
    assert page.post(reverse("retirer_habilitation", args=[habilitation.pk])).status_code == 302


@pytest.mark.django_db
def test_somebody_who_leaves_tomorrow_does_not_replace_them():
    only = make_utilisateur(Profil.ADMIN_NATIONAL)
    today = timezone.localdate()
    leaving = make_utilisateur(Profil.ADMIN_NATIONAL, date_debut=today, date_fin=today + datetime.timedelta(days=1))
    page = client_of(only)
    address = reverse("retirer_habilitation", args=[habilitation_of(only).pk])
    assert "C'est le dernier administrateur national" in words(page.post(address))
    # But the one with an end may go: the other stays longer.
    assert page.post(reverse("retirer_habilitation", args=[habilitation_of(leaving).pk])).status_code == 302


def test_two_administrators_who_remove_each_other_at_once_leave_one(base_reelle):
    pair = [make_utilisateur(Profil.ADMIN_NATIONAL) for _ in range(2)]
    held = [habilitation_of(utilisateur) for utilisateur in pair]
    start, refused = threading.Barrier(2), []

    def remove(auteur, other):
        start.wait()
        try:
            actions.withdraw(auteur=auteur, habilitation=other)
        except Refusal as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=(held[i], held[1 - i])) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Habilitation.objects.current().filter(profil=Profil.ADMIN_NATIONAL).count() == 1
    assert refused == [actions.LAST_NATIONAL]


def test_two_administrators_who_invite_the_same_person_at_once_both_succeed(base_reelle):
    here = habilitation_of(make_utilisateur(Profil.ADMIN_SIAO))
    there = habilitation_of(make_utilisateur(Profil.ADMIN_SIAO, departement_id="35"))

    def invite(auteur):
        actions.invite(
            auteur=auteur,
            courriel="nouvelle@test.example",
            prenom="Nouvelle",
            nom="Personne",
            profil=Profil.ECOUTANT_115,
            territoire=auteur.siao,
        )

    def invite_there():
        try:
            invite(there)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            invite(here)
            second = threads.submit(invite_there)
            wait_until(somebody_waits_for_a_lock, "the second invitation waits")
        second.result()
    guest = Utilisateur.objects.get(courriel="nouvelle@test.example")
    assert {habilitation.siao_id for habilitation in guest.habilitations.all()} == {"44", "35"}


# --- Orphan grants ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_grant_whose_object_is_gone_opens_nothing_and_is_cleaned_at_night():
    dispositif = make_dispositif(make_rattachement("44"))
    kept = make_dispositif(make_rattachement("44"))
    agent = make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[dispositif, kept])
    dispositif.delete()
    perimetre = habilitation_of(agent).perimetre
    assert set(type(kept).objects.visible_to(perimetre)) == {kept}
    assert client_of(agent).get(reverse("accueil")).status_code == 200

    assert Octroi.objects.count() == 2
    assert run()["octrois_orphelins"] == 1
    assert Octroi.objects.get().content_object == kept
    habilite(agent, Profil.TRAVAILLEUR_SOCIAL, objets=[kept])  # same person, same object, another profil
    assert run()["octrois_orphelins"] == 0
