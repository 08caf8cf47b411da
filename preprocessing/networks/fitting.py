"""A picture as a network wants it, and what the network says back at the picture's size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from preprocessing.networks.declaration import MAX, Network


@dataclass(frozen=True)
class Fit:
    """Where the picture lies in the network's input.

    Attributes:
        picture: height and width of the picture.
        size: height and width of the input.
        scale: input pixels per picture pixel, (down, across).
        offset: the picture's upper left corner in the input, (down, across).
    """

    picture: tuple[int, int]
    size: tuple[int, int]
    scale: tuple[float, float]
    offset: tuple[int, int]

    def cells(self, grid: tuple[int, int]) -> tuple[float, float]:
        """Picture pixels per cell of an output of `grid` rows and columns, (down, across)."""
        down, across = (size / cells / scale for size, cells, scale in zip(self.size, grid, self.scale, strict=True))
        return down, across

    def to_picture(self, points: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
        """Positions (N, 2) of x, y in an output's grid as pixels of the picture; whole numbers are centres in both."""
        per_cell = np.array(self.size[::-1]) / np.array(grid[::-1])
        return ((points + 0.5) * per_cell - np.array(self.offset[::-1])) / np.array(self.scale[::-1]) - 0.5

    def enlarge(self, plane: np.ndarray) -> np.ndarray:
        """An output's plane (h, w) at the picture's size, smoothly; without the padding."""
        (y0, x0), (y1, x1) = ((i, i) for i in (0, 1))
        ends = self.to_picture(np.array([[x0, y0], [x1, y1]], np.float64), plane.shape)
        step = ends[1] - ends[0]
        matrix = np.array([[step[0], 0, ends[0, 0]], [0, step[1], ends[0, 1]]])
        return cv2.warpAffine(
            plane, matrix, self.picture[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )


def fit(image: np.ndarray, network: Network) -> tuple[np.ndarray, Fit]:
    """The network's input, float32 (1, 3, h, w), of a picture, uint8 RGB (H, W, 3), and where it lies in it."""
    height, width = image.shape[:2]
    inner = network.size
    if network.fit == "letterbox":
        scale = min(network.size[0] / height, network.size[1] / width)
        inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    smaller = inner[0] * inner[1] < height * width
    small = cv2.resize(image, inner[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    if network.order == "BGR":
        small = small[..., ::-1]
    divide = max(1, int(small.max())) if network.divide == MAX else network.divide
    values = (small.astype(np.float32) / divide - np.float32(network.mean)) / np.float32(network.std)
    top, left = ((size - length) // 2 for size, length in zip(network.size, inner, strict=True))
    tensor = np.zeros((1, 3, *network.size), np.float32)  # 0: the mean colour
    tensor[0, :, top : top + inner[0], left : left + inner[1]] = values.transpose(2, 0, 1)
    return tensor, Fit((height, width), network.size, (inner[0] / height, inner[1] / width), (top, left))
