"""Pages that tell."""

from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe


@require_safe
def privacy(request):
    return render(request, "frontend/privacy.html")


@require_safe
def icon(request):
    """For the admin and other pages that name none; browsers look here by themselves."""
    return redirect(static("frontend/icon.svg"))
