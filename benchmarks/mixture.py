"""Garments' vectors as an encoder's look from afar: made up, in any number, the same on every machine.

A hierarchical Gaussian mixture of low rank: 200 product types of Zipf's sizes (exponent 0.7), each of 25 looks, in 64
dimensions that lie askew in the vector's, plus noise in all of them; of unit length. Cosines: about 0.9 within a look,
0.75 within a type, 0 between types. Types belong to the three categories in turn; half are women's, two fifths men's
and a tenth unisex; brands have shares to filter by.
"""

from collections.abc import Iterator

import numpy as np

from recommend.index.columns import Item, Key

DIM, LATENT, TYPES, LOOKS = 512, 64, 200, 25
CATEGORIES = ("upper", "lower", "dress")
GENDERS, GENDER_SHARES = ("women", "men", "unisex"), (0.5, 0.4, 0.1)
BRANDS = {"half": 0.5, "tenth": 0.1, "hundredth": 0.01, "rare": 0.005, "others": 0.385}
IN_TYPE, IN_LOOK, NOISE = 0.6, 1.2, 0.4  # deviations, beside the types' own of 1
AT_ONCE = 50_000


class Mixture:
    def __init__(self, seed: int = 0):
        self._rng = np.random.default_rng(seed)
        fixed = np.random.default_rng(1)
        sizes = np.arange(1, TYPES + 1) ** -0.7
        self._shares = sizes / sizes.sum()
        types = fixed.standard_normal((TYPES, 1, LATENT))
        self._centres = (types + IN_TYPE * fixed.standard_normal((TYPES, LOOKS, LATENT))).astype(np.float32)
        axes = np.linalg.qr(fixed.standard_normal((DIM, LATENT)))[0]
        self._axes = np.ascontiguousarray(axes.T, np.float32)

    def draw(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Types (count,), genders (count,) and brands (count,) as numbers, vectors (count, DIM) float32."""
        rng = self._rng
        types = rng.choice(TYPES, count, p=self._shares)
        points = self._centres[types, rng.integers(0, LOOKS, count)]
        points += IN_LOOK * rng.standard_normal((count, LATENT), dtype=np.float32)
        vectors = points @ self._axes
        vectors += NOISE * (LATENT / DIM) ** 0.5 * rng.standard_normal((count, DIM), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        genders = rng.choice(len(GENDERS), count, p=GENDER_SHARES)
        brands = rng.choice(len(BRANDS), count, p=list(BRANDS.values()))
        return types, genders, brands, vectors

    def items(self, count: int) -> Iterator[Item]:
        """Garments 1 to count."""
        names = list(BRANDS)
        keys = [[key(number, gender) for gender in GENDERS] for number in range(TYPES)]
        for start in range(1, count + 1, AT_ONCE):
            types, genders, brands, vectors = self.draw(min(AT_ONCE, count + 1 - start))
            vectors = vectors.astype(np.float16)
            for place, (number, gender, brand) in enumerate(
                zip(types.tolist(), genders.tolist(), brands.tolist(), strict=True)
            ):
                pk = start + place
                yield Item(pk, keys[number][gender], names[brand], "", f"design-{pk // 2}", vectors[place])


def key(number: int, gender: str) -> Key:
    return Key("adult", CATEGORIES[number % len(CATEGORIES)], f"type {number}", gender)
