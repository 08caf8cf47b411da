"""What shop tells the apps above it, which it does not know."""

from django.dispatch import Signal

picture_stored = Signal()  # picture: GarmentPicture, after its first save, inside the transaction
picture_analysed = Signal()  # analysis: GarmentAnalysis, when its work is done
photo_stored = Signal()  # photo: Photo, after its first save, inside the transaction
photo_deleted = Signal()  # photo: Photo, inside the transaction that deletes it
sweep = Signal()  # every REAPER_SECONDS, in one worker at a time
