"""A dossier as one user reads it: its persons, their situations, and what must stay hidden from that user."""

import datetime
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import DateRangeField
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Greatest, Least
from psycopg.types.range import Range

from comptes.models import Habilitation
from menages.models import Accompagnement, Appartenance, Menage, Personne, Regard
from situations.errance import Errance, errance_of
from situations.models import SituationResidentielle
from situations.models.situations import chains_of
from situations.parcours import UN_JOUR, Parcours


@dataclass(frozen=True)
class Membre:
    """A person of a dossier: there today, gone, or absorbed by a fusion."""

    personne: Personne
    """With ``regard``."""
    appartenances: list[Appartenance]
    """Her stays in this ménage, in order."""
    situations: list[SituationResidentielle]
    """Her path, oldest first; of a person who left, while she was there; none for whom may not see it."""
    aujourdhui: datetime.date
    caches: list[Range]
    """Days that she lived with somebody whose whereabouts are hidden from this user: what was true then is too."""

    @property
    def nom(self) -> str:
        if self.personne.regard == Regard.GELE:
            return f"Personne {self.personne.numero}"
        return self.personne.designation

    @property
    def nom_connu(self) -> str:
        """Her name, her number when none is known."""
        return (
            self.nom if self.personne.nom_usage or self.personne.nom or self.personne.prenom else self.personne.numero
        )

    @property
    def visible(self) -> bool:
        return self.personne.regard == Regard.ENTIER

    @property
    def absorbee(self) -> bool:
        return not self.personne.active

    @property
    def ici(self) -> bool:
        return not self.absorbee and self.appartenances[-1].date_fin is None

    @property
    def depart(self) -> datetime.date | None:
        """Last day of her stay, None while she is there."""
        return self.appartenances[-1].date_fin

    @property
    def modifiable(self) -> bool:
        return self.ici and self.visible and self.personne.gelee_le is None

    @property
    def cachee(self) -> str:
        """What is read in place of a situation that this user may not see; empty when there is nothing to hide."""
        if self.personne.regard == Regard.GELE or self.personne.gelee_le:
            return "Données gelées" if not self.visible else ""
        return "" if self.visible else "Situation protégée"

    @property
    def courante(self) -> SituationResidentielle | None:
        last = self.situations[-1] if self.situations else None
        return last if last and last.date_fin is None else None

    @cached_property
    def parcours(self) -> Parcours | None:
        """The end of her chain, when this user may write to it."""
        if not (self.modifiable and self.courante):
            return None
        before, eve = self.situations[-2] if len(self.situations) > 1 else None, self.courante.date_debut - UN_JOUR
        if before and before.date_fin < eve:
            before = None  # the one that came before is hidden
        cachee = before is None and any(each.lower <= eve for each in self.caches)
        return Parcours(self.personne, self.courante, before, self.aujourdhui, cachee)

    @property
    def errance(self) -> Errance:
        if self.caches:
            return Errance(None, 0)  # a total without the hidden days would be false
        return errance_of(self.situations, self.aujourdhui, naissance=self.personne.date_naissance)

    @property
    def age(self) -> str:
        return self.personne.age_on(self.aujourdhui)


@dataclass(frozen=True)
class Dossier:
    menage: Menage
    membres: list[Membre]
    aujourdhui: datetime.date
    protege: bool
    """Somebody's whereabouts are hidden from this user: so is all that tells of them (``Menage.entiers_pour``)."""

    @cached_property
    def presents(self) -> list[Membre]:
        return [membre for membre in self.membres if membre.ici]

    @cached_property
    def partis(self) -> list[Membre]:
        return [membre for membre in self.membres if not membre.ici and not membre.absorbee]

    @cached_property
    def absorbes(self) -> list[Membre]:
        return [membre for membre in self.membres if membre.absorbee]

    @property
    def lignes(self) -> list[Membre]:
        """In the order of the picture: those who are there, those who left, the archived paths below."""
        return [*self.presents, *self.partis, *self.absorbes]

    @property
    def modifiables(self) -> list[Membre]:
        return [membre for membre in self.presents if membre.parcours]

    @property
    def confirmables(self) -> list[Membre]:
        """Those whose current situation this user may say to be still true."""
        return [membre for membre in self.modifiables if not membre.parcours.a_renseigner]

    @property
    def a_confirmer(self) -> list[Membre]:
        """Those whose situation nobody has said to be true today."""
        return [membre for membre in self.confirmables if membre.courante.confirmee_le < self.aujourdhui]

    @cached_property
    def accompagnements(self) -> list[Accompagnement]:
        if self.protege:
            return []
        return list(self.menage.accompagnements.current().select_related("dispositif").order_by("pk"))

    @property
    def nom(self) -> str:
        """How people name the dossier: one person by her name, several by their families, else by what is known."""
        if not self.presents:
            return "Dossier sans personne"
        if len(self.presents) == 1:
            return self.presents[0].nom_connu
        named = [m.personne for m in self.presents if m.personne.regard != Regard.GELE]
        families = dict.fromkeys(name for p in named if (name := p.nom_usage or p.nom))
        return f"Famille {', '.join(families)}" if families else ", ".join(m.nom_connu for m in self.presents)


def read_dossier(menage: Menage, habilitation: Habilitation) -> Dossier:
    """Three queries, whatever the number of persons. Absorbed fiches are listed with the one who was kept."""
    aujourdhui = menage.siao.departement.aujourdhui
    stays = defaultdict(list)
    for appartenance in menage.appartenances.order_by("date_debut", "pk"):
        stays[appartenance.personne_id].append(appartenance)
    here = Personne.objects.filter(Q(pk__in=stays) | Q(fusionnee_dans__in=stays))
    personnes = list(with_hidden_days(here.with_regard(habilitation), habilitation).order_by("pk"))
    regards = {p.regard for p in personnes if p.pk in stays and (menage.archive_le or stays[p.pk][-1].date_fin is None)}
    if Regard.PROTEGE in regards:  # the path of those who left her tells hers
        for personne in personnes:
            personne.regard = Regard.PROTEGE if personne.regard == Regard.ENTIER else personne.regard
    seen = [personne.pk for personne in personnes if personne.regard == Regard.ENTIER]
    paths = chains_of(seen)
    membres = []
    for personne in personnes:
        if personne.pk not in stays:  # absorbed from another ménage by somebody of this one
            stays[personne.pk] = [Appartenance(personne=personne, menage=menage, date_debut=aujourdhui)]
        elif not personne.active and personne.fusionnee_dans_id not in stays:
            continue  # her past is read in the dossier of the fiche that was kept
        hidden = personne.jours_caches
        path = shown(paths.get(personne.pk, []), hidden)
        membre = Membre(personne, stays[personne.pk], path, aujourdhui, hidden)
        if membre.depart:
            # Not even the current one: where she lives now is read elsewhere, what she lived here was with them.
            there = [s for s in path if _overlaps(s, membre.appartenances) and not was_during(s, hidden)]
            membre = Membre(personne, membre.appartenances, there, aujourdhui, hidden)
        membres.append(membre)
    return Dossier(menage, membres, aujourdhui, protege=bool(regards - {Regard.ENTIER}))


def _overlaps(situation: SituationResidentielle, stays: list[Appartenance]) -> bool:
    return any(
        situation.date_debut <= (stay.date_fin or datetime.date.max)
        and (situation.date_fin or datetime.date.max) >= stay.date_debut
        for stay in stays
    )


def was_during(situation, days: list[Range]) -> bool:
    """Whether ``situation``, or a version of it, was true on one of ``days``."""
    return any(
        situation.date_debut < (each.upper or datetime.date.max)
        and (situation.date_fin or datetime.date.max) >= each.lower
        for each in days
    )


def with_hidden_days(personnes, habilitation: Habilitation):
    """Annotate ``jours_caches``: when each lived with somebody whose whereabouts are hidden from the user.

    Situations of these days tell where the other was, whoever of the two left.
    """
    other = Personne.objects.filter(pk=OuterRef("personne")).with_regard(habilitation)
    hidden = other.filter(Q(regard=Regard.PROTEGE) | Q(regard=Regard.GELE, protegee=True))
    together = Appartenance.objects.filter(
        Q(date_fin__isnull=True) | Q(date_fin__gte=F("menage__appartenances__date_debut")),
        Q(menage__appartenances__date_fin__isnull=True) | Q(menage__appartenances__date_fin__gte=F("date_debut")),
        Exists(hidden),
        menage__appartenances__personne=OuterRef("pk"),
    ).order_by("pk")
    days = Func(
        Greatest("date_debut", "menage__appartenances__date_debut"),
        Least("date_fin", "menage__appartenances__date_fin"),
        Value("[]"),
        function="daterange",
        output_field=DateRangeField(),
    )
    return personnes.annotate(jours_caches=ArraySubquery(together.values_list(days)))


def shown(path: list[SituationResidentielle], hidden: list[Range]) -> list[SituationResidentielle]:
    """What is read of ``path``: not what was true on ``hidden`` days; the current one goes on without them."""
    return [situation for situation in path if situation.date_fin is None or not was_during(situation, hidden)]


def path_of(personne: Personne, habilitation: Habilitation) -> tuple[list[SituationResidentielle], list[Range]]:
    """The whole path of one person, oldest first, as the user reads it; and the days that are hidden."""
    [annotated] = with_hidden_days(Personne.objects.filter(pk=personne.pk), habilitation)
    hidden = annotated.jours_caches
    return shown(chains_of([personne.pk])[personne.pk], hidden), hidden
