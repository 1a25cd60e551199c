import json
import sys
from pathlib import Path

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError

from comptes.models import Departement, Utilisateur
from comptes.referentiels import unknown_departement
from offre.actions.imports import decide, deposit, hold, request_import
from offre.models import Import
from offre.models.imports import Etat, Nature
from offre.temps1 import travaux
from offre.temps1.application import apply_plan
from offre.temps1.lecture import Lecture, read_file
from offre.temps1.plan import NOMS, compute_plan
from offre.temps1.territoires import habilitation_for, statut_given
from siao.socle.columns import Problem
from siao.socle.database import refusing, rehearsal
from siao.socle.refusal import Refusal

APPLICABLE, A_CORRIGER, REFUSE, MAUVAIS_APPEL = 0, 1, 2, 3


class Command(BaseCommand):
    help = (
        "Lit et vérifie un classeur Temps 1, puis répète son import sans rien garder ; avec --appliquer, l'enregistre. "
        "Sortie 0 : applicable ; 1 : des erreurs ; 2 : fichier refusé ; 3 : commande mal appelée."
    )

    def create_parser(self, *args, **options):
        parser = super().create_parser(*args, **options)
        # argparse's own code, 2, is that of a refused file.
        parser.error = lambda message: parser.exit(MAUVAIS_APPEL, f"{parser.format_usage()}{message}\n")
        return parser

    def add_arguments(self, parser):
        parser.add_argument("fichier", type=Path)
        parser.add_argument("--departement", required=True, help="code du département, par exemple 44")
        parser.add_argument("--utilisateur", required=True, help="adresse courriel de la personne qui importe")
        parser.add_argument("--appliquer", action="store_true", help="enregistre (par défaut : répétition)")
        parser.add_argument(
            "--absents",
            choices=["conserver", "fermer"],
            default="conserver",
            help="fiches que le fichier ne nomme plus",
        )
        parser.add_argument(
            "--conflits",
            choices=["fichier", "base"],
            default="fichier",
            help="valeurs modifiées depuis le dernier import",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="résultat en JSON")

    def handle(self, *, fichier, departement, utilisateur, appliquer, as_json, **options):
        territoire = Departement.objects.filter(code=departement).first()
        personne = Utilisateur.objects.filter(courriel=utilisateur.strip().lower()).first()
        if territoire is None:
            raise _bad_call(unknown_departement(departement))
        auteur = habilitation_for(personne, territoire) if personne else None
        if auteur is None:
            raise _bad_call(f"« {utilisateur} » n'a pas le droit d'importer {territoire.designation}.")
        if not fichier.is_file():
            raise _bad_call(f"Le fichier {fichier} n'existe pas.")
        run = self._apply if appliquer else self._rehearse
        pour_tous = {Nature.ABSENT: options["absents"].upper(), Nature.MODIFIE: options["conflits"].upper()}
        code, result = run(fichier, territoire, auteur, pour_tous)
        self._say(result, as_json)
        sys.exit(code)

    def _rehearse(self, fichier, territoire, auteur, pour_tous):
        try:
            lecture = read_file(fichier, territoire)
        except Refusal as refusal:
            return REFUSE, _refused(str(refusal))
        if lecture.errors:
            return A_CORRIGER, _result("a_corriger", {}, lecture)
        codes, statut = territoire.codes_departements, statut_given(auteur)
        previous = travaux.previous_rows(codes)
        since = travaux.last_imports(codes)
        plan = compute_plan(lecture.rows, lecture.numbers, codes, statut=statut, previous=previous, since=since)
        result = _result("applicable", plan.bilan, lecture)
        try:
            with rehearsal(apply=False), refusing():
                travail = hold(auteur=auteur, territoire=territoire, plan=plan)
                decide(auteur=auteur, travail=travail, decisions={}, pour_tous=pour_tous)
                request_import(auteur=auteur, travail=travail)
                apply_plan(
                    list(travail.ecarts.all()),
                    lecture.rows,
                    auteur=auteur.utilisateur,
                    statut=statut,
                    aujourdhui=territoire.aujourdhui,
                )
        except Refusal as refusal:
            return A_CORRIGER, _impossible(result, str(refusal))
        return APPLICABLE, result

    def _apply(self, fichier, territoire, auteur, pour_tous):
        try:
            with fichier.open("rb") as stream:
                depot = deposit(auteur=auteur, territoire=territoire, fichier=File(stream), nom=fichier.name)
        except Refusal as refusal:
            return REFUSE, _refused(str(refusal))
        travail = depot.travail
        travail = travaux.carry_out(travaux.read, travail.pk)
        travaux.annotate(travail.pk)
        if travail.etat == Etat.PRET:
            try:
                decide(auteur=auteur, travail=travail, decisions={}, pour_tous=pour_tous)
                request_import(auteur=auteur, travail=travail)
            except Refusal as refusal:
                return A_CORRIGER, _impossible(_of_import(travail), str(refusal))
            travail = travaux.carry_out(travaux.apply, travail.pk)
            if travail.etat == Etat.PRET:
                return A_CORRIGER, _impossible(_of_import(travail), travail.motif)
        codes = {Etat.IMPORTE: APPLICABLE, Etat.A_CORRIGER: A_CORRIGER}
        result = _of_import(travail)
        return codes.get(travail.etat, REFUSE), result

    def _say(self, result, as_json):
        if as_json:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        self.stdout.write(f"État : {result['etat']}")
        if result.get("message"):
            self.stdout.write(result["message"])
        for name in NOMS.values():
            counts = result[name]
            self.stdout.write(f"{name} : " + ", ".join(f"{number} {key}" for key, number in counts.items()))
        for kind in ("erreurs", "avertissements"):
            for problem in result[kind]:
                place = " ".join(filter(None, (problem["feuille"], problem["cellule"], problem["colonne"])))
                self.stdout.write(f"{kind[:-1]} – {place} : {problem['message']}")


_ZERO = {"crees": 0, "modifies": 0, "proposes": 0, "inchanges": 0, "absents": 0}


def _result(etat: str, bilan: dict, lecture: Lecture) -> dict:
    return {
        "etat": etat,
        **{name: bilan.get(name, _ZERO) for name in NOMS.values()},
        "erreurs": [_problem(problem) for problem in lecture.errors],
        "avertissements": [_problem(problem) for problem in lecture.warnings],
    }


def _problem(problem: Problem) -> dict:
    return {
        "feuille": problem.sheet,
        "cellule": problem.cell,
        "colonne": problem.column,
        "valeur": problem.value,
        "code": problem.rule.code,
        "message": problem.message,
    }


def _refused(message: str) -> dict:
    return {
        "etat": "refuse",
        "message": message,
        **dict.fromkeys(NOMS.values(), _ZERO),
        "erreurs": [_of_file("fichier_refuse", message)],
        "avertissements": [],
    }


def _impossible(result: dict, message: str) -> dict:
    """The result of a workbook without error of its own, that the offre of the département does not let in."""
    return {**result, "etat": "a_corriger", "erreurs": [_of_file("import_impossible", message)]}


def _of_file(code: str, message: str) -> dict:
    return {"feuille": "", "cellule": "", "colonne": "", "valeur": "", "code": code, "message": message}


def _bad_call(message: str) -> CommandError:
    return CommandError(message, returncode=MAUVAIS_APPEL)


def _of_import(travail: Import) -> dict:
    """The same result, from what is kept of an import."""
    if travail.etat in (Etat.REFUSE, Etat.ECHEC, Etat.REMPLACE):
        return _refused(travail.motif or f"Import {travail.get_etat_display().lower()}.")
    kinds = {"erreurs": [], "avertissements": []}
    for anomalie in travail.anomalies.all():
        kinds["erreurs" if anomalie.gravite == "ERREUR" else "avertissements"].append(
            {
                "feuille": anomalie.feuille,
                "cellule": anomalie.cellule,
                "colonne": anomalie.colonne,
                "valeur": anomalie.valeur,
                "code": anomalie.code,
                "message": anomalie.message,
            }
        )
    etats = {Etat.IMPORTE: "importe", Etat.A_CORRIGER: "a_corriger", Etat.PRET: "applicable"}
    return {
        "etat": etats.get(travail.etat, travail.etat.lower()),
        **{name: travail.bilan.get(name, _ZERO) for name in NOMS.values()},
        **kinds,
    }
