"""Two people on the same form: the second keeps what they typed, and sees what differs from what the first recorded."""

from collections.abc import Mapping
from typing import Any

from siao.socle.forms import Formulaire
from siao.socle.refusal import Refusal


def lost_race(form: Formulaire, now: Mapping[str, Any], refusal: Refusal) -> list[tuple[str, str, str]]:
    """Label, what is recorded now, what was typed: for the fields that differ.

    What nothing is recorded of is compared by its default, as the form showed it. ``form`` can then be sent again: its
    hidden fields, which say what its author saw, become those of ``now``.
    """
    found = [
        (field.label, _shown(now.get(field.name, field.field.initial)), _shown(form.cleaned_data.get(field.name)))
        for field in form.visible_fields()
    ]
    form.data = form.data.copy()
    for field in form.hidden_fields():
        form.data[field.html_name] = now.get(field.name, "")
    form.add_error(None, f"{refusal} Comparez, puis enregistrez de nouveau si votre saisie est la bonne.")
    return [(label, current, typed) for label, current, typed in found if current != typed]


def _shown(value) -> str:
    if value in (None, "", False, []):
        return ""
    if value is True:
        return "oui"
    if isinstance(value, list):
        return ", ".join(f"{begins:%H:%M}-{ends:%H:%M}" for begins, ends in value)
    return f"{value:%d/%m/%Y}" if hasattr(value, "strftime") else str(value)
