"""The networks whose files are in the registry."""

from __future__ import annotations

from preprocessing.networks.declaration import MAX, Network
from preprocessing.networks.tables import CLOTHES

KNOWN: dict[str, Network] = {
    network.name: network
    for network in (
        # Qin 2020, arXiv:2005.09007; input as in its authors' code.
        Network(
            name="u2net",
            role="cloth_mask",
            weight="u2net",
            size=(320, 320),
            divide=MAX,
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
            decode="minmax",
            refine=True,
            megabytes=1500,
        ),
        # The same network with four channels (github.com/levindabhi/cloth-segmentation); input as it was trained.
        Network(
            name="u2net_cloth_seg",
            role="parse",
            weight="u2net_cloth_seg",
            size=(768, 768),
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            decode="argmax",
            labels=CLOTHES,
            seconds=120,
            megabytes=3000,
        ),
    )
}
