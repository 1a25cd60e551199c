import csv
from collections import Counter

from django.core.management.base import BaseCommand, CommandError

from comptes import anciens_profils
from comptes.droits import Niveau
from comptes.models import Departement
from comptes.referentiels import unknown_departement
from offre.models import Dispositif, Rattachement
from siao.socle.database import rehearsal
from siao.socle.text import counted, fold, pluriel


class Command(BaseCommand):
    help = (
        "Transforme les comptes des 14 anciens profils en habilitations. "
        f"Colonnes du fichier CSV : {', '.join(anciens_profils.COLONNES)}. Répète sans rien écrire, sauf --appliquer."
    )

    def add_arguments(self, parser):
        parser.add_argument("fichier")
        parser.add_argument("--appliquer", action="store_true", help="écrire pour de bon")

    def handle(self, *, fichier, appliquer, **options):
        if not Departement.objects.exists():
            raise CommandError(unknown_departement(""))
        comptes = anciens_profils.plan(self._lines(fichier), _structures)
        with rehearsal(apply=appliquer):
            done = anciens_profils.carry_out(comptes)
        to_choose = [compte for compte in comptes if compte.a_choisir]
        for profil, count in sorted(Counter(c.profil.label for c in comptes if not c.a_choisir).items()):
            self.stdout.write(f"{profil} : {count}")
        created = "créé" + pluriel(done["comptes"] + done["habilitations"])
        self.stdout.write(
            f"{counted(len(comptes), 'ligne')} : {counted(done['comptes'], 'compte')} et "
            f"{counted(done['habilitations'], 'habilitation')} {created if appliquer else 'à créer'}, "
            f"{counted(done['deja_la'], 'habilitation')} déjà là, "
            f"{len(to_choose)} à décider par une personne{' :' if to_choose else '.'}"
        )
        for compte in to_choose:
            self.stdout.write(f"  ligne {compte.ligne}, {compte.courriel} : {compte.a_choisir}")
        if not appliquer:
            self.stdout.write("Répétition : rien n'est écrit. Ajoutez --appliquer pour écrire.")

    def _lines(self, fichier) -> list[dict[str, str]]:
        try:
            with open(fichier, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
                titles = file.readline()
                file.seek(0)
                reader = csv.DictReader(file, delimiter=";" if ";" in titles else ",")
                lines, found = list(reader), reader.fieldnames or ()
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise CommandError(f"Le fichier ne se lit pas ({error}). Enregistrez-le en CSV, codage UTF-8.") from error
        missing = [name for name in anciens_profils.COLONNES if name not in found]
        if missing:
            raise CommandError(f"Il manque les colonnes : {', '.join(missing)}.")
        if not lines:
            raise CommandError("Le fichier n'a que ses titres : aucun compte à transformer.")
        return lines


def _structures(niveau: Niveau, departement: str, nom: str) -> list:
    model = Rattachement if niveau == Niveau.ENTITE else Dispositif
    return list(model.objects.filter(departement=departement, nom_cle=fold(nom)))
