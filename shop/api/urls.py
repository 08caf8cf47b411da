from django.urls import path

from shop.api import views

urlpatterns = [
    path("garments", views.GarmentList.as_view(), name="garments"),
    path("garments/<str:sku>", views.GarmentDetail.as_view(), name="garment"),
    path("garments/<str:sku>/pictures", views.GarmentPictures.as_view(), name="garment-pictures"),
    path("garments/<str:sku>/pictures/<int:picture_id>", views.GarmentPictureDetail.as_view(), name="garment-picture"),
    path("photos", views.PhotoList.as_view(), name="photos"),
    path("photos/<uuid:photo_id>", views.PhotoDetail.as_view(), name="photo"),
    path("lists", views.ShownLists.as_view(), name="lists"),
    path("events", views.EventList.as_view(), name="events"),
]
