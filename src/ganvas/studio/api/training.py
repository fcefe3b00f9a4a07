"""A new run: its images, its settings, and its start."""

import secrets
from typing import Annotated, Any, Literal

import yaml
from fastapi import APIRouter, Body, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import Request as Asked
from ganvas.config import nest, resolve
from ganvas.config.resolve import NOMINAL
from ganvas.data.sources.builtin import SOURCES
from ganvas.models import DEFAULT
from ganvas.runtime.atomic import make_folder, write_text
from ganvas.runtime.validation import SettingsError, quote
from ganvas.studio import form
from ganvas.studio.jobs import Jobs
from ganvas.studio.uploads import UploadError, Uploads, looked_at
from ganvas.studio.workspace import Workspace

UploadId = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]
BuiltIn = Literal["digits", "emoji"]
JobId = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]
Size = Annotated[str, Query(pattern=r"^[0-9]{1,4}(x[0-9]{1,4})?$")]


class Wanted(BaseModel):
    """A run as it is asked for: options by their names on the command line."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=80)]
    builtin: BuiltIn | None = None
    upload: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    model: Annotated[str, Field(max_length=40)] = DEFAULT
    options: Annotated[dict[str, str | int | float | bool], Field(max_length=100)] = {}


def routes(workspace: Workspace, jobs: Jobs) -> APIRouter:
    """What the page of a new run asks for. GET changes nothing."""
    router = APIRouter(prefix="/api")
    uploads = Uploads(workspace.uploads)

    @router.get("/form")
    def fields(model: Annotated[str, Query(max_length=40)] = DEFAULT) -> dict[str, object]:
        """The settings of a model, with their defaults; built-in images and all models."""
        return {"fields": form.fields(model), "models": form.models(), "builtin": list(SOURCES)}

    @router.post("/uploads")
    def begin() -> dict[str, str]:
        """Begin an upload."""
        return {"id": uploads.begin()}

    @router.put("/uploads/{upload}/{number}")
    async def take(
        upload: UploadId,
        number: Annotated[int, InPath(ge=0, lt=1_000_000)],
        request: Request,
        title: Annotated[str, Query(max_length=1000)] = "",
    ) -> dict[str, object]:
        """A file of an upload, as the body of the request."""
        await uploads.take(upload, number, title, request.stream())
        return {"number": number}

    @router.post("/uploads/{upload}/look")
    def look(upload: UploadId, size: Size = "64") -> dict[str, Any]:
        """How training would see an upload: usable and refused images, and a contact sheet."""
        return uploads.look(upload, size)

    @router.post("/builtin/{name}/look")
    def look_at_builtin(name: BuiltIn, size: Size = "64") -> dict[str, Any]:
        """How training would see a set that comes with ganvas, as for an upload."""
        make_folder(workspace.own)
        return looked_at(name, size, workspace.own / f"{name}-{size}.png")

    @router.get("/builtin/{name}/sheet")
    def builtin_sheet(name: BuiltIn, size: Size = "64") -> Response:
        """The contact sheet of a set that has been looked at in this size."""
        path = workspace.own / f"{name}-{size}.png"
        if not path.is_file():
            raise UploadError("there is no contact sheet of it yet.")
        return FileResponse(path, media_type="image/png")

    @router.get("/uploads/{upload}/sheet")
    def sheet(upload: UploadId) -> Response:
        """The contact sheet."""
        return FileResponse(uploads.sheet(upload), media_type="image/png")

    @router.post("/runs")
    def start(wanted: Annotated[Wanted, Body()]) -> dict[str, object]:
        """Start a run in a process of its own, as `ganvas train` in a terminal would."""
        place = workspace.place_for(wanted.name)
        settings = _settings(wanted, uploads)
        job = secrets.token_hex(8)
        make_folder(jobs.folder)
        described = jobs.folder / f"{job}.yaml"
        write_text(described, yaml.safe_dump(settings))
        command = ["train", "--config", str(described), "--out", str(place)]
        jobs.start(job, command, workspace.root, place)
        return {"job": job, "run": workspace.id_of(RunDir(place))}

    @router.get("/jobs/{job}")
    def status(
        job: JobId, run: Annotated[str, Query(pattern="^[0-9a-f]{16}$")]
    ) -> dict[str, object]:
        """Whether a run that was started is there by now; the exit status of its process, None
        while it runs, and the end of what it has said."""
        there = run in workspace.runs(fresh=True)
        return {"there": there, "status": jobs.status(job), "said": jobs.said(job)}

    return router


def _settings(wanted: Wanted, uploads: Uploads) -> dict[str, Any]:
    """The run.yaml that is asked for; raises SettingsError for what it cannot be."""
    if (wanted.builtin is None) == (wanted.upload is None):
        raise SettingsError("choose images: a built-in set, or some of your own.")
    source = wanted.builtin or str(uploads.source(wanted.upload or ""))
    known = {field["name"] for field in form.fields(wanted.model)}
    if unknown := [name for name in wanted.options if name not in known]:
        raise SettingsError(f"no setting of {wanted.model} is called {quote(unknown[0])} here.")
    settings = {"source": source, "model": wanted.model, **nest(wanted.options)}
    resolve(Asked.of(settings), NOMINAL, 1)  # raises for what no images could make right
    return settings
