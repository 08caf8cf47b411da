from shop.models.access import ApiKey
from shop.models.catalogue import Garment, Variant
from shop.models.events import Event, ShownList, Surface
from shop.models.experiments import Experiment
from shop.models.pictures import GarmentAnalysis, GarmentPicture, Shape
from shop.models.shoppers import Photo, PhotoFrame, Shopper

__all__ = [
    "ApiKey",
    "Event",
    "Experiment",
    "Garment",
    "GarmentAnalysis",
    "GarmentPicture",
    "Photo",
    "PhotoFrame",
    "Shape",
    "Shopper",
    "ShownList",
    "Surface",
    "Variant",
]
