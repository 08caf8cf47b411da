"""What tests of the pages share."""

import re
from dataclasses import replace

from tests import pictures
from tests.engines import ENGINES

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
