"""./dev bench fit [--data DIR]: how many of the ten nearest stay the nearest when longer vectors become 512 numbers.

By the fixed directions, and by directions fitted to other vectors (`recommend.encoders.vectors`). Recall is the share
of the ten nearest of each vector that are still among the ten.

- "drawn": 4,000 vectors of 768 numbers about a common mean and 200 centres, each part normal with deviations that fall
  as rank^-a along one random rotation. Not a CLIP's: which spectrum the shop's encoder has, `embed --fit` tells.
- DIR holds catalogue/labels.csv with the columns file and group_id: EfficientNet-Lite2's own 1280 features, fitted to
  one half of the designs and asked on the other, mean of ten divisions.
"""

import argparse
import csv
import json
import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

import torch
from PIL import Image

from preprocessing import weights
from recommend.encoders.exports import efficientnet
from recommend.encoders.networks import EFFICIENTNET
from recommend.encoders.vectors import fitted, kept, reduced, unit

NEAREST = 10
FITTED_TO = 0, 24, 200, 500, 1000, 2000  # 0: the fixed directions
DIVISIONS = 10


def drawn(count: int, seed: int, decay: float, dim: int = 768, centres: int = 200) -> np.ndarray:
    """Unit rows (count, dim) of one shop, whatever the seed."""
    shop, own = np.random.RandomState(1), np.random.RandomState(100 + seed)
    rotation, _ = np.linalg.qr(shop.standard_normal((dim, dim)))
    deviations = np.arange(1, dim + 1) ** -decay
    mean, middles = shop.standard_normal(dim), shop.standard_normal((centres, dim))
    rows = 1.5 * mean + middles[own.randint(centres, size=count)] + own.standard_normal((count, dim))
    return unit(rows * deviations @ rotation.T)


def features(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows (N, 1280) of the pictures, and their designs (N,)."""
    network, _ = efficientnet.load(weights.path(EFFICIENTNET.weight))
    labels = data / "catalogue" / "labels.csv"
    if not labels.is_file():
        raise SystemExit(f"{labels} is not there; give a folder with catalogue/labels.csv by --data")
    with labels.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        with Image.open(data / row["file"]) as image:
            given = torch.from_numpy(EFFICIENTNET.prepared(np.asarray(image.convert("RGB"))))
        with torch.inference_mode():
            found.append(network.eval()(given).mean((2, 3))[0].numpy())
    return unit(np.array(found)), np.array([row["group_id"] for row in rows])


def nearest(rows: np.ndarray) -> np.ndarray:
    """bool (N, N): the NEAREST of each, itself left out."""
    scores = rows @ rows.T
    np.fill_diagonal(scores, -2)
    among = np.zeros(scores.shape, bool)
    np.put_along_axis(among, np.argpartition(-scores, NEAREST, axis=1)[:, :NEAREST], True, axis=1)
    return among


def judged(rows: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """Of `rows` on directions fitted to `others`."""
    basis = fitted(others)
    both = nearest(rows) & nearest(reduced(rows, basis))
    return {"kept": kept(rows, basis), "recall": float(both.sum() / NEAREST / len(rows))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with catalogue/labels.csv")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for decay in (0.5, 0.75, 1.0):
        asked, others = drawn(4000, 0, decay), drawn(max(FITTED_TO), 1, decay)
        for count in FITTED_TO:
            found[f"drawn, rank^-{decay}, fitted to {count}"] = judged(asked, others[:count])
    if options.data:
        rows, designs = features(options.data)
        divided = []
        for seed in range(DIVISIONS):
            half = np.isin(designs, np.random.RandomState(seed).permutation(np.unique(designs))[::2])
            divided.append([judged(rows[~half], rows[half][:count]) for count in (0, 50, len(rows))])
        for place, told in enumerate(("fixed", "fitted to 50 of the other half", "fitted to the other half")):
            found[f"EfficientNet-Lite2, {told}"] = {
                name: float(np.mean([one[place][name] for one in divided])) for name in ("kept", "recall")
            }
        found["EfficientNet-Lite2, fixed, all pictures"] = judged(rows, rows[:0])
        found["EfficientNet-Lite2, fitted to all pictures"] = judged(rows, rows)
    for name, row in found.items():
        print(f"{name:45} kept {row['kept']:.3f}  recall {row['recall']:.3f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
