from tryon.models.engine_state import EngineState
from tryon.models.rating import Rating
from tryon.models.requests import TryOnRequest, best
from tryon.models.tryon import TryOn

__all__ = ["EngineState", "Rating", "TryOn", "TryOnRequest", "best"]
