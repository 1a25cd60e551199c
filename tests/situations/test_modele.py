"""B5: any history of operations, against an oracle that knows only the source. `make parcours` runs 2 000 sequences."""

import datetime
import os

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from menages.actions.deplacement import move_personnes
from menages.actions.fusion import merge, undo_merge
from menages.models import Appartenance, Fusion, Menage, Personne
from siao.socle.refusal import Refusal
from situations.actions.correction import correct_parcours
from situations.actions.saisie import add_situation, confirm_situation, delete_situation, modify_situation
from situations.correction import Ligne, jeton_of
from situations.models import SituationResidentielle, Sr2
from situations.parcours import Choix
from situations.verification import verify
from tests.menages.fabrique import jour, make_menage, make_operateur, make_personne
from tests.situations.oracle import Oracle
from tests.situations.oracle import Personne as Attendue

SEQUENCES = int(os.environ.get("SEQUENCES", "15"))
PAS = 50 if SEQUENCES >= 1_000 else 20

pytestmark = pytest.mark.django_db

codes = st.sampled_from(["I.1", "I.3", "II.2", "III.1", "IV.2", "VII.1"])
days = st.integers(-12, 1)
menages = st.integers(0, 1)
groups = st.sets(st.integers(0, 4), min_size=1, max_size=3)
people = st.integers(0, 4)
corrections = st.lists(
    st.tuples(st.none() | st.integers(0, 3), st.none() | codes, st.none() | days), min_size=1, max_size=5
)


class Parcours(RuleBasedStateMachine):
    """Five persons in two ménages; some come from the reprise, with a situation that begins in the past."""

    counted = {"operations": 0, "refus": 0}

    @initialize(debuts=st.lists(st.sampled_from([0, -3, -9]), min_size=5, max_size=5))
    def begin(self, debuts):
        self.oracle = Oracle()
        self.menages = [Menage.objects.select_related("siao__departement").get(pk=make_menage().pk) for _ in range(2)]
        self.aujourdhui = jour(0)
        self.personnes = []
        for rang, debut in enumerate(debuts):
            code = "NR" if debut == 0 else "I.1"
            personne = make_personne(
                self.menages[rang % 2], f"P{rang} Exemple", depuis=-debut, parcours=[(code, -debut)]
            )
            self.personnes.append(personne.pk)
            self.oracle.personnes[personne.pk] = Attendue(rang % 2, debut, [(code, debut)])

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.auteur = make_operateur()

    def teardown(self):
        violations, _ = verify()
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)
        # Archived ménages are another matter than chains: both are counted here.
        assert not any(violations.values()), violations

    def day(self, number: int) -> datetime.date:
        return self.aujourdhui + datetime.timedelta(days=number)

    def keys(self, group) -> list[int]:
        return [self.personnes[rank] for rank in sorted(group)]

    def jetons(self, group) -> dict[int, str]:
        rows = SituationResidentielle.objects.current().filter(personne__in=self.keys(group)).order_by("pk")
        return {row.personne_id: f"{row.pk}.{row.version}" for row in rows}

    def both(self, allowed: bool, action, **arguments) -> None:
        self.counted["operations"] += 1
        refused = ""
        try:
            with transaction.atomic():
                action(auteur=self.auteur, **arguments)
        except Refusal as refusal:
            refused = str(refusal)
            self.counted["refus"] += 1
        assert allowed is not bool(refused), refused or "accepté à tort"

    @rule(menage=menages, group=groups, code=codes, number=days)
    def ajouter(self, menage, group, code, number):
        choix = Choix(Sr2.objects.get(pk=code), self.day(number))
        allowed = self.oracle.ajouter(menage, self.keys(group), code, number)
        self.both(allowed, add_situation, menage=self.menages[menage], jetons=self.jetons(group), choix=choix)

    @rule(menage=menages, group=groups, code=codes, number=st.none() | days)
    def modifier(self, menage, group, code, number):
        choix = Choix(Sr2.objects.get(pk=code), None if number is None else self.day(number))
        allowed = self.oracle.modifier(menage, self.keys(group), code, number)
        self.both(allowed, modify_situation, menage=self.menages[menage], jetons=self.jetons(group), choix=choix)

    @rule(menage=menages, group=groups)
    def supprimer(self, menage, group):
        allowed = self.oracle.supprimer(menage, self.keys(group))
        self.both(allowed, delete_situation, menage=self.menages[menage], jetons=self.jetons(group))

    @rule(menage=menages, rank=people, lignes=corrections)
    def corriger(self, menage, rank, lignes):
        """Each line takes the situation of a rank, changed or not, or a new one; what no line takes is deleted."""
        cle = self.keys([rank])[0]
        chaine = self.oracle.personnes[cle].chaine
        wanted, taken = [], set()
        for rang, code, number in lignes:
            rang = rang if rang is not None and rang < len(chaine) and rang not in taken else None
            taken.add(rang)
            was = chaine[rang] if rang is not None else (None, None)
            if (rang is None and code is None) or (was[0] or code) is None:
                continue
            wanted.append((rang, code or was[0], was[1] if number is None and rang is not None else number or 0))
        chain = list(SituationResidentielle.objects.filter(personne=cle).order_by("date_debut"))
        sr2 = Sr2.objects.in_bulk()
        allowed = bool(wanted) and self.oracle.corriger(menage, cle, wanted)
        self.both(
            allowed,
            correct_parcours,
            menage=self.menages[menage],
            jetons={cle: jeton_of(chain)},
            lignes=[Ligne(Choix(sr2[code], self.day(number)), rang) for rang, code, number in wanted],
            motif="Exemple",
        )

    @rule(menage=menages, group=groups)
    def confirmer(self, menage, group):
        allowed = self.oracle.confirmer(menage, self.keys(group))
        self.both(allowed, confirm_situation, menage=self.menages[menage], jetons=self.jetons(group))

    @rule(menage=menages, group=groups, vers=menages, number=days)
    def deplacer(self, menage, group, vers, number):
        allowed = self.oracle.deplacer(menage, self.keys(group), vers, number)
        self.both(
            allowed,
            move_personnes,
            origine=self.menages[menage],
            personnes=self.keys(group),
            destination=self.menages[vers],
            jour=self.day(number),
        )

    @rule(maitre=people, absorbee=people)
    def fusionner(self, maitre, absorbee):
        maitre, absorbee = self.keys([maitre])[0], self.keys([absorbee])[0]
        allowed = self.oracle.fusionner(maitre, absorbee)
        both = Personne.objects.in_bulk([maitre, absorbee])
        self.both(allowed, merge, maitre=both[maitre], absorbee=both[absorbee], identite={})

    @rule(maitre=people, absorbee=people)
    def defaire(self, maitre, absorbee):
        maitre, absorbee = self.keys([maitre])[0], self.keys([absorbee])[0]
        fusion = Fusion.objects.filter(maitre=maitre, absorbee=absorbee, defaite_le__isnull=True).first()
        allowed = self.oracle.defaire(maitre, absorbee)
        if fusion is None:
            assert not allowed
        else:
            self.both(allowed, undo_merge, fusion=fusion)

    @invariant()
    def everything_is_as_the_oracle_says(self):
        if not hasattr(self, "personnes"):
            return
        found = {key: [] for key in self.personnes}
        for row in SituationResidentielle.objects.filter(personne__in=found).order_by("personne", "date_debut"):
            fin = (row.date_fin - self.aujourdhui).days if row.date_fin else None
            found[row.personne_id].append((row.sr2_id, (row.date_debut - self.aujourdhui).days, fin))
        assert found == {key: self.oracle.attendu(key) for key in self.personnes}
        here = Appartenance.objects.current().filter(personne__in=found).order_by("pk")
        numbers = {menage.pk: rank for rank, menage in enumerate(self.menages)}
        assert {row.personne_id: numbers[row.menage_id] for row in here} == {
            key: self.oracle.personnes[key].menage for key in self.personnes
        }
        masters = dict(Personne.objects.filter(pk__in=found).order_by("pk").values_list("pk", "fusionnee_dans"))
        assert masters == {key: self.oracle.personnes[key].maitre for key in self.personnes}


def test_b5_any_history(record_property):
    Parcours.counted.update(operations=0, refus=0)
    run_state_machine_as_test(
        Parcours,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=PAS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    record_property("séquences de parcours", SEQUENCES)
    record_property("opérations comparées à l'oracle", Parcours.counted["operations"])
    assert Parcours.counted["operations"] > Parcours.counted["refus"] > 0
