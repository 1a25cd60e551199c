"""Messages to users, shown on their home page."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from comptes.droits import Droit, Profil
from comptes.historique import historise
from comptes.perimetres import Perimetre

from .territoires import Departement, Region


class NatureMessage(models.TextChoices):
    INFORMATION = "INFORMATION", "Information"
    MAINTENANCE = "MAINTENANCE", "Maintenance"


class MessageQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        """The messages that ``perimetre`` publishes: those addressed to its own territory."""
        if perimetre.national:
            return self
        return self.filter(departement__in=perimetre.departements)

    def addressed_to(self, habilitation):
        """What the home page of ``habilitation`` shows now, unless its user has put it away."""
        now = timezone.now()
        codes = habilitation.codes_departements
        return self.filter(
            Q(departement__isnull=True, region__isnull=True)
            | Q(departement__in=codes)
            | Q(region__in=Departement.objects.filter(code__in=codes).values("region")),
            Q(profils=[]) | Q(profils__contains=[habilitation.profil]),
            ~Exists(MessageMasque.objects.filter(message=OuterRef("pk"), utilisateur=habilitation.utilisateur_id)),
            debut__lte=now,
            fin__gt=now,
        )


@historise(droit=Droit.MESSAGES_PUBLIER)
class Message(models.Model):
    """Addressed to some profils (all when none is named), on one territory (France when none is given)."""

    nature = models.CharField("nature", max_length=12, choices=NatureMessage.choices)
    titre = models.CharField("titre", max_length=120)
    texte = models.TextField("texte", max_length=1000)
    debut = models.DateTimeField("affiché à partir du")
    fin = models.DateTimeField("affiché jusqu'au")
    profils = ArrayField(
        models.CharField(max_length=30, choices=Profil.choices), default=list, blank=True, verbose_name="profils"
    )
    departement = models.ForeignKey(
        Departement, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="département"
    )
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="région")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="auteur")

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = "message"
        ordering = ["-debut", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(nature__in=NatureMessage.values),
                name="message_nature_connue",
                violation_error_message="Cette nature de message n'existe pas.",
            ),
            models.CheckConstraint(
                condition=Q(fin__gt=F("debut")),
                name="message_finit_apres_son_debut",
                violation_error_message="La fin de l'affichage doit suivre son début.",
            ),
            models.CheckConstraint(
                condition=Q(profils__contained_by=Profil.values),
                name="message_profils_connus",
                violation_error_message="Choisissez des profils de la liste.",
            ),
            models.CheckConstraint(
                condition=Q(departement__isnull=True) | Q(region__isnull=True),
                name="message_un_seul_territoire",
                violation_error_message="Un message s'adresse à un département, à une région ou à toute la France.",
            ),
        ]

    def __str__(self):
        return self.titre

    @property
    def territoire(self) -> str:
        return str(self.departement or self.region or "France entière")

    @property
    def destinataires(self) -> str:
        return ", ".join(Profil(profil).label for profil in self.profils) or "Tous les profils"


class MessageMasque(models.Model):
    """A user has put a message away."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="+")
    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = "message masqué"
        verbose_name_plural = "messages masqués"
        constraints = [
            models.UniqueConstraint(fields=["utilisateur", "message"], name="message_masque_une_fois"),
        ]

    def __str__(self):
        return f"{self.message_id}, {self.utilisateur_id}"
