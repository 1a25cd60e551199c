"""People who log in. What they may do comes from their habilitations, never from here."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.management import CommandError
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat, Lower

from comptes.droits import Droit, Famille, Profil, profils_managed_by
from comptes.historique import historise
from siao.socle.text import Folded


class UtilisateurQuerySet(models.QuerySet):
    def manageable_by(self, habilitation):
        """The accounts that show on the pages of ``habilitation``: one of their habilitations is its to manage.

        Past habilitations count: who leaves stays in the list, disabled or not, and can be called back.
        """
        if habilitation.perimetre.national and profils_managed_by(habilitation.profil) == set(Profil.values):
            return self
        theirs = self._habilitations().manageable_by(habilitation)
        return self.filter(Exists(theirs.filter(utilisateur=OuterRef("pk"))))

    def wholly_managed_by(self, habilitation):
        """Among them, those with no habilitation, current or to come, that escapes ``habilitation``.

        Only they can be disabled, reset or renamed: that touches all their habilitations at once.
        """
        others = (
            self._habilitations()
            .not_over()
            .exclude(pk__in=self._habilitations().manageable_by(habilitation).values("pk"))
        )
        return self.manageable_by(habilitation).exclude(Exists(others.filter(utilisateur=OuterRef("pk"))))

    def with_structure(self):
        """Annotate ``de_structure``: this account works, or ever worked, elsewhere than for a SIAO or the State.

        Past habilitations count, and so does an account that never had any: a doubt about locating somebody is a no.
        """
        theirs = self._habilitations().filter(utilisateur=OuterRef("pk"))
        of_entites = [profil for profil in Profil if profil.famille == Famille.ENTITE]
        return self.annotate(de_structure=Exists(theirs.filter(profil__in=of_entites)) | ~Exists(theirs))

    def _habilitations(self):
        return self.model._meta.get_field("habilitations").related_model.objects.all()


class UtilisateurManager(BaseUserManager.from_queryset(UtilisateurQuerySet)):
    def get_by_natural_key(self, courriel):
        """E-mail addresses are compared without case: people type them as they come."""
        return self.get(courriel=courriel.strip().lower())

    def create_user(self, courriel, password=None, **fields):
        utilisateur = self.model(courriel=courriel, **fields)
        utilisateur.set_password(password)
        utilisateur.full_clean(exclude=["password"])
        utilisateur.save(using=self._db)
        return utilisateur

    def create_superuser(self, *args, **fields):
        """Nobody is above the rights here: the answer to ``manage.py createsuperuser`` says what to do instead."""
        raise CommandError(
            "SI SIAO n'a pas de superutilisateur. Pour le premier compte : manage.py creer_administrateur_national "
            "--courriel … --prenom … --nom …"
        )


# Neither the password's hash nor each login belongs to the history.
@historise(droit=Droit.COMPTES_GERER, exclude=("password", "last_login"))
class Utilisateur(AbstractBaseUser, PermissionsMixin):
    courriel = models.EmailField("adresse courriel", max_length=254, unique=True)
    prenom = models.CharField("prénom", max_length=100, blank=True)
    nom = models.CharField("nom", max_length=100, blank=True)
    is_active = models.BooleanField("actif", default=True)
    date_creation = models.DateTimeField("créé le", auto_now_add=True)
    sub_proconnect = models.CharField(
        "identifiant ProConnect",
        max_length=255,
        null=True,
        blank=True,
        unique=True,
        editable=False,
        help_text="Lie le compte à un agent dès sa première connexion par ProConnect.",
    )
    cle = models.GeneratedField(
        expression=Folded(Concat("prenom", Value(" "), "nom", Value(" "), "courriel", output_field=models.TextField())),
        output_field=models.TextField(),
        db_persist=True,
    )

    USERNAME_FIELD = "courriel"
    EMAIL_FIELD = "courriel"

    objects = UtilisateurManager()

    class Meta:
        verbose_name = "utilisateur"
        ordering = ["courriel"]
        constraints = [
            models.CheckConstraint(
                condition=Q(courriel=Lower("courriel")),
                name="utilisateur_courriel_en_minuscules",
                violation_error_message="L'adresse courriel s'écrit en minuscules.",
            ),
        ]

    def __str__(self):
        return f"{self.prenom} {self.nom}".strip() or self.courriel

    def clean(self):
        self.courriel = self.courriel.strip().lower()
        super().clean()
