"""Lockout after failed logins: django-axes, with two limits instead of one and the page of a wrong password.

Five failures per account, or fifty per address (ten a minute), in five minutes. An office shares one address: what
stops a guesser there must not stop the thirty people of a night shift who mistype.
"""

from axes.handlers.database import AxesDatabaseHandler
from django.db.models import Sum

FAILURES_PER_ADDRESS = 10
"""How many failures of an address weigh as much as one of an account."""


class Handler(AxesDatabaseHandler):
    def get_failures(self, request, credentials=None) -> int:
        by_account, by_address = (
            attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        return max(by_account, by_address // FAILURES_PER_ADDRESS)


def same_page(request, response, credentials):
    """Nothing tells a locked account from a wrong password, nor a known address from an unknown one."""
    return response
