from django.urls import path

from recommend.api import picture, search, views

urlpatterns = [
    path("garments/<str:sku>/similar", views.SimilarList.as_view(), name="garment-similar"),
    path("garments/<str:sku>/goes-with", views.GoesWithList.as_view(), name="garment-goes-with"),
    path("search", search.SearchView.as_view(), name="search"),
    path("search/<uuid:query_id>", picture.PictureSearchView.as_view(), name="search-picture"),
    path("for-you", views.ForYouList.as_view(), name="for-you"),
]
