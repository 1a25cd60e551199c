"""The change history: every write of every tracked table, whoever wrote it, with its author and its request."""

import pghistory
import pghistory.models
import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pghistory.models import Events

from comptes import historique
from comptes.droits import Profil
from comptes.models import Message, Utilisateur
from tests.comptes.fabrique import client_of, make_utilisateur, words

pytestmark = pytest.mark.django_db


def labels(objet) -> list[str]:
    return [event.pgh_label for event in Events.objects.tracks(objet).order_by("pgh_id")]


LOADED = "loaded from a file of fixtures/, which has its own history; no page changes it"
DATED = "written once or state by state, by whom and when being among its own columns"
SECRET = "technical and short-lived, with a secret: the journal has the line of what was done"
UNUSED = "table of a library, that nothing writes"
WITHOUT = {
    "auth.Group": "one per SIAO, created with it: the shares that name it have their history",
    "auth.Group_permissions": UNUSED,
    "auth.Permission": "written by Django from the models",
    "axes.AccessAttempt": "counts failed logins, deleted when they are forgiven",
    "axes.AccessAttemptExpiration": "counts failed logins, deleted when they are forgiven",
    "axes.AccessFailureLog": UNUSED,
    "axes.AccessLog": UNUSED,
    "comptes.Alerte": DATED,
    "comptes.CodePostal": LOADED,
    "comptes.Commune": LOADED,
    "comptes.Departement": LOADED,
    "comptes.Chaine": "is the head of a chain of the journal, written by its trigger alone",
    "comptes.EntreeJournal": "is the journal, append-only",
    "comptes.Envoi": SECRET,
    "comptes.Lien": SECRET,
    "comptes.MessageMasque": "what each person put away on their home page",
    "comptes.Region": LOADED,
    "comptes.Sceau": "is the seal of the journal, append-only",
    "comptes.Session": SECRET,
    "comptes.Siao": LOADED,
    "comptes.Utilisateur_groups": UNUSED,
    "comptes.Utilisateur_user_permissions": UNUSED,
    "contenttypes.ContentType": "written by Django from the models",
    "dsfr.DsfrConfig": UNUSED,
    "dsfr.DsfrSocialMedia": UNUSED,
    "guardian.GroupObjectPermission": UNUSED,
    "guardian.UserObjectPermission": UNUSED,
    "menages.Distinction": DATED,
    "menages.Recherche": "counts the searches of the last minutes; the journal has each",
    "offre.Anomalie": "what a workbook said, written once by the job that read it",
    "offre.Avancement": "progress of a job",
    "offre.CadenceSirene": "pace of the questions to a register",
    "offre.Contenu": "what a workbook said, written once by the job that read it",
    "offre.DeclarationMesures": "is a history, append-only",
    "offre.DeclarationPlace": "is a history, append-only: who declared a place free or taken, and when",
    "offre.Ecart": "what a workbook would change, written once by the job that read it",
    "offre.FicheSirene": "copy of the State's register, fetched again each night",
    "offre.Idcc": LOADED,
    "offre.Import": DATED,
    "offre.Proposition": DATED,
    "offre.RappelPlaces": "when a reminder was last sent",
    "offre.Remarque": DATED,
    "offre.Transition": "is a history, append-only",
    "otp_static.StaticDevice": SECRET,
    "otp_static.StaticToken": SECRET,
    "otp_totp.TOTPDevice": SECRET,
    "pghistory.Context": "is the history",
    "pghistory.Events": "is the history",
    "socle.Courriel": "what is to be sent, forgotten once it left",
    "situations.Ethos": LOADED,
    "situations.EthosLight": LOADED,
    "situations.Oubli": "who is about to be forgotten: keeping it would keep them",
    "situations.SituationOubliee": "what is left of who was forgotten: numbers that point to nobody",
    "situations.Sr1": LOADED,
}


def test_every_table_has_one_or_a_reason_not_to():
    tables = {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy and not issubclass(model, pghistory.models.Event)
    }
    tracked = {apps.get_model(label)._meta.label for label in historique.MODELES}
    assert tables - tracked == set(WITHOUT)
    assert all(WITHOUT.values())


def test_eight_ways_of_writing_are_all_kept():
    one, two = make_utilisateur(None), make_utilisateur(None)
    one.prenom = "Enregistrée"
    one.save()
    Utilisateur.objects.filter(pk=one.pk).update(prenom="Mise à jour")
    Utilisateur.objects.bulk_update([Utilisateur(pk=one.pk, prenom="En lot")], ["prenom"])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE comptes_utilisateur SET prenom = 'SQL' WHERE id = %s", [one.pk])
    Utilisateur.objects.bulk_create(
        [Utilisateur(courriel="lot1@test.example"), Utilisateur(courriel="lot2@test.example")]
    )
    batch = Utilisateur.objects.filter(courriel__startswith="lot")
    made = list(batch)
    Utilisateur.objects.bulk_create(
        [Utilisateur(courriel="lot1@test.example", nom="Repris")],
        update_conflicts=True,
        unique_fields=["courriel"],
        update_fields=["nom"],
    )
    Utilisateur.objects.filter(pk=made[1].pk).delete()
    two.delete()
    assert labels(one) == ["insert", "update", "update", "update", "update"]
    assert labels(made[0]) == ["insert", "update"]
    assert labels(made[1]) == ["insert", "delete"]
    assert Utilisateur.pgh_event_model.objects.filter(courriel=two.courriel, pgh_label="delete").count() == 1


def test_neither_the_password_nor_each_login_is_copied():
    agent = make_utilisateur(None)
    agent.set_password("une phrase assez longue")
    agent.save()
    client_of(agent).get(reverse("accueil"))
    assert labels(agent) == ["insert"]
    event = Utilisateur.pgh_event_model.objects.filter(pgh_obj=agent).get()
    assert not hasattr(event, "password")


def test_the_history_itself_does_not_change():
    agent = make_utilisateur(None)
    events = Utilisateur.pgh_event_model.objects.filter(pgh_obj=agent)
    with pytest.raises(ProgrammingError), transaction.atomic():
        events.update(prenom="Autre")
    with pytest.raises(ProgrammingError), transaction.atomic():
        events.delete()


def test_a_request_signs_its_changes_and_the_page_shows_them():
    admin, ecoutant = make_utilisateur(Profil.ADMIN_SIAO), make_utilisateur(Profil.ECOUTANT_115)
    client = client_of(admin)
    client.post(reverse("modifier_compte", args=[ecoutant.pk]), {"prenom": "Louise", "nom": "Nouveau"})
    client.post(reverse("desactiver_compte", args=[ecoutant.pk]))
    signature = Events.objects.tracks(ecoutant).order_by("-pgh_id").first().pgh_context
    assert (signature["utilisateur"], signature["habilitation"]) == (admin.pk, admin.habilitations.get().pk)
    assert len(signature["demande"]) == 36

    page = words(client.get(reverse("historique", args=["comptes.utilisateur", ecoutant.pk])))
    assert f"Par {admin}" in page
    for seen in ("prénom", "Agent", "Louise", "actif", "oui", "non", "Création", "Modification", signature["demande"]):
        assert seen in page


def test_the_page_reads_as_people_write():
    admin, ecoutant = make_utilisateur(Profil.ADMIN_SIAO), make_utilisateur(Profil.ECOUTANT_115)
    client = client_of(admin)
    client.post(
        reverse("ajouter_habilitation", args=[ecoutant.pk]) + "?profil=OPERATEUR_SIAO",
        {"territoire": "siao-44", "date_debut": "01/02/2026", "date_fin": "31/12/2099"},
    )
    habilitation = ecoutant.habilitations.get(profil=Profil.OPERATEUR_SIAO)
    assert f'/historique/comptes.habilitation/{habilitation.pk}/"' in client.get(f"/comptes/{ecoutant.pk}/").text
    client.post(reverse("retirer_habilitation", args=[habilitation.pk]))
    page = words(client.get(reverse("historique", args=["comptes.habilitation", habilitation.pk])))
    today = f"{timezone.localdate():%d/%m/%Y}"
    for seen in ("Opérateur SIAO", "SIAO Loire-Atlantique", "01/02/2026", "31/12/2099", str(admin), str(ecoutant)):
        assert f"<strong>{seen}</strong>" in page
    assert f"<strong>{today} " in page  # withdrawn on
    assert "+00:00" not in page
    national = make_utilisateur(Profil.ADMIN_NATIONAL)
    client_of(national).post(
        reverse("publier_message"),
        {
            "nature": "INFORMATION",
            "titre": "Titre",
            "texte": "Texte",
            "territoire": "france",
            "profils": ["ANALYSTE", "ECOUTANT_115"],
            "debut": "01/01/2026 08:00",
            "fin": "02/01/2026 08:00",
        },
    )
    message = Message.objects.get()
    page = words(client_of(national).get(reverse("historique", args=["comptes.message", message.pk])))
    assert "Analyste, Écoutant 115" in page
    assert "01/01/2026 08:00" in page


def test_as_many_queries_for_one_change_as_for_twenty():
    admin, ecoutant = make_utilisateur(Profil.ADMIN_SIAO), make_utilisateur(Profil.ECOUTANT_115)
    client = client_of(admin)
    held = ecoutant.habilitations.get()

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            client.get(reverse("historique", args=["comptes.habilitation", held.pk]))
        return len(context)

    def change(times: int) -> None:
        for number in range(times):
            with historique.acting(utilisateur=make_utilisateur(None)):
                held.accordee_par = make_utilisateur(None)
                held.date_fin = timezone.localdate() + timezone.timedelta(days=number)
                held.save()

    change(1)
    queries()
    few = queries()
    change(19)
    assert queries() == few


def test_a_job_signs_with_its_name():
    agent = make_utilisateur(None)
    with historique.acting(utilisateur=None, travail="essai.de.nuit"):
        Utilisateur.objects.filter(pk=agent.pk).update(nom="De nuit")
    assert Events.objects.tracks(agent).order_by("-pgh_id").first().pgh_context["travail"] == "essai.de.nuit"
    admin = client_of(make_utilisateur(Profil.ADMIN_NATIONAL))
    assert "Par essai.de.nuit" in words(admin.get(reverse("historique", args=["comptes.utilisateur", agent.pk])))


def test_outside_a_context_a_change_is_kept_without_author():
    assert not hasattr(pghistory.runtime._tracker, "value")
    agent = make_utilisateur(None)
    assert Events.objects.tracks(agent).get().pgh_context is None
