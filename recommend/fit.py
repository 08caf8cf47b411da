"""Fitting the directions of a CLIP with more than 512 numbers to the shop's own pictures: when, and how.

A fit is another version of the encoder, which takes over as every new encoder does, when its vectors are complete.
"""

import hashlib
import logging
import subprocess
import sys
import time

import numpy as np
from django.conf import settings
from PIL import Image

from recommend.encoders.clip import Clip
from recommend.encoders.fitted import Fitted
from recommend.encoders.vectors import fitted, kept, unit
from recommend.locks import Lock, alone
from recommend.models import Basis
from recommend.tasks import encoder_input
from shop.models import GarmentAnalysis, GarmentPicture
from shop.work import Work

log = logging.getLogger(__name__)
_process: subprocess.Popen | None = None
_no_sooner = 0.0

PAUSE_SECONDS = 600  # between two starts, for one that cannot succeed
SAMPLE = 2_000  # pictures: some minutes of one core
HELD_OUT = 5  # of so many garments one is kept from the fit that is measured
GROWN = 4  # times as many pictures as were fitted to make another fit worth while
ENOUGH = SAMPLE // 2  # pictures; a fit to so many is not made anew by itself


class NotFitted(Exception):
    """With one sentence that says why."""


def start_if_due(encoder) -> bool:
    """Have a process fit the wanted encoder to the shop's pictures where that is due; returns whether it was started.

    A process of its own, as for snapshots: it takes minutes, and shoppers wait for the worker's few.
    """
    global _process, _no_sooner
    fitting = _process is not None and _process.poll() is None
    if fitting or time.monotonic() < _no_sooner or not due(encoder):
        return False
    _no_sooner = time.monotonic() + PAUSE_SECONDS
    _process = subprocess.Popen([sys.executable, str(settings.BASE_DIR / "manage.py"), "embed", "--fit", "--gently"])
    return True


def due(encoder) -> bool:
    """Whether an encoder was never fitted, or to few pictures of many. Not while pictures come in."""
    if isinstance(encoder, Fitted):
        before = encoder.basis.pictures
    elif isinstance(encoder, Clip) and encoder.wide:
        before = 0
    else:
        return False
    if before >= ENOUGH or GarmentAnalysis.objects.filter(state=Work.State.PENDING).exists():
        return False
    return GarmentPicture.objects.count() >= max(1, GROWN * before)


def fit(clip: Clip) -> Basis:
    """Fit a CLIP to at most SAMPLE pictures of the shop, chosen by chance, and measure what that keeps of others.

    Raises:
        NotFitted: where there is nothing to fit, or another process is at it.
        Refusal: where the CLIP cannot be used.
    """
    with alone(Lock.FIT) as fits:
        if not fits:
            raise NotFitted("Another process is fitting.")
        return _fit(clip)


def _fit(clip: Clip) -> Basis:
    garments, rows = sampled(clip)
    if not len(rows):
        raise NotFitted("The shop has no picture yet that could be read; fixed directions serve.")
    if not clip.wide:
        raise NotFitted(f"{clip.label} gives {rows.shape[1]} numbers: all are kept, and nothing is to be fitted.")
    stored = fitted(rows).astype("<f4").tobytes()
    sha256 = hashlib.sha256(stored).hexdigest()
    told = {"dim": rows.shape[1], "matrix": stored, "sha256": sha256, "pictures": len(rows)}
    told |= {"base": clip.version, "kept": kept_of_others(garments, rows)}
    version = f"{clip.version}-{sha256[:8]}"
    # The same fit once more mends a damaged row.
    return Basis.objects.update_or_create(encoder=clip.name, version=version, defaults=told)[0]


def sampled(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """The garments' numbers (N,) and unit rows (N, dim) of pictures chosen by chance."""
    garments, rows = [], []
    chosen = list(GarmentPicture.objects.order_by("?").values_list("pk", flat=True)[:SAMPLE])
    # In one order, so that the same pictures give the same fit and not another version.
    for picture in GarmentPicture.objects.filter(pk__in=chosen).order_by("pk").iterator(chunk_size=16):
        try:
            row = clip.features([encoder_input(picture)])[0]
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            log.warning("picture %s could not be read: %r", picture.pk, error)
            continue
        if np.isfinite(row).all() and row.any():
            garments.append(picture.garment_id)
            rows.append(row)
        else:
            log.error("picture %s: %s gives no direction for it", picture.pk, clip.label)
    return np.array(garments), unit(np.array(rows)) if rows else np.empty((0, 0))


def kept_of_others(garments: np.ndarray, rows: np.ndarray) -> float | None:
    """What a fit to four fifths of the garments keeps of the others' squared length; None for too few garments."""
    held_out = np.isin(garments, np.unique(garments)[HELD_OUT - 1 :: HELD_OUT])
    return kept(rows[held_out], fitted(rows[~held_out])) if held_out.any() else None
