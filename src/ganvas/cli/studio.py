"""ganvas studio: a local page where runs are started, watched and steered."""

import secrets
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ganvas.cli.streams import say
from ganvas.errors import GanvasError
from ganvas.runtime.names import expand
from ganvas.runtime.system import system_errors

NEEDED = ("fastapi", "uvicorn", "websockets")


class MissingStudioError(GanvasError, ImportError):
    """The studio's libraries are not installed."""


def studio(
    folder: Annotated[
        Path, typer.Option("--workspace", metavar="DIR", help="Folder with the runs.")
    ] = Path(),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0: any.")] = 8600,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="HOST",
            help="Address to listen at; others than this machine's own need a password.",
        ),
    ] = "127.0.0.1",
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            metavar="TEXT",
            help="Password; generated with --host.",
            envvar="GANVAS_STUDIO_PASSWORD",
        ),
    ] = None,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Print the address; open no browser.")
    ] = False,
) -> None:
    """Open the studio in a browser: start, watch and steer the runs of a folder."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise MissingStudioError(
            f"the studio needs {', '.join(missing)}; install it by pip install 'ganvas[studio]'."
        )
    from ganvas.studio.serve import StudioError, is_local, serve

    place = expand(folder)
    with system_errors(place):
        if not place.is_dir():
            raise StudioError(f"{folder} is no folder; name one that holds runs, or is to.")
    if not is_local(host) and password is None:
        password = secrets.token_urlsafe(12)
        say(f"Password of this studio: {password}")

    def opened(address: str) -> None:
        say(f"The studio of {place.resolve()}: {address}", "Ctrl-C ends it; runs go on.")
        if not no_open:
            webbrowser.open(address)

    serve(place, port, host, password, opened)
