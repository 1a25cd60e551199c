"""All the settings, read from the environment. Production-safe: what is missing or empty stops the start.

Development machines get their environment from the ``.env`` that ``make install`` writes; production sets the
variables of ``.env.example``. Nothing here differs between the two except through a variable.
"""

import datetime
from pathlib import Path
from urllib.parse import urlsplit

import environ
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from siao.logs import without_refusals, without_secrets

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = BASE_DIR / "var"

env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")

EMBEDDED_SERVICES = env.bool("EMBEDDED_SERVICES", default=False)


def required(name: str, *, embedded: str = "") -> str:
    """The value of a variable without which nothing starts, except (``embedded``) a development machine."""
    value = env.str(name, default="").strip() or (embedded if EMBEDDED_SERVICES else "")
    if not value:
        raise ImproperlyConfigured(f"La variable {name} n'a pas de valeur : voir .env.example.")
    return value


DEBUG = env.bool("DEBUG", default=False)
HTTPS = env.bool("HTTPS", default=True)
SECRET_KEY = required("SECRET_KEY")
# The keys before it: sessions, links and forms opened under one stay good after it was changed.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = [host.strip() for host in required("ALLOWED_HOSTS").split(",")]
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

if EMBEDDED_SERVICES:
    from siao.socle import embedded

    DATABASE_URL = env.str("DATABASE_URL", default="")
    OWNER_DATABASE_URL = env.str("OWNER_DATABASE_URL", default="")
    if not DATABASE_URL:
        DATABASE_URL, OWNER_DATABASE_URL = embedded.attach_postgresql(VAR / "postgresql")
    REDIS_URL = env.str("REDIS_URL", default="") or embedded.attach_redis(VAR / "redis")
else:
    DATABASE_URL = required("DATABASE_URL")
    OWNER_DATABASE_URL = env.str("OWNER_DATABASE_URL", default="")
    REDIS_URL = required("REDIS_URL")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "csp",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_structlog",
    "dsfr",
    "guardian",
    "pghistory",
    "pgtrigger",
    "widget_tweaks",
    "siao",
    "siao.socle",
    "situations",
    "menages",
    "offre",
    "comptes",
]

MIDDLEWARE = [
    "django_structlog.middlewares.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "siao.middleware.private_pages",
    "siao.middleware.bounded_address",
    "siao.middleware.Methods",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "siao.middleware.one_attempt",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "comptes.middleware.LoginRequired",
    "comptes.middleware.active_habilitation",
    "comptes.middleware.SecondFactor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "siao.urls"
WSGI_APPLICATION = "siao.wsgi.application"

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "siao.context.site",
            ],
            "builtins": ["django.templatetags.static", "comptes.templatetags.saisies"],
        },
    }
]

DATABASES = {
    "default": {
        **env.db_url_config(DATABASE_URL),
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
    }
}
# Seconds: a server that cannot be reached, or that vanished without a word, is noticed instead of waited for.
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=3, keepalives_idle=10, keepalives_interval=5, keepalives_count=3
)
# Pages read a few rows by index, on disks without heads: plans that scan, or that are compiled, cost them more than
# they save (docs/decisions/0040-pages-a-l-echelle.md).
DATABASES["default"]["OPTIONS"].setdefault("options", "-c random_page_cost=1.1 -c jit=off")
# Whose the tables are: known to those who migrate, never to the web server nor to the workers
# (docs/decisions/0043-deux-roles.md).
DATABASE_OWNER = {
    key: value
    for key, value in (env.db_url_config(OWNER_DATABASE_URL) if OWNER_DATABASE_URL else {}).items()
    if key in ("USER", "PASSWORD")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Accounts and sessions -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "comptes.Utilisateur"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("courriel", "prenom", "nom")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 16},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "connexion"
LOGIN_REDIRECT_URL = "accueil"
LOGOUT_REDIRECT_URL = "connexion"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # refuses first whoever failed too often
    "django.contrib.auth.backends.ModelBackend",
    # Asked for by the checks of guardian. Nothing calls ``has_perm``: the grants belong to a habilitation, whose
    # perimeter reads them (a test holds this).
    "guardian.backends.ObjectPermissionBackend",
]

# Lockout, counted in the database (``comptes.verrouillage``).
AXES_HANDLER = "comptes.verrouillage.Handler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = datetime.timedelta(minutes=5)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_LOCKOUT_CALLABLE = "comptes.verrouillage.same_page"
AXES_CLIENT_IP_CALLABLE = "siao.socle.http.client_ip"
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "comptes.verrouillage.place_of"
AXES_DISABLE_ACCESS_LOG = True  # our journal has the logins
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# One-time codes. The demonstration offers the enrolment; production imposes it on those who administer others.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=not EMBEDDED_SERVICES)
OTP_TOTP_ISSUER = "SI SIAO"

# Object-level grants: docs/decisions/0010-habilitations.md.
GUARDIAN_USER_OBJ_PERMS_MODEL = "comptes.Octroi"
GUARDIAN_GROUP_OBJ_PERMS_MODEL = "comptes.Partage"
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False
ANONYMOUS_USER_NAME = None
HABILITATION_OBJETS = {"ENTITE": "offre.Rattachement", "DISPOSITIF": "offre.Dispositif"}

# ProConnect, the agents' login (``comptes.proconnect``): off while the client has no name.
OIDC_RP_CLIENT_ID = env.str("PROCONNECT_CLIENT_ID", default="")
OIDC_RP_CLIENT_SECRET = env.str("PROCONNECT_CLIENT_SECRET", default="")
OIDC_OP_ISSUER = env.str("PROCONNECT_ISSUER", default="")
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{OIDC_OP_ISSUER}/authorize"
OIDC_OP_TOKEN_ENDPOINT = f"{OIDC_OP_ISSUER}/token"
OIDC_OP_USER_ENDPOINT = f"{OIDC_OP_ISSUER}/userinfo"
OIDC_OP_JWKS_ENDPOINT = f"{OIDC_OP_ISSUER}/jwks"
OIDC_OP_LOGOUT_ENDPOINT = f"{OIDC_OP_ISSUER}/session/end"
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid given_name usual_name email"
OIDC_AUTH_REQUEST_EXTRA_PARAMS = {"acr_values": "eidas1", "claims": '{"id_token":{"amr":{"essential":true}}}'}
OIDC_AUTHENTICATION_CALLBACK_URL = "proconnect_retour"
OIDC_STORE_ID_TOKEN = True  # given back to end the session there too
OIDC_TIMEOUT = 10  # seconds

SESSION_ENGINE = "comptes.sessions"
# They name people: they end with the session, where a cookie of their own would show them to whoever comes next.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_ABSOLUTE_AGE = datetime.timedelta(hours=10)
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "siao.views.csrf_failure"

# --- Transport and browser -------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SECURE_REDIRECT_EXEMPT = [r"^sante$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # The answer to « Se déconnecter » goes on to ProConnect when it opened the session.
        "form-action": [SELF, *([f"https://{urlsplit(OIDC_OP_ISSUER).hostname}"] if OIDC_OP_ISSUER else [])],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
# A workbook within its limits never touches the disk before it is known to be one.
FILE_UPLOAD_MAX_MEMORY_SIZE = 11_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = [
    "siao.socle.http.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Language --------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_TZ = True
USE_I18N = True

# --- Files -----------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# `make run` serves the static files from their packages; production collects them, hashed and compressed.
COLLECTED_STATIC = env.bool("COLLECTED_STATIC", default=not EMBEDDED_SERVICES)
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")) if COLLECTED_STATIC else None
WHITENOISE_USE_FINDERS = not COLLECTED_STATIC
WHITENOISE_AUTOREFRESH = False
FILES_ROOT = env.str("FILES_ROOT", default=str(VAR / "fichiers"))
STORAGES = {
    # Uploaded and produced files: outside any URL, served by views only, as attachments.
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": FILES_ROOT, "base_url": None},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED_STATIC
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}

# --- Mail ------------------------------------------------------------------------------------------------------

EMAIL_CONFIG = env.email_url_config(required("EMAIL_URL", embedded="consolemail://"))
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="ne-pas-repondre@siao.example")
SITE_URL = required("SITE_URL", embedded="http://127.0.0.1:8000").rstrip("/")

# --- Extractions -----------------------------------------------------------------------------------------------

# What the administrators export must not run in their spreadsheets.
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
IMPORT_EXPORT_ESCAPE_ILLEGAL_CHARS_ON_EXPORT = True

# --- The State's register of legal persons -----------------------------------------------------------------------

SIRENE_URL = env.str("SIRENE_URL", default="https://recherche-entreprises.api.gouv.fr")
SIRENE_TIMEOUT = 3.0  # seconds

# --- Jobs ------------------------------------------------------------------------------------------------------
# The row in the database is the truth, the queue a wake-up call: docs/decisions/0005-travaux.md.

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # however long Redis is away, the worker takes it back
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": env.int("VISIBILITY_TIMEOUT", default=1200),
    "unacked_restore_interval": env.float("UNACKED_RESTORE_EVERY", default=10.0),
    "unacked_restore_throttle": 1,
    # A web request must not wait for a Redis that does not answer: the reconciler will enqueue the job.
    "max_retries": 0,
    "socket_connect_timeout": 2,
    "socket_timeout": 2,
}
CELERY_VISIBILITY_TIMEOUT = CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": CELERY_VISIBILITY_TIMEOUT}
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
# Seconds between two rounds of the reconciler, and after which a job that nobody has begun counts as forgotten.
RECONCILE_EVERY = env.float("RECONCILE_EVERY", default=30.0)
# Seconds between two seals of the journal of accesses.
SEAL_EVERY = env.float("SEAL_EVERY", default=60.0)
FORGOTTEN_AFTER = env.float("FORGOTTEN_AFTER", default=10.0)

# --- Logs: JSON lines with a request id, no personal data --------------------------------------------------------

_SHARED_PROCESSORS = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _SHARED_PROCESSORS,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                without_refusals,
                structlog.processors.format_exc_info,
                without_secrets,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
structlog.configure(
    processors=[
        *_SHARED_PROCESSORS,
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
DJANGO_STRUCTLOG_CELERY_ENABLED = False
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = False  # the request id is in the journal: nobody else chooses it
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # ``comptes.middleware`` gives the address that our proxy vouches for
