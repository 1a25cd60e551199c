from django import template
from django.utils.html import format_html

from siao.socle.text import milliers, pluriel

register = template.Library()


register.filter(pluriel)
register.filter(milliers)


@register.simple_block_tag
def tableau(content, legende):
    """A data table in the State's design; ``legende`` names it for those who do not see it.

    What does not fit scrolls inside the frame, which the keyboard can reach.
    """
    return format_html(
        '<div class="fr-table fr-table--sm fr-table--no-caption"><div class="fr-table__wrapper">'
        '<div class="fr-table__container" tabindex="0" role="region" aria-label="Tableau : {}">'
        '<div class="fr-table__content"><table><caption>{}</caption>{}</table></div></div></div></div>',
        legende,
        legende,
        content,
    )
