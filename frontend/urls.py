from django.urls import path

from frontend.views import accounts, garments, pages, photos, search, tryons

app_name = "frontend"
urlpatterns = [
    path("", garments.index, name="garments"),
    path("garments/<str:slug>", garments.garment, name="garment"),
    path("search/picture", search.begin, name="picture_search"),
    path("search/picture/<uuid:pk>", search.picture, name="picture"),
    path("search/picture/<uuid:pk>/delete", search.delete, name="picture_delete"),
    path("photos/", photos.index, name="photos"),
    path("photos/<uuid:pk>/card", photos.card, name="photo_card"),
    path("photos/<uuid:pk>/delete", photos.delete, name="photo_delete"),
    path("try-ons/", tryons.index, name="tryons"),
    path("try-ons/new", tryons.create, name="tryon_create"),
    path("try-ons/<uuid:request_id>", tryons.tryon, name="tryon"),
    path("try-ons/<uuid:request_id>/card", tryons.card, name="tryon_card"),
    path("try-ons/<uuid:request_id>/cancel", tryons.cancel, name="tryon_cancel"),
    path("try-ons/<uuid:request_id>/retry", tryons.retry, name="tryon_retry"),
    path("try-ons/<uuid:request_id>/rating", tryons.rate, name="tryon_rating"),
    path("try-ons/<uuid:request_id>/delete", tryons.delete, name="tryon_delete"),
    path("sign-in", accounts.SignIn.as_view(), name="sign_in"),
    path("sign-up", accounts.SignUp.as_view(), name="sign_up"),
    path("sign-out", accounts.SignOut.as_view(), name="sign_out"),
    path("privacy", pages.privacy, name="privacy"),
    path("favicon.ico", pages.icon),
]
