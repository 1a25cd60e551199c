#!/usr/bin/env python
"""Django's command line. From a bare shell it attaches to the embedded services by itself."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "siao.settings")
    try:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrompu.\n")
        sys.exit(130)
