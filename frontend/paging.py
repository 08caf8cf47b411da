"""Pages of garments, as the templates show them."""

from django.core.paginator import Paginator

PER_PAGE = 24


class Counted(Paginator):
    """Pages of garments that were counted already."""

    def __init__(self, garments, count: int):
        super().__init__(garments, PER_PAGE)
        self.count = count
