"""The server of `dashboard --web`: a dashboard of its own for each browser window.

textual-serve runs the dashboard and brings the terminal of the page; page and addresses are ours,
since its own page asks Google for a font and answers everybody.

    /TOKEN/                     the terminal
    /TOKEN/ws                   what it shows and what is typed
    /TOKEN/static/...           script, style and font of the terminal
    /TOKEN/listen/RUN/STEP/ITEM the page of an item, see `codecctl.dashboard.item_page`
    /TOKEN/download/KEY         what the dashboard hands out
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

from codecctl.dashboard.listening_page import PageRequest, page_of_run
from codecctl.errors import CodecctlError, UsageError
from codecctl.web.gate import add_headers, gate

HOST = "127.0.0.1"
MAX_WINDOWS = 8
"""Each is a process of about 100 MB."""
_PORTS_TRIED = 20
DEFAULT_PORT = 8000
_SHUTDOWN_SECONDS = 1.0
_LAST_SECONDS, _POLL_SECONDS = 5.0, 0.05


def open_port(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1.

    Args:
        port: 0 for the first free one from 8000 on.

    Raises:
        UsageError: It is taken, or this user may not have it.
    """
    first, last = (port, port) if port else (DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED - 1)
    for number in range(first, last):
        with suppress(OSError):
            return socket.create_server((HOST, number))
    try:
        return socket.create_server((HOST, last))
    except OSError as error:
        which = f"{first}" if first == last else f"{first} to {last}"
        reason = error.strerror or str(error)
        message = f"--port: {which} on {HOST}: {reason}; choose another with --port"
        raise UsageError(message) from None


class DashboardServer:
    """Serves a dashboard to those who know the token.

    Args:
        command: Runs the dashboard; for a shell.
        runs: The folder of runs.
        token: First part of every address.
    """

    def __init__(self, command: str, *, runs: Path, token: str) -> None:
        self.command = command
        self._terminals = Server(command, host=HOST, title="codecctl")
        self._runs = runs
        self._token = token
        self._windows = 0
        self._one_page = asyncio.Semaphore(1)
        static = Path(self._terminals.statics_path)
        self._assets = {
            path.relative_to(static).as_posix(): path
            for path in static.rglob("*")
            if path.is_file()
        }
        self._page = (files("codecctl.web") / "terminal.html").read_text(encoding="utf-8")

    def application(self) -> web.Application:
        """The application of aiohttp, to be run by a loop."""
        app = web.Application(middlewares=[gate(self._token)])
        app.on_response_prepare.append(add_headers)
        app.on_cleanup.append(self._wait_for_windows)
        app.add_routes(
            [
                web.get("/{token}", self._to_page),
                web.get("/{token}/", self._terminal),
                web.get("/{token}/ws", self._window),
                web.get("/{token}/static/{name:.+}", self._asset),
                web.get("/{token}/download/{key}", self._terminals.handle_download),
                web.get("/{token}/listen/{run}/{step}/{item}", self._listen),
            ]
        )
        return app

    def serve_on(self, listening: socket.socket) -> None:
        """Serve until Ctrl-C or SIGTERM."""
        web.run_app(
            self.application(),
            sock=listening,
            access_log=None,  # it would hold the token
            print=lambda *_: None,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )

    async def _wait_for_windows(self, _app: web.Application) -> None:
        """Let the dashboards of open windows end, and the loop notice that they have."""
        for _ in range(round(_LAST_SECONDS / _POLL_SECONDS)):
            if not self._windows:
                break
            await asyncio.sleep(_POLL_SECONDS)
        await asyncio.sleep(4 * _POLL_SECONDS)

    async def _to_page(self, _request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"/{self._token}/")

    async def _terminal(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text=self._page, content_type="text/html")

    async def _window(self, request: web.Request) -> web.StreamResponse:
        if self._windows >= MAX_WINDOWS:
            raise web.HTTPServiceUnavailable(text=f"codecctl: {MAX_WINDOWS} windows are open\n")
        self._windows += 1
        try:
            response: web.StreamResponse = await self._terminals.handle_websocket(request)
        finally:
            self._windows -= 1
        return response

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        path = self._assets.get(request.match_info["name"])  # a name that is known, never a path
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        try:
            wanted = PageRequest.parse(request.match_info, request.query)
            async with self._one_page:
                text = await asyncio.to_thread(page_of_run, self._runs, wanted)
        except CodecctlError as error:
            raise web.HTTPNotFound(text=f"codecctl: {error}\n") from None
        return web.Response(text=text, content_type="text/html")
