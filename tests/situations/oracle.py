"""What the source says may be done to parcours, in plain Python: no database, no code of the product.

Days are numbers; today is 0, yesterday -1. A situation ends the day before the next one begins.
"""

from dataclasses import dataclass, field


@dataclass
class Personne:
    menage: int
    arrivee: int
    chaine: list[tuple[str, int]]
    """Code and first day of each situation."""
    maitre: int | None = None

    @property
    def debut(self) -> int:
        return self.chaine[-1][1]


@dataclass
class Oracle:
    """Each operation says whether it is allowed, and does it when it is."""

    personnes: dict[int, Personne] = field(default_factory=dict)
    fusions: list[tuple[int, int]] = field(default_factory=list)
    """Master and absorbed, those not undone."""

    def _libres(self, cles, menage: int) -> bool:
        return bool(cles) and all(self.personnes[c].maitre is None and self.personnes[c].menage == menage for c in cles)

    def ajouter(self, menage: int, cles, code: str, jour: int) -> bool:
        if not self._libres(cles, menage) or jour > 0 or any(jour <= self.personnes[c].debut for c in cles):
            return False
        for cle in cles:
            self.personnes[cle].chaine.append((code, jour))
        return True

    def modifier(self, menage: int, cles, code: str, jour: int | None) -> bool:
        if not self._libres(cles, menage) or (jour is not None and jour > 0):
            return False
        for cle in cles:
            chaine = self.personnes[cle].chaine
            if len(chaine) > 1 and (chaine[-1][1] if jour is None else jour) <= chaine[-2][1]:
                return False
        for cle in cles:
            chaine = self.personnes[cle].chaine
            chaine[-1] = (code, chaine[-1][1] if jour is None else jour)
        return True

    def supprimer(self, menage: int, cles) -> bool:
        if not self._libres(cles, menage):
            return False
        if any(len(self.personnes[c].chaine) < 2 or self.personnes[c].chaine[-1][0] == "NR" for c in cles):
            return False
        for cle in cles:
            self.personnes[cle].chaine.pop()
        return True

    def corriger(self, menage: int, cle: int, lignes: list[tuple[int | None, str, int]]) -> bool:
        """Rank of each situation that is kept (None: a new one), code and first day: what deleting and adding reach."""
        if not self._libres([cle], menage):
            return False
        chaine = self.personnes[cle].chaine
        kept = [rang for rang, _, _ in lignes]
        if 0 not in kept or any(code == "NR" and rang not in kept for rang, (code, _) in enumerate(chaine)):
            return False
        voulue = sorted(((code, jour) for _, code, jour in lignes), key=lambda each: each[1])
        if voulue == chaine and None not in kept and len(kept) == len(chaine):
            return False
        essai = Oracle({cle: Personne(menage, self.personnes[cle].arrivee, list(chaine))})
        commun = 0
        while commun < min(len(chaine), len(voulue)) and chaine[commun] == voulue[commun]:
            commun += 1
        while len(essai.personnes[cle].chaine) > max(commun, 1):
            if not essai.supprimer(menage, [cle]):
                return False
        if commun == 0:
            code, jour = voulue[0]
            if (code == "NR" and chaine[0][0] != "NR") or not essai.modifier(menage, [cle], code, jour):
                return False
        for code, jour in voulue[max(commun, 1) :]:
            if code == "NR" or not essai.ajouter(menage, [cle], code, jour):
                return False
        self.personnes[cle].chaine = essai.personnes[cle].chaine
        return True

    def confirmer(self, menage: int, cles) -> bool:
        return self._libres(cles, menage) and all(self.personnes[c].chaine[-1][0] != "NR" for c in cles)

    def deplacer(self, menage: int, cles, vers: int, jour: int) -> bool:
        if not self._libres(cles, menage) or vers == menage or jour > 0:
            return False
        if any(jour < self.personnes[c].arrivee for c in cles):
            return False
        for cle in cles:
            self.personnes[cle].menage, self.personnes[cle].arrivee = vers, jour
        return True

    def fusionner(self, maitre: int, absorbee: int) -> bool:
        if maitre == absorbee or self.personnes[maitre].maitre or self.personnes[absorbee].maitre:
            return False
        for personne in self.personnes.values():
            if personne.maitre == absorbee:
                personne.maitre = maitre
        self.personnes[absorbee].maitre = maitre
        self.fusions.append((maitre, absorbee))
        return True

    def defaire(self, maitre: int, absorbee: int) -> bool:
        if (maitre, absorbee) not in self.fusions or self.personnes[maitre].maitre is not None:
            return False
        self.fusions.remove((maitre, absorbee))
        self.personnes[absorbee].maitre = None
        # Those whom she had absorbed come back with her.
        for autre_maitre, autre in self.fusions:
            if autre_maitre == absorbee and self.personnes[autre].maitre == maitre:
                self.personnes[autre].maitre = absorbee
        return True

    def attendu(self, cle: int) -> list[tuple[str, int, int | None]]:
        """Code, first and last day of each situation."""
        chaine = self.personnes[cle].chaine
        fins = [debut - 1 for _, debut in chaine[1:]] + [None]
        return [(code, debut, fin) for (code, debut), fin in zip(chaine, fins, strict=True)]
