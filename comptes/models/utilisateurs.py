"""People who log in. What they may do comes from their habilitations, never from here."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower


class UtilisateurManager(BaseUserManager):
    def get_by_natural_key(self, courriel):
        """E-mail addresses are compared without case: people type them as they come."""
        return self.get(courriel=courriel.strip().lower())

    def create_user(self, courriel, password=None, **fields):
        utilisateur = self.model(courriel=courriel, **fields)
        utilisateur.set_password(password)
        utilisateur.full_clean(exclude=["password"])
        utilisateur.save(using=self._db)
        return utilisateur


class Utilisateur(AbstractBaseUser, PermissionsMixin):
    courriel = models.EmailField("adresse courriel", max_length=254, unique=True)
    prenom = models.CharField("prénom", max_length=100, blank=True)
    nom = models.CharField("nom", max_length=100, blank=True)
    is_active = models.BooleanField("actif", default=True)
    date_creation = models.DateTimeField("créé le", auto_now_add=True)

    USERNAME_FIELD = "courriel"
    EMAIL_FIELD = "courriel"

    objects = UtilisateurManager()

    class Meta:
        verbose_name = "utilisateur"
        ordering = ["courriel"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(courriel=Lower("courriel")),
                name="utilisateur_courriel_en_minuscules",
                violation_error_message="L'adresse courriel s'écrit en minuscules.",
            ),
        ]

    def __str__(self):
        return f"{self.prenom} {self.nom}".strip() or self.courriel

    def clean(self):
        self.courriel = self.courriel.strip().lower()
        super().clean()
