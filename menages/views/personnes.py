"""The fiche of a person: identity, its corrections, and who may see where she is."""

from functools import partial

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from comptes.auteurs import Auteurs
from comptes.droits import Droit
from menages.actions import personnes as actions
from menages.actions.dossiers import IDENTITE
from menages.actions.protection import exports_made, openings
from menages.forms import AgentForm, MotifForm, ProtectionForm, RectificationForm
from menages.models import AccesProtege, Appartenance, Fusion, Personne, Regard
from menages.views.confirmation import confirm
from siao.socle.http import reads, refused, writes
from siao.socle.refusal import Refusal, Stale

PERSONNE = "menages.personne"


def followed_personne(request, pk: int, *, with_path: bool = False) -> Personne:
    """A person of a dossier that the user works on, neither absorbed nor hidden from this user.

    Who answers for the rights of persons reaches the hidden ones too, on the pages that tell of no place (not
    ``with_path``).
    """
    rows = Personne.objects.actives().suivies_par(request.perimetre).with_regard(request.habilitation)
    personne = get_object_or_404(rows, pk=pk)
    if personne.regard == Regard.ENTIER or (request.may(Droit.PERSONNES_DROITS) and not with_path):
        return personne
    raise Http404


def menage_of(personne: Personne):
    return Appartenance.objects.current().select_related("menage__siao__departement").get(personne=personne).menage


@reads(Droit.MENAGES_VOIR, journal=PERSONNE)
def fiche_personne(request, pk):
    personne = followed_personne(request, pk)
    fusions, acces = list(Fusion.objects.filter(maitre=personne).select_related("absorbee")), list(personne.acces.all())
    auteurs = Auteurs(
        [
            *(key for fusion in fusions for key in (fusion.faite_par_id, fusion.defaite_par_id)),
            *(key for un in acces for key in (un.utilisateur_id, un.accorde_par_id)),
        ]
    )
    named = partial(auteurs.nom, entier=personne.regard == Regard.ENTIER, personne="—")
    context = {
        "personne": personne,
        "menage": menage_of(personne),
        "fusions": [(fusion, named(fusion.faite_par_id), named(fusion.defaite_par_id)) for fusion in fusions],
        "acces": [(un, named(un.utilisateur_id), named(un.accorde_par_id)) for un in acces],
        "peut": {
            "saisir": request.may(Droit.MENAGES_SAISIR) and not personne.gelee_le,
            "fusionner": request.may(Droit.MENAGES_FUSIONNER) and not personne.gelee_le,
            "lever": request.may(Droit.MENAGES_SAISIR) and actions.is_named(request.habilitation, personne),
            "droits": request.may(Droit.PERSONNES_DROITS),
            "journal": request.may(Droit.JOURNAL_VOIR) and personne.regard == Regard.ENTIER,
        },
    }
    return render(request, "menages/fiche_personne.html", context)


def _read(personne: Personne, name: str) -> str:
    return personne.naissance if name == "date_naissance" else getattr(personne, name)


@writes(Droit.MENAGES_SAISIR, journal=PERSONNE)
def modifier_personne(request, pk):
    """Correct an identity; a form opened before somebody else's correction is shown again with both (409)."""
    personne = followed_personne(request, pk)
    initial = {name: getattr(personne, name) for name in RectificationForm.base_fields if hasattr(personne, name)}
    initial["date_naissance"] = personne.naissance
    menage = menage_of(personne)
    aujourdhui = menage.siao.departement.aujourdhui
    form = RectificationForm(request.POST or None, initial=initial, aujourdhui=aujourdhui)
    context = {"form": form, "personne": personne, "menage": menage}
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            actions.edit_personne(
                auteur=request.habilitation,
                personne=personne,
                version=data["version"],
                identite=form.identite,
                motif=data["motif"],
            )
        except Stale:
            typed = form.data.copy()
            typed["version"] = personne.version
            written = Personne(**form.identite)
            context |= {
                "form": RectificationForm(typed, aujourdhui=aujourdhui),
                "conflit": [
                    (form.fields[name].label, *(_read(each, name) for each in (personne, written)))
                    for name in IDENTITE
                    if _read(personne, name) != _read(written, name)
                ],
            }
            return render(request, "menages/modifier_personne.html", context, status=409)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "L'identité est corrigée.")
            return redirect("fiche_personne", pk)
    return render(request, "menages/modifier_personne.html", context)


# --- Protection -------------------------------------------------------------------------------------------------


@writes(Droit.MENAGES_SAISIR, journal=PERSONNE)
def proteger(request, pk):
    personne = followed_personne(request, pk)
    if personne.protegee:
        return confirm(
            request,
            partial(actions.stop_protecting, personne=personne),
            titre=f"Ne plus protéger la situation de {personne.designation} ?",
            consequences=[
                "Seul un agent désigné peut le faire.",
                "Son lieu de vie redevient visible de tous les agents qui voient le dossier.",
                "La liste des agents désignés est effacée.",
                "Les agents désignés et les administrateurs du SIAO en sont avertis par courriel.",
            ],
            form=MotifForm(request.POST or None),
            bouton="Ne plus protéger",
            succes="La situation n'est plus protégée.",
            retour=reverse("fiche_personne", args=[pk]),
        )
    if personne.regard != Regard.ENTIER:  # who lives with a protected person is; what is open tells where
        raise Http404
    ouvertures = openings(personne, request.habilitation)
    sauf = ", hormis celui avec qui vous gardez un partage" if ouvertures else ""
    return confirm(
        request,
        partial(actions.protect, personne=personne),
        titre=f"Protéger la situation de {personne.designation} ?",
        consequences=[
            "Pour une personne menacée ou victime de violences.",
            "Son lieu de vie et celui de son ménage ne sont plus montrés qu'aux agents désignés et à l'équipe du lieu.",
            "Les autres lisent « Situation protégée ».",
            f"Elle n'est plus jamais trouvée par la recherche d'un autre SIAO{sauf}.",
            "Vous êtes le premier agent désigné ; vous pourrez en désigner d'autres.",
            "Les partages, les demandes d'accès et les accompagnements de son dossier prennent fin, hormis ceux de "
            "votre équipe."
            if ouvertures
            else "Aucun partage, aucune demande d'accès et aucun autre accompagnement n'est ouvert sur son dossier.",
        ],
        form=ProtectionForm(request.POST or None, ouvertures=ouvertures) if ouvertures else None,
        exports=exports_made(personne),
        bouton="Protéger",
        succes="La situation est protégée, vous êtes désigné.",
        retour=reverse("fiche_personne", args=[pk]),
    )


@writes(Droit.MENAGES_SAISIR, journal=PERSONNE)
def designer_agent(request, pk):
    """Let one more colleague see where a protected person is."""
    personne = followed_personne(request, pk)
    if not personne.protegee:
        raise Http404
    menage = menage_of(personne)
    form = AgentForm(request.POST or None, menage=menage, personne=personne, auteur=request.habilitation)
    if request.method == "POST" and form.is_valid():
        try:
            actions.name_user(
                auteur=request.habilitation, personne=personne, utilisateur=form.cleaned_data["utilisateur"]
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "L'agent est désigné.")
            return redirect("fiche_personne", pk)
    return render(request, "menages/designer_agent.html", {"form": form, "personne": personne, "menage": menage})


@writes(Droit.MENAGES_SAISIR, only_post=True, journal="menages.accesprotege")
def retirer_agent(request, pk):
    acces = get_object_or_404(AccesProtege.objects.select_related("personne"), pk=pk)
    personne = followed_personne(request, acces.personne_id)
    try:
        actions.unname_user(auteur=request.habilitation, acces=acces)
    except Refusal as refusal:
        return refused(request, refusal, "fiche_personne", personne.pk)
    messages.success(request, "Cet agent n'est plus désigné.")
    return redirect("fiche_personne", personne.pk)
