"""Serve the studio until it is interrupted."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import psutil
import uvicorn

from ganvas.errors import GanvasError
from ganvas.studio.app import application
from ganvas.studio.guard import Door, local_hosts, session_of, with_port
from ganvas.studio.uploads import Uploads
from ganvas.studio.workspace import Workspace


class StudioError(GanvasError, RuntimeError):
    """The studio cannot be served as asked."""


def serve(
    folder: Path,
    port: int = 8600,
    host: str = "127.0.0.1",
    password: str | None = None,
    opened: Callable[[str], object] = lambda address: None,
) -> None:
    """Serve the studio of a folder; `opened` gets its address once it answers.

    A host other than this machine itself needs a password. Raises StudioError.
    """
    local = is_local(host)
    if not local and not password:
        raise StudioError("whoever can reach this host could change your runs: give a password.")
    listening = _listening(host, port)
    port = listening.getsockname()[1]
    hosts = local_hosts(port) if local else local_hosts(port) | _names(host, port)
    workspace = Workspace(folder)
    Uploads(workspace.uploads).remove_unused(workspace.used_uploads())
    door = Door(hosts, session_of(workspace.own), password)
    config = uvicorn.Config(
        application(workspace, door),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=2**16,
        timeout_graceful_shutdown=2,
    )
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") or local else _bracketed(host)
    opened(f"http://{shown}:{port}/#key={door.token}")
    uvicorn.Server(config).run(sockets=[listening])


def is_local(host: str) -> bool:
    """Whether only this machine can reach a host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _names(host: str, port: int) -> frozenset[str]:
    """What other machines may call this one: the host itself, its addresses, its name."""
    names = {host, socket.gethostname(), socket.getfqdn()}
    for addresses in psutil.net_if_addrs().values():
        names |= {
            one.address.partition("%")[0]
            for one in addresses
            if one.family in (socket.AF_INET, socket.AF_INET6)
        }
    return with_port((_bracketed(name).lower() for name in names), port)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)  # a browser that is opened at once waits until it is served
    except (OSError, OverflowError) as fault:
        found.close()
        raise StudioError(
            f"{host}:{port} cannot be used: {fault}; choose another --port, or 0 for any."
        ) from None
    return found
