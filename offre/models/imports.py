"""Temps 1 imports. The row is the truth: its state says what remains to be done, whatever happens to the queue."""

import datetime
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from comptes.models import Departement, Region
from comptes.perimetres import Perimetre
from siao.socle.text import counted

from .nomenclature import Statut


class Etat(models.TextChoices):
    DEPOSE = "DEPOSE", "Lecture en cours"
    REFUSE = "REFUSE", "Refusé"
    A_CORRIGER = "A_CORRIGER", "À corriger"
    PRET = "PRET", "Prêt à importer"
    A_APPLIQUER = "A_APPLIQUER", "Import en cours"
    IMPORTE = "IMPORTE", "Importé"
    A_ANNULER = "A_ANNULER", "Annulation en cours"
    ANNULE = "ANNULE", "Annulé"
    REMPLACE = "REMPLACE", "Remplacé"
    ECHEC = "ECHEC", "Échec technique"


EN_ATTENTE_DE_MACHINE = (Etat.DEPOSE, Etat.A_APPLIQUER, Etat.A_ANNULER)
"""A worker has something to do; the reconciler wakes it up again if the queue forgot."""

EN_COURS = (Etat.DEPOSE, Etat.A_CORRIGER, Etat.PRET, Etat.A_APPLIQUER)
"""Not applied yet: a workbook of the territory that is deposited later and read without error takes their place."""

LUS = (Etat.A_CORRIGER, Etat.PRET, Etat.A_APPLIQUER, Etat.IMPORTE)
"""Read to the end: what was found may be worth an annotated workbook."""

EN_VIGUEUR = (Etat.IMPORTE, Etat.A_ANNULER)
"""What the offre of the territory comes from."""


ANNOTATIONS = 3
"""Times that the annotated workbook of an import is tried."""

FOLDER = "temps1"
"""Where the storage keeps the files of imports."""

GARDE_APRES_IMPORT = datetime.timedelta(days=90)
GARDE_SANS_IMPORT = datetime.timedelta(days=30)
"""How long the files of an import are kept: after it was imported, or since its last change when it was not."""


def _path(instance, filename) -> str:
    # Never the user's name for it: it would reach the disk, the logs and the headers.
    return f"{FOLDER}/{uuid.uuid4()}"


class ImportQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        """The imports whose territory is wholly inside the perimeter."""
        if perimetre.national:
            return self
        partly_outside = Departement.objects.exclude(code__in=perimetre.departements).values("region")
        return self.filter(
            Q(departement__in=perimetre.departements) | (Q(region__isnull=False) & ~Q(region__in=partly_outside))
        )

    def covering(self, departements):
        """The imports that concern at least one of these départements, whole régions included."""
        regions = Departement.objects.filter(code__in=departements).values("region")
        return self.filter(Q(departement__in=departements) | Q(region__in=regions))

    def deposited_after(self, travail):
        """Those deposited later than ``travail``; the last deposit counts, whichever is read first."""
        return self.filter(Q(depose_le__gt=travail.depose_le) | Q(depose_le=travail.depose_le, pk__gt=travail.pk))

    def ready_beside(self, travail):
        """The other imports of its départements that only wait for somebody to import them."""
        codes = travail.territoire.codes_departements
        return self.covering(codes).filter(etat=Etat.PRET).exclude(pk=travail.pk).select_related("depose_par")

    def for_list(self):
        """With what a line of the history shows, in one query."""
        return self.select_related("departement", "region", "depose_par", "applique_par", "annule_par")

    def a_annoter(self):
        """Read, with errors or warnings, and not annotated yet; ``ANNOTATIONS`` attempts at most."""
        with_anomalies = models.Exists(Anomalie.objects.filter(travail=models.OuterRef("pk")))
        return self.filter(with_anomalies, etat__in=LUS, annote="", annotations__lt=ANNOTATIONS).exclude(fichier="")

    def waiting(self):
        """Those for which a worker has something to do: read, apply, undo, annotate, tell."""
        return self.filter(
            Q(etat__in=EN_ATTENTE_DE_MACHINE) | Q(a_prevenir=True) | Q(pk__in=self.a_annoter().values("pk"))
        )

    def oublies(self):
        """What a worker should have begun a moment ago: the queue may have lost the call."""
        delay = datetime.timedelta(seconds=settings.FORGOTTEN_AFTER)
        return self.waiting().filter(change_le__lt=timezone.now() - delay).order_by("pk")

    def perimes(self, now: datetime.datetime):
        """Those that still have files and should not any more."""
        applied = Q(applique_le__lt=now - GARDE_APRES_IMPORT)
        never_applied = Q(applique_le__isnull=True, change_le__lt=now - GARDE_SANS_IMPORT)
        over = self.filter(applied | never_applied).exclude(etat__in=EN_ATTENTE_DE_MACHINE)
        return over.exclude(fichier="", annote="")

    def sans_suite(self, now: datetime.datetime):
        """Those whose content serves no more: they will not be imported, nor undone, nor put back by an undo."""
        ended = Q(etat__in=(Etat.REFUSE, Etat.ECHEC, Etat.ANNULE)) | Q(etat=Etat.REMPLACE, applique_le__isnull=True)
        return self.filter(ended, change_le__lt=now - GARDE_SANS_IMPORT)


class Import(models.Model):
    departement = models.ForeignKey(
        Departement, models.PROTECT, null=True, related_name="+", verbose_name="département"
    )
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+", verbose_name="région")
    fichier = models.FileField("fichier déposé", upload_to=_path, max_length=100, blank=True)
    annote = models.FileField("classeur annoté", upload_to=_path, max_length=100, blank=True)
    nom_fichier = models.CharField("nom du fichier", max_length=120)
    sha256 = models.CharField("empreinte", max_length=64)
    taille = models.PositiveIntegerField("taille (octets)")

    format = models.CharField("format", max_length=4, default="xlsx")
    etat = models.CharField("état", max_length=12, choices=Etat.choices, default=Etat.DEPOSE)
    motif = models.TextField("motif", blank=True, help_text="Pourquoi ce fichier est refusé ou a échoué.")
    bilan = models.JSONField("bilan", default=dict, blank=True)
    statut_vise = models.CharField(
        "statut des fiches importées",
        max_length=10,
        choices=Statut.choices,
        help_text="Validé quand un administrateur départemental importe, prévalidé quand c'est le SIAO.",
    )
    tentatives = models.PositiveSmallIntegerField("tentatives", default=0)
    annotations = models.PositiveSmallIntegerField("tentatives d'annotation", default=0)

    depose_le = models.DateTimeField("déposé le", db_default=Now())
    depose_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="déposé par"
    )
    change_le = models.DateTimeField("état depuis le", db_default=Now())
    applique_le = models.DateTimeField("importé le", null=True)
    applique_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="importé par"
    )
    annule_le = models.DateTimeField("annulé le", null=True)
    annule_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="annulé par"
    )
    remplace_par = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="remplaces", verbose_name="remplacé par"
    )
    renommages = models.JSONField(
        "renommages",
        default=list,
        blank=True,
        help_text="Fiches que le classeur nomme autrement : onglet, clé en base, clé dans le classeur.",
    )
    a_prevenir = models.BooleanField("courriel à envoyer", default=False)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = "import Temps 1"
        verbose_name_plural = "imports Temps 1"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(departement__isnull=True) ^ Q(region__isnull=True),
                name="import_un_seul_territoire",
                violation_error_message="Un classeur décrit un département ou une région.",
            ),
            models.CheckConstraint(
                condition=Q(etat__in=Etat.values),
                name="import_etat_connu",
                violation_error_message="Cet état n'existe pas.",
            ),
            models.UniqueConstraint(
                fields=["departement", "region"],
                condition=Q(etat=Etat.PRET),
                nulls_distinct=False,
                name="import_un_seul_pret_par_territoire",
                violation_error_message="Un classeur de ce territoire est déjà prêt à importer.",
            ),
            models.UniqueConstraint(
                fields=["departement", "region"],
                condition=Q(etat=Etat.A_APPLIQUER),
                nulls_distinct=False,
                name="import_un_seul_en_ecriture_par_territoire",
                violation_error_message="Un classeur de ce territoire est déjà en train d'être importé.",
            ),
            models.UniqueConstraint(
                fields=["departement", "region"],
                condition=Q(etat__in=EN_VIGUEUR),
                nulls_distinct=False,
                name="import_un_seul_en_vigueur_par_territoire",
                violation_error_message="Un import de ce territoire est déjà en vigueur.",
            ),
            models.CheckConstraint(
                condition=Q(statut_vise__in=[Statut.PREVALIDE, Statut.VALIDE]),
                name="import_statut_vise",
                violation_error_message="Un import valide ou prévalide les fiches.",
            ),
            models.CheckConstraint(
                condition=~Q(etat__in=EN_VIGUEUR) | Q(applique_le__isnull=False, applique_par__isnull=False),
                name="import_en_vigueur_a_un_auteur",
                violation_error_message="Un import en vigueur dit qui l'a importé et quand.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["etat"],
                condition=Q(etat__in=EN_ATTENTE_DE_MACHINE) | Q(a_prevenir=True),
                name="import_a_reprendre",
            ),
        ]

    def __str__(self):
        return f"Import n° {self.pk}"

    def get_absolute_url(self):
        return reverse("offre:import", args=[self.pk])

    @property
    def annotation_attendue(self) -> bool:
        """Whether an annotated workbook will come."""
        found = self.bilan.get("erreurs") or self.bilan.get("avertissements")
        may_come = self.fichier and not self.annote and self.annotations < ANNOTATIONS
        return bool(found and may_come) and self.etat in LUS

    @property
    def poids(self) -> str:
        """Size of the file as people say it: « 84 ko »."""
        if self.taille < 1000:
            return counted(self.taille, "octet")
        ko = round(self.taille / 1000)
        return f"{ko} ko" if ko < 1000 else f"{self.taille / 1e6:.1f} Mo".replace(".", ",")

    @property
    def resume(self) -> str:
        """The counts of all tabs in one line, for lists: « 12 créés, 3 modifiés »."""
        tabs = [counts for counts in self.bilan.values() if isinstance(counts, dict) and "crees" in counts]
        words = {
            "crees": "créé",
            "modifies": "modifié",
            "proposes": "proposé",
            "inchanges": "inchangé",
            "absents": "absent",
        }
        totals = {word: sum(counts[key] for counts in tabs) for key, word in words.items()}
        return ", ".join(counted(total, word) for word, total in totals.items() if total)

    @property
    def noms_fichiers(self) -> list[str]:
        """Names of its files in the storage."""
        return [file.name for file in (self.fichier, self.annote) if file]

    @property
    def territoire(self) -> Departement | Region:
        return self.departement or self.region


class Avancement(models.Model):
    """How far the worker is. A row of its own: it moves while the import's row is locked."""

    travail = models.OneToOneField(Import, models.CASCADE, primary_key=True, related_name="avancement")
    phase = models.CharField("phase", max_length=60, blank=True)
    fait = models.PositiveIntegerField("fait", default=0)
    total = models.PositiveIntegerField("total", default=0)
    maj_le = models.DateTimeField("mis à jour le", db_default=Now())

    class Meta:
        verbose_name = "avancement d'un import"
        verbose_name_plural = "avancements d'imports"

    def __str__(self):
        return f"{self.phase} {self.fait}/{self.total}"


class Contenu(models.Model):
    """What was read of a workbook without error, compressed: applied later, compared with the next one."""

    travail = models.OneToOneField(Import, models.CASCADE, primary_key=True, related_name="contenu")
    lignes = models.BinaryField("lignes (JSON, zlib)")

    class Meta:
        verbose_name = "contenu d'un import"
        verbose_name_plural = "contenus d'imports"

    def __str__(self):
        return f"Contenu de l'import n° {self.pk}"


class Gravite(models.TextChoices):
    ERREUR = "ERREUR", "Erreur"
    AVERTISSEMENT = "AVERTISSEMENT", "Avertissement"


class Anomalie(models.Model):
    """One error or warning of a workbook, as the user reads it."""

    travail = models.ForeignKey(Import, models.CASCADE, related_name="anomalies")
    gravite = models.CharField("gravité", max_length=13, choices=Gravite.choices)
    feuille = models.CharField("onglet", max_length=40)
    ligne = models.PositiveIntegerField("ligne", null=True)
    cellule = models.CharField("cellule", max_length=10, blank=True)
    colonne = models.CharField("colonne", max_length=100, blank=True)
    valeur = models.CharField("valeur", max_length=200, blank=True)
    code = models.CharField("règle", max_length=40)
    message = models.TextField("message")
    plages = models.JSONField(
        "lignes concernées",
        default=list,
        help_text="Première et dernière ligne de chaque suite de lignes qui ont la même anomalie.",
    )

    class Meta:
        verbose_name = "anomalie"
        ordering = ["pk"]
        indexes = [models.Index(fields=["travail", "feuille", "code"], name="anomalie_par_feuille_et_regle")]

    def __str__(self):
        return f"{self.feuille} {self.place} : {self.message}"

    @property
    def lignes(self) -> list[int]:
        """The rows that have it."""
        return [row for first, last in self.plages for row in range(first, last + 1)] or [self.ligne]

    @property
    def place(self) -> str:
        """Where in the tab: the cell, else the row, else nothing."""
        return self.cellule or (f"ligne {self.ligne}" if self.ligne else "")


class Nature(models.TextChoices):
    CREE = "CREE", "Créés"
    MODIFIE = "MODIFIE", "Modifiés"
    ABSENT = "ABSENT", "Absents du fichier"


class Decision(models.TextChoices):
    CONSERVER = "CONSERVER", "Conserver"
    FERMER = "FERMER", "Fermer"
    FICHIER = "FICHIER", "Prendre le fichier"
    BASE = "BASE", "Garder la base"


class Resultat(models.TextChoices):
    """What the undo of an import made of one change."""

    ANNULE = "ANNULE", "Annulé"
    CONSERVE = "CONSERVE", "Conservé, car modifié depuis"


A_DECIDER = Q(nature=Nature.ABSENT, propose=False) | ~Q(candidats=[]) | Q(nature=Nature.MODIFIE, conflit__gt="")
"""What the workbook no longer names, or perhaps names otherwise, and the values changed since the last import.

Who cannot validate does not close a validated fiche: it stays, there is nothing to decide unless it may be renamed.
"""


class EcartQuerySet(models.QuerySet):
    def a_decider(self):
        """What the workbook leaves open."""
        return self.filter(A_DECIDER)

    def of_departement(self, code: str):
        return self.filter(cle__startswith=f"{code}|")

    def to_decide_first(self):
        """In the order of the workbook, those on which nothing is decided yet before the others."""
        undecided = models.Case(models.When(A_DECIDER & Q(decision=""), then=0), default=1)
        return self.order_by(undecided, "pk")

    def counts(self) -> dict[str, int]:
        """By nature; what is proposed only; what is to decide on, by nature and in all; what an undo took back."""
        by_nature = {nature.value: Count("pk", filter=Q(nature=nature)) for nature in Nature}
        return self.aggregate(
            **by_nature,
            proposes=Count("pk", filter=Q(nature=Nature.MODIFIE, propose=True)),
            gardes=Count("pk", filter=Q(nature=Nature.ABSENT, propose=True)),
            absents=Count("pk", filter=A_DECIDER & Q(nature=Nature.ABSENT)),
            conflits=Count("pk", filter=A_DECIDER & Q(nature=Nature.MODIFIE)),
            restant=Count("pk", filter=A_DECIDER & Q(decision="")),
            absents_restants=Count("pk", filter=A_DECIDER & Q(decision="", nature=Nature.ABSENT)),
            conflits_restants=Count("pk", filter=A_DECIDER & Q(decision="", nature=Nature.MODIFIE)),
            annules=Count("pk", filter=Q(resultat=Resultat.ANNULE)),
        )


class Ecart(models.Model):
    """One difference between the workbook and the database: shown before the import, undone after it."""

    travail = models.ForeignKey(Import, models.CASCADE, related_name="ecarts")
    feuille = models.CharField("onglet", max_length=40)
    ligne = models.PositiveIntegerField("ligne", null=True)
    nature = models.CharField("nature", max_length=8, choices=Nature.choices)
    cle = models.CharField("clé", max_length=900, help_text="Identifie la fiche d'un classeur à l'autre.")
    libelle = models.CharField("fiche", max_length=600)
    objet = models.BigIntegerField("identifiant en base", null=True)
    avant = models.JSONField("avant", default=dict)
    apres = models.JSONField("après", default=dict)
    propose = models.BooleanField(
        "proposé",
        default=False,
        help_text="La fiche est validée, et qui importe ne valide pas : ses valeurs restent jusqu'à la validation.",
    )
    candidats = models.JSONField(
        "peut-être renommé en",
        default=list,
        help_text="Fiches que le classeur crée et qui sont peut-être celle-ci sous un autre nom : clé, libellé.",
    )
    ancien = models.CharField("nommé jusqu'ici", max_length=600, blank=True, help_text="Libellé, quand il est renommé.")
    conflit = models.CharField(
        "conflit", max_length=500, blank=True, help_text="Ce qui a changé depuis le dernier import, par qui et quand."
    )
    champs = models.JSONField(
        "valeurs en conflit", default=list, help_text="Clés des valeurs changées depuis le dernier import."
    )
    gardes = models.JSONField(
        "valeurs gardées", default=dict, help_text="Ce que la base garde, quand le reste de la fiche prend le fichier."
    )
    conserve_par = models.BigIntegerField(
        "conservé à l'import n°", null=True, help_text="L'import dont la décision de conserver est reprise."
    )
    decision = models.CharField("décision", max_length=9, choices=Decision.choices, blank=True)
    resultat = models.CharField("résultat de l'annulation", max_length=8, choices=Resultat.choices, blank=True)

    objects = EcartQuerySet.as_manager()

    class Meta:
        verbose_name = "écart"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["travail", "feuille", "cle"], name="ecart_unique"),
            models.CheckConstraint(
                condition=Q(nature=Nature.CREE, decision="")
                | Q(nature=Nature.ABSENT, decision__in=["", Decision.CONSERVER, Decision.FERMER])
                | Q(nature=Nature.MODIFIE, decision__in=["", Decision.FICHIER, Decision.BASE]),
                name="ecart_decision_selon_nature",
                violation_error_message="Cette décision ne s'applique pas à cet écart.",
            ),
        ]

    def __str__(self):
        return f"{self.feuille} : {self.libelle} ({self.get_nature_display()})"

    @property
    def departement(self) -> str:
        """Code of its département."""
        return self.cle.partition("|")[0]

    @property
    def gardee(self) -> bool:
        """Missing from the workbook of somebody who may not close it."""
        return self.propose and self.nature == Nature.ABSENT

    def choix(self, key: str) -> str:
        """What is decided of one value in conflict, "" while nothing is."""
        return Decision.BASE if key in self.gardes else self.decision

    @property
    def a_decider(self) -> bool:
        """Whether it is one of ``A_DECIDER``."""
        if self.nature == Nature.ABSENT:
            return bool(self.candidats) or not self.propose
        return self.nature == Nature.MODIFIE and bool(self.conflit)
