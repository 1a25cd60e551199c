"""The access log of the web server, without the secrets of the addresses that it names."""

from gunicorn.glogging import Logger

from siao.logs import masked


class AccessLogger(Logger):
    """Given to gunicorn by ``--logger-class``."""

    def atoms(self, resp, req, environ, request_time):
        return masked(super().atoms(resp, req, environ, request_time))
