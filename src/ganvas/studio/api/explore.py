"""Explore what a generator has learnt: images of points of a plane of latents, as asked for."""

import asyncio
import json
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, WebSocket
from fastapi import Path as InPath
from fastapi.responses import Response
from PIL import PngImagePlugin
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.websockets import WebSocketDisconnect

from ganvas.checkpoints import checkpoint
from ganvas.errors import GanvasError
from ganvas.generate.pipeline import Pipeline
from ganvas.generate.trained import SHIPPED
from ganvas.imaging import Pixels
from ganvas.imaging.video import write_gif
from ganvas.imaging.write import as_pillow, generated_mark
from ganvas.studio.api.sockets import newest, packed
from ganvas.studio.explorer import FAR, Explorer, Place, corners, facts, image_at
from ganvas.studio.workspace import Workspace

Source = Annotated[str, InPath(pattern="^(digits|emoji|[0-9a-f]{16})$")]
FRAMES = 24  # of a film, from one keyframe to the next
MILLISECONDS = 60
STATED = "ganvas.explore"  # the settings of a kept image, in its file


class Point(BaseModel):
    """A point of the plane; `id` comes back with its image."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    x: Annotated[float, Field(ge=-FAR, le=FAR)] = 0.0
    y: Annotated[float, Field(ge=-FAR, le=FAR)] = 0.0
    truncation: Annotated[float, Field(ge=0, le=2)] = 1.0
    label: Annotated[str, Field(max_length=200)] | None = None
    mixed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    layers: Annotated[list[Annotated[int, Field(ge=0, lt=64)]], Field(max_length=64)] = []
    id: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @property
    def place(self) -> Place:
        """The same without the number."""
        given = (self.x, self.y, self.truncation, self.label, self.mixed)
        return Place(*given, layers=tuple(self.layers))


def routes(workspace: Workspace) -> APIRouter:
    """What the page asks for. Nothing is written."""
    router = APIRouter(prefix="/api/explore")
    explorer = Explorer()

    def model_of(source: str) -> Pipeline:
        if source in SHIPPED:
            return explorer.pipeline(source, f"builtin:{source}")
        folder = workspace.run(source)
        newest = checkpoint.list_checkpoints(folder.checkpoints)
        key = f"{source}/{newest[0].name if newest else ''}"
        return explorer.pipeline(key, str(folder.path))

    def image(model: Pipeline, place: Place) -> Pixels:
        return explorer.run(lambda: image_at(model, place))

    @router.get("")
    def sources() -> list[dict[str, object]]:
        """What can be explored: generators that come with ganvas, and runs with a checkpoint."""
        found: list[dict[str, object]] = [{"id": name, "name": name} for name in SHIPPED]
        for name, run in workspace.runs().items():
            if checkpoint.list_checkpoints(run.checkpoints):
                found.append({"id": name, "name": str(run.path.relative_to(workspace.root))})
        return found

    @router.get("/{source}")
    def about(source: Source) -> dict[str, object]:
        """Size, classes and layers of a generator."""
        return facts(model_of(source))

    @router.post("/{source}/image")
    def keep(source: Source, point: Annotated[Point, Body()]) -> Response:
        """An image as a PNG with its settings inside."""
        pixels = image(model_of(source), point.place)
        stated = point.model_dump(exclude={"id"}) | {"source": source}
        seeds = ",".join(str(seed) for seed, _ in corners(point.place))
        about = generated_mark("sample", {STATED: json.dumps(stated), "ganvas.seeds": seeds})
        return Response(_png(pixels, about), media_type="image/png")

    @router.post("/{source}/film")
    def film(
        source: Source, points: Annotated[list[Point], Body(min_length=2, max_length=64)]
    ) -> Response:
        """A film from point to point and back to the first, as a GIF."""
        model = model_of(source)
        frames = [image(model, place) for place in _between([point.place for point in points])]
        with TemporaryDirectory() as place:
            path = Path(place) / "film.gif"
            write_gif(path, np.stack(frames), MILLISECONDS)
            return Response(path.read_bytes(), media_type="image/gif")

    @router.websocket("/{source}/live")
    async def live(socket: WebSocket, source: str) -> None:
        """Images of the points that a client sends; of several that wait, the last one counts."""
        await socket.accept()
        try:
            known = source in SHIPPED or source in workspace.runs()
            model = await asyncio.to_thread(model_of, source) if known else None
        except GanvasError:
            model = None
        if model is None:
            await socket.close(4404)
            return
        with suppress(WebSocketDisconnect, RuntimeError):
            await _answer(socket, model, image)

    return router


async def _answer(socket: WebSocket, model: Pipeline, image: Any) -> None:
    """Read points as they come, and answer the newest one."""
    async with newest(socket) as waiting:
        while (text := await waiting.get()) is not None:
            try:
                point = Point.model_validate_json(text)
                pixels = await asyncio.to_thread(image, model, point.place)
            except (ValidationError, GanvasError) as fault:
                sentence = str(fault) if isinstance(fault, GanvasError) else "that is no point."
                await socket.send_json({"sentence": sentence})
            else:
                await socket.send_bytes(packed(point.id, pixels))


def _png(pixels: Pixels, about: dict[str, str]) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for name, fact in about.items():
        chunks.add_text(name, fact)
    written = BytesIO()
    as_pillow(pixels).save(written, "PNG", pnginfo=chunks)
    return written.getvalue()


def _between(places: list[Place]) -> list[Place]:
    """Points on straight lines of the plane, from each place to the next and to the first."""
    found = []
    for before, after in zip(places, [*places[1:], places[0]], strict=True):
        for frame in range(FRAMES):
            share = frame / FRAMES
            found.append(
                Place(
                    before.x + share * (after.x - before.x),
                    before.y + share * (after.y - before.y),
                    before.truncation + share * (after.truncation - before.truncation),
                    before.label,
                    before.mixed,
                    before.layers,
                )
            )
    return found
