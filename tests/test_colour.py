"""Colours as people see them."""

import numpy as np
import pytest

from preprocessing import colour


def test_dominant_colours_are_those_drawn():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:, :70], picture[:, 70:] = (200, 30, 40), (250, 250, 250)
    found = colour.dominant(picture, np.ones((100, 100), bool))
    assert found[:, 3].tolist() == pytest.approx([0.7, 0.3], abs=0.01)
    for row, rgb in zip(found, [(200, 30, 40), (250, 250, 250)], strict=True):
        assert colour.difference(row[:3], colour.to_lab(np.uint8(rgb))) < 0.5


def test_colour_difference_agrees_with_published_pairs():
    """Rows 1, 7, 13 and 24 of Sharma, Wu and Dalal 2005."""
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ]
    for first, second, expected in pairs:
        assert colour.difference(first, second) == pytest.approx(expected, abs=1e-4)
