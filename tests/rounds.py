"""The clock of the site of the tests: it goes its rounds, and calls nothing at an hour.

What the product does by night, or at five past, would fall in the middle of whatever test runs then.
"""

from celery.beat import Scheduler
from celery.schedules import crontab


class Rounds(Scheduler):
    def setup_schedule(self):
        super().setup_schedule()
        self.schedule = {
            name: entry for name, entry in self.schedule.items() if not isinstance(entry.schedule, crontab)
        }
