"""What the shop's pages and API ask: similar garments, what goes with one, and what a shopper may like."""

from recommend.ranking.filters import EVERYTHING, Filters
from recommend.ranking.for_you import for_you
from recommend.ranking.found import Found, encoder_name, genders_beside, with_pictures
from recommend.ranking.goes_with import goes_with
from recommend.ranking.popular import anything_popular
from recommend.ranking.similar import similar

__all__ = [
    "EVERYTHING",
    "Filters",
    "Found",
    "anything_popular",
    "encoder_name",
    "for_you",
    "genders_beside",
    "goes_with",
    "similar",
    "with_pictures",
]
