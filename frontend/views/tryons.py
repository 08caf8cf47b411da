"""Trying on: ask, watch, see, do again, delete."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import retarget

from frontend.fitting import Card, Fitting
from frontend.forms import RatingForm, TryOnForm
from preprocessing.errors import Refusal
from shop import shoppers
from shop.models import Garment, Photo
from tryon.models import Rating, TryOn

PER_PAGE = 24
NO_CHANGE = 204
NOT_ACCEPTED = 422


def mine(request, request_id) -> Card:
    shopper = shoppers.current(request)
    found = TryOn.objects.request_of(shopper, request_id)
    if found is None:
        raise Http404
    return Card(found, shopper)


@require_POST
def create(request):
    """The one button: with htmx the fitting room comes back with the card in it, without it the try-on's page."""
    slug = request.POST.get("garment", "").replace("\0", "")
    garment = get_object_or_404(Garment.objects.published().with_pictures(), slug=slug)
    form = TryOnForm(request.POST, request.FILES, shopper=shoppers.current(request))
    photo = card = None
    if form.is_valid():
        given = form.cleaned_data
        try:
            shopper = shoppers.ensure(request)
            photo = Photo.objects.store(shopper, given["upload"]) if given["upload"] else given["person"]
            # Who goes back to the page and chooses another photo or second garment asks for something else.
            second = given["worn_with"]
            key = given["key"] and f"{given['key']} {photo.pk} {second.sku if second else ''}"
            rows = TryOn.objects.submit(shopper, photo, garment, worn_with=second, idempotency_key=key)
            card = Card(TryOn.objects.request_of(shopper, rows[0].request), shopper)
        except Refusal as refusal:
            form.add_error(None, gettext(refusal.sentence))
    if card and not request.htmx:
        return redirect("frontend:tryon", card.id)
    chosen = photo.pk if photo else request.POST.get("person", "")
    second = request.POST.get("worn_with", "")
    fitting = Fitting.of(garment, shoppers.current(request), photo=chosen, worn_with=second, form=form, card=card)
    template = "frontend/_fitting.html" if request.htmx else "frontend/fitting.html"
    return render(request, template, {"garment": garment, "fitting": fitting}, status=200 if card else NOT_ACCEPTED)


@never_cache
@require_safe
def index(request):
    shopper = shoppers.current(request)
    page = Paginator(TryOn.objects.of(shopper).clicks(), PER_PAGE).get_page(request.GET.get("page"))
    start = max(page.start_index() - 1, 0)
    cards = [Card(found, shopper) for found in TryOn.objects.requests_of(shopper, start=start, stop=start + PER_PAGE)]
    return render(request, "frontend/tryons.html", {"cards": cards, "page": page})


@never_cache
@require_safe
def tryon(request, request_id):
    card = mine(request, request_id)
    if "download" in request.GET:
        return download(card)
    return render(request, "frontend/tryon.html", {"card": card})


def download(card):
    if not card.row.result:
        raise Http404
    worn = "-".join(garment.sku for garment in card.request.garments if garment)
    name = f"try-on-{worn or card.id}.jpg"
    return FileResponse(card.row.result.open("rb"), as_attachment=True, filename=name)


@never_cache
@require_safe
def card(request, request_id):
    """For polling; without a body while nothing is new.

    What waits for a finer picture asks with the `picture` it stands below. While that is the one to show, only the
    words about the finer one change: the picture does not flicker, its slider stays where it is.
    """
    card = mine(request, request_id)
    if request.GET.get("seen") == card.seen:
        return HttpResponse(status=NO_CHANGE)
    context = {"card": card, "beside": "beside" in request.GET}
    if "picture" not in request.GET:
        return render(request, "frontend/_tryon.html", context)
    if card.still_shows(request.GET["picture"]):
        return render(request, "frontend/_finer.html", context)
    return retarget(render(request, "frontend/_tryon.html", context), f"#tryon-{card.id}")


@require_POST
def cancel(request, request_id):
    mine(request, request_id).request.cancel()
    return answer(request, request_id)


@require_POST
def retry(request, request_id):
    note = ""
    try:
        mine(request, request_id).request.retry()
    except Refusal as refusal:
        note = gettext(refusal.sentence)
    return answer(request, request_id, note)


@require_POST
def rate(request, request_id):
    """Up, down, or taken back: with htmx that part of the card comes back, without it the try-on's page."""
    group = mine(request, request_id).request
    form = RatingForm(request.POST)
    note = ""
    if form.is_valid():
        given = form.cleaned_data
        row = next((row for row in group.rows if row.pk == given["row"]), None)
        if row is None:
            raise Http404
        try:
            if given["value"]:
                Rating.objects.rate(row, Rating.Value[given["value"].upper()], given["reasons"])
            else:
                Rating.objects.filter(tryon=row).delete()
        except Refusal as refusal:
            note = gettext(refusal.sentence)
    else:
        note = gettext("Choose from the reasons that are offered.")
    if not request.htmx:
        if note:
            messages.error(request, note)
        return redirect(f"{resolve_url('frontend:tryon', request_id)}#rating-{request_id}")
    context = {"card": mine(request, request_id), "note": note}
    return render(request, "frontend/_rating.html", context, status=NOT_ACCEPTED if note else 200)


@require_POST
def delete(request, request_id):
    mine(request, request_id).request.delete()
    messages.success(request, gettext("The try-on is deleted."))
    return redirect("frontend:tryons")


def answer(request, request_id, note=""):
    """The card as it is now, with a word on it: alone for htmx, on its page otherwise."""
    if request.htmx:
        context = {"card": mine(request, request_id), "note": note, "beside": "beside" in request.GET}
        return render(request, "frontend/_tryon.html", context)
    if note:
        messages.error(request, note)
    return redirect("frontend:tryon", request_id)
