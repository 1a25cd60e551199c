"""Which form fills which fiche: the same for a person who types and for a rule that checks what is already there."""

from offre.colonnes.fiches import TABLES, Table, fiches_by_id
from offre.colonnes.listes import Listes
from offre.forms import DispositifForm, EntiteForm, FicheForm, FinancementForm
from offre.models import Dispositif, Financement, Proposition, Rattachement

Objet = Rattachement | Dispositif | Financement


def table_of(objet: Objet) -> Table:
    return next(table for table in TABLES.values() if table.model is type(objet))


def rattachement_of(dispositif: Dispositif, siren: str = "") -> Rattachement:
    """The entité of a dispositif, in its département. ``siren``: that to which it would pass, if it is there."""
    there = Rattachement.objects.select_related("entite", "departement").filter(departement=dispositif.departement_id)
    return (siren and there.filter(entite__siren=siren).first()) or there.get(entite=dispositif.entite_id)


def form_for(objet: Objet, data=None, *, categorie: str = "", **options) -> FicheForm:
    """The form of an existing fiche. ``categorie``: another category that a dispositif would pass to."""
    table = table_of(objet)
    options["fiche"] = fiches_by_id(table, [objet.pk], Listes())[objet.pk]
    if isinstance(objet, Rattachement):
        return EntiteForm(data, departement=objet.departement, **options)
    if isinstance(objet, Financement):
        return FinancementForm(data, dispositif=objet.dispositif, **options)
    proposees = options.get("proposees") or {}
    rattachement = rattachement_of(objet, proposees.get("siren", ""))
    current = proposees.get("categorie") or objet.categorie
    return DispositifForm(data, rattachement=rattachement, categorie=categorie or current, **options)


def checked(proposition: Proposition) -> tuple[FicheForm, dict[str, list]]:
    """The fiche as the proposition would make it, gone through every check, and what it would change now."""
    form = form_for(proposition.fiche, {}, proposees=proposition.apres, opened=())
    if form.errors:
        return form, {}
    return form, form.changements
