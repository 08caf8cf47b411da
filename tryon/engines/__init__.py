"""The engines: what each one is called, can do, needs and allows. Cheap to import; the networks are not."""

from tryon.engines.base import EngineInfo

ENGINES = {
    info.name: info
    for info in (
        EngineInfo(
            name="preview",
            version="2",
            queue="cpu",
            categories=frozenset({"upper", "lower", "dress"}),
            weights=("pose_landmarker_full", "selfie_multiclass"),
            licence="Apache-2.0",
            commercial_use=True,
            module="tryon.engines.preview.engine",
            outfits=True,
        ),
        EngineInfo(
            name="hr_viton",
            version="1",
            queue="gpu",
            categories=frozenset({"upper"}),
            weights=("hr_viton",),
            licence="CC-BY-NC-4.0",
            commercial_use=False,
            module="tryon.engines.hr_viton.engine",
            frame="upper",
        ),
    )
}
