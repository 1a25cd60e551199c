"""One process of concurrent editors: threads that write to the same ménages, and count what became of it (JSON).

``python -m tests.situations.editeurs EDITORS OPERATIONS SEED HABILITATION MENAGE…``: started by ``test_concurrence``.
"""

import datetime
import json
import os
import random
import sys
import threading
import time
from collections import Counter


def work(editors: int, operations: int, seed: int, habilitation: int, menages: list[int]) -> dict:
    import django

    django.setup()
    counts, durations, seen, lock = Counter(), [], [], threading.Lock()

    def editor(number: int) -> None:
        done, times, jetons = edit(random.Random(seed * 1_000 + number), operations, habilitation, menages)
        with lock:
            counts.update(done)
            durations.extend(times)
            seen.extend(jetons)

    threads = [threading.Thread(target=editor, args=(number,)) for number in range(editors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"comptes": counts, "p95": sorted(durations)[int(len(durations) * 0.95)], "jetons": seen}


def edit(
    chance: random.Random, operations: int, habilitation: int, menages: list[int]
) -> tuple[Counter, list[float], list[str]]:
    """What became of the operations, and of how many persons each kind changed; their seconds; the chains they saw."""
    from django.db import DatabaseError, connection

    from comptes.models import Habilitation
    from menages.models import Menage, Personne
    from siao.socle.refusal import Refusal, Stale
    from situations.actions.saisie import add_situation, delete_situation, modify_situation, parcours_of
    from situations.models import Sr2
    from situations.parcours import Choix

    auteur, values = (
        Habilitation.objects.get(pk=habilitation),
        list(Sr2.objects.filter(pk__in=["I.1", "I.3", "III.1"]).order_by("pk")),
    )
    found = {m.pk: m for m in Menage.objects.select_related("siao__departement").filter(pk__in=menages).order_by("pk")}
    counts, times, seen = Counter(), [], []
    for _ in range(operations):
        menage = found[chance.choice(menages)]
        outcome = "perimes"
        # A stale form is filled again, as a person does, until it goes through.
        while outcome == "perimes":
            people = Personne.objects.filter(appartenances__menage=menage).order_by("?")[: chance.randint(1, 4)]
            chains = parcours_of(menage, {personne.pk: personne for personne in people})
            jetons = [(chain.personne.pk, chain.jeton) for chain in chains]
            chance.shuffle(jetons)  # locks must not depend on the order of the form
            start = max(chain.courante.date_debut for chain in chains) + datetime.timedelta(days=1)
            begins = max((c.modification_au_plus_tot for c in chains), default=start)
            can_add = start <= chains[0].aujourdhui
            can_delete = all(not chain.refus_suppression for chain in chains)
            begun = time.monotonic()
            arguments = {"auteur": auteur, "menage": menage, "jetons": dict(jetons)}
            try:
                if can_delete and chance.random() < 0.5:
                    kind = "supprimees"
                    delete_situation(**arguments)
                elif can_add and chance.random() < 0.7:
                    kind = "ajoutees"
                    add_situation(**arguments, choix=Choix(chance.choice(values), start))
                else:
                    kind = "modifiees"
                    day = min(max(begins, chains[0].aujourdhui - datetime.timedelta(days=200)), chains[0].aujourdhui)
                    modify_situation(**arguments, choix=Choix(chance.choice(values), day))
                outcome = "reussies"
                counts[kind] += len(jetons)
                seen.extend(jeton for _, jeton in jetons)
            except Stale:
                counts["relues"] += 1
            except Refusal:
                outcome = "refusees"
            except DatabaseError as error:
                outcome = f"erreurs {type(error).__name__}"
            times.append(time.monotonic() - begun)  # what a person waits for: the answer to one form
        counts[outcome] += 1
    connection.close()
    return counts, times, seen


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "siao.settings")
    count, each, graine, auteur, *keys = map(int, sys.argv[1:])
    sys.stdout.write(json.dumps(work(count, each, graine, auteur, keys)))
