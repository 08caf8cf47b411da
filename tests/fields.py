"""Comparing dataclasses that hold arrays."""

import numpy as np


def same_fields(a, b):
    for name in a.__dataclass_fields__:
        first, second = getattr(a, name), getattr(b, name)
        if isinstance(first, np.ndarray):
            assert np.array_equal(first, second) and first.dtype == second.dtype, name
        else:
            assert first == second, name
