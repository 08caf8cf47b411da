"""Every garment of the sample shop: its cut, cloth and print, under the name of its picture.

Measures are those of a garment laid flat, in cm. Colours of one design share its seed, as one pattern
would be cut the same way; everything else about how it lies comes from the picture's own name.
"""

from dataclasses import replace

import numpy as np

from sample.drawing import prints
from sample.drawing.cut import Top
from sample.drawing.drapes import Drape
from sample.drawing.neckline import Neck
from sample.drawing.skirts import Skirt
from sample.drawing.trousers import Trousers

WHITE, ECRU, OAT, SAND, CAMEL = "#f3f2ee", "#ebe5d7", "#d9cdb8", "#cdb995", "#b28c62"
RUST, BRICK, BURGUNDY, BLUSH, OCHRE = "#a3502f", "#a23b32", "#5f2633", "#d8b5aa", "#c4953f"
NAVY, SKY, INDIGO, SLATE = "#222d47", "#b4c7dc", "#34486a", "#55677d"
SAGE, FOREST, OLIVE = "#97a48f", "#27453b", "#62684f"
CHARCOAL, BLACK, GREY = "#3a3c41", "#242529", "#a9abae"
TAN_THREAD = "#b98548"

TEE = Top(WHITE, neck=Neck(), sides=((25.0, 44), (25.6, 71)), shoulder=(21.8, 4.4), armpit=(25.6, 24.0))
WOMEN_TEE = replace(
    TEE, neck=Neck(half=8.8, drop=10.5, rib=1.5), shoulder=(19.4, 4.1), armpit=(23.0, 21.0),
    sides=((21.6, 36), (22.6, 50), (23.6, 63)), sleeve=15.5, cuff=13.4, sleeve_angle=31,
)  # fmt: skip
CROPPED_TEE = replace(
    WOMEN_TEE, neck=Neck(half=8.6, drop=9.2, rib=1.9), shoulder=(21.0, 4.4), armpit=(24.4, 22.5),
    sides=((24.0, 36), (24.2, 50)), sleeve=16.5, cuff=14.4, sleeve_angle=31,
)  # fmt: skip
KIDS_TEE = replace(
    TEE, neck=Neck(half=7.6, drop=7.0, rib=1.6), shoulder=(16.2, 3.2), armpit=(19.2, 18.0),
    sides=((19.0, 32), (19.6, 50)), sleeve=13.0, cuff=11.6, sleeve_angle=32,
)  # fmt: skip
LONG = {"sleeve": 62.0, "sleeve_angle": 71.0, "cuff": 9.6, "bulge": 6.5}
WOMEN_LONG = {"sleeve": 57.0, "sleeve_angle": 71.0, "cuff": 8.8, "bulge": 5.5}
SHIRT = replace(
    TEE, fabric="oxford", neck=Neck("shirt", half=8.2, drop=8.0), finish="shirt", armpit=(26.4, 25.0),
    sides=((25.6, 46), (25.8, 66), (24.6, 73)), hem_sag=3.2, **LONG | {"cuff": 11.0},
)  # fmt: skip
SWEATSHIRT = replace(
    TEE, fabric="fleece", neck=Neck(rib=2.4, half=9.0, drop=9.6), finish="ribbed", shoulder=(23.4, 5.0),
    armpit=(27.4, 26.5), sides=((27.0, 48), (26.0, 68)), **LONG | {"cuff": 10.0, "bulge": 8.0},
)  # fmt: skip
POLO = replace(
    TEE, fabric="pique", neck=Neck("polo", half=8.4, drop=8.0, placket=13.0), sides=((25.2, 44), (25.4, 72)), cuff=16.0
)
TANK = Top(
    BLACK, "fine_rib", neck=Neck(half=9.6, drop=15.0, rib=1.1, dip=4.5), shoulder=(13.6, 1.5), armpit=(20.0, 22.5),
    armhole_in=4.2, sides=((18.8, 38), (19.6, 48), (20.4, 60)), sleeve=0,
)  # fmt: skip
CARDIGAN = replace(
    SWEATSHIRT, fabric="fine_knit", neck=Neck("cardigan", shape="v", half=8.6, drop=26.0, rib=3.2),
    shoulder=(19.8, 4.4), armpit=(24.0, 22.5), sides=((23.4, 40), (22.8, 60)), **WOMEN_LONG,
)  # fmt: skip
MOCK = replace(
    CARDIGAN, neck=Neck("mock", half=8.4, drop=3.0), sides=((22.6, 38), (22.4, 60)), fabric="fine_rib", rib=5.0,
)  # fmt: skip

BRETON = replace(
    WOMEN_TEE, neck=Neck(shape="boat", half=11.5, drop=7.0, rib=0), sides=((22.4, 38), (23.4, 61)), **WOMEN_LONG
)


def breton(ground, stripe):
    return replace(BRETON, colour=ground, prints=[prints.stripes([(stripe, 1.0), (None, 1.7)])])


def landscape(ground, colours, words):
    motif = prints.Motif(prints.dunes(colours, "DUNE & CO", words), 0, 32, 23)
    return replace(TEE, colour=ground, fabric="slub", prints=[motif])


def chest_letters(colour, text, width, y):
    return prints.Motif(prints.lettering(text, colour, width, 600, 26), 0, y, width, 0.03)


UPPER = {
    "everyday-tee-white": replace(TEE, colour=WHITE),
    "everyday-tee-navy": replace(TEE, colour=NAVY),
    "everyday-tee-sage": replace(TEE, colour=SAGE),
    "quay-breton-navy": breton(ECRU, NAVY),
    "quay-breton-red": breton(WHITE, BRICK),
    "far-dunes-tee-ecru": landscape(ECRU, ("#efd9b8", "#d3683e", "#c68f60", "#8b5d48", "#34485a"), "#34485a"),
    "far-dunes-tee-slate": landscape(SLATE, ("#e9d7b9", "#e39a4f", "#b9a184", "#7c7f7a", "#2c3a4b"), "#f0e6d2"),
    "cove-vneck-blush": replace(WOMEN_TEE, colour=BLUSH, neck=Neck(shape="v", half=8.8, drop=16.0, rib=1.3)),
    "lido-cropped-tee-ochre": replace(CROPPED_TEE, colour=OCHRE),
    "lido-cropped-tee-black": replace(CROPPED_TEE, colour=BLACK),
    "ranger-henley-oat": replace(
        TEE, colour=OAT, fabric="slub", neck=Neck("henley", half=8.4, drop=9.0, rib=1.7, placket=13.0),
        button="#8b6b4a", **LONG,
    ),
    "harbour-polo-navy": replace(POLO, colour=NAVY),
    "harbour-polo-forest": replace(POLO, colour=FOREST),
    "atlas-oxford-sky": replace(SHIRT, colour=SKY, pocket=(11.5, 23, 11, 13)),
    "atlas-oxford-white": replace(SHIRT, colour=WHITE, pocket=(11.5, 23, 11, 13)),
    "cedar-flannel-check": replace(
        SHIRT, colour="#8f3a33", fabric="flannel", pocket=(11.5, 23, 11.5, 13.5), button="#3a302c",
        prints=[prints.tartan([("#232a3a", 0.0, 0.30), ("#232a3a", 0.38, 0.05), ("#e0d5c0", 0.64, 0.04)], 9.2)],
    ),
    "shore-linen-shirt-sand": replace(
        SHIRT, colour=SAND, fabric="linen", shoulder=(19.4, 4.2), armpit=(24.0, 22.5), button="#7d6a52",
        sides=((23.4, 42), (24.0, 60), (23.0, 66)), sleeve=19.0, sleeve_angle=37.0, cuff=14.6, bulge=1.4,
    ),
    "north-sweatshirt-grey": replace(
        SWEATSHIRT, colour=GREY, fabric="marl", prints=[chest_letters("#33373e", "NORTHLINE", 21, 26)]
    ),
    "north-sweatshirt-rust": replace(SWEATSHIRT, colour=RUST, prints=[chest_letters("#efe4d0", "NORTHLINE", 21, 26)]),
    "rib-tank-black": TANK,
    "rib-tank-white": replace(TANK, colour=WHITE),
    "willow-cardigan-camel": replace(CARDIGAN, colour=CAMEL, button="#5b4330"),
    "alba-mockneck-burgundy": replace(MOCK, colour=BURGUNDY),
    "fisher-jumper-ecru": replace(
        SWEATSHIRT, colour="#e4dcc9", fabric="stockinette", neck=Neck(rib=2.8, half=9.2, drop=9.8), rib=7.0
    ),
    "junior-ringer-tee-rust": replace(KIDS_TEE, colour=ECRU, trim=RUST, prints=[prints.Motif(
        prints.dunes(("#cfdde0", "#e0a13f", "#8fa79a", "#5f7f73", "#34554f"), "HELLO", RUST), 0, 24, 16)]),
    "junior-stripe-top-green": replace(
        KIDS_TEE, colour=WHITE, prints=[prints.stripes([(FOREST, 2.2), (None, 2.2)])], trim=FOREST,
        sleeve=41.0, sleeve_angle=70.0, cuff=8.0, bulge=4.5,
    ),
}  # fmt: skip

JEANS = Trousers(INDIGO, "denim", style="jeans", thread=TAN_THREAD, fade=0.45)
CHINOS = Trousers(SAND, "twill", knee=(25.0, 4.6, 62.0), hem=(24.4, 6.8, 102.0))
SHORTS = Trousers(OLIVE, hem=(28.6, 3.0, 51.0), knee=None, hip=(26.5, 21.0))
PLEATED = Skirt(BLACK, "crepe", style="pleated", count=13, depth=5.5, sway=0.5, gather=0.7, hem=(33, 68), hip=(24, 22))

LOWER = {
    "mason-jeans-indigo": JEANS,
    "mason-jeans-light": replace(JEANS, colour="#86a0bd", fade=0.32, thread="#c9a878"),
    "vera-slim-jeans-black": replace(
        JEANS, colour="#2b2c30", thread=None, fade=0.25, waist=18.0, hip=(23.5, 20.0), rise=27.0,
        knee=(22.0, 5.8, 60.0), hem=(20.8, 7.6, 98.0),
    ),
    "field-chinos-sand": CHINOS,
    "field-chinos-navy": replace(CHINOS, colour=NAVY),
    "ines-wide-trousers-charcoal": replace(
        CHINOS, colour=CHARCOAL, fabric="wool", style="tailored", waist=18.5, hip=(24.5, 20.0), rise=29.0,
        knee=(27.6, 1.3, 62.0), hem=(30.0, 1.8, 106.0),
    ),
    "cove-shorts-olive": SHORTS,
    "cove-shorts-stone": replace(SHORTS, colour="#d5ccba"),
    "studio-sweat-shorts-grey": replace(SHORTS, colour=GREY, fabric="marl", style="drawstring", hem=(28.0, 2.6, 46.0)),
    "colette-pleated-skirt-black": PLEATED,
    "colette-pleated-skirt-sage": replace(PLEATED, colour="#8d9a86"),
    "poppy-denim-skirt-indigo": Skirt(
        "#3f587a", "denim", style="denim", thread=TAN_THREAD, fade=0.28, hem=(28.5, 47), depth=4, sway=0.3
    ),
    "lena-pencil-skirt-charcoal": Skirt(
        "#46484e", "wool", style="pencil", waist=17.5, hip=(23.0, 20), hem=(21.0, 62), depth=1, sway=0.1
    ),
    "sera-satin-skirt-champagne": Skirt(
        "#c9b598", "satin", style="bias", hem=(30, 76), hip=(24, 24), count=5, depth=12, sway=1.0, elastic=True
    ),
    "meadow-skirt-floral": Skirt(
        NAVY, "viscose", hem=(36, 72), hip=(24, 20), count=7, depth=15, sway=1.2, gather=0.35, elastic=True, seed=5,
        prints=[prints.scattered(prints.blossom, 26, 16, 4, ("#e8ddcb", "#d8a48f", "#8fa58d", "#d9a441"), 2.4)],
    ),
}  # fmt: skip

SHIFT = replace(
    WOMEN_TEE, fabric="crepe", neck=Neck(shape="boat", half=10.0, drop=7.5, rib=0, dip=2.0), shoulder=(16.8, 3.2),
    armpit=(22.0, 21.5), armhole_in=3.4, sides=((21.0, 38), (24.0, 62), (25.5, 92)), sleeve=0,
)  # fmt: skip


def flared(base, seed, waist, hem, count=7, depth=11.0, sway=1.1, gather=0.3, **changes):
    """A dress with a waist seam and a skirt that hangs in waves; waist: (y, half), hem: (half, y)."""
    y, half = waist
    middle = ((half * 1.0 + hem[0]) / 2 + 1.0, (y + hem[1]) / 2)
    sides = (*((half + 1.5, y - 6),), (half, y), middle, hem)
    drape = Drape(np.random.default_rng(seed), y, ((y, half), middle[::-1], hem[::-1]), count, depth, sway, gather)
    return replace(base, sides=sides, waist=y, drape=drape, hem_sag=2.2, **changes)


def garden(ground, colours, seed):
    cloth = [prints.scattered(prints.blossom, 28, 17, seed, colours, 2.4)]
    base = replace(WOMEN_TEE, colour=ground, fabric="viscose", prints=cloth, neck=Neck(half=9.5, drop=11.0, rib=0))
    return flared(base, 11, (40.0, 17.5), (35.0, 98.0), sleeve=17.0, cuff=14.5)


SHIRT_DRESS = flared(
    replace(SHIRT, colour=WHITE, fabric="poplin", shoulder=(18.8, 4.0), armpit=(23.0, 21.5), belt=SKY,
            prints=[prints.stripes([("#7f9cbf", 0.35), (None, 0.55)], True)], button="#efece6"),
    12, (41.0, 18.5), (31.0, 106.0), count=6, depth=9.0, gather=0.2, sleeve=22.0,
    sleeve_angle=46.0, cuff=15.0, bulge=1.6,
)  # fmt: skip
WRAP = flared(
    replace(WOMEN_TEE, colour=FOREST, fabric="viscose", neck=Neck(shape="v", half=9.2, drop=25.0, rib=0), wrap=True,
            belt=FOREST),
    13, (39.0, 17.0), (33.0, 104.0), count=6, depth=11.0, gather=0.15, sleeve=32.0,
    sleeve_angle=58.0, cuff=13.0, bulge=3.5,
)  # fmt: skip
MAXI = flared(
    Top(RUST, "linen", neck=Neck(half=10.5, drop=13.0, rib=0, dip=4.0), shoulder=(14.5, 1.8), armpit=(21.0, 22.0),
        armhole_in=3.6, sleeve=0),
    14, (38.0, 18.0), (44.0, 132.0), count=8, depth=11.0, sway=1.2, gather=0.4, tiers=(68.0, 100.0),
)  # fmt: skip

DRESS = {
    "marin-shift-navy": replace(SHIFT, colour=NAVY),
    "marin-shift-blush": replace(SHIFT, colour=BLUSH),
    "garden-dress-navy": garden(NAVY, ("#e9dcc8", "#d59a86", "#8aa38b", "#dba94a"), 3),
    "garden-dress-cream": garden("#efe8da", ("#b9574a", "#d68f6d", "#6f8767", "#dfb45c"), 3),
    "clara-shirt-dress-blue": SHIRT_DRESS,
    "odette-wrap-dress-forest": WRAP,
    "odette-wrap-dress-dot": replace(WRAP, colour=BLACK, belt=BLACK, prints=[prints.polka("#ece5d8", 2.6)]),
    "solana-maxi-rust": MAXI,
    "pier-tee-dress-stripe": replace(
        WOMEN_TEE, colour=ECRU, prints=[prints.stripes([(NAVY, 0.8), (None, 1.4)])],
        sides=((22.4, 40), (24.6, 62), (26.0, 92)), sleeve=17.0, cuff=14.5,
    ),
    "noor-knit-dress-camel": replace(
        MOCK, colour=CAMEL, fabric="fine_knit", sides=((21.0, 38), (24.2, 60), (24.0, 104)), rib=7.0
    ),
    "junior-gingham-dress-sky": flared(
        replace(KIDS_TEE, colour=WHITE, fabric="poplin", prints=[prints.gingham("#6f93bd", 0.9)],
                neck=Neck(half=7.6, drop=7.0, rib=0)),
        15, (28.0, 16.5), (28.0, 62.0), count=7, depth=9.0, gather=0.5, sleeve=12.0, cuff=10.6,
    ),
}  # fmt: skip

WARDROBE = UPPER | LOWER | DRESS
