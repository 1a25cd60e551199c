from django.apps import AppConfig


class SocleConfig(AppConfig):
    """The technical base, for the tables that it has of its own (outbox)."""

    name = "siao.socle"
    label = "socle"
    verbose_name = "Socle technique"
