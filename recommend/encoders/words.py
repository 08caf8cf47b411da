"""Words as numbers of a CLIP's vocabulary, as open_clip's tokenizers give them, without importing torch."""

import html
import string
from pathlib import Path

import numpy as np

MOST_CHARACTERS = 2_000  # more than fills any tower; the rest would be cut off anyway
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class Words:
    """Reads the file that recommend/encoders/exports/clip.py wrote.

    Args:
        file: tokenizer.json, with truncation and padding in it.
        clean: open_clip's name of how text is put in order first: "lower", "whitespace" or "canonicalize".
    """

    def __init__(self, file: Path, clean: str):
        from tokenizers import Tokenizer  # workers only

        self._tokenizer = Tokenizer.from_file(str(file))
        self._clean = CLEANING[clean]

    def __call__(self, texts: list[str]) -> np.ndarray:
        """int64 (N, length)."""
        encodings = self._tokenizer.encode_batch([self._clean(text[:MOST_CHARACTERS]) for text in texts])
        return np.array([encoding.ids for encoding in encodings], np.int64)


def _whitespace(text: str) -> str:
    import ftfy  # workers only; open_clip brings it

    return " ".join(html.unescape(html.unescape(ftfy.fix_text(text))).split())


def _lower(text: str) -> str:
    return _whitespace(text).lower()


def _canonical(text: str) -> str:
    return " ".join(_whitespace(text).replace("_", " ").translate(_NO_PUNCTUATION).lower().split())


CLEANING = {"whitespace": _whitespace, "lower": _lower, "canonicalize": _canonical}
