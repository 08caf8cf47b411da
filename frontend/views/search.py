"""Searching by a picture: send one, see what was found in it and what looks like it, delete it."""

from dataclasses import replace

from django.contrib import messages
from django.core.paginator import Page
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from frontend.facets import active, facets
from frontend.fitting import wearable
from frontend.forms import PictureForm, SearchForm
from frontend.paging import PER_PAGE, Counted
from preprocessing.errors import Refusal
from recommend.models import Query, QueryLook, Serving
from recommend.search import PictureSearch
from shop import shoppers, surfaces
from shop.models import Surface
from shop.private import private_url

MOST_PAGES = 40
NO_CHANGE = 204


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request):
    form = PictureForm(request.POST, request.FILES) if request.method == "POST" else PictureForm()
    if request.method == "POST" and form.is_valid():
        try:
            query = Query.objects.store(shoppers.ensure(request), form.cleaned_data["picture"])
            return redirect("frontend:picture", query.pk)
        except Refusal as refusal:
            form.add_error("picture", gettext(refusal.sentence))
    context = {"form": form, "earlier": earlier(request)}
    return render(request, "frontend/picture_search.html", context, status=400 if form.errors else 200)


@never_cache
@require_safe
def picture(request, pk):
    """What looks like the picture; while a worker looks at it, asked again, and then without a body."""
    query = mine(request, pk)
    if serving := Serving.objects.current():
        query.follow(serving)
    if not query.is_done and "seen" in request.GET:
        return HttpResponse(status=NO_CHANGE)
    shopper = shoppers.current(request)
    looks = [with_url(look, look.cutout.name, shopper) for look in query.looks.all()]
    context = {"query": with_url(query, query.image.name, shopper), "looks": looks}
    if looks:
        look = next((look for look in looks if look.part == request.GET.get("part")), looks[0])
        context |= found(request, look)
    return render(request, "frontend/picture.html", context)


@require_POST
def delete(request, pk):
    mine(request, pk).delete()
    messages.success(request, gettext("The picture and what was cut out of it are deleted."))
    return redirect("frontend:garments")


def mine(request, pk) -> Query:
    own = Query.objects.pictures_of(shoppers.current(request)).prefetch_related("looks")
    return get_object_or_404(own, pk=pk)


def earlier(request) -> list[Query]:
    shopper = shoppers.current(request)
    own = Query.objects.pictures_of(shopper).exclude(state=Query.State.FAILED)
    return [with_url(query, query.image.name, shopper) for query in own]


def with_url(row, name, shopper):
    row.url = private_url(name, shopper)
    return row


def found(request, look: QueryLook) -> dict:
    """What the page shows of one part of the picture, within what was chosen beside it."""
    form = SearchForm(request.GET)
    search = PictureSearch(look, replace(form.search(), words="", order=""))
    number = int(number) if (number := request.GET.get("page", "")).isdecimal() and len(number) < 4 else 1
    number = min(max(number, 1), MOST_PAGES)
    start = PER_PAGE * (number - 1)
    garments = [entry.garment for entry in search.found(PER_PAGE + 1, start)]  # one more where there is a next page
    seen = min(start + len(garments), PER_PAGE * MOST_PAGES)
    page = Page(garments[:PER_PAGE], number, Counted(garments, seen))
    return {
        "look": look,
        "form": form,
        "search": search.within,
        "compared": search.can_compare,
        "page": page,
        "page_list": surfaces.shown(request, Surface.SEARCH, page.object_list, ranked_by="picture"),
        "wearable": wearable(),
        # The part says the category.
        "facets": [facet for facet in facets(search.within) if not look.category or facet.name != "category"],
        "active": active(request.GET, search.chosen),
    }
