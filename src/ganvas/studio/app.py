"""The studio as an ASGI application: its pages, what they ask for, and how faults are told."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from ganvas import __version__
from ganvas.errors import GanvasError
from ganvas.studio.api import explore, learn, runs, style, training
from ganvas.studio.guard import Door, Guard
from ganvas.studio.jobs import Jobs
from ganvas.studio.workspace import Workspace

STATIC = Path(__file__).parent / "static"


def application(workspace: Workspace, door: Door) -> Guard:
    """The application, guarded."""
    app = FastAPI(
        title="ganvas studio",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(GanvasError, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _plain)
    jobs = Jobs(workspace.own / "jobs")
    app.include_router(runs.routes(workspace, jobs))
    app.include_router(training.routes(workspace, jobs))
    app.include_router(explore.routes(workspace))
    app.include_router(style.routes(workspace, jobs))
    app.include_router(learn.routes())

    @app.get("/", include_in_schema=False)
    def index() -> Response:
        return FileResponse(STATIC / "index.html", media_type="text/html")

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return Guard(app, door)


async def _refused(request: Request, fault: Exception) -> Response:
    status = 404 if isinstance(fault, LookupError) else 409
    return JSONResponse({"sentence": str(fault)}, status)


async def _unreadable(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    first = fault.errors()[0]
    if first["loc"][0] == "path":
        return JSONResponse({"sentence": "there is nothing of this name here."}, 404)
    said = first["msg"][0].lower() + first["msg"][1:]
    return JSONResponse({"sentence": f"{first['loc'][-1]}: {said}."}, 422)


async def _plain(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    return JSONResponse({"sentence": str(fault.detail)}, fault.status_code)
