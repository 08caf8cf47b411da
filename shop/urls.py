from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.cache import cache_control
from django.views.static import serve
from drf_spectacular.views import SpectacularAPIView

from shop import private
from shop.api.views import Nothing
from shop.health import healthz

api = [
    path("", include("shop.api.urls")),
    path("", include("tryon.api.urls")),
    path("", include("recommend.api.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    re_path("", Nothing.as_view()),
]
handler500 = "shop.api.problems.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("private/<str:token>", private.serve, name="private"),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("frontend.urls")),
]
if not settings.S3_BUCKET:
    # One machine without S3 or a proxy that serves the folder: good enough for a small shop.
    media = {"document_root": settings.MEDIA_ROOT}
    urlpatterns.append(path("media/<path:path>", cache_control(max_age=86_400)(serve), media))
