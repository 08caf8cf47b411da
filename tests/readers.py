"""An encoder that reads words, and a worker's turn, for tests of searches."""

import io

import numpy as np

from recommend import tasks
from recommend.models import Query
from tests import pictures
from tests.looks import direction

URL = "/api/v1/search"


class Reader:
    """An encoder that reads: words with a number in them look in that direction, pictures by their redness."""

    name, version, label, has_words = "reader", "1", "Reader", True

    def problem(self):
        return ""

    def encode_words(self, texts):
        return np.stack([direction(float("".join(filter(str.isdigit, text)) or 0)) for text in texts])

    def encode(self, pictures):
        return np.stack(
            [direction(90.0 if picture[..., 0].mean() > picture[..., 2].mean() else 0.0) for picture in pictures]
        )


READER = Reader()


def work():
    for query in Query.objects.filter(state="pending"):
        tasks.embed_query(str(query.pk))


def skus(found) -> list[str]:
    return [entry.garment.sku for entry in found]


def upload(image=None, name="look.jpg") -> io.BytesIO:
    file = pictures.encoded(image or pictures.tee())
    file.name = name
    return file


def post(client, file=None, **more):
    return client.post(URL, {"image": file or upload()}, **more)
