import re

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from comptes import journal
from siao.socle.text import counted


class Command(BaseCommand):
    help = (
        "Vérifie toutes les entrées du journal des accès et leurs sceaux, du premier au dernier ; sort en erreur si "
        "l'un d'eux a changé, disparu ou été ajouté. Avec --depuis, vérifie aussi que le sceau de cette empreinte est "
        "toujours là : le journal technique (« journal_scelle ») en donne une chaque minute."
    )

    def add_arguments(self, parser):
        parser.add_argument("--depuis", metavar="EMPREINTE", default="", help="empreinte d'un sceau gardée ailleurs")

    def handle(self, *, depuis, **options):
        depuis = depuis.strip().lower()
        if depuis and not re.fullmatch(r"[0-9a-f]{64}", depuis):
            raise CommandError("--depuis attend l'empreinte d'un sceau : 64 chiffres et lettres de a à f.")
        try:
            found = journal.check(depuis)
        except journal.BrokenChain as broken:
            raise CommandError(f"Le journal n'est plus celui qui a été écrit. {broken}") from broken
        self.stdout.write(f"{counted(found.entries, 'entrée vérifiée')}.")
        if found.since is not None:
            self.stdout.write(f"{counted(found.since, 'entrée')} depuis le sceau {depuis}.")
        if found.last:
            quand = timezone.localtime(found.last.scelle_le).strftime("%d/%m/%Y à %H:%M")
            self.stdout.write(f"Dernier sceau : n° {found.last.pk}, du {quand}, empreinte {found.last.empreinte}")
        else:
            self.stdout.write("Aucun sceau encore : le worker en pose un chaque minute.")
        if journal.unguarded():
            self.stderr.write(journal.UNGUARDED)
