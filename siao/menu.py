"""The main menu, as data: an entry appears to those who may open it."""

from dataclasses import dataclass

from django.urls import reverse

from comptes.droits import Droit


@dataclass(frozen=True)
class Entry:
    label: str
    url_name: str
    rights: tuple[str, ...]
    """Any of them."""
    prefixes: tuple[str, ...]
    """Pages whose path begins with one of these belong to this entry; the longest one wins."""

    def nearness(self, path: str) -> int:
        return max((len(prefix) for prefix in self.prefixes if path.startswith(prefix)), default=0)


# What is used all day first, what is settled once a year last.
ENTRIES = (
    Entry(
        "Dossiers",
        "recherche",
        (Droit.MENAGES_VOIR,),
        (
            "/dossiers/",
            "/personnes/",
            "/situations/",
            "/accompagnements/",
            "/fusions/",
            "/demandes-d-acces/",
            "/partages/",
        ),
    ),
    Entry("À confirmer", "a_confirmer", (Droit.SITUATIONS_SAISIR,), ("/situations/a-confirmer/",)),
    Entry("Places disponibles", "offre:disponibilites", (Droit.DEMANDES_ORIENTER,), ("/offre/disponibilites/",)),
    Entry("À valider", "offre:a_valider", (Droit.OFFRE_PREVALIDER, Droit.OFFRE_VALIDER), ("/offre/a-valider/",)),
    Entry("Places", "offre:places", (Droit.OFFRE_VOIR,), ("/offre/places/",)),
    Entry("Dispositifs", "offre:dispositifs", (Droit.OFFRE_VOIR,), ("/offre/dispositifs/",)),
    Entry("Entités", "offre:entites", (Droit.OFFRE_VOIR,), ("/offre/entites/",)),
    Entry("Financements", "offre:financements", (Droit.OFFRE_VOIR,), ("/offre/financements/",)),
    Entry("Classeur Temps 1", "offre:temps1", (Droit.OFFRE_IMPORTER,), ("/offre/temps1/",)),
    Entry("Comptes", "comptes", (Droit.COMPTES_GERER,), ("/comptes/",)),
    Entry("Messages", "messages", (Droit.MESSAGES_PUBLIER,), ("/messages/",)),
    Entry("Journal", "journal", (Droit.JOURNAL_VOIR,), ("/journal/",)),
    Entry("Référentiels", "offre:referentiels", (Droit.REFERENTIELS_GERER,), ("/offre/referentiels/",)),
    Entry("Grille des situations", "referentiel", (Droit.REFERENTIELS_GERER,), ("/referentiels/situations/",)),
    Entry("Données ouvertes", "offre:donnees_ouvertes", (Droit.REFERENTIELS_GERER,), ("/offre/donnees-ouvertes/",)),
)


def menu_of(request) -> list[dict]:
    may = getattr(request, "may", None)
    if may is None:
        return []
    open_to_them = [entry for entry in ENTRIES if any(map(may, entry.rights))]
    current = max(open_to_them, key=lambda entry: entry.nearness(request.path), default=None)
    return [
        {
            "label": entry.label,
            "url": reverse(entry.url_name),
            "current": entry is current and entry.nearness(request.path) > 0,
        }
        for entry in open_to_them
    ]
