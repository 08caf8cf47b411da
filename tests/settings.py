"""What a worker of the tests runs with: the shop's settings, and engines that misbehave on demand."""

from shop.settings import *  # noqa: F403

TRYON_ENGINES = "tests.engines.ENGINES"
