"""All settings, from the environment, each with a default that runs on a laptop. A wrong value stops the start.

`./dev up` sets what its own Postgres, Redis and secrets need; docs/deploy.md lists every name.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from preprocessing import networks

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def at_least(name: str, default: int, least: int = 1) -> int:
    value = env.int(name, default)
    if value < least:
        raise ImproperlyConfigured(f"{name} is {value}; the least that works is {least}")
    return value


# --- The site ---------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("SECRET_KEY is not set; `./dev` sets one, elsewhere generate 50 random characters")
    SECRET_KEY = "only-for-debug"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SHOP_NAME = env.str("SHOP_NAME", "Fitroom")
CURRENCY = env.str("CURRENCY", "USD")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "shop",
    "tryon",
    "recommend",
    "frontend",
]
MIDDLEWARE = [
    "shop.nul.NulMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "shop.shoppers.ShopperMiddleware",
]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ko", _("Korean"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "frontend:sign_in"
LOGIN_REDIRECT_URL = "frontend:garments"
LOGOUT_REDIRECT_URL = "frontend:garments"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- Security ---------------------------------------------------------------------------------------------
BEHIND_TLS = env.bool("BEHIND_TLS", False)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# --- Data -------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", "postgres://fitroom@localhost/fitroom")}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must be a postgres:// address: the jobs rely on Postgres's locks")
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)

# Two storages: `default` holds the catalogue and is public; `private` holds photos and results.
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", "")
S3_BUCKET = env.str("S3_BUCKET", "")
S3_PRIVATE_BUCKET = env.str("S3_PRIVATE_BUCKET", "")
MEDIA_URL = "/media/"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(BASE_DIR / ".local" / "media")))
PRIVATE_ROOT = Path(env.str("PRIVATE_ROOT", str(BASE_DIR / ".local" / "private")))
if PRIVATE_ROOT == MEDIA_ROOT or MEDIA_ROOT in PRIVATE_ROOT.parents:
    raise ImproperlyConfigured("PRIVATE_ROOT lies inside MEDIA_ROOT: every photo would be public")
if bool(S3_BUCKET) != bool(S3_PRIVATE_BUCKET) or (S3_BUCKET and S3_BUCKET == S3_PRIVATE_BUCKET):
    raise ImproperlyConfigured("S3_BUCKET and S3_PRIVATE_BUCKET go together and must differ")
PRIVATE_URL_SECONDS = at_least("PRIVATE_URL_SECONDS", 300)


def storage(bucket: str, folder: Path, *, private: bool) -> dict:
    if not bucket:
        options = {"location": folder, "base_url": None if private else MEDIA_URL}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": S3_ENDPOINT_URL or None,
            "access_key": env.str("S3_ACCESS_KEY", "") or None,
            "secret_key": env.str("S3_SECRET_KEY", "") or None,
            "region_name": env.str("S3_REGION", "us-east-1"),
            "signature_version": "s3v4",
            "addressing_style": "path" if S3_ENDPOINT_URL else "auto",
            "querystring_auth": private,
            "querystring_expire": PRIVATE_URL_SECONDS,
            "file_overwrite": False,
            "custom_domain": None if private else env.str("S3_PUBLIC_DOMAIN", "") or None,
        },
    }


# True where `manage.py collectstatic` was run, as in the image: hashed names, compressed, cached for ever.
STATIC_COLLECTED = env.bool("STATIC_COLLECTED", False)
STORAGES = {
    "default": storage(S3_BUCKET, MEDIA_ROOT, private=False),
    "private": storage(S3_PRIVATE_BUCKET, PRIVATE_ROOT, private=True),
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / ".local" / "static"))) if STATIC_COLLECTED else None
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED

# --- Uploads ----------------------------------------------------------------------------------------------
UPLOAD_MAX_BYTES = at_least("UPLOAD_MAX_BYTES", 12_000_000)
UPLOAD_MAX_PIXELS = at_least("UPLOAD_MAX_PIXELS", 25_000_000)
UPLOAD_MIN_SIDE = at_least("UPLOAD_MIN_SIDE", 256)
PHOTO_MIN_SIDE = at_least("PHOTO_MIN_SIDE", 384)
DATA_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_MAX_BYTES + 1_000_000
PICTURE_MAX_SIDE = at_least("PICTURE_MAX_SIDE", 2048, least=1024)  # larger ones are stored at this size
PHOTO_HOURS = at_least("PHOTO_HOURS", 24)
RESULT_DAYS = at_least("RESULT_DAYS", 30)
PHOTOS_PER_SHOPPER = at_least("PHOTOS_PER_SHOPPER", 10)
PHOTOS_PER_KEY = at_least("PHOTOS_PER_KEY", 5000)

# --- Jobs -------------------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", "redis://localhost:6379/0")
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 300  # seconds for a process to load its engines
CELERY_TASK_DEFAULT_QUEUE = "cpu"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Publishing must not hold a visitor: a dead or frozen Redis costs two seconds at most, the reaper sends later.
CELERY_BROKER_CONNECTION_TIMEOUT = 1.0
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1.0,
    # Shoppers before the catalogue: 0 and 9 as in shop/queue.py.
    "priority_steps": [0, 9],
    # Where one worker serves both queues: "cpu" before "gpu", so that a preview waits for no finer picture.
    "queue_order_strategy": "sorted",
}
TRYON_LEASE_SECONDS = at_least("TRYON_LEASE_SECONDS", 30)
TRYON_MAX_ATTEMPTS = at_least("TRYON_MAX_ATTEMPTS", 3)
TRYON_QUEUED_PER_SHOPPER = at_least("TRYON_QUEUED_PER_SHOPPER", 6)
TRYON_QUEUED_PER_KEY = at_least("TRYON_QUEUED_PER_KEY", 200)
TRYON_QUEUED_TOTAL = at_least("TRYON_QUEUED_TOTAL", 500)
CELERY_TASK_SOFT_TIME_LIMIT = at_least("TASK_SECONDS", 240)
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 30
REAPER_SECONDS = at_least("REAPER_SECONDS", 5)
TRYON_ENGINES = "tryon.engines.ENGINES"  # tests put engines of their own here
ALLOW_NONCOMMERCIAL_ENGINES = env.bool("ALLOW_NONCOMMERCIAL_ENGINES", False)

# --- Networks ---------------------------------------------------------------------------------------------
# Those that make maps in place of preprocessing's own, as "cloth_mask=u2net,parse=u2net_cloth_seg" (docs/networks.md).
NETWORKS = env.str("NETWORKS", "")
NETWORKS_FILE = env.str("NETWORKS_FILE", "")
try:
    networks.choices()
except networks.DeclarationsWrong as error:
    raise ImproperlyConfigured(str(error))

# --- Recommendations --------------------------------------------------------------------------------------
# Empty: Marqo-FashionSigLIP where its weights have been brought, else the small encoders. Otherwise an open_clip
# model, as "ViT-B-32/laion2b_s34b_b79k", or "none".
RECOMMEND_CLIP = env.str("RECOMMEND_CLIP", "")
RECOMMEND_CLIP_PRECISION = env.str("RECOMMEND_CLIP_PRECISION", "float32")  # or int8: docs/recommend.md
if RECOMMEND_CLIP_PRECISION not in ("float32", "int8"):
    raise ImproperlyConfigured("RECOMMEND_CLIP_PRECISION is float32 or int8")
RECOMMEND_INDEX = env.str("RECOMMEND_INDEX", "memory")  # or pgvector: docs/growing.md
if RECOMMEND_INDEX not in ("memory", "pgvector"):
    raise ImproperlyConfigured("RECOMMEND_INDEX is memory or pgvector")
# Snapshots of the index, which the processes of a machine share; made from the database, and free to be deleted.
INDEX_ROOT = Path(env.str("INDEX_ROOT", str(BASE_DIR / ".local" / "index")))
INDEX_GPU = env.bool("INDEX_GPU", False)  # for whoever writes them, with faiss-gpu: docs/growing.md
SEARCH_MINUTES = at_least("SEARCH_MINUTES", 60)  # a picture that was searched by
SEARCHES_PER_SHOPPER = at_least("SEARCHES_PER_SHOPPER", 6)  # under way
SEARCHES_PER_KEY = at_least("SEARCHES_PER_KEY", 200)
SEARCHES_TOTAL = at_least("SEARCHES_TOTAL", 500)
LIST_DAYS = at_least("LIST_DAYS", 60)  # which lists a shopper was shown
EVENT_DAYS = at_least("EVENT_DAYS", 365)  # what a shopper looked at, tried on, rated, ordered

# --- API --------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["shop.api.auth.KeyAuthentication", "shop.api.auth.ShopperAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["shop.api.auth.HasScope"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "shop.api.paging.ByNumber",
    "PAGE_SIZE": 24,
    "EXCEPTION_HANDLER": "shop.api.problems.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Fitroom",
    "DESCRIPTION": "Garments, photos, try-ons and similar items. docs/api.md tells how to begin.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
}

# --- Pages' and pictures' policy --------------------------------------------------------------------------
_pictures = [env.str("S3_PICTURES_ORIGIN", S3_ENDPOINT_URL)] if S3_BUCKET else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", *filter(None, _pictures)],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"django.request": {"level": "ERROR"}, "faiss.loader": {"level": "WARNING"}},
}
