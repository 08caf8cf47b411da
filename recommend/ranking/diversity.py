"""No two of a kind in a list: one place for what is the same, and variety among the rest."""

from collections.abc import Mapping

import numpy as np

from shop.models import Garment

ROOM = 64
BALANCE = 0.7  # of maximal marginal relevance: 1 looks at the score alone


class Folded:
    """What a list has taken so far. The colours of one design, and near-duplicates, take one place.

    Args:
        vectors: unit looks by garment; without them only designs and pictures are compared.
        same_look: the cosine from which two of them are taken for one garment (`Encoder.same_look`).
    """

    def __init__(self, vectors: Mapping[int, np.ndarray] | None = None, same_look: float = 1.0):
        self._vectors = {} if vectors is None else vectors  # others go on filling it
        self._same_look = same_look
        self._designs: set[str] = set()
        self._pictures: set[str] = set()
        self._looks: np.ndarray | None = None  # of those that have their place, and room for more
        self._count = 0

    def take(self, garment: Garment) -> bool:
        """Whether it is one of its own; it then has its place."""
        look = self._vectors.get(garment.pk)
        if garment.design in self._designs or _picture(garment) in self._pictures or self._seen(look):
            return False
        self.leave_out(garment)
        if look is not None:
            self._keep(look)
        return True

    def leave_out(self, garment: Garment) -> None:
        """Give its design and its very picture no place. What merely looks the same still has one."""
        self._designs |= {garment.design} - {""}
        self._pictures |= {_picture(garment)} - {""}

    def _seen(self, look: np.ndarray | None) -> bool:
        if look is None or not self._count:
            return False
        return float((self._looks[: self._count] @ look).max()) >= self._same_look

    def _keep(self, look: np.ndarray) -> None:
        if self._looks is None:
            self._looks = np.empty((ROOM, len(look)), np.float32)
        elif self._count == len(self._looks):
            self._looks = np.concatenate([self._looks, np.empty_like(self._looks)])
        self._looks[self._count] = look
        self._count += 1


def _picture(garment: Garment) -> str:
    return (garment.front or {}).get("sha256", "")


def varied(scores: np.ndarray, looks: np.ndarray, k: int, balance: float = BALANCE) -> list[int]:
    """Places of the k best by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998, equation 1).

    Each next one has the largest balance * score - (1 - balance) * the cosine to the most alike of those taken.

    Args:
        scores: (n,) what each is worth by itself, in the range of cosines.
        looks: (n, dim) unit vectors; zeros for a garment without one, which then is like no other.
    """
    alike = looks @ looks.T
    worth = balance * np.asarray(scores, np.float64)
    nearest = np.zeros(len(worth))
    taken: list[int] = []
    for _ in range(min(k, len(worth))):
        marginal = worth - (1 - balance) * nearest
        marginal[taken] = -np.inf
        best = int(marginal.argmax())
        taken.append(best)
        nearest = np.maximum(nearest, alike[best])
    return taken
