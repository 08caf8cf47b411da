"""Two small networks with what real ones have: batch normalisation, whole numbers and a spectral norm."""

from torch import nn
from torch.nn.utils import spectral_norm


class Condition(nn.Module):
    channels = 4

    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(self.channels, 8, 3, bias=False), nn.BatchNorm2d(8))
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        return self.out(self.block(x))


class Image(nn.Module):
    channels = 3

    def __init__(self):
        super().__init__()
        self.conv_0 = spectral_norm(nn.Conv2d(self.channels, 8, 3))
        self.out = nn.Conv2d(8, 3, 1)

    def forward(self, x):
        return self.out(self.conv_0(x))


class Forgetful(nn.Module):
    """Has a value that no checkpoint holds."""

    def __init__(self):
        super().__init__()
        self.out = nn.Conv2d(1, 1, 1)
        self.register_buffer("grid", self.out.weight.detach() * 0, persistent=False)
