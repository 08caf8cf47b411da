"""A CLIP whose vectors are put on directions that were fitted to the shop's own pictures (`recommend.fit`)."""

import functools
import hashlib

import numpy as np

from preprocessing.errors import Refusal, gettext_noop
from recommend.encoders.clip import Clip
from recommend.encoders.vectors import MOST, reduced
from recommend.models import Basis


class Fitted:
    """The CLIP under another version. Words are put on the same directions as pictures, and so stay comparable."""

    def __init__(self, clip: Clip, basis: Basis):
        self.clip = clip
        self.basis = basis
        self.name, self.label, self.version = clip.name, clip.label, basis.version
        self.optional, self.same_look = clip.optional, clip.same_look

    @property
    def has_words(self) -> bool:
        return self.clip.has_words

    def problem(self) -> str:
        return self.clip.problem()

    def encode(self, pictures: list[np.ndarray]) -> np.ndarray:
        return reduced(self.clip.features(pictures), matrix(self.basis.pk, self.basis.sha256))

    def encode_words(self, texts: list[str]) -> np.ndarray:
        return reduced(self.clip.word_features(texts), matrix(self.basis.pk, self.basis.sha256))


def newest(clip: Clip) -> Clip | Fitted:
    """The CLIP with the last fit to the shop's pictures; itself where there is none."""
    basis = Basis.objects.newest(clip)
    return clip if basis is None else Fitted(clip, basis)


def of_version(clip: Clip, version: str) -> Fitted | None:
    basis = Basis.objects.filter(encoder=clip.name, base=clip.version, version=version).defer("matrix").first()
    return None if basis is None else Fitted(clip, basis)


@functools.lru_cache(maxsize=2)  # what serves and what is to take over; 1.5 MB each for 768 numbers
def matrix(pk: int, sha256: str) -> np.ndarray:
    """(dim, MOST) float32 of a `Basis`.

    Raises:
        Refusal: encoder.basis_damaged.
    """
    stored = bytes(Basis.objects.values_list("matrix", flat=True).get(pk=pk))
    if hashlib.sha256(stored).hexdigest() != sha256:
        raise Refusal(
            "encoder.basis_damaged",
            gettext_noop("The encoder could not be set up. The log of the worker says why."),
            f"the matrix of basis {pk} is not what was fitted; `manage.py embed --fit` makes another",
        )
    return np.frombuffer(stored, "<f4").reshape(-1, MOST)
