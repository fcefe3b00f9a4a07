"""Style transfer: begun, watched while the image appears, cancelled, compared, repeated."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from ganvas.runtime.validation import SettingsError, build_settings
from ganvas.studio.jobs import Jobs
from ganvas.studio.paintings import Paintings
from ganvas.studio.uploads import Uploads
from ganvas.studio.workspace import Workspace
from ganvas.style.presets import PRESETS
from ganvas.style.settings import StyleSettings

Id = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]
LARGEST = 4096  # pixels
MEDIA = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
}


class Chosen(BaseModel):
    """The settings of a transfer that a page offers; the rest stays as it is by default."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    preset: Literal["default", "draft", "fine", "lesson", "gatys"] = "default"
    strength: Annotated[float, Field(ge=0, le=1)] = 0.5
    size: Annotated[int, Field(ge=64, le=LARGEST)] = 512
    colours: Literal["style", "content", "luminance"] = "style"
    style_scale: Annotated[float, Field(gt=0, le=8)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class Wanted(BaseModel):
    """A transfer: images of an upload, the photograph first, or those of an earlier one."""

    model_config = ConfigDict(extra="forbid")
    upload: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    again: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    options: Chosen = Chosen()


def routes(workspace: Workspace, jobs: Jobs) -> APIRouter:
    """What the page of style transfer asks for. GET changes nothing."""
    router = APIRouter(prefix="/api/styles")
    paintings = Paintings(workspace, jobs)
    uploads = Uploads(workspace.uploads)

    @router.get("")
    def history() -> list[dict[str, Any]]:
        """All transfers, the newest first."""
        return paintings.all()

    @router.get("/presets")
    def presets() -> list[dict[str, str]]:
        """Presets with what each is for."""
        return [{"name": name, "summary": preset.summary} for name, preset in PRESETS.items()]

    @router.post("")
    def start(wanted: Annotated[Wanted, Body()]) -> dict[str, str]:
        """Begin a transfer in a process of its own, as `ganvas style` in a terminal would."""
        if (wanted.upload is None) == (wanted.again is None):
            raise SettingsError("choose a photograph and paintings.")
        options = wanted.options.model_dump()
        build_settings(StyleSettings, "style", options)
        if wanted.upload is not None:
            images = sorted((uploads.place(wanted.upload) / "images").iterdir())
        else:
            images = paintings.sources(wanted.again or "")
        return {"id": paintings.start(images, options)}

    @router.get("/{name}")
    def describe(name: Id) -> dict[str, Any]:
        """How far a transfer is."""
        return paintings.describe(name)

    @router.get("/{name}/images/{file}")
    def image(name: Id, file: Annotated[str, InPath(max_length=64)]) -> Response:
        """An image of a transfer."""
        path = paintings.image(name, file)
        # Never as a page, whatever an uploaded file is called.
        return FileResponse(path, media_type=MEDIA.get(path.suffix, "application/octet-stream"))

    @router.post("/{name}/cancel")
    def cancel(name: Id) -> dict[str, str]:
        """End a transfer; the image as it stands is kept."""
        paintings.cancel(name)
        return {"id": name}

    @router.delete("/{name}")
    def delete(name: Id) -> dict[str, str]:
        """Move a transfer to the trash folder of the workspace."""
        paintings.throw_away(name)
        return {"id": name}

    return router
