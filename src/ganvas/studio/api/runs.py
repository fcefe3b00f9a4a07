"""Runs: read, followed while they train, and steered."""

import asyncio
import secrets
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, WebSocket
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.websockets import WebSocketDisconnect

from ganvas.checkpoints import checkpoint
from ganvas.checkpoints.metadata import CheckpointError
from ganvas.checkpoints.run_dir import RunDir
from ganvas.config import yaml as run_yaml
from ganvas.config.training import seconds
from ganvas.errors import GanvasError
from ganvas.generate import export as files
from ganvas.generate.trained import find_trained
from ganvas.runs import mailbox
from ganvas.runs.branch import branch
from ganvas.runs.control import Answer, Command, Label, Pause, Resume, Save, Set, Stop
from ganvas.runs.follow import EVERY, News, news, position_at
from ganvas.runs.listing import PREPARING, state_of
from ganvas.runs.status import PAUSED, RUNNING
from ganvas.runs.status import read as read_status
from ganvas.runtime.locking import is_locked
from ganvas.runtime.validation import SettingsError
from ganvas.studio import curves
from ganvas.studio.jobs import Jobs
from ganvas.studio.workspace import UnknownRunError, Workspace, WorkspaceError
from ganvas.training.callbacks.log import tail

Id = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]


class Longer(BaseModel):
    """How a run goes on: for how much more time, and with which learning rates."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    time: Annotated[str, Field(max_length=20)] = ""  # such as 10m; what was left of it if empty
    lr_g: Annotated[float | None, Field(gt=0)] = None
    lr_d: Annotated[float | None, Field(gt=0)] = None

    def flags(self, run: RunDir) -> list[str]:
        """As options of `ganvas train --resume`; raises SettingsError for what is no time."""
        found = []
        if self.time.strip():
            try:
                more = float(str(seconds(self.time.strip())))
            except ValueError as fault:
                raise SettingsError(f"{fault}.") from None
            found.append(f"--for={checkpoint.newest(run.checkpoints)[0].state.seconds + more:.3f}s")
        rates = {"--lr-g": self.lr_g, "--lr-d": self.lr_d}
        return found + [f"{name}={rate!r}" for name, rate in rates.items() if rate is not None]


class Branch(Longer):
    """A new run from a checkpoint of another one."""

    name: Annotated[str, Field(max_length=80)]
    step: Annotated[int, Field(ge=0, lt=2**53)]


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


def routes(workspace: Workspace, jobs: Jobs) -> APIRouter:
    """What is answered about runs, and what changes them. GET changes nothing."""
    router = APIRouter(prefix="/api/runs")

    def described(name: str) -> dict[str, object]:
        found = workspace.described(name)
        return found | {"state": state_now(workspace.run(name), str(found["state"]))}

    def state_now(folder: RunDir, state: str) -> str:
        """A run whose process has just been started is no dead one."""
        ended = state != RUNNING and state != PAUSED
        return PREPARING if ended and jobs.train(folder.path) else state

    def live_status(folder: RunDir) -> dict[str, object]:
        found = _live(folder)
        return found | {"state": state_now(folder, str(found["state"]))}

    def evaluation(name: str) -> dict[str, object]:
        """What the last evaluation of a run has said, in this studio or one before, if any."""
        job = _evaluating(name)
        return {"job": job, "runs": jobs.runs(job), "said": jobs.said(job).strip()}

    # What all who watch a run get: read once for all of them, and not for each.
    shared: dict[str, tuple[float, dict[str, object]]] = {}

    def watched(name: str, folder: RunDir, after: str) -> tuple[News, dict[str, object]]:
        until, known = shared.get(name, (0.0, {}))
        if time.monotonic() >= until:
            known = {"status": live_status(folder), "samples": workspace.samples(name)[-1:]}
            shared[name] = (time.monotonic() + EVERY / 2, known)
        return news(folder, after), known

    @router.get("")
    def runs() -> list[dict[str, object]]:
        """All runs of the workspace, those that changed last first, and those that are about to
        be there."""
        known = workspace.runs()
        found = [_to_be(workspace, path) for path in jobs.trained()]
        found = [run for run in found if run["id"] not in known]
        for name in known:
            with suppress(OSError, GanvasError):  # it has just gone, or its files are out of reach
                found.append(described(name))
        return sorted(found, key=lambda run: -float(str(run["changed"])))

    @router.get("/{name}")
    def run(name: Id) -> dict[str, object]:
        """One run: what it is, its settings, and its sample grids."""
        folder = workspace.run(name)
        try:
            settings = run_yaml.read(folder.settings)
        except SettingsError:
            settings = {}
        return {
            **described(name),
            "settings": settings,
            **_remembered(folder),
            "pictures": [n for n in ("real", "nearest") if getattr(folder, n).is_file()],
            "samples": workspace.samples(name),
            "status": live_status(folder),
            "evaluation": evaluation(name),
        }

    @router.get("/{name}/curves")
    def plot(name: Id, points: Annotated[int, Query(ge=2, le=10_000)] = 2000) -> dict[str, object]:
        """Losses and scores, evenly spaced, with all events."""
        folder = workspace.run(name)
        found = curves.read(folder.metrics_log, points)
        return {
            "columns": found.columns,
            "events": [_finite(line) for line in found.events],
            "position": position_at(folder, found.position) if found.position else "",
        }

    @router.get("/{name}/news")
    def fetch(name: Id, after: Annotated[str, Query(max_length=64)] = "") -> dict[str, object]:
        """The lines of the metrics log after a position: for whoever has missed some."""
        return _sent(news(workspace.run(name), after))

    @router.get("/{name}/samples/{file}")
    def sample(name: Id, file: Annotated[str, InPath(max_length=64)]) -> Response:
        """A sample grid, as it was written."""
        path = workspace.sample(name, file)
        return FileResponse(path, media_type="image/png", headers={"cache-control": "max-age=600"})

    @router.get("/{name}/pictures/{which}")
    def picture(name: Id, which: Literal["real", "nearest"]) -> Response:
        """Real images, as the networks see them; samples above the real images nearest to them."""
        folder = workspace.run(name)
        path = folder.real if which == "real" else folder.nearest
        if not path.is_file():
            raise UnknownRunError("this run has no such picture.")
        return FileResponse(path, media_type="image/png")

    @router.get("/{name}/checkpoints")
    def checkpoints(name: Id) -> list[dict[str, object]]:
        """The checkpoints of a run that are whole, every byte verified, the newest first."""
        found = checkpoint.all_whole(workspace.run(name).checkpoints)
        return [saved for folder in found if (saved := _saved(folder)) is not None]

    @router.websocket("/{name}/live")
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
                found, known = await asyncio.to_thread(watched, name, folder, position)
                position = found.position
                await socket.send_json({**_sent(found), **known})
                if not found.more:
                    await asyncio.wait([waiting], timeout=EVERY)
        except (WebSocketDisconnect, RuntimeError):
            pass  # whoever watched has gone away
        except (GanvasError, OSError):  # the run has
            with suppress(RuntimeError):
                await socket.close(4404)
        finally:
            waiting.cancel()

    @router.post("/{name}/commands")
    def steer(name: Id, asked: Annotated[Steering, Body()]) -> dict[str, object]:
        """Steer a run, as `ganvas steer` does, and wait for its answer."""
        answer: Answer = mailbox.ask(workspace.run(name), asked.meant)
        return {"step": answer.step, "refused": answer.refused}

    @router.post("/{name}/resume")
    def resume(name: Id, wanted: Annotated[Longer | None, Body()] = None) -> dict[str, object]:
        """Go on with a run that nobody trains, in a process of its own."""
        folder = workspace.run(name)
        if is_locked(folder.path):
            raise WorkspaceError("the run is being trained already.")
        job = secrets.token_hex(8)
        command = ["train", "--resume", "--out", str(folder.path)]
        command += (wanted or Longer()).flags(folder)
        jobs.start(job, command, workspace.root, folder.path)
        return {"job": job, "run": name}

    @router.post("/{name}/branch")
    def branch_off(name: Id, wanted: Annotated[Branch, Body()]) -> dict[str, object]:
        """Begin another run from a checkpoint, and train it, as `ganvas branch` and resuming do."""
        out = RunDir(workspace.place_for(wanted.name))
        wanted.flags(workspace.run(name))  # raises before anything is made
        branch(workspace.run(name), out, wanted.step)
        job = secrets.token_hex(8)
        command = ["train", "--resume", "--out", str(out.path), *wanted.flags(out)]
        jobs.start(job, command, workspace.root, out.path)
        return {"job": job, "run": workspace.id_of(out)}

    @router.post("/{name}/evaluate")
    def evaluate(name: Id) -> dict[str, object]:
        """Score a run in a process of its own, as `ganvas evaluate` does; one at a time."""
        job, place = _evaluating(name), workspace.run(name).path
        if not jobs.runs(job):
            jobs.start(job, ["evaluate", str(place)], workspace.root)
        return {"job": job, "run": name}

    @router.post("/{name}/evaluate/cancel")
    def cancel(name: Id) -> dict[str, object]:
        """End the evaluation of a run; without one, nothing happens."""
        workspace.run(name)
        jobs.cancel(_evaluating(name))
        return {"run": name}

    @router.post("/{name}/export")
    def export(name: Id) -> Response:
        """The generator alone as one small file, as `ganvas export` writes it."""
        found = find_trained(str(workspace.run(name).path))
        with TemporaryDirectory() as place:
            path = Path(place) / f"generator{files.ENDING}"
            files.write(path, found.exported(), found.metadata)
            return Response(path.read_bytes(), media_type="application/octet-stream")

    @router.delete("/{name}")
    def delete(name: Id) -> dict[str, object]:
        """Move a run to the trash folder of the workspace."""
        goal = workspace.throw_away(name)
        return {"trash": str(goal.relative_to(workspace.root))}

    return router


def _evaluating(name: str) -> str:
    """The name of the process that evaluates a run: the same each time, and so is its log."""
    return sha256(f"evaluate {name}".encode()).hexdigest()[:16]


def _to_be(workspace: Workspace, path: Path) -> dict[str, object]:
    """A run whose process has begun, and which has no files yet."""
    run = RunDir(path)
    return {
        "id": workspace.id_of(run), "path": path.relative_to(workspace.root).as_posix(),
        "state": PREPARING, "model": None, "size": None, "images": 0, "goal": None, "score": None,
        "disk": 0, "thumbnail": None, "changed": time.time(),
    }  # fmt: skip


async def _until_gone(socket: WebSocket) -> None:
    """Read what a client says, which means nothing, until it has gone."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _live(folder: RunDir) -> dict[str, object]:
    """Where a run stands now."""
    status = read_status(folder.status)
    lines = tail(folder.metrics_log, 2**14)
    found = {} if status is None else vars(status)
    saved = _saved(checkpoint.newest_whole(folder.checkpoints))
    return {**found, "state": state_of(folder, status, lines), "checkpoint": saved}


def _saved(folder: Path | None) -> dict[str, object] | None:
    """A checkpoint in a few facts; `saved` is when, in seconds since 1970."""
    with suppress(OSError):  # a newer one has taken its place
        if folder is not None:
            when = (folder / checkpoint.MANIFEST).stat().st_mtime
            return {"step": checkpoint.step_of(folder), "saved": when}
    return None


def _remembered(folder: RunDir) -> dict[str, object]:
    """Where each setting comes from, and what live ones are now, as the newest checkpoint says."""
    newest = checkpoint.newest_whole(folder.checkpoints)
    with suppress(CheckpointError):
        if newest is not None:
            found = checkpoint.read(newest)
            return {"origins": dict(found.metadata.origins), "live": dict(found.state.live)}
    return {"origins": {}, "live": {}}


def _sent(found: News) -> dict[str, object]:
    return {**vars(found), "lines": [_finite(line) for line in found.lines]}


def _finite(line: dict[str, Any]) -> dict[str, Any]:
    """A line of the log with None for numbers that JSON does not have."""
    return {
        name: None if isinstance(value, float) and not abs(value) < float("inf") else value
        for name, value in line.items()
    }
