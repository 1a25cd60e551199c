"""Where Celery looks for the tasks of the technical base."""

from siao.socle.courriels import send_mails

__all__ = ["send_mails"]
