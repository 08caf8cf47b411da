from django.urls import path

from tryon.api import views

urlpatterns = [
    path("tryons", views.TryOnList.as_view(), name="tryons"),
    path("tryons/<uuid:request_id>", views.TryOnDetail.as_view(), name="tryon"),
    path("tryons/<uuid:request_id>/cancel", views.TryOnCancel.as_view(), name="tryon-cancel"),
    path("tryons/<uuid:request_id>/retry", views.TryOnRetry.as_view(), name="tryon-retry"),
    path("tryons/<uuid:request_id>/rating", views.TryOnRating.as_view(), name="tryon-rating"),
]
