from django.apps import AppConfig


class SiaoConfig(AppConfig):
    name = "siao"
    verbose_name = "SI SIAO"

    def ready(self):
        # Celery must know its configuration in every process that enqueues, the web server included.
        from siao import celery  # noqa: F401
