from django.urls import path

from recommend.api import views

urlpatterns = [
    path("garments/<str:sku>/similar", views.SimilarList.as_view(), name="garment-similar"),
]
