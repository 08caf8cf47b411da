"""The line of the neck: its seam, its visible edge and its back."""

from dataclasses import dataclass

import numpy as np

from sample.drawing.geometry import Pen, mirror, offset


@dataclass
class Neck:
    """style: a key of NECKS; half: half width at the shoulder; drop: depth of the front seam; rib: height of the
    band along it (cm)."""

    style: str = "crew"
    half: float = 8.6
    drop: float = 9.6
    rib: float = 1.9
    dip: float = 1.3  # how far the back neckline hangs below the shoulder points
    placket: float = 0.0  # length below the front neck
    label: str = "#f4f2ee"
    shape: str = "round"

    @property
    def rise(self):
        """How far the neck stands above the shoulder point."""
        return {"mock": 6.0, "shirt": 3.8, "polo": 3.4}.get(self.style, 1.0)

    def seam(self):
        """The front neck seam from the left shoulder point to the right one."""
        half, drop = self.half, self.drop
        if self.shape == "v":
            right = Pen(0, drop).cubic(half * 0.34, drop * 0.62, half * 0.86, drop * 0.34, half, 0).points
        elif self.shape == "boat":
            right = Pen(0, drop).cubic(half * 0.5, drop, half * 0.85, drop * 0.62, half, 0).points
        else:
            right = Pen(0, drop).cubic(half * 0.56, drop, half * 0.96, drop * 0.62, half, 0).points
        return mirror(right)[:0:-1] + right

    def hole(self):
        return [*self.seam(), (self.half, -12), (-self.half, -12)]

    def edge(self):
        """The front edge of the opening, left to right: what the body shows above."""
        if self.style in ("shirt", "polo"):
            half = self.half
            fold = Pen(0, 4.8).line(0.9, 4.7).cubic(3.4, 2.4, half - 1.3, 0.2, half - 1.2, -2.3).points
            return mirror(fold)[:0:-1] + fold
        if self.style == "mock":
            half = self.half - 1.2
            return Pen(-half, -5.0).quad(0, -3.6, half, -5.0).points
        return self.inner(self.rib) if self.rib else self.seam()

    def inner(self, width):
        """The neck seam moved inwards; at the point of a V the two sides meet and do not cross."""
        moved = np.array(offset(self.seam(), -width))
        half = len(moved) // 2
        moved[:half, 0] = np.minimum(moved[:half, 0], 0)
        moved[half:, 0] = np.maximum(moved[half:, 0], 0)
        if self.shape == "v":
            crossed = np.abs(moved[:, 0]) < 1e-6
            moved[crossed, 1] = moved[~crossed, 1].max()
        return [tuple(point) for point in moved]

    def strip(self):
        """The band along the front neck as an outline."""
        return self.seam() + self.inner(self.rib)[::-1]

    def back_line(self):
        """The back neckline, left to right."""
        if self.style in ("shirt", "polo"):
            return Pen(-self.half + 0.6, -1.7).quad(0, -5.2, self.half - 0.6, -1.7).points
        if self.style == "mock":
            half = self.half - 1.2
            return Pen(-half, -5.0).quad(0, -6.6, half, -5.0).points
        half = self.half - 0.75 * self.rib
        return Pen(-half, -0.25).cubic(-half * 0.6, self.dip + 0.3, half * 0.6, self.dip + 0.3, half, -0.25).points

    def front(self):
        edge = self.edge()
        return max(edge, key=lambda point: point[1])

    def back(self):
        line = self.back_line()
        return line[len(line) // 2]
