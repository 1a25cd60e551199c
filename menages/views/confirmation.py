"""A page that says what will happen, then does it: one button, and what refuses said on the same page."""

from django.contrib import messages
from django.shortcuts import redirect, render

from siao.socle.refusal import Refusal


def confirm(request, action, *, titre: str, consequences: list[str], bouton: str, succes: str, retour: str, **context):
    """Show what ``action`` (a function of ``auteur``) will do; on POST, do it and go to the page ``retour``.

    With a ``form``, its fields are given to ``action``, once they are right.
    """
    form = context.get("form")
    if request.method == "POST" and (not form or form.is_valid()):
        try:
            action(auteur=request.habilitation, **(form.cleaned_data if form else {}))
        except Refusal as refusal:
            context["refus"] = str(refusal)
        else:
            messages.success(request, succes)
            return redirect(retour)
    context |= {"titre": titre, "consequences": consequences, "bouton": bouton, "retour": retour}
    return render(request, "menages/confirmer.html", context)
