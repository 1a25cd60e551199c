"""Invented capacity for the dispositifs of a département: places, mesures and prestations, by sets of rows.

For the demonstration and the measures, as ``temps1.synthese`` is for the fiches; the same dispositifs always get the
same capacity.
"""

import datetime
import random
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from comptes.models import Departement, Habilitation
from offre.models import (
    CapaciteFinancee,
    Composition,
    Configuration,
    Creneau,
    DeclarationMesures,
    DeclarationPlace,
    Dispositif,
    GroupeMesures,
    GroupePlaces,
    Place,
    PrestationProposee,
)
from offre.models.nomenclature import AVEC_PLACES_OU_LOGEMENTS, LOGEMENTS, Categorie
from offre.models.places import Etat

_LOT = 5_000


@dataclass(frozen=True)
class _Genre:
    """A kind of group: what it is made of, who it receives."""

    libelle: str
    categorie: str
    couchages: int
    compositions: tuple[str, ...]
    nom: str = "Chambre"


_FAMILLES = ("40", "50", "60", "100")
_HEBERGEMENT = (
    _Genre("Chambres familiales pour 4", "60", 4, _FAMILLES),
    _Genre("Chambres individuelles hommes", "1", 1, ("10",)),
    _Genre("Chambres individuelles femmes", "1", 1, ("20",)),
    _Genre("Chambres doubles", "40", 2, ("30", "40", "50", "70")),
    _Genre("Grandes chambres familiales", "70", 6, _FAMILLES),
    _Genre("Dortoir", "20", 1, ("10",), "Lit"),
)
_LOGEMENT = (
    _Genre("T1", "90", 2, ("10", "20", "30", "40"), "Logement"),
    _Genre("T2", "100", 3, ("30", *_FAMILLES), "Logement"),
    _Genre("T3", "110", 5, _FAMILLES, "Logement"),
)
_SEMAINE = ((9, 12), (14, 17))


def invent_capacity(departement: Departement, auteur: Habilitation, *, groupes: int = 3, seed: int = 0) -> int:
    """Give ``groupes`` groups of places at most to each dispositif that has none; return how many places were made."""
    dispositifs = Dispositif.objects.filter(departement=departement).order_by("pk")
    housing = dispositifs.filter(categorie__in=AVEC_PLACES_OU_LOGEMENTS, groupes=None).prefetch_related("publics")
    made = _Places(auteur, random.Random(f"{departement.code}-{seed}"))  # noqa: S311
    for dispositif in housing:
        made.invent(dispositif, groupes)
    made.save()
    _mesures(dispositifs.filter(categorie=Categorie.MESURES, groupes_mesures=None), auteur, made.random)
    _prestations(dispositifs.filter(categorie=Categorie.VEILLE_SOCIALE, prestations_proposees=None))
    return len(made.places)


class _Places:
    def __init__(self, auteur: Habilitation, rng: random.Random):
        self.auteur, self.random = auteur, rng
        self.now = timezone.now()
        self.sizes = {one.code: (one.taille_min, one.taille_max) for one in Composition.objects.all()}
        self.groupes, self.configurations, self.financees, self.places = [], [], [], []

    def invent(self, dispositif: Dispositif, count: int) -> None:
        logement = dispositif.categorie in LOGEMENTS
        left = (dispositif.logements if logement else dispositif.places) or 0
        publics = {public.code for public in dispositif.publics.all()} or set(self.sizes)
        genres = [g for g in (_LOGEMENT if logement else _HEBERGEMENT) if publics & set(g.compositions)][:count]
        for position, genre in enumerate(genres):
            share = left if position == len(genres) - 1 else left // 2
            number = share if logement else share // genre.couchages
            if number:
                self._groupe(dispositif, genre, number, publics)
                left -= share

    def _groupe(self, dispositif: Dispositif, genre: _Genre, number: int, publics: set[str]) -> None:
        groupe = GroupePlaces(
            dispositif=dispositif,
            categorie_dispositif=dispositif.categorie,
            libelle=genre.libelle,
            type_id="100" if dispositif.categorie in LOGEMENTS else self.random.choice(("10", "30", "40")),
            categorie_id=genre.categorie,
            pmr=self.random.random() < 0.1,
            couchages=genre.couchages,
            cree_par=self.auteur.utilisateur,
        )
        self.groupes.append(groupe)
        for code in genre.compositions:
            smallest, biggest = self.sizes[code]
            biggest = min(biggest or genre.couchages, genre.couchages)
            if code in publics and smallest <= biggest:
                self.configurations.append(
                    Configuration(
                        groupe=groupe,
                        composition_id=code,
                        couchages=genre.couchages,
                        taille_min=smallest,
                        taille_max=biggest,
                    )
                )
        self.financees.append(
            CapaciteFinancee(groupe=groupe, depuis=dispositif.date_ouverture, nombre=number * genre.couchages)
        )
        self.places += [self._place(groupe, f"{genre.nom} {n:02}", dispositif) for n in range(1, number + 1)]

    def _place(self, groupe: GroupePlaces, nom: str, dispositif: Dispositif) -> Place:
        place = Place(groupe=groupe, nom=nom, ouverte_le=dispositif.date_ouverture)
        draw = self.random.random()
        if draw < 0.95:
            place.etat = Etat.LIBRE if draw < 0.12 else Etat.OCCUPEE
            place.declare_le = self.now - datetime.timedelta(minutes=self.random.randrange(3, 30 * 60))
            place.etat_depuis, place.declare_par = place.declare_le, self.auteur.utilisateur
        return place

    def save(self) -> None:
        for rows in (self.groupes, self.configurations, self.financees, self.places):
            if rows:
                type(rows[0]).objects.bulk_create(rows, batch_size=_LOT)
        DeclarationPlace.objects.bulk_create(
            (
                DeclarationPlace(
                    place=place,
                    etat=place.etat,
                    quand=place.declare_le,
                    auteur=self.auteur.utilisateur,
                    habilitation=self.auteur,
                )
                for place in self.places
                if place.etat
            ),
            batch_size=_LOT,
        )


def _mesures(dispositifs: Iterable[Dispositif], auteur: Habilitation, rng: random.Random) -> None:
    now = timezone.now()
    groupes = [
        GroupeMesures(
            dispositif=dispositif,
            libelle="Toutes les mesures",
            nombre=dispositif.mesures,
            financees=dispositif.mesures,
            ouvert_le=dispositif.date_ouverture,
            utilisees=rng.randrange(dispositif.mesures + 1),
            declare_le=now,
            declare_par=auteur.utilisateur,
            cree_par=auteur.utilisateur,
        )
        for dispositif in dispositifs
    ]
    DeclarationMesures.objects.bulk_create(
        DeclarationMesures(
            groupe=groupe, utilisees=groupe.utilisees, quand=now, auteur=auteur.utilisateur, habilitation=auteur
        )
        for groupe in GroupeMesures.objects.bulk_create(groupes)
    )


def _prestations(dispositifs: Iterable[Dispositif]) -> None:
    proposees = PrestationProposee.objects.bulk_create(
        PrestationProposee(dispositif=dispositif, nature=nature)
        for dispositif in dispositifs
        for nature in dispositif.prestations
    )
    Creneau.objects.bulk_create(
        Creneau(prestation=prestation, jour=jour, heure_debut=datetime.time(begins), heure_fin=datetime.time(ends))
        for prestation in proposees
        for jour in range(1, 6)
        for begins, ends in _SEMAINE
    )
