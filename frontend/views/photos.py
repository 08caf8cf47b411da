"""The shopper's own photos: bring one, see what was found, delete it and all that was made from it."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from frontend.forms import PhotoForm
from preprocessing.errors import Refusal
from shop import shoppers
from shop.models import Photo
from shop.private import private_url

NO_CHANGE = 204


def mine(shopper):
    """The shopper's photos with the number of pictures made from each."""
    pictures = Count("tryons", filter=Q(tryons__status="succeeded"))
    return Photo.objects.alive().filter(shopper=shopper, shopper__isnull=False).annotate(pictures=pictures)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def index(request):
    form = PhotoForm(request.POST or None, request.FILES or None) if request.method == "POST" else PhotoForm()
    if request.method == "POST" and form.is_valid():
        try:
            Photo.objects.store(shoppers.ensure(request), form.cleaned_data["photo"])
            return redirect("frontend:photos")
        except Refusal as refusal:
            form.add_error("photo", gettext(refusal.sentence))
    shopper = shoppers.current(request)
    photos = [with_url(photo, shopper) for photo in mine(shopper)]
    context = {
        "form": form,
        "photos": photos,
        "checking": any(photo.state == Photo.State.PENDING for photo in photos),
    }
    return render(request, "frontend/photos.html", context, status=400 if form.errors else 200)


@never_cache
@require_safe
def card(request, pk):
    """One photo's state, for polling; without a body while nothing is new."""
    shopper = shoppers.current(request)
    photo = get_object_or_404(mine(shopper), pk=pk)
    if photo.state == Photo.State.PENDING and "seen" in request.GET:
        return HttpResponse(status=NO_CHANGE)
    return render(request, "frontend/_photo.html", {"photo": with_url(photo, shopper)})


@require_POST
def delete(request, pk):
    get_object_or_404(mine(shoppers.current(request)), pk=pk).erase()
    messages.success(request, gettext("The photo and everything made from it are deleted."))
    return redirect("frontend:photos")


def with_url(photo, shopper):
    photo.url = private_url(photo.image.name, shopper)
    return photo
