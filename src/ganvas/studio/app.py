"""The studio as an ASGI application: what its pages read, what they may change, and the pages."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI, Query, Request, WebSocket
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocketDisconnect

from ganvas import __version__
from ganvas.config import yaml as run_yaml
from ganvas.errors import GanvasError
from ganvas.runs import mailbox
from ganvas.runs.control import Answer, Command, Label, Pause, Resume, Save, Set, Stop
from ganvas.runs.follow import EVERY, News, news, position_at
from ganvas.runs.listing import state_of
from ganvas.runs.status import read as read_status
from ganvas.runtime.validation import SettingsError
from ganvas.studio import curves
from ganvas.studio.guard import Door, Guard
from ganvas.studio.workspace import UnknownRunError, Workspace
from ganvas.training.callbacks.log import tail

STATIC = Path(__file__).parent / "static"
Id = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]


class Steering(BaseModel):
    """A command to a run; `setting` and `value` belong to set, `text` to label."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    command: Literal["save", "pause", "resume", "stop", "set", "label"]
    setting: Annotated[str, Field(max_length=64)] = ""
    value: float = 0.0
    text: Annotated[str, Field(max_length=mailbox.LABEL)] = ""

    @property
    def meant(self) -> Command:
        """The command itself."""
        plain: dict[str, Command] = {"save": Save(), "pause": Pause(), "resume": Resume()}
        match self.command:
            case "set":
                return Set(self.setting, self.value)
            case "label":
                return Label(self.text)
            case "stop":
                return Stop()
            case other:
                return plain[other]


def application(workspace: Workspace, door: Door) -> Guard:
    """The application, guarded."""
    app = FastAPI(
        title="ganvas studio",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.workspace = workspace
    app.add_exception_handler(GanvasError, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _plain)
    _reading(app, workspace)
    _changing(app, workspace)
    _pages(app)
    return Guard(app, door)


def _reading(app: FastAPI, workspace: Workspace) -> None:
    """What pages read; nothing of it changes anything."""

    @app.get("/api/runs")
    def runs() -> list[dict[str, object]]:
        """All runs of the workspace, those that changed last first."""
        found = [workspace.described(name) for name in workspace.runs()]
        return sorted(found, key=lambda run: -float(str(run["changed"])))

    @app.get("/api/runs/{name}")
    def run(name: Id) -> dict[str, object]:
        """One run: what it is, its settings, and its sample grids."""
        folder = workspace.run(name)
        try:
            settings = run_yaml.read(folder.settings)
        except SettingsError:
            settings = {}
        live = _live(folder)
        return {
            **workspace.described(name),
            "settings": settings,
            "samples": workspace.samples(name),
            "status": live,
        }

    @app.get("/api/runs/{name}/curves")
    def plot(name: Id, points: Annotated[int, Query(ge=2, le=10_000)] = 2000) -> dict[str, object]:
        """Losses and scores, evenly spaced, with all events."""
        folder = workspace.run(name)
        found = curves.read(folder.metrics_log, points)
        return {
            "columns": found.columns,
            "events": [_finite(line) for line in found.events],
            "position": position_at(folder, found.position) if found.position else "",
        }

    @app.get("/api/runs/{name}/news")
    def fetch(name: Id, after: Annotated[str, Query(max_length=64)] = "") -> dict[str, object]:
        """The lines of the metrics log after a position: for whoever has missed some."""
        return _sent(news(workspace.run(name), after))

    @app.get("/api/runs/{name}/samples/{file}")
    def sample(name: Id, file: Annotated[str, InPath(max_length=64)]) -> Response:
        """A sample grid, as it was written."""
        path = workspace.sample(name, file)
        return FileResponse(path, media_type="image/png", headers={"cache-control": "max-age=600"})

    @app.websocket("/api/runs/{name}/live")
    async def live(socket: WebSocket, name: str, after: str = "") -> None:
        """What is added to a run's log, and its status, about once a second."""
        await socket.accept()
        try:
            folder = await asyncio.to_thread(workspace.run, name)
        except UnknownRunError:
            await socket.close(4404)
            return
        position = after[:64]
        waiting = asyncio.create_task(_until_gone(socket))
        try:
            while not waiting.done():
                found = await asyncio.to_thread(news, folder, position)
                status = await asyncio.to_thread(_live, folder)
                samples = await asyncio.to_thread(workspace.samples, name)
                position = found.position
                await socket.send_json({**_sent(found), "status": status, "samples": samples[-1:]})
                if not found.more:
                    await asyncio.wait([waiting], timeout=EVERY)
        except (WebSocketDisconnect, RuntimeError, GanvasError):
            pass  # it has gone away, or the run has
        finally:
            waiting.cancel()


async def _until_gone(socket: WebSocket) -> None:
    """Read what a client says, which means nothing, until it has gone."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _changing(app: FastAPI, workspace: Workspace) -> None:
    """What pages change."""

    @app.post("/api/runs/{name}/commands")
    def steer(name: Id, asked: Annotated[Steering, Body()]) -> dict[str, object]:
        """Steer a run, as `ganvas steer` does, and wait for its answer."""
        answer: Answer = mailbox.ask(workspace.run(name), asked.meant)
        return {"step": answer.step, "refused": answer.refused}

    @app.delete("/api/runs/{name}")
    def delete(name: Id) -> dict[str, object]:
        """Move a run to the trash folder of the workspace."""
        goal = workspace.throw_away(name)
        return {"trash": str(goal.relative_to(workspace.root))}


def _pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def index() -> Response:
        return FileResponse(STATIC / "index.html", media_type="text/html")

    app.mount("/static", StaticFiles(directory=STATIC), name="static")


def _live(folder: Any) -> dict[str, object]:
    """Where a run stands now."""
    status = read_status(folder.status)
    lines = tail(folder.metrics_log, 2**14)
    found = {} if status is None else vars(status)
    return {**found, "state": state_of(folder, status, lines)}


def _sent(found: News) -> dict[str, object]:
    return {**vars(found), "lines": [_finite(line) for line in found.lines]}


def _finite(line: dict[str, Any]) -> dict[str, Any]:
    """A line of the log with None for numbers that JSON does not have."""
    return {
        name: None if isinstance(value, float) and not abs(value) < float("inf") else value
        for name, value in line.items()
    }


async def _refused(request: Request, fault: Exception) -> Response:
    status = 404 if isinstance(fault, UnknownRunError) else 409
    return JSONResponse({"sentence": str(fault)}, status)


async def _unreadable(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    first = fault.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"sentence": f"{where}: {first['msg']}"}, 422)


async def _plain(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    return JSONResponse({"sentence": str(fault.detail)}, fault.status_code)
