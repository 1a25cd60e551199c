"""The settings of the product, and the admin of Django beside it: a peer on the same tables, in the same server."""

import os

os.environ["DEBUG"] = "off"  # as in production: templates are kept, queries are not

from siao.settings import *  # noqa: F403

ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.admin"]  # noqa: F405
ROOT_URLCONF = "tests.bench.urls"
