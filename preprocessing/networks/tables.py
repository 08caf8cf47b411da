"""What the labels of known networks mean here: each one's own words, in its own order."""

from __future__ import annotations

from enum import IntEnum

from preprocessing.labels import Body25, DensePose, Parse
from preprocessing.networks.declaration import Labels


def _same(labels: type[IntEnum]) -> Labels:
    return tuple((label.name, label) for label in labels)


# Look into Person, LIP (arXiv:1703.05446). A jumpsuit covers what a dress does.
LIP: Labels = (
    ("Background", Parse.BACKGROUND),
    ("Hat", Parse.HAT),
    ("Hair", Parse.HAIR),
    ("Glove", Parse.GLOVE),
    ("Sunglasses", Parse.SUNGLASSES),
    ("Upper-clothes", Parse.UPPER),
    ("Dress", Parse.DRESS),
    ("Coat", Parse.COAT),
    ("Socks", Parse.SOCKS),
    ("Pants", Parse.PANTS),
    ("Jumpsuits", Parse.DRESS),
    ("Scarf", Parse.SCARF),
    ("Skirt", Parse.SKIRT),
    ("Face", Parse.FACE),
    ("Left-arm", Parse.LEFT_ARM),
    ("Right-arm", Parse.RIGHT_ARM),
    ("Left-leg", Parse.LEFT_LEG),
    ("Right-leg", Parse.RIGHT_LEG),
    ("Left-shoe", Parse.LEFT_SHOE),
    ("Right-shoe", Parse.RIGHT_SHOE),
)

# ATR (Liang 2015); its legs, arms and face are the skin. A belt goes with what it holds; a bag is no part of the
# person, as in PreparedPerson.parse.
ATR: Labels = (
    ("Background", Parse.BACKGROUND),
    ("Hat", Parse.HAT),
    ("Hair", Parse.HAIR),
    ("Sunglasses", Parse.SUNGLASSES),
    ("Upper-clothes", Parse.UPPER),
    ("Skirt", Parse.SKIRT),
    ("Pants", Parse.PANTS),
    ("Dress", Parse.DRESS),
    ("Belt", Parse.PANTS),
    ("Left-shoe", Parse.LEFT_SHOE),
    ("Right-shoe", Parse.RIGHT_SHOE),
    ("Face", Parse.FACE),
    ("Left-leg", Parse.LEFT_LEG),
    ("Right-leg", Parse.RIGHT_LEG),
    ("Left-arm", Parse.LEFT_ARM),
    ("Right-arm", Parse.RIGHT_ARM),
    ("Bag", Parse.BACKGROUND),
    ("Scarf", Parse.SCARF),
)

# u2net_cloth_seg, trained on iMaterialist 2019 with its 46 kinds of garment put into three.
CLOTHES: Labels = (
    ("Background", Parse.BACKGROUND),
    ("Upper body", Parse.UPPER),
    ("Lower body", Parse.PANTS),
    ("Full body", Parse.DRESS),
)

TABLES: dict[str, Labels] = {
    "cihp": _same(Parse),
    "lip": LIP,
    "atr": ATR,
    "segformer_clothes": ATR,
    "u2net_cloth_seg": CLOTHES,
    "densepose": _same(DensePose),
    "body_25": (*_same(Body25), ("Background", None)),
}
