"""Messages to users: write, correct, stop."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes import actions
from comptes.droits import Droit
from comptes.forms import MessageForm
from comptes.models import Message
from siao.socle.http import reads, writes
from siao.socle.refusal import Refusal

PAR_PAGE = 25


@reads(Droit.MESSAGES_PUBLIER)
def publies(request):
    rows = Message.objects.visible_to(request.perimetre).select_related("departement", "region", "auteur")
    page = Paginator(rows, PAR_PAGE).get_page(request.GET.get("page"))
    return render(request, "comptes/messages.html", {"page": page, "maintenant": timezone.now()})


@writes(Droit.MESSAGES_PUBLIER)
def publier(request):
    return _edit(request, Message())


@writes(Droit.MESSAGES_PUBLIER)
def modifier_message(request, pk):
    return _edit(request, get_object_or_404(Message.objects.visible_to(request.perimetre), pk=pk))


def _edit(request, message: Message):
    initial = MessageForm.initial_of(message) if message.pk else None
    form = MessageForm(request.POST or None, auteur=request.habilitation, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.publish_message(auteur=request.habilitation, message=form.fill(message))
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Le message est enregistré : ses destinataires le verront à leur accueil.")
            return redirect("messages")
    return render(request, "comptes/publier.html", {"form": form, "message_publie": message})


@writes(Droit.MESSAGES_PUBLIER, only_post=True)
def retirer_message(request, pk):
    message = get_object_or_404(Message.objects.visible_to(request.perimetre), pk=pk)
    actions.end_message(auteur=request.habilitation, message=message)
    messages.success(request, "Le message n'est plus affiché.")
    return redirect("messages")
