"""Who may talk to the studio: the browser that was opened with its token, and no other page.

Every request has a Host of an exact list, so that a foreign name that resolves to this machine (DNS
rebinding) is refused. What changes something, and the WebSocket, have an Origin of the same list.
Everything but the page itself needs a session: a cookie, given for the token in the address that
`ganvas studio` prints, or for the password.
"""

import asyncio
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

from ganvas.runtime.atomic import make_folder, replacing

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
OPEN = ("/static/", "/enter")  # without a session: the page itself, and where one is given
READING = {"GET", "HEAD"}
LONGEST = 4096  # bytes of a token or a password
PATIENCE = 0.2  # seconds that a wrong key takes
YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Door:
    """What opens the studio: the names it answers to, the token of this start, the session."""

    hosts: frozenset[str]  # exact values of the Host header
    session: str  # value of the cookie
    password: str | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def cookie(self) -> str:
        """The cookie's name: cookies do not know ports, and two studios may run."""
        (port, *_) = sorted({host.rpartition(":")[2] for host in self.hosts})
        return f"ganvas-{port}"

    @property
    def pass_value(self) -> str:
        """What the cookie holds; another password makes it worthless."""
        return hmac.new(_bytes(self.session), _bytes(self.password or ""), "sha256").hexdigest()

    def opens(self, key: object) -> bool:
        """Whether a key is the token of this start or the password."""
        known = [self.token, *([self.password] if self.password else [])]
        given = key if isinstance(key, str) else ""
        # Every key is compared, so that the time taken says nothing.
        same = [hmac.compare_digest(_bytes(given), _bytes(each)) for each in known]
        return any(same)


def _bytes(text: str) -> bytes:
    """A text from anywhere as bytes, half a surrogate pair too."""
    return text.encode("utf-8", "surrogatepass")


def session_of(folder: Path) -> str:
    """The session of a workspace: it stays when the studio is started again, so that an open tab
    goes on. Only the user can read its file."""
    path = folder / "session"
    try:
        known = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        known = ""
    if len(known) >= 32:
        return known
    make_folder(folder)
    made = secrets.token_urlsafe(32)
    with replacing(path) as temporary:
        temporary.touch(0o600)
        temporary.write_text(made, "ascii")
    return made


def local_hosts(port: int) -> frozenset[str]:
    """The Host headers of a studio that only this machine can reach."""
    return with_port(("127.0.0.1", "localhost", "[::1]"), port)


def with_port(names: Iterable[str], port: int) -> frozenset[str]:
    """Host headers of these names; browsers leave out the port of HTTP itself."""
    return frozenset(f"{name}{end}" for name in names for end in (f":{port}", *[""] * (port == 80)))


class Guard:
    """ASGI middleware that lets through what the module describes, and adds headers to answers."""

    def __init__(self, app: App, door: Door) -> None:
        self.app, self.door = app, door
        self._guessing = asyncio.Lock()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, refuse, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        fault = self._fault(scope)
        if scope["type"] == "websocket":
            if fault is None:
                await self.app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 4000 + fault[0]})
            return
        sending = _with_headers(send)
        if fault is not None:
            await _answer(sending, *fault)
        elif scope["path"] == "/enter":
            await self._enter(scope, receive, sending)
        else:
            await self.app(scope, receive, sending)

    def _fault(self, scope: Message) -> tuple[int, str] | None:
        """The status and sentence of a refusal."""
        headers = _headers(scope)
        host = headers.get("host", [""])
        if len(host) != 1 or host[0] not in self.door.hosts:
            return 400, "this studio does not answer to that name."
        changing = scope["type"] == "websocket" or scope["method"] not in READING
        if changing and headers.get("origin") != [f"http://{host[0]}"]:
            return 403, "another page may not talk to the studio."
        path = scope["path"]
        if scope["type"] == "http" and (path == "/" or path.startswith(OPEN)):
            return None
        if not self._is_known(headers.get("cookie", [])):
            return 401, "open the studio by the address that ganvas studio prints."
        return None

    def _is_known(self, cookies: list[str]) -> bool:
        for text in cookies:
            try:
                morsel = SimpleCookie(text).get(self.door.cookie)
            except CookieError:
                continue
            if morsel and hmac.compare_digest(_bytes(morsel.value), _bytes(self.door.pass_value)):
                return True
        return False

    async def _enter(self, scope: Message, receive: Receive, send: Send) -> None:
        """Give a session for a token or a password."""
        body = b""
        while scope["method"] == "POST":
            message = await receive()
            body += message.get("body", b"")
            if len(body) > LONGEST or not message.get("more_body"):
                break
        try:
            content = json.loads(body)
            key = content.get("key") if isinstance(content, dict) else None
        except (ValueError, RecursionError):
            key = None
        if len(body) > LONGEST or not self.door.opens(key):
            async with self._guessing:  # one guess at a time, and not many
                await asyncio.sleep(PATIENCE)
            await _answer(send, 401, "that is not the key of this studio.")
            return
        cookie = (
            f"{self.door.cookie}={self.door.pass_value}; Path=/; HttpOnly; SameSite=Strict; "
            f"Max-Age={YEAR}"
        )
        await _answer(send, 200, "welcome.", {"set-cookie": cookie})


def _headers(scope: Message) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message.get("headers", [])}
            more = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in known]
            message["headers"] = [*message.get("headers", []), *more]
        await send(message)

    return sending


async def _answer(
    send: Send, status: int, sentence: str, headers: dict[str, str] | None = None
) -> None:
    body = json.dumps({"sentence": sentence}).encode()
    found = {"content-type": "application/json", "content-length": str(len(body))} | (headers or {})
    raw = [(name.encode(), value.encode("latin-1")) for name, value in found.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
