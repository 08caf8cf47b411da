from tryon.models.engine_state import EngineState
from tryon.models.requests import TryOnRequest, best
from tryon.models.tryon import TryOn

__all__ = ["EngineState", "TryOn", "TryOnRequest", "best"]
