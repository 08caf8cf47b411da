"""The shop's list and a garment's page."""

from django.db.models import prefetch_related_objects
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from frontend.facets import active, facets
from frontend.fitting import Fitting, wearable
from frontend.forms import SearchForm
from frontend.paging import Counted
from recommend.ranking import Filters, Found, anything_popular, for_you, goes_with, similar
from recommend.search import ranked
from shop import shoppers, surfaces
from shop.models import Garment, Surface

SIMILAR = GOES_WITH = FOR_YOU = 6
LATEST = 3
FEW, ASK_AGAIN = 8, 4


@require_safe
@vary_on_headers("HX-Request")
def index(request):
    form = SearchForm(request.GET)
    best = ranked(form.search())
    search = best.search
    page = Counted(search.garments().with_pictures(), search.total).get_page(request.GET.get("page"))
    page.object_list = list(page.object_list)  # the template looks at it more than once
    surface, order = (Surface.SEARCH, "words") if search.words else (Surface.CATALOGUE, "new")
    context = {
        "form": form,
        "search": search,
        "page": page,
        "page_list": surfaces.shown(
            request, surface, page, ranked_by=search.order or ("words and looks" if best.encoder else order)
        ),
        "wearable": wearable(),
        "facets": facets(search),
        "active": active(request.GET, search),
        # Asked again where little is there to be moved about: looks may know more.
        "ask_again": best.waiting and len(page.object_list) < FEW and asked_again(request) < ASK_AGAIN,
        "asked": asked_again(request) + 1,
    }
    if not context["active"] and not search.order and page.number == 1:
        # What the page promises, these can.
        context["latest"] = search.garments().filter(category__in=context["wearable"]).with_pictures()[:LATEST]
        if not request.htmx:  # which takes the list alone
            context |= picked(request)
    return render(request, "frontend/garments.html", context)


@require_safe
@cache_control(private=True)  # the shopper's own photos are on it
def garment(request, slug):
    garment = get_object_or_404(Garment.objects.published().with_pictures(), slug=slug)
    shopper = shoppers.current(request)
    surfaces.opened(request, garment)
    own = Filters(categories={garment.category})  # for the others there is "Goes with it"
    alike = similar(garment, SIMILAR, own, ranking=surfaces.ranking(shopper, Surface.SIMILAR))
    beside = goes_with(garment, GOES_WITH, ranking=surfaces.ranking(shopper, Surface.GOES_WITH))
    photo, second = request.GET.get("photo", ""), request.GET.get("with", "")
    context = {
        "garment": garment,
        "colours": colours_of(garment),
        "wearable": wearable(),
        "similar": tiles(alike),
        "similar_list": surfaces.shown(request, Surface.SIMILAR, [item.garment for item in alike]),
        "goes_with": tiles(beside),
        "goes_with_list": surfaces.shown(request, Surface.GOES_WITH, [item.garment for item in beside]),
        "fitting": Fitting.of(garment, shopper, photo=photo, worn_with=second, goes_with=beside),
    }
    return render(request, "frontend/garment.html", context)


def picked(request) -> dict:
    """For the front page: what this shopper may like; the popular for who is new, if there is anything popular."""
    shopper = shoppers.current(request)
    if shopper is None and not anything_popular():
        return {}  # the newest are on the page anyway
    found = for_you(shopper, FOR_YOU, ranking=surfaces.ranking(shopper, Surface.FOR_YOU))
    personal = any(item.encoder for item in found)
    if not personal and not anything_popular():
        return {}
    return {
        "for_you": tiles(found),
        "personal": personal,
        "for_you_list": surfaces.shown(request, Surface.FOR_YOU, [item.garment for item in found]),
    }


def tiles(found: list[Found]) -> list[Found]:
    """The same with all that a tile shows."""
    prefetch_related_objects([item.garment for item in found], "pictures__analyses")
    return found


def asked_again(request) -> int:
    """How often the page has asked for itself."""
    times = request.headers.get("X-Again", "")
    return int(times) if times.isdecimal() and len(times) < 3 else 0


def colours_of(garment):
    """All colours of the design, this one included; none where it belongs to no design."""
    design = Garment.objects.published().filter(design=garment.design).exclude(design="")
    return design.with_pictures().order_by("colour")
