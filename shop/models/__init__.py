from shop.models.access import ApiKey
from shop.models.catalogue import Garment, Variant
from shop.models.pictures import GarmentAnalysis, GarmentPicture, Shape
from shop.models.shoppers import Event, Photo, PhotoFrame, Shopper

__all__ = [
    "ApiKey",
    "Event",
    "Garment",
    "GarmentAnalysis",
    "GarmentPicture",
    "Photo",
    "PhotoFrame",
    "Shape",
    "Shopper",
    "Variant",
]
