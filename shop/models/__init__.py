from shop.models.access import ApiKey
from shop.models.catalogue import Garment, GarmentAnalysis, GarmentPicture, Shape, Variant
from shop.models.shoppers import Event, Photo, Shopper

__all__ = ["ApiKey", "Event", "Garment", "GarmentAnalysis", "GarmentPicture", "Photo", "Shape", "Shopper", "Variant"]
