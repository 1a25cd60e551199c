"""The « lignes d'eau »: the paths of a ménage side by side, one lane per person, drawn on the server as SVG.

Whole numbers of the drawing's own unit, so that the template writes them as they are. Colour is never alone: each type
has a pattern, each spell its code, and its label when there is room; the table says it all again.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from situations.dossier import Membre
from situations.models import SituationResidentielle

LARGEUR = 1000
NOMS = 130
"""Where the lanes begin, right of the names."""
LIGNE, ESPACE = 36, 12
HAUT, BAS = 24, 28
"""Room for the calendar above the lanes, and for the dates of the breaks below."""
LETTRE = 6.6
"""Width of a letter of a label, on average."""
DOUTE = 60
"""Longest hatching at the end of a lane."""
DATE = 64
"""Width of a date under the lanes."""
A_CONFIRMER = datetime.timedelta(days=91)
"""Three months: what nobody has confirmed for longer is hatched at its end."""
MOIS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")


@dataclass(frozen=True)
class Troncon:
    """One spell of a lane."""

    x: int
    largeur: int
    couleur: str
    etiquette: str
    """Code and label, the code alone, or nothing, as there is room."""
    phrase: str
    """The whole of it in words."""
    ouvert: bool = False
    avant: bool = False
    """Began before the picture does."""
    hachures: int = 0
    """Width of the hatching that says that nobody has confirmed it for long."""

    @property
    def fin(self) -> int:
        return self.x + self.largeur


@dataclass(frozen=True)
class Ligne:
    nom: str
    complet: str
    y: int
    troncons: list[Troncon]
    cachee: str
    archivee: bool
    marques: list[tuple[int, str]]
    """Arrivals and departures: where, and in words."""
    passages: list[str]
    """Each of her situations in words, those before the picture too."""

    largeur_cachee = LARGEUR - NOMS


@dataclass(frozen=True)
class Repere:
    x: int
    texte: str
    """Empty when there is no room for it."""


@dataclass(frozen=True)
class Image:
    lignes: list[Ligne]
    calendrier: list[Repere]
    ruptures: list[Repere]
    legende: list[tuple[str, str]]
    """Colour and label of the types that are drawn."""
    description: str

    largeur = LARGEUR
    gauche = NOMS
    haut = HAUT

    @property
    def bas(self) -> int:
        return HAUT + len(self.lignes) * (LIGNE + ESPACE)

    @property
    def hauteur(self) -> int:
        return self.bas + BAS


def draw(membres: Sequence[Membre], aujourdhui: datetime.date, *, by_number: bool = False) -> Image:
    """The picture of ``membres``, in their order; absorbed fiches are greyed.

    ``by_number``: lanes are named by the number of the person, when names are what is being compared.
    """
    breaks = sorted(set(_breaks(membres)) - {aujourdhui + datetime.timedelta(days=1)})
    echelle = _Echelle(_beginning(membres, breaks, aujourdhui), aujourdhui)
    lanes = [_lane(membre, rang, echelle, by_number) for rang, membre in enumerate(membres)]
    drawn = {s.sr2.couleur: s.sr2.sr1.libelle if s.sr2.sr1_id else str(s.sr2) for m in membres for s in m.situations}
    order = {s.sr2.couleur: s.sr2.ordre for m in membres for s in m.situations}
    return Image(
        lignes=lanes,
        calendrier=_calendar(echelle),
        ruptures=_dates([day for day in breaks if day > echelle.debut], echelle),
        legende=sorted(drawn.items(), key=lambda each: order[each[0]]),
        description=" ".join(f"{lane.complet} : {_told(lane)}" for lane in lanes),
    )


@dataclass(frozen=True)
class _Echelle:
    debut: datetime.date
    aujourdhui: datetime.date

    def x(self, jour: datetime.date) -> int:
        days = max((self.aujourdhui - self.debut).days + 1, 1)
        return NOMS + round((LARGEUR - NOMS) * min(max((jour - self.debut).days, 0), days) / days)


def _breaks(membres: Sequence[Membre]) -> Iterator[datetime.date]:
    for membre in membres:
        yield from (situation.date_debut for situation in membre.situations)
        if not membre.absorbee:
            yield from (stay.date_debut for stay in membre.appartenances)
            yield from (stay.date_fin + datetime.timedelta(days=1) for stay in membre.appartenances if stay.date_fin)


def _beginning(membres, breaks: list[datetime.date], aujourdhui: datetime.date) -> datetime.date:
    """A little before the first change: what began long ago must not crush what happened since."""
    if not breaks:
        return aujourdhui - datetime.timedelta(days=30)
    firsts = {membre.situations[0].date_debut for membre in membres if membre.situations}
    changes = [day for day in breaks if day not in firsts] or breaks
    before = max((aujourdhui - changes[0]).days // 4, 30)
    return max(breaks[0], changes[0] - datetime.timedelta(days=before))


def _lane(membre: Membre, rang: int, echelle: _Echelle, by_number: bool) -> Ligne:
    longest = int((NOMS - 8) / LETTRE)
    nom = membre.personne.prenom if membre.visible and membre.personne.prenom else membre.nom
    nom = membre.personne.numero if by_number or membre.absorbee else nom
    marques = [] if membre.absorbee else list(_marks(membre, echelle))
    return Ligne(
        nom=nom if len(nom) <= longest else nom[: longest - 1] + "…",
        complet=f"{membre.nom} (fiche absorbée {membre.personne.numero})" if membre.absorbee else membre.nom,
        y=HAUT + ESPACE // 2 + rang * (LIGNE + ESPACE),
        troncons=[_spell(situation, membre, echelle) for situation in membre.situations if _drawn(situation, echelle)],
        cachee=membre.cachee,
        archivee=membre.absorbee,
        marques=marques,
        passages=[_sentence(situation) for situation in membre.situations],
    )


def _drawn(situation: SituationResidentielle, echelle: _Echelle) -> bool:
    return situation.date_fin is None or situation.date_fin >= echelle.debut


def _spell(situation: SituationResidentielle, membre: Membre, echelle: _Echelle) -> Troncon:
    tomorrow = echelle.aujourdhui + datetime.timedelta(days=1)
    ends = [day for day in (situation.date_fin, membre.depart) if day]
    after = min(ends) + datetime.timedelta(days=1) if ends else tomorrow
    x, largeur = echelle.x(situation.date_debut), max(echelle.x(after) - echelle.x(situation.date_debut), 2)
    ouvert = situation.date_fin is None and not membre.absorbee and not membre.depart
    unsure = ouvert and situation.sr2.sr1_id and echelle.aujourdhui - situation.confirmee_le > A_CONFIRMER
    return Troncon(
        x=x,
        largeur=largeur,
        couleur=situation.sr2.couleur,
        etiquette=_label(situation, largeur),
        phrase=_sentence(situation),
        ouvert=ouvert,
        avant=situation.date_debut < echelle.debut,
        hachures=min(largeur, DOUTE) if unsure else 0,
    )


def _label(situation: SituationResidentielle, largeur: int) -> str:
    """As much of the code and the label as there is room for; a cut one ends with an ellipsis."""
    code, text, room = situation.sr2.code, str(situation.sr2), int((largeur - 12) / LETTRE)
    if len(text) <= room:
        return text
    if len(code) + 6 <= room:
        return f"{text[: room - 1].rstrip()}…"
    return code if len(code) <= room else ""


def _sentence(situation: SituationResidentielle) -> str:
    debut, fin = situation.date_debut, situation.date_fin
    when = f"du {debut:%d/%m/%Y} au {fin:%d/%m/%Y}" if fin else f"depuis le {debut:%d/%m/%Y}"
    return f"{situation.libelle}, {when}"


def _marks(membre: Membre, echelle: _Echelle) -> Iterator[tuple[int, str]]:
    first = membre.situations[0].date_debut if membre.situations else None
    for stay in membre.appartenances:
        if stay.date_debut > echelle.debut and stay.date_debut != first and not membre.cachee:
            yield echelle.x(stay.date_debut), f"{membre.nom} arrive dans le ménage le {stay.date_debut:%d/%m/%Y}"
        if stay.date_fin:
            after = stay.date_fin + datetime.timedelta(days=1)
            yield echelle.x(after), f"{membre.nom} quitte le ménage le {stay.date_fin:%d/%m/%Y}"


def _calendar(echelle: _Echelle) -> list[Repere]:
    """Months when the picture is short, years when it is long."""
    total = (echelle.aujourdhui - echelle.debut).days
    step = next((months for months in (1, 2, 3, 6) if total <= months * 400), 12)
    found, year, month = [], echelle.debut.year, 1
    while (day := datetime.date(year, month, 1)) <= echelle.aujourdhui:
        if day > echelle.debut:
            found.append(Repere(echelle.x(day), str(year) if month == 1 else MOIS[month - 1]))
        year, month = (year, month + step) if month + step <= 12 else (year + 1, 1)
    return _without_overlap(found, 36)


def _dates(breaks: list[datetime.date], echelle: _Echelle) -> list[Repere]:
    return _without_overlap([Repere(echelle.x(day), f"{day:%d/%m/%Y}") for day in breaks], DATE)


def _without_overlap(reperes: list[Repere], width: int) -> list[Repere]:
    kept, free = [], 0
    for repere in reperes:
        fits = repere.x - width // 2 >= free and repere.x + width // 2 <= LARGEUR
        kept.append(repere if fits else Repere(repere.x, ""))
        free = repere.x + width // 2 if fits else free
    return kept


def _told(lane: Ligne) -> str:
    return f"{lane.cachee or ' ; '.join(lane.passages) or 'aucune situation connue pendant son séjour'}."
