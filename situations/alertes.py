"""Unusual accesses, read every hour in the journal: one alert each (docs/decisions/0029-alertes.md).

Searches are counted as they are made (``menages.recherche``): those that are too many are refused at once.
"""

import datetime

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    DateField,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from comptes.alertes import alert
from comptes.droits import Profil
from comptes.models import EntreeJournal, NatureAlerte, Octroi, Resultat
from comptes.models.territoires import zone_of
from menages.models import Menage

DOSSIERS = 30
"""Dossiers of another département that one user may open in a day."""
EXTRACTIONS = 3
"""Extractions of personal data that one user may download in a day."""
EXTRAITS = ("exporter_comptes", "donnees_personne_json")
"""The pages that give personal data as a file. The lists of the offre hold none."""
NOCTURNES = (Profil.ECOUTANT_115,)
"""Those whose work is also at night."""
SOIR, MATIN = 22, 6
"""The night, by the clock of where the user works."""
RECUL = datetime.timedelta(hours=36)
"""How far back the journal is read: the longest day of any time zone, and a missed hour or two."""

NOMINATIVES = Q(objet_type__startswith="menages.") | Q(
    objet_type__in=("situations.situationresidentielle", "situations.oubli")
)


def detect(*, now: datetime.datetime | None = None) -> int:
    """Raise the alerts that the journal calls for; return how many are new. Doing it again raises none."""
    now = now or timezone.now()
    entries = _located(EntreeJournal.objects.order_by().filter(quand__gt=now - RECUL, quand__lte=now))
    return sum(rule(entries) for rule in (_elsewhere, _extractions, _at_night))


def _located(entries):
    """What was shown, with where its user works and the time that it was there."""
    granted = Octroi.objects.filter(habilitation=OuterRef("habilitation")).order_by("pk").values("departement")[:1]
    where = Coalesce(
        "habilitation__siao__departement", "habilitation__departement", Subquery(granted), output_field=CharField()
    )
    return entries.filter(resultat=Resultat.PERMIS, habilitation__isnull=False).annotate(
        departement=where,
        heure=Func(zone_of("departement"), F("quand"), function="timezone", output_field=CharField()),
    )


def _day(*, less: int = 0) -> Func:
    """The local day of an entry, which ends ``less`` hours after midnight."""
    return Func(F("heure"), template=f"(%(expressions)s - interval '{less} hours')::date", output_field=DateField())


_HOUR = Func(F("heure"), template="extract(hour FROM %(expressions)s)::int", output_field=IntegerField())


def _raised(nature: NatureAlerte, rows) -> int:
    raised = [
        alert(
            nature=nature,
            utilisateur=row["utilisateur"],
            habilitation=row["derniere"],
            jour=row["jour"],
            nombre=row["nombre"],
        )
        for row in rows
    ]
    return len(list(filter(None, raised)))


def _counted(entries, count: Count, minimum: int):
    by_day = entries.values("utilisateur", "jour").annotate(nombre=count, derniere=Max("habilitation"))
    return by_day.filter(nombre__gt=minimum).order_by("jour", "utilisateur")


def _elsewhere(entries) -> int:
    number = Case(
        When(objet_id__regex=r"^[0-9]{1,18}$", then=Cast("objet_id", BigIntegerField())),
        output_field=BigIntegerField(),
    )
    opened = entries.filter(objet_type=Menage._meta.label_lower).annotate(jour=_day(), cle=number)
    home = Menage.objects.filter(pk=OuterRef("cle")).order_by().values("siao__departement")
    rows = opened.annotate(du=Subquery(home)).exclude(du=F("departement")).exclude(_at_home())
    return _raised(NatureAlerte.AILLEURS, _counted(rows, Count("cle", distinct=True), DOSSIERS))


def _at_home():
    """The dossier is of a département where the habilitation also holds something."""
    return Q(du__in=Octroi.objects.filter(habilitation=OuterRef("habilitation")).order_by().values("departement"))


def _extractions(entries) -> int:
    rows = entries.filter(action__in=EXTRAITS).annotate(jour=_day())
    return _raised(NatureAlerte.EXTRACTIONS, _counted(rows, Count("pk"), EXTRACTIONS))


def _at_night(entries) -> int:
    rows = entries.filter(NOMINATIVES).exclude(habilitation__profil__in=NOCTURNES).annotate(oclock=_HOUR)
    rows = rows.filter(Q(oclock__gte=SOIR) | Q(oclock__lt=MATIN)).annotate(jour=_day(less=MATIN))
    return _raised(NatureAlerte.NUIT, _counted(rows, Count("pk"), 0))
