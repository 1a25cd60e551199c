"""The journal of accesses: who saw or did what, refusals included. Append-only, sealed in a chain."""

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from comptes.perimetres import Perimetre

from .habilitations import OCTROIS, Habilitation


class Resultat(models.TextChoices):
    PERMIS = "PERMIS", "Permis"
    REFUSE = "REFUSE", "Refusé"
    INTROUVABLE = "INTROUVABLE", "Introuvable ou hors périmètre"
    ECHEC = "ECHEC", "Échec"


ACTIONS: dict[str, str] = {
    "connexion": "Connexion",
    "connexion_proconnect": "Connexion par ProConnect",
    "comptes": "Liste des comptes",
    "exporter_comptes": "Export des comptes",
    "compte": "Consultation du compte",
    "journal": "Consultation du journal",
    "acces": "Consultation des accès",
    "historique": "Consultation de l'historique",
    "inviter": "Page d'invitation",
    "modifier_compte": "Page du nom d'un compte",
    "desactiver_compte": "Page de désactivation",
    "reactiver_compte": "Page de réactivation",
    "reinitialiser_compte": "Page d'envoi d'un lien",
    "ajouter_habilitation": "Page d'ajout d'une habilitation",
    "retirer_habilitation": "Page de retrait d'une habilitation",
    "etendre_habilitation": "Page d'extension d'une habilitation",
    "messages": "Liste des messages",
    "alertes": "Liste des alertes",
    "examiner_alerte": "Examen d'une alerte",
    "comptes.examiner_alerte": "Alerte examinée",
    "publier_message": "Page d'un nouveau message",
    "modifier_message": "Page d'un message",
    "retirer_message": "Retrait d'un message",
    "comptes.accorder": "Habilitation accordée",
    "comptes.etendre": "Habilitation étendue",
    "comptes.retirer": "Habilitation retirée",
    "comptes.inviter": "Invitation",
    "comptes.premier_administrateur": "Invitation du premier administrateur national",
    "comptes.renommer": "Compte renommé",
    "comptes.desactiver": "Compte désactivé",
    "comptes.reactiver": "Compte réactivé",
    "comptes.reinitialiser": "Nouveau lien envoyé",
    "comptes.choisir_mot_de_passe": "Mot de passe choisi",
    "comptes.changer_mot_de_passe": "Mot de passe changé",
    "comptes.activer_second_facteur": "Double authentification activée",
    "comptes.codes_de_secours": "Codes de secours remplacés",
    "comptes.retirer_second_facteur": "Double authentification retirée",
    "comptes.lier_proconnect": "Compte lié à ProConnect",
    "comptes.publier_message": "Message publié",
    "comptes.retirer_message": "Message retiré",
    "comptes.partager": "Partage",
    "comptes.cesser_de_partager": "Fin de partage",
}
"""Words for the actions; each application adds those of its own (``ACTIONS.update``)."""


class AppendOnly(pgtrigger.Trigger):
    """Refuses what its operation says, with SQLSTATE 42501, and cannot be switched off by ``pgtrigger.ignore``.

    The function is created by a migration: the one that pgtrigger would write begins by asking whether to ignore it.
    """

    when = pgtrigger.Before
    func = "RETURN NULL;"

    def render_execute(self, model):
        return "comptes_ajout_seul()"


class Chained(pgtrigger.Trigger):
    """Gives each row its place in the chains, through a function that a migration creates."""

    when = pgtrigger.Before
    operation = pgtrigger.Insert
    func = "RETURN NEW;"

    def __init__(self, *, name: str, function: str):
        super().__init__(name=name)
        self.function = function

    def render_execute(self, model):
        return f"{self.function}()"


class Chaine(models.Model):
    """How far one chain of entries goes: rank and fingerprint of its last entry. Number 0 is the chain of the seals.

    The triggers of the two tables write it, and nothing else may: the role of the application can only read it.
    """

    id = models.IntegerField(primary_key=True)
    rang = models.BigIntegerField("rang de la dernière entrée")
    empreinte = models.CharField("empreinte de la dernière entrée", max_length=64)

    class Meta:
        verbose_name = "chaîne du journal"
        verbose_name_plural = "chaînes du journal"

    def __str__(self):
        return f"Chaîne n° {self.pk}"


class EntreeJournalQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        """The entries written under a habilitation inside the perimeter."""
        if perimetre.national:
            return self
        return self.filter(habilitation__in=Habilitation.objects.inside(perimetre).values("pk"))

    def readable(self):
        """With what a page says of each: the user, the habilitation and its territory."""
        return self.select_related(
            "utilisateur", "habilitation__departement", "habilitation__region", "habilitation__siao"
        ).prefetch_related(*(f"habilitation__{lookup}" for lookup in OCTROIS))

    def about(self, objet):
        """Who saw or did something to ``objet``."""
        return self.filter(objet_type=objet._meta.label_lower, objet_id=str(objet.pk))


class EntreeJournal(models.Model):
    """One access. Identifiers only: never a name, a situation, nor what was searched for."""

    quand = models.DateTimeField("quand", db_default=Now())
    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="utilisateur"
    )
    habilitation = models.ForeignKey(
        Habilitation, models.PROTECT, null=True, related_name="+", verbose_name="habilitation"
    )
    action = models.CharField("action", max_length=60)
    objet_type = models.CharField("type d'objet", max_length=60, blank=True)
    objet_id = models.CharField("identifiant de l'objet", max_length=40, blank=True)
    resultat = models.CharField("résultat", max_length=11, choices=Resultat.choices)
    nombre = models.PositiveIntegerField("nombre de lignes montrées", null=True)
    recherche = models.CharField("empreinte de la recherche", max_length=64, blank=True)
    demande = models.CharField("numéro de la demande", max_length=40, blank=True)
    ip = models.GenericIPAddressField("adresse IP", null=True)
    # Its place, given by the trigger whatever was asked for.
    chaine = models.IntegerField("chaîne", db_default=0, editable=False)
    rang = models.BigIntegerField("rang dans la chaîne", db_default=0, editable=False)
    empreinte = models.CharField("empreinte", max_length=64, db_default="", editable=False)

    objects = EntreeJournalQuerySet.as_manager()

    class Meta:
        verbose_name = "entrée du journal"
        verbose_name_plural = "entrées du journal"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(resultat__in=Resultat.values),
                name="entree_journal_resultat_connu",
                violation_error_message="Ce résultat n'existe pas.",
            ),
            models.UniqueConstraint(
                fields=["chaine", "rang"],
                name="entree_journal_un_rang_par_chaine",
                violation_error_message="Ce rang est déjà pris dans cette chaîne du journal.",
            ),
        ]
        indexes = [
            models.Index(fields=["objet_type", "objet_id", "-id"], name="journal_par_objet"),
            models.Index(fields=["habilitation", "-id"], name="journal_par_habilitation"),
            models.Index(fields=["quand"], name="journal_par_date"),
        ]
        triggers = [
            Chained(name="enchainer", function="comptes_enchainer"),
            AppendOnly(name="ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete),
            AppendOnly(name="jamais_vide", operation=pgtrigger.Truncate, level=pgtrigger.Statement),
        ]

    anonyme = False
    """Who reads it may not know whose it is (``comptes.journal.conceal``)."""

    def __str__(self):
        return f"Entrée n° {self.pk}"

    @property
    def libelle(self) -> str:
        """The action in words: that of an action, else the name of the page."""
        return ACTIONS.get(self.action) or f"Page « {self.action} »"

    @property
    def objet_libelle(self) -> str:
        if not self.objet_type:
            return ""
        return f"{apps.get_model(self.objet_type)._meta.verbose_name} {self.objet_id}".strip()


class Sceau(models.Model):
    """The heads of all the chains at one instant, sealed with the fingerprint of the seal before."""

    nombre = models.PositiveIntegerField("entrées nouvelles")
    tetes = models.JSONField("têtes des chaînes")  # {number of the chain: [rank, fingerprint]}
    precedente = models.CharField("empreinte précédente", max_length=64, unique=True)
    empreinte = models.CharField("empreinte", max_length=64, unique=True)
    scelle_le = models.DateTimeField("scellé le")

    class Meta:
        verbose_name = "sceau"
        verbose_name_plural = "sceaux"
        ordering = ["pk"]
        triggers = [
            Chained(name="enchainer", function="comptes_enchainer_sceau"),
            AppendOnly(name="ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete),
            AppendOnly(name="jamais_vide", operation=pgtrigger.Truncate, level=pgtrigger.Statement),
        ]

    def __str__(self):
        return f"Sceau n° {self.pk}"
