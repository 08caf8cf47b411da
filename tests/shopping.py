"""What tests of the pages share."""

import re
from dataclasses import replace

from django.core.files.base import ContentFile
from django.db.models.functions import Now
from django.urls import reverse

from tests import pictures
from tests.engines import ENGINES

TWO_ENGINES = {name: ENGINES[name] for name in ("quick", "finest")}
PREVIEW_AND_FAULT = {name: ENGINES[name] for name in ("quick", "gpu_out_of_memory")}
ONE_ENGINE = {"quick": ENGINES["quick"]}
OUTFITS = {"stylist": ENGINES["stylist"]}
ONE_BY_ONE = {"separates": replace(ENGINES["stylist"], name="separates", outfits=False)}
# What the policy of our pages forbids in them.
INLINE = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)")


def text_of(response) -> str:
    return response.content.decode()


def photo_file():
    """As a browser sends it."""
    file = pictures.encoded(pictures.astronaut())
    file.name = "me.jpg"
    return file


def page_of(row) -> str:
    return reverse("frontend:tryon", args=[row.request])


def succeed(row):
    """As a worker leaves it."""
    row.result.save("results/ab/made.jpg", ContentFile(pictures.encoded(pictures.astronaut()).read()), save=False)
    type(row).objects.filter(pk=row.pk).update(
        status="succeeded",
        result=row.result.name,
        width=512,
        height=512,
        started=Now(),
        finished=Now(),
        expires_at=row.result_expiry(),
    )
