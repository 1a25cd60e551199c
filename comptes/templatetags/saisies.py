"""``{% csrf_token %}`` of every template: Django's hidden field, and the stamp of who opened the form."""

from django import template
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html

from comptes.saisies import FIELD, stamp

register = template.Library()


class FormNode(CsrfTokenNode):
    def render(self, context):
        csrf = super().render(context)
        request = context.get("request")
        if not csrf or request is None or not request.user.is_authenticated:
            return csrf
        return csrf + format_html('<input type="hidden" name="{}" value="{}">', FIELD, stamp(request))


@register.tag
def csrf_token(parser, token):
    """Replaces Django's tag (``OPTIONS["builtins"]``), so that no form can forget its stamp."""
    return FormNode()
