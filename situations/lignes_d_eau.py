"""The « lignes d'eau »: the paths of a ménage side by side, one lane per person, drawn on the server as SVG.

Whole numbers of the drawing's own unit, so that the template writes them as they are. Colour is never alone: each type
has a pattern, each spell its code, and its label when there is room; the table says it all again.

The axis is that of time, with two corrections in favour of today: a long quiet past is folded at the left (« ‹ depuis
2016 »), and no stretch between two changes is thinner than a mark, nor the last spell of anybody than its code.
"""

import datetime
import itertools
import textwrap
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from situations.dossier import Membre
from situations.models import SituationResidentielle

LARGEUR = 880
NOMS = 120
"""Width of the names: a picture of its own, left of the lanes, which stays in view when they scroll."""
LIGNE, ESPACE = 42, 12
LIGNES_DE_TEXTE = 2
"""Of a label, above the pattern of its spell."""
HAUT, BAS = 24, 28
"""Room for the calendar above the lanes, and for the dates of the breaks below."""
LETTRE = 6.6
"""Width of a letter of a label, on average."""
DOUTE = 60
"""Longest hatching at the end of a lane."""
FONDU = 20
"""Longest fade of an open spell: never more than half of it."""
CODE, MARQUE, PASSE = 68, 20, 110
"""Least width of the last spell of a lane, of a stretch between two changes, of what began before the picture."""
SILENCE = 4
"""What is older than a quiet time this many times as long as all that followed it (a year at least) is folded."""
UN_AN = datetime.timedelta(days=365)
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
    etiquette: list[str]
    """Code and label on one or two lines, as much as there is room for."""
    phrase: str
    """The whole of it in words."""
    ouvert: bool = False
    avant: bool = False
    """Began before the picture does: its label says since when."""
    fondu: int = 0
    """Width of the fade that says that it goes on."""
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
    maintenant: str
    """Code of what goes on today, said under the name too: on a phone, where it began is out of sight."""


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
    noms = NOMS
    haut = HAUT
    ligne = LIGNE

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
    debut = _beginning(membres, breaks, aujourdhui)
    echelle = _Echelle.of(debut, aujourdhui, [day for day in breaks if day > debut], list(_lasts(membres, aujourdhui)))
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
    """Where each day is: in proportion of time inside each stretch between two changes."""

    debut: datetime.date
    aujourdhui: datetime.date
    jours: list[datetime.date]
    """Where the stretches begin, and the day after the last."""
    bornes: list[float]

    @classmethod
    def of(cls, debut, aujourdhui, breaks: list[datetime.date], lasts: list[tuple]) -> "_Echelle":
        """``lasts``: when the last spell of each lane begins, and the day after it ends."""
        demain = aujourdhui + datetime.timedelta(days=1)
        jours = sorted({debut, demain, *(day for day in breaks if day < demain)})
        durees = [(after - before).days for before, after in itertools.pairwise(jours)]
        moindres = [float(MARQUE)] * len(durees)
        if len(durees) > 1:
            moindres[0] = PASSE
        for begins, ends in lasts:
            inside = [rank for rank, day in enumerate(jours[:-1]) if begins <= day < ends] or [len(durees) - 1]
            missing = CODE - sum(moindres[rank] for rank in inside)
            moindres[inside[-1]] += max(missing, 0)
        bornes, x = [0.0], 0.0
        for largeur in _shared(durees, moindres):
            bornes.append(x := x + largeur)
        return cls(debut, aujourdhui, jours, bornes)

    def x(self, jour: datetime.date) -> int:
        if jour <= self.jours[0]:
            return 0
        if jour >= self.jours[-1]:
            return LARGEUR
        rank = bisect_right(self.jours, jour) - 1
        before, after = self.jours[rank], self.jours[rank + 1]
        part = (jour - before).days / (after - before).days
        return round(self.bornes[rank] + part * (self.bornes[rank + 1] - self.bornes[rank]))


def _shared(durees: list[int], moindres: list[float]) -> list[float]:
    """The width of the picture shared in proportion of ``durees``, none under its least width."""
    if sum(moindres) >= LARGEUR:
        return [LARGEUR * moindre / sum(moindres) for moindre in moindres]
    held: set[int] = set()
    while True:
        days = sum(duree for rank, duree in enumerate(durees) if rank not in held)
        room = LARGEUR - sum(moindres[rank] for rank in held)
        small = {r for r, duree in enumerate(durees) if r not in held and room * duree < moindres[r] * days}
        if not small:
            return [moindres[r] if r in held else room * duree / days for r, duree in enumerate(durees)]
        held |= small


def _lasts(membres: Sequence[Membre], aujourdhui: datetime.date) -> Iterator[tuple[datetime.date, datetime.date]]:
    for membre in membres:
        if membre.situations:
            last = membre.situations[-1]
            yield last.date_debut, _after(last, membre, aujourdhui)


def _after(situation: SituationResidentielle, membre: Membre, aujourdhui: datetime.date) -> datetime.date:
    """The day after a spell ends in this ménage."""
    ends = [day for day in (situation.date_fin, membre.depart) if day]
    return min(ends, default=aujourdhui) + datetime.timedelta(days=1)


def _breaks(membres: Sequence[Membre]) -> Iterator[datetime.date]:
    for membre in membres:
        yield from (situation.date_debut for situation in membre.situations)
        if not membre.absorbee:
            yield from (stay.date_debut for stay in membre.appartenances)
            yield from (stay.date_fin + datetime.timedelta(days=1) for stay in membre.appartenances if stay.date_fin)


def _beginning(membres, breaks: list[datetime.date], aujourdhui: datetime.date) -> datetime.date:
    """A little before the first change that matters: what began long ago must not crush what happened since."""
    if not breaks:
        return aujourdhui - datetime.timedelta(days=30)
    firsts = {membre.situations[0].date_debut for membre in membres if membre.situations}
    changes = [day for day in breaks if day not in firsts] or breaks
    for rank in range(len(changes) - 1, 0, -1):
        since = max(aujourdhui - changes[rank], UN_AN)
        if changes[rank] - changes[rank - 1] > SILENCE * since:
            changes = changes[rank:]
            break
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
        maintenant=next((s.sr2.code for s in membre.situations if _goes_on(s, membre)), ""),
    )


def _drawn(situation: SituationResidentielle, echelle: _Echelle) -> bool:
    return situation.date_fin is None or situation.date_fin >= echelle.debut


def _spell(situation: SituationResidentielle, membre: Membre, echelle: _Echelle) -> Troncon:
    after = _after(situation, membre, echelle.aujourdhui)
    x, largeur = echelle.x(situation.date_debut), max(echelle.x(after) - echelle.x(situation.date_debut), 2)
    ouvert = _goes_on(situation, membre)
    unsure = ouvert and situation.sr2.sr1_id and echelle.aujourdhui - situation.confirmee_le > A_CONFIRMER
    return Troncon(
        x=x,
        largeur=largeur,
        couleur=situation.sr2.couleur,
        etiquette=_label(
            situation,
            largeur,
            avant=situation.date_debut < echelle.debut,
            recent=situation.date_debut > echelle.debut - UN_AN,
        ),
        phrase=_sentence(situation),
        ouvert=ouvert,
        avant=situation.date_debut < echelle.debut,
        fondu=min(largeur // 2, FONDU) if ouvert else 0,
        hachures=min(largeur // 2, DOUTE) if unsure else 0,
    )


def _goes_on(situation: SituationResidentielle, membre: Membre) -> bool:
    return situation.date_fin is None and not membre.absorbee and not membre.depart


def _label(situation: SituationResidentielle, largeur: int, *, avant: bool, recent: bool) -> list[str]:
    """As much of the code and the label as there is room for, on two lines; a cut one ends with an ellipsis.

    One that began before the picture (``avant``) says when: the year, with its month when it is ``recent``.
    """
    code, room = situation.sr2.code, int((largeur - 10) / LETTRE)
    since = f"‹ depuis {situation.date_debut:%m/%Y}" if recent else f"‹ depuis {situation.date_debut:%Y}"
    lines = [since] if avant and len(since) <= room else []
    if len(code) > room:
        return []
    wanted = LIGNES_DE_TEXTE - len(lines)
    options = {"width": room, "break_long_words": False, "break_on_hyphens": False}
    label = textwrap.wrap(str(situation.sr2), **options)
    if len(label) > wanted or max(map(len, label)) > room:
        label = textwrap.wrap(str(situation.sr2), max_lines=wanted, placeholder="…", **options)
        # « Non renseignée » does not begin with its code, which says more than its first letters.
        label = label if label[0].startswith(code) else [code]
    return [*label, *lines]


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
